import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { smtpConnector } from "@quiesce/connectors";
import { conformance, real } from "@quiesce/sdk/testing";
import { SMTPServer } from "smtp-server";
import { describe, it } from "vitest";

const PASSWORD = "correct horse";

interface Mailbox {
  readonly subjects: string[];
}

/** A real SMTP server in this process, which lets in who has the password and refuses one recipient. */
async function startServer(mailbox: Mailbox): Promise<{ readonly port: number; readonly stop: () => Promise<void> }> {
  const server = new SMTPServer({
    disabledCommands: ["STARTTLS"],
    allowInsecureAuth: true,
    closeTimeout: 100,
    onAuth: ({ password }, _session, done) => {
      if (password === PASSWORD) done(null, { user: "quiesce" });
      else done(Object.assign(new Error("wrong password"), { responseCode: 535 }));
    },
    onRcptTo: ({ address }, _session, done) => {
      if (address.startsWith("nobody")) done(Object.assign(new Error("no such user"), { responseCode: 550 }));
      else done();
    },
    onData: (stream, _session, done) => {
      let text = "";
      stream.setEncoding("utf8").on("data", (part: string) => (text += part));
      stream.on("end", () => {
        mailbox.subjects.push(/^Subject: (.*)$/imu.exec(text)?.[1]?.trim() ?? "");
        done();
      });
    },
  });
  server.on("error", () => undefined);
  server.listen(0, "127.0.0.1");
  await once(server.server, "listening");
  const { port } = server.server.address() as AddressInfo;
  return { port, stop: () => new Promise((resolve) => server.close(() => resolve())) };
}

conformance(smtpConnector, {
  describe,
  it,
  server: real<Mailbox>({
    proxy: true,
    start: async () => {
      const system = { subjects: [] };
      const { port, stop } = await startServer(system);
      return { url: `smtp://127.0.0.1:${port}`, system, stop };
    },
  }),
  config: {
    valid: ({ url }) => ({
      host: new URL(url).hostname,
      port: Number(new URL(url).port),
      tls: "disable",
      user: "quiesce",
      connectTimeoutSeconds: 1,
      answerTimeoutSeconds: 2,
      streams: [{ name: "mail", from: "shop@example.com" }],
    }),
    invalid: [{}, { host: "x", streams: [{ name: "mail", from: "no address" }] }],
  },
  secrets: { valid: { password: PASSWORD }, wrong: { password: "wrong-password" } },
  write: {
    stream: "mail",
    item: (n) => ({ key: `order-${n}`, data: { to: "ann@example.com", subject: `order-${n}`, text: String(n) } }),
    bad: (n) => ({ key: `order-${n}`, data: { to: "nobody@example.com", subject: `order-${n}`, text: String(n) } }),
    stored: ({ subjects }) => subjects,
  },
});
