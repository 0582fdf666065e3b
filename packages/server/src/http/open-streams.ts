import { equalJson } from "@quiesce/core";
import { type Authenticated, callersOf } from "../access/authenticate.js";
import type { Database } from "../db/client.js";
import type { LiveBus } from "../events/live-bus.js";
import type { Log } from "../log.js";

/** Tokens of open streams are looked at this often: five seconds is the promise, two leave room for a slow database. */
const CHECK_INTERVAL_MS = 2_000;

interface OpenStream {
  /** Whose it is; null before the caller has shown a token. */
  readonly caller: Authenticated | null;
  /** Ends the stream because its token is no longer valid, or because the server stops. */
  close(why: "token" | "shutdown"): void;
  /** Lets nothing out until it is closed or resumed. */
  pause(): void;
  /** Goes on with the rights that its caller has now. */
  resume(caller: Authenticated): void;
}

/** Every open socket and event stream of this server, by the token that opened it. */
export interface OpenStreams {
  add(stream: OpenStream): { remove(): void };
  start(): void;
  /** Closes all of them. */
  stop(): void;
  readonly size: number;
}

/**
 * Watches the tokens of open streams, because a revoked token must not go on listening. An event about a token stops its streams before any later
 * event goes out; what no event tells (an expiry, a change by hand) is seen at the next look.
 */
export function createOpenStreams(services: { readonly database: Database; readonly bus: LiveBus; readonly log: Log }): OpenStreams {
  const { database, bus, log } = services;
  const streams = new Set<OpenStream>();
  const paused = new Set<OpenStream>();
  let timer: NodeJS.Timeout | null = null;
  let unobserve = (): void => undefined;
  let checking = false;
  let again = false;

  const apply = (stream: OpenStream, valid: ReadonlyMap<number, Authenticated>): void => {
    if (stream.caller === null || !streams.has(stream)) return;
    const now = valid.get(stream.caller.tokenId);
    if (now === undefined) return stream.close("token");
    const hasChanged = !equalJson([now.principal, now.expiresAt], [stream.caller.principal, stream.caller.expiresAt]);
    if (hasChanged) stream.pause();
    if (hasChanged || paused.has(stream)) stream.resume(now);
    paused.delete(stream);
  };

  const look = async (): Promise<void> => {
    do {
      again = false;
      const looked = [...streams];
      const valid = await callersOf(database, [...new Set(looked.flatMap(({ caller }) => caller?.tokenId ?? []))]);
      // An event since then may say otherwise: what was read is old.
      if (!again) for (const stream of looked) apply(stream, valid);
    } while (again);
  };

  const check = async (): Promise<void> => {
    if (streams.size === 0) return;
    again = true;
    if (checking) return;
    checking = true;
    try {
      await look();
    } catch (error) {
      log.warn({ err: error }, "the tokens of open streams could not be checked; it is tried again");
    } finally {
      checking = false;
    }
  };

  /** Of a token that has just been made nobody can have a stream. */
  const stopStreamsOf = (tokenId: string): void => {
    const found = [...streams].filter(({ caller }) => String(caller?.tokenId) === tokenId);
    for (const stream of found) {
      stream.pause();
      paused.add(stream);
    }
    if (found.length > 0) void check();
  };

  return {
    add(stream) {
      streams.add(stream);
      return {
        remove: () => {
          streams.delete(stream);
          paused.delete(stream);
        },
      };
    },
    start() {
      timer = setInterval(() => void check(), CHECK_INTERVAL_MS);
      unobserve = bus.observe(({ kind, subjectKind, subjectKey }) => {
        if (subjectKind === "token" && kind !== "token.created") stopStreamsOf(subjectKey);
      });
    },
    stop() {
      if (timer !== null) clearInterval(timer);
      unobserve();
      for (const stream of streams) stream.close("shutdown");
    },
    get size() {
      return streams.size;
    },
  };
}
