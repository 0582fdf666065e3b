import { isIP } from "node:net";
import { checkServerIdentity } from "node:tls";
import { jetstream, jetstreamManager, type JetStreamClient, type JetStreamManager } from "@nats-io/jetstream";
import { connect, credsAuthenticator, type NatsConnection, type NodeConnectionOptions } from "@nats-io/transport-node";
import type { Context } from "@quiesce/sdk";
import { tlsOptionsOf } from "../network/connection-settings.js";
import { untilStopped } from "../network/until-stopped.js";
import type { NatsConfig, NatsSecrets } from "./nats-config.js";
import { natsError } from "./nats-error.js";

/** A call of this connector. */
export type NatsContext = Context<NatsConfig, NatsSecrets>;

/** One connection for one call. */
export interface Link {
  readonly where: string;
  readonly connection: NatsConnection;
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
  /** How long one answer may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Waits for an answer. Errors come classified; an aborted signal cuts the connection. */
  readonly answer: <T>(work: Promise<T>) => Promise<T>;
  close(): Promise<void>;
}

const CLOSE_MS = 2_000;

/** Opens a connection that dies with `x.signal`. */
export async function openLink(x: NatsContext): Promise<Link> {
  const { config, signal } = x;
  const where = `NATS ${config.host}:${config.port}`;
  const timeoutMs = config.answerTimeoutSeconds * 1_000;
  let connection: NatsConnection | undefined;
  const release = (): void => void connection?.close().catch(() => undefined);
  const answer = async <T>(work: Promise<T>, limitMs?: number): Promise<T> => {
    try {
      return await untilStopped({ signal, where, release, ...(limitMs === undefined ? {} : { limitMs }) }, work);
    } catch (thrown) {
      throw natsError(thrown, where, signal);
    }
  };
  const opening = connect(await connectionOptions(x));
  // Stopped while it opens, it is closed as soon as it is open.
  opening.then((late) => (signal.aborted ? late.close() : undefined)).catch(() => undefined);
  connection = await answer(opening);
  try {
    const manager = await answer(jetstreamManager(connection, { timeout: timeoutMs, checkAPI: false }));
    const opened = connection;
    return {
      where,
      connection: opened,
      client: jetstream(opened, { timeout: timeoutMs }),
      manager,
      timeoutMs,
      answer: (work) => answer(work),
      close: async () => {
        await answer(opened.close(), CLOSE_MS).catch(() => undefined);
      },
    };
  } catch (thrown) {
    release();
    throw thrown;
  }
}

async function connectionOptions(x: NatsContext): Promise<NodeConnectionOptions> {
  const { config, secrets } = x;
  const addresses = await x.resolveHost(config.host);
  const tls = tlsOptionsOf(config, secrets);
  const { user } = config;
  const { password: pass, token, credentials } = secrets;
  return {
    servers: addresses.map((address) => `${isIP(address) === 6 ? `[${address}]` : address}:${config.port}`),
    name: "quiesce",
    timeout: config.connectTimeoutSeconds * 1_000,
    reconnect: false,
    noRandomize: true,
    // What the servers tell of one another was not checked.
    ignoreClusterUpdates: true,
    ...(user === undefined ? {} : { user, ...(pass === undefined ? {} : { pass }) }),
    ...(token === undefined ? {} : { token }),
    ...(credentials === undefined ? {} : { authenticator: credsAuthenticator(new TextEncoder().encode(credentials)) }),
    // The client connects to an address; the certificate is compared with the host's name all the same.
    ...(tls === undefined
      ? {}
      : {
          tls: {
            ...tls,
            checkServerIdentity: (_address: string, certificate: Peer) => checkServerIdentity(config.host, certificate),
          } as object,
        }),
  };
}

type Peer = Parameters<typeof checkServerIdentity>[1];
