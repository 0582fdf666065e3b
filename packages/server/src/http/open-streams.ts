import { equalJson } from "@quiesce/core";
import type { AccessUse } from "../access/access-use.js";
import { type Authenticated, callersOf, type CredentialKey } from "../access/authenticate.js";
import type { Database } from "../db/client.js";
import type { LiveBus } from "../events/live-bus.js";
import type { Log } from "../log.js";

/** Events about credentials and accounts that change nobody's rights. */
const harmless: ReadonlySet<string> = new Set(["token.created", "session.started", "principal.created", "principal.owner-changed"]);

/** The credentials of open streams are looked at this often: five seconds is the promise, two leave room for a slow database. */
const CHECK_INTERVAL_MS = 2_000;

interface OpenStream {
  /** Whose it is; null before the caller has shown a credential. */
  readonly caller: Authenticated | null;
  /** Ends the stream because its credential is no longer valid, or because the server stops. */
  close(why: "token" | "shutdown"): void;
  /** Lets nothing out until it is closed or resumed. */
  pause(): void;
  /** Goes on with the rights that its caller has now. */
  resume(caller: Authenticated): void;
}

/** Every open socket and event stream of this server, by the credential that opened it. */
export interface OpenStreams {
  add(stream: OpenStream): { remove(): void };
  start(): void;
  /** Closes all of them. */
  stop(): void;
  readonly size: number;
}

/**
 * Watches the credentials of open streams, because a revoked token must not go on listening. An event about a token, a session or its account stops
 * the streams before any later event goes out; what no event tells (an expiry, a change by hand) is seen at the next look.
 */
export function createOpenStreams(services: {
  readonly database: Database;
  readonly bus: LiveBus;
  readonly log: Log;
  readonly use?: AccessUse | undefined;
}): OpenStreams {
  const { database, bus, log, use } = services;
  const streams = new Set<OpenStream>();
  const paused = new Set<OpenStream>();
  let timer: NodeJS.Timeout | null = null;
  let unobserve = (): void => undefined;
  let checking = false;
  let again = false;

  const apply = (stream: OpenStream, valid: ReadonlyMap<CredentialKey, Authenticated>): void => {
    if (stream.caller === null || !streams.has(stream)) return;
    const now = valid.get(stream.caller.credential);
    if (now === undefined) return stream.close("token");
    // A stream may be open for months: it is being used all the time.
    use?.used(now, "events.read");
    const hasChanged = !equalJson([now.principal, now.expiresAt], [stream.caller.principal, stream.caller.expiresAt]);
    if (hasChanged) stream.pause();
    if (hasChanged || paused.has(stream)) stream.resume(now);
    paused.delete(stream);
  };

  const look = async (): Promise<void> => {
    do {
      again = false;
      const looked = [...streams];
      const valid = await callersOf(database, [...new Set(looked.flatMap(({ caller }) => caller?.credential ?? []))]);
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
      log.warn({ err: error }, "the credentials of open streams could not be checked; it is tried again");
    } finally {
      checking = false;
    }
  };

  const stopStreamsOf = (concerns: (caller: Authenticated) => boolean): void => {
    const found = [...streams].filter(({ caller }) => caller !== null && concerns(caller));
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
        // Of what has just been made nobody can have a stream; who answers for an account changes none.
        if (harmless.has(kind)) return;
        if (subjectKind === "token" || subjectKind === "session")
          stopStreamsOf(({ credential }) => credential === `${subjectKind}:${subjectKey}`);
        else if (subjectKind === "principal") stopStreamsOf(({ principalId }) => String(principalId) === subjectKey);
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
