import { createHash } from "node:crypto";
import { ConnectorError, type WriteError, type WriteItem, type WriteResult } from "@quiesce/sdk";
import MailComposer from "nodemailer/lib/mail-composer";
import { failed } from "../messages/message-body.js";
import { namedStream } from "../streams/stream-list.js";
import { mailSchema, type SmtpStream } from "./smtp-config.js";
import { openLink, type Envelope, type Link, type SmtpContext } from "./smtp-link.js";

/** These concern the server, not the mail: what follows in the batch would meet the same. */
const STOPS_BATCH = new Set(["auth", "permission", "config", "rate_limited", "unavailable", "timeout", "cancelled"]);

/** Sends a mail a record, one after the other; one result each. */
export async function writeItems(x: SmtpContext, streamName: string, items: readonly WriteItem[]): Promise<WriteResult[]> {
  const stream = namedStream(x.config.streams, streamName);
  const link = await openLink(x);
  try {
    const results: WriteResult[] = [];
    let stopped: WriteError | undefined;
    for (const item of items) {
      // Not sent at all, so nothing about it is in doubt.
      const result: WriteResult =
        stopped === undefined
          ? await sendMail(x, { link, stream }, item)
          : { key: item.key, ok: false, error: { ...stopped, ambiguous: undefined } };
      results.push(result);
      if (!result.ok && STOPS_BATCH.has(result.error.kind)) stopped ??= result.error;
    }
    return results;
  } finally {
    await link.close();
  }
}

async function sendMail(
  x: SmtpContext,
  { link, stream }: { readonly link: Link; readonly stream: SmtpStream },
  item: WriteItem,
): Promise<WriteResult> {
  const { key } = item;
  try {
    const mail = await mailOf(x, stream, item);
    const { rejected, response } = await link.send(mail.envelope, mail.message);
    if (rejected.length > 0) {
      const taken = mail.envelope.to.length - rejected.length;
      throw new ConnectorError(
        "invalid",
        `${link.where} refused ${rejected.length} of ${taken + rejected.length} recipients; the others got the mail.`,
      );
    }
    const remoteId = /\bqueued as ([\w.-]+)/iu.exec(response)?.[1] ?? mail.messageId;
    return { key, ok: true, remoteId };
  } catch (thrown) {
    return failed(key, thrown, x.signal);
  }
}

interface Mail {
  readonly envelope: Envelope;
  readonly message: Buffer;
  readonly messageId: string;
}

async function mailOf(x: SmtpContext, stream: SmtpStream, item: WriteItem): Promise<Mail> {
  if (item.op === "delete") throw new ConnectorError("invalid", `Record ${item.key} is a deletion, and a mail cannot be taken back.`);
  const parsed = mailSchema.safeParse(item.data);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const field = issue?.path.join(".") ?? "";
    throw new ConnectorError("invalid", `The record is no mail: ${field === "" ? "" : `${field} `}${issue?.message ?? "is wrong"}.`, {
      field,
    });
  }
  const { to = stream.to, cc, bcc, replyTo, subject, text, html } = parsed.data;
  if (to === undefined || to.length === 0)
    throw new ConnectorError("invalid", "The record says no recipient in `to`, and the stream has none.", { field: "to" });
  const messageId = messageIdOf(stream, item);
  const composed = new MailComposer({
    from: stream.from,
    to,
    subject,
    messageId,
    date: x.clock.now(),
    // A text that looks like a path or an address is a text.
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(cc === undefined ? {} : { cc }),
    ...(bcc === undefined ? {} : { bcc }),
    ...(replyTo === undefined ? {} : { replyTo }),
    ...(text === undefined ? {} : { text }),
    ...(html === undefined ? {} : { html }),
  }).compile();
  const { from, to: recipients } = composed.getEnvelope();
  if (from === false || recipients.length === 0)
    throw new ConnectorError("invalid", "The record has no recipient that is an address.", { field: "to" });
  return { envelope: { from, to: recipients }, message: await composed.build(), messageId };
}

/** The same for every repetition of the change: where a mail did go out twice, many mail programs show it once. */
function messageIdOf(stream: SmtpStream, item: WriteItem): string {
  const domain = /@([A-Za-z0-9.-]+)/u.exec(stream.from)?.[1] ?? "localhost";
  return `<${createHash("sha256").update(item.idempotencyKey).digest("hex").slice(0, 32)}@${domain}>`;
}
