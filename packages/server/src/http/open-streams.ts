import { invalidTokens } from "../access/authenticate.js";
import type { Database } from "../db/client.js";
import type { ApiLog } from "../graphql/request-context.js";

/** Tokens of open streams are looked at this often: five seconds is the promise, two leave room for a slow database. */
const CHECK_INTERVAL_MS = 2_000;

interface OpenStream {
  readonly tokenId: number;
  /** Ends the stream because its token is no longer valid, or because the server stops. */
  close(why: "token" | "shutdown"): void;
}

/** Every open socket and event stream of this server, by the token that opened it. */
export interface OpenStreams {
  add(stream: OpenStream): { remove(): void };
  start(): void;
  /** Closes all of them. */
  stop(): void;
  readonly size: number;
}

/** Watches the tokens of open streams, because a revoked token must not go on listening. */
export function createOpenStreams(database: Database, log: ApiLog): OpenStreams {
  const streams = new Set<OpenStream>();
  let timer: NodeJS.Timeout | null = null;
  let checking = false;
  const check = async (): Promise<void> => {
    if (checking || streams.size === 0) return;
    checking = true;
    try {
      const invalid = new Set(await invalidTokens(database, [...new Set([...streams].map(({ tokenId }) => tokenId))]));
      for (const stream of streams) if (invalid.has(stream.tokenId)) stream.close("token");
    } catch (error) {
      log.warn({ err: error }, "the tokens of open streams could not be checked; it is tried again");
    } finally {
      checking = false;
    }
  };
  return {
    add(stream) {
      streams.add(stream);
      return { remove: () => void streams.delete(stream) };
    },
    start() {
      timer = setInterval(() => void check(), CHECK_INTERVAL_MS);
    },
    stop() {
      if (timer !== null) clearInterval(timer);
      for (const stream of streams) stream.close("shutdown");
    },
    get size() {
      return streams.size;
    },
  };
}
