import { once } from "node:events";
import type { ConnectorError, Context } from "@quiesce/sdk";
import SmtpConnection from "nodemailer/lib/smtp-connection";
import { tlsOptionsOf } from "../network/connection-settings.js";
import { openSocket } from "../network/open-socket.js";
import { untilStopped } from "../network/until-stopped.js";
import type { SmtpConfig, SmtpSecrets } from "./smtp-config.js";
import { smtpError } from "./smtp-error.js";

/** A call of this connector. */
export type SmtpContext = Context<SmtpConfig, SmtpSecrets>;

/** Whom a mail goes from and to, beside what it says. */
export interface Envelope {
  readonly from: string;
  readonly to: readonly string[];
}

/** What the server said of a mail. */
export interface Sent {
  readonly rejected: readonly string[];
  readonly response: string;
}

const CLOSE_MS = 1_000;

/** One connection for one call, logged in. */
export interface Link {
  readonly where: string;
  /** Sends a mail. Rejects with ConnectorErrors; `ambiguous` where the server may have taken it. */
  send(envelope: Envelope, message: Buffer): Promise<Sent>;
  /** Says goodbye. */
  close(): Promise<void>;
}

/** Opens a connection that dies with `x.signal`. */
export async function openLink(x: SmtpContext): Promise<Link> {
  const { config, secrets, signal } = x;
  const where = `SMTP ${config.host}:${config.port}`;
  const tls = tlsOptionsOf(config, secrets);
  const isLater = tls !== undefined && config.startTls;
  const socket = await openSocket(x, { ...config, tls: isLater ? undefined : tls, where });
  const limitMs = config.answerTimeoutSeconds * 1_000;
  const client = new SmtpConnection({
    host: config.host,
    port: config.port,
    connection: socket,
    name: config.clientName,
    secured: tls !== undefined && !isLater,
    requireTLS: isLater,
    // Without TLS is without: not half, if the server happens to offer some.
    ignoreTLS: tls === undefined,
    greetingTimeout: config.connectTimeoutSeconds * 1_000,
    socketTimeout: limitMs,
    ...(tls === undefined ? {} : { tls }),
  });
  const release = (): void => {
    client.close();
    socket.destroy();
  };
  let lost: unknown;
  let fail = (thrown: unknown): void => void (lost = thrown);
  client.on("error", (thrown: unknown) => fail(thrown));
  client.on("end", () => fail(Object.assign(new Error("the server ended the connection"), { code: "ECONNECTION" })));
  /** Runs a step of the protocol; the client tells some ends by its callback, others by events only. */
  const step = async <T>(begin: (done: (error: unknown, result?: T) => void) => void, sending = false): Promise<T | undefined> => {
    try {
      const work = new Promise<T | undefined>((resolve, reject) => {
        if (lost !== undefined) reject(lost);
        fail = (thrown) => {
          lost = thrown;
          reject(thrown);
        };
        begin((error, result) => (error === null || error === undefined ? resolve(result) : reject(error)));
      });
      return await untilStopped({ signal, where, limitMs, release }, work);
    } catch (thrown) {
      throw smtpError(thrown, where, { signal, sending });
    }
  };
  try {
    await step((done) => client.connect(done));
    const { user } = config;
    const { password: pass } = secrets;
    if (user !== undefined) await step((done) => client.login({ user, pass: pass ?? "" }, done));
  } catch (thrown) {
    release();
    throw thrown;
  }
  return {
    where,
    send: async ({ from, to }, message) => {
      const sent = await step<Sent>((done) => client.send({ from, to: [...to] }, message, done), true).catch(
        async (error: ConnectorError) => {
          // A refused mail leaves the server waiting for the rest of it.
          if (typeof error.info.status === "number") await step((done) => client.reset(done)).catch(() => undefined);
          throw error;
        },
      );
      return { rejected: sent?.rejected ?? [], response: sent?.response ?? "" };
    },
    close: async () => {
      if (lost === undefined && !socket.destroyed) {
        const ended = once(socket, "close");
        client.quit();
        await untilStopped({ signal, where, limitMs: CLOSE_MS }, ended).catch(() => undefined);
      }
      release();
    },
  };
}
