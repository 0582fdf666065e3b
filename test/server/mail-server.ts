import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { SMTPServer } from "smtp-server";

/** A mail as it arrived. */
export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly messageId: string;
  /** Headers and body, with their transfer encoding taken off the body. */
  readonly text: string;
}

/** A real SMTP server on loopback, without TLS. */
export interface MailServer {
  readonly port: number;
  readonly mails: readonly ReceivedMail[];
  /** What it says to recipients from now on: null takes them. */
  answer: { readonly code: number; readonly text: string } | null;
  close(): Promise<void>;
}

/** Starts one; a port of zero is any free one. */
export async function startMailServer(port = 0): Promise<MailServer> {
  const mails: ReceivedMail[] = [];
  let answer: MailServer["answer"] = null;
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["STARTTLS", "AUTH"],
    onRcptTo: (_address, _session, done) => {
      if (answer === null) done();
      else done(Object.assign(new Error(answer.text), { responseCode: answer.code }));
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const { mailFrom, rcptTo } = session.envelope;
        const raw = Buffer.concat(chunks).toString("utf8").replaceAll("\r\n", "\n");
        const [head = "", ...rest] = raw.split("\n\n");
        // Folded headers in one line each.
        const headers = head.replaceAll(/\n[ \t]+/gu, " ");
        const header = (name: string): string => new RegExp(`^${name}: (.*)$`, "imu").exec(headers)?.[1] ?? "";
        mails.push({
          from: mailFrom === false ? "" : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          subject: header("Subject"),
          messageId: header("Message-ID"),
          text: decoded(rest.join("\n\n"), header("Content-Transfer-Encoding")),
        });
        done();
      });
    },
  });
  server.on("error", () => undefined);
  server.listen(port, "127.0.0.1");
  await once(server.server, "listening");
  return {
    port: (server.server.address() as AddressInfo).port,
    mails,
    get answer() {
      return answer;
    },
    set answer(now) {
      answer = now;
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function decoded(body: string, encoding: string): string {
  if (encoding === "base64") return Buffer.from(body, "base64").toString("utf8");
  if (encoding !== "quoted-printable") return body;
  const bytes = body
    .replaceAll("=\n", "")
    .replaceAll(/=([0-9A-F]{2})/giu, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, "latin1").toString("utf8");
}
