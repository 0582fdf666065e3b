import { createClient, RESP_TYPES, type ErrorReply } from "@redis/client";
import type { Context } from "@quiesce/sdk";
import { checkedLookup } from "../network/checked-lookup.js";
import { tlsOptionsOf } from "../network/connection-settings.js";
import { untilStopped } from "../network/until-stopped.js";
import type { RedisConfig, RedisSecrets } from "./redis-config.js";
import { redisError } from "./redis-error.js";

/** A call of this connector. */
export type RedisContext = Context<RedisConfig, RedisSecrets>;

/** What a command answers: texts come as bytes. */
export type Reply = Buffer | number | null | ErrorReply | readonly Reply[];

/** One connection for one call. */
export interface Link {
  readonly where: string;
  /** Sends a command; commands that are sent at once travel together. Rejects with what the client threw: see {@link answer}. */
  command(...args: readonly (string | Buffer)[]): Promise<Reply>;
  /** Waits for answers. Errors come classified; an aborted signal and a server that is silent too long cut the connection. */
  readonly answer: <T>(work: Promise<T>) => Promise<T>;
  close(): void;
}

/** Opens a connection that dies with `x.signal`, and is never made again by itself. */
export async function openLink(x: RedisContext): Promise<Link> {
  const { config, secrets, signal } = x;
  const { host, port, user, database } = config;
  const { password } = secrets;
  const where = `Redis ${host}:${port}/${database}`;
  const tls = tlsOptionsOf(config, secrets);
  const socket = {
    host,
    port,
    lookup: await checkedLookup(x, host),
    connectTimeout: config.connectTimeoutSeconds * 1_000,
    reconnectStrategy: false,
  } as const;
  const client = createClient({
    RESP: 2,
    socket: tls === undefined ? socket : { ...socket, ...tls, tls: true },
    ...(user === undefined ? {} : { username: user }),
    ...(password === undefined ? {} : { password }),
    database,
    disableOfflineQueue: true,
    // Some services tell their clients to go to another address, which nobody has checked.
    maintNotifications: "disabled",
    name: "quiesce",
    commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
  });
  // An error of a connection that nobody uses just now is met by its next use; unheard it would end the process.
  client.on("error", () => undefined);
  const cut = (): void => {
    if (client.isOpen) client.destroy();
  };
  const answer = async <T>(work: Promise<T>, limitMs: number): Promise<T> => {
    try {
      return await untilStopped({ signal, where, limitMs, release: cut }, work);
    } catch (thrown) {
      throw redisError(thrown, where, signal);
    }
  };
  await answer(client.connect(), config.connectTimeoutSeconds * 1_000);
  return {
    where,
    command: async (...args) => client.sendCommand<Reply>(args),
    answer: (work) => answer(work, config.answerTimeoutSeconds * 1_000),
    close: cut,
  };
}
