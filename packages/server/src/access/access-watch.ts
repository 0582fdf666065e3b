import { type AccessTally, countAccess, type CountedAccess } from "@quiesce/core";
import { clock } from "../clock.js";
import type { Database } from "../db/client.js";
import type { Log } from "../log.js";
import { recordArrival, recordUnusual, type WatchedPrincipal } from "./record-unusual.js";

/** Watches how principals use their credentials. Nothing here keeps a request waiting or lets it fail. */
export interface AccessWatch {
  /** A principal shows itself from a network, as 198.51.100.0/24; the empty one is not counted. */
  arrived(principal: WatchedPrincipal, network: string): void;
  /** Something is counted of it: refusals, things that are not there, records that it read. */
  counted(principal: WatchedPrincipal, kind: CountedAccess, count?: number): void;
  /** Resolves when what was begun is written. */
  settled(): Promise<void>;
}

/** A principal is noted in one network so often: more would be a write a request. */
const NOTED_FOR_MS = 24 * 3_600_000;
/** What is not remembered is looked up again, or counted from nothing. */
const MAX_REMEMBERED = 10_000;
/** Notes under way; more are left out, and the next request of theirs tries again. */
const MAX_UNDER_WAY = 10;

export function createAccessWatch(services: {
  readonly database: Database;
  readonly log: Log;
  readonly afterWrite?: (() => void) | undefined;
}): AccessWatch {
  const { database, log, afterWrite } = services;
  const noted = new Map<string, number>();
  const tallies = new Map<string, AccessTally>();
  const underWay = new Set<Promise<void>>();

  const inBackground = (work: () => Promise<boolean>, onFailure: () => void = () => undefined): void => {
    const done = work()
      .then((wrote) => {
        if (wrote) afterWrite?.();
      })
      .catch((error: unknown) => {
        onFailure();
        log.warn({ err: error }, "how a principal uses its credentials could not be noted");
      })
      .finally(() => underWay.delete(done));
    underWay.add(done);
  };

  return {
    arrived(principal, network) {
      const now = clock.monotonicMs();
      const name = `${principal.principalId} ${network}`;
      if (network === "" || now - (noted.get(name) ?? Number.NEGATIVE_INFINITY) < NOTED_FOR_MS || underWay.size >= MAX_UNDER_WAY) return;
      remember(noted, name, now);
      inBackground(
        () => recordArrival(database, principal, network),
        () => noted.delete(name),
      );
    },
    counted(principal, kind, count = 1) {
      if (count <= 0) return;
      const name = `${principal.principalId} ${kind}`;
      const { tally, found } = countAccess(kind, tallies.get(name), { count, nowMs: clock.monotonicMs() });
      remember(tallies, name, tally);
      if (found !== null) inBackground(() => recordUnusual(database, principal, found));
    },
    settled: async () => {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}

/** Keeps the newest; of a map's names the first is the oldest. */
function remember<Value>(map: Map<string, Value>, name: string, value: Value): void {
  map.delete(name);
  map.set(name, value);
  for (const oldest of map.keys()) {
    if (map.size <= MAX_REMEMBERED) break;
    map.delete(oldest);
  }
}
