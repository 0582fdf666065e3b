import { createHash } from "node:crypto";
import { headers, millis } from "@nats-io/transport-node";
import { ConnectorError, type WriteItem, type WriteResult } from "@quiesce/sdk";
import { bodyOf, failed } from "../messages/message-body.js";
import { KEY_HEADER, OPERATION_HEADER } from "../messages/message-fields.js";
import { writeResults } from "../messages/write-results.js";
import { namedStream, neededPart } from "../streams/stream-list.js";
import type { NatsStream } from "./nats-config.js";
import { natsError } from "./nats-error.js";
import { openLink, type Link, type NatsContext } from "./nats-link.js";

type Publishing = NonNullable<NatsStream["write"]>;

/** Publishes a message a record and waits until the stream has each. Its id is the idempotency key: within the stream's window it is stored once. */
export async function writeItems(x: NatsContext, streamName: string, items: readonly WriteItem[]): Promise<WriteResult[]> {
  const stream = namedStream(x.config.streams, streamName);
  const write = neededPart(stream.write, { stream: streamName, what: "write", without: "read-only" });
  const link = await openLink(x);
  try {
    await requireWindow(link, stream, write);
    const send = (item: WriteItem): Promise<WriteResult> => publish(x, { link, stream, write }, item);
    return await writeResults(items, { send, wait: link.answer, signal: x.signal });
  } finally {
    await link.close();
  }
}

async function publish(
  x: NatsContext,
  { link, stream, write }: { readonly link: Link; readonly stream: NatsStream; readonly write: Publishing },
  item: WriteItem,
): Promise<WriteResult> {
  const { key } = item;
  try {
    const marked = headers();
    try {
      marked.set(KEY_HEADER, key);
      marked.set(OPERATION_HEADER, item.op ?? "upsert");
    } catch {
      throw new ConnectorError("invalid", `The key ${JSON.stringify(key.slice(0, 80))} cannot stand in a header: it has a line break.`);
    }
    const body = bodyOf(stream, item);
    const most = link.connection.info?.max_payload ?? Number.POSITIVE_INFINITY;
    if (body.byteLength > most) {
      throw new ConnectorError("invalid", `The message has ${body.byteLength} bytes; ${link.where} takes at most ${most}.`);
    }
    const options = {
      msgID: messageId(item.idempotencyKey),
      headers: marked,
      timeout: link.timeoutMs,
      expect: { streamName: stream.stream },
    };
    const { seq, duplicate } = await link.client.publish(subjectOf(write, key), body, options);
    return { key, ok: true, remoteId: String(seq), ...(duplicate ? { unchanged: true } : {}) };
  } catch (thrown) {
    return failed(key, natsError(thrown, link.where, x.signal), x.signal);
  }
}

/** A key may hold what separates or stands for parts of a subject. */
function subjectOf({ subject }: Publishing, key: string): string {
  return subject.replaceAll("{key}", () => encodeURIComponent(key).replaceAll(".", "%2E").replaceAll("*", "%2A"));
}

function messageId(idempotencyKey: string): string {
  return /^[\u0020-\u007e]+$/u.test(idempotencyKey) ? idempotencyKey : createHash("sha256").update(idempotencyKey).digest("hex");
}

/** With a shorter window the promise to recognise repetitions would not hold. */
async function requireWindow(link: Link, stream: NatsStream, write: Publishing): Promise<void> {
  const { config } = await link.answer(link.manager.streams.info(stream.stream));
  const windowSeconds = millis(config.duplicate_window) / 1_000;
  if (windowSeconds >= write.minDuplicateWindowSeconds) return;
  throw new ConnectorError(
    "config",
    `The stream ${stream.stream} knows message ids for ${windowSeconds} s, and minDuplicateWindowSeconds is ${write.minDuplicateWindowSeconds}. Give it a longer duplicate_window, or lower the setting.`,
    { field: "write.minDuplicateWindowSeconds" },
  );
}
