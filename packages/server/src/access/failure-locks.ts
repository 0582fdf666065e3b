import { afterFailure, DomainError, type FailureCount, type FailureRule, remainingWaitMs } from "@quiesce/core";
import { recordAudit } from "../audit/record-audit.js";
import { clock } from "../clock.js";
import { inTransaction, systemActor } from "../command.js";
import type { Database } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";
import type { Log } from "../log.js";

const seconds = 1_000;
const minutes = 60 * seconds;

/**
 * Whoever tries and fails waits, each time twice as long: an address, and a single thing that is shown again and again (a link, a token, an identity).
 * At the sign-in nobody who is locked is looked at. At the API a valid credential always passes: it cannot be guessed, and colleagues behind one
 * address must not lock each other out.
 */
const rules = {
  "sign-in": {
    address: { freeFailures: 10, firstWaitMs: 30 * seconds, longestWaitMs: 60 * minutes, forgetAfterMs: 60 * minutes },
    shown: { freeFailures: 5, firstWaitMs: 30 * seconds, longestWaitMs: 60 * minutes, forgetAfterMs: 60 * minutes },
  },
  api: {
    address: { freeFailures: 60, firstWaitMs: 30 * seconds, longestWaitMs: 15 * minutes, forgetAfterMs: 30 * minutes },
    // An account that is enabled again should not wait long for its scripts.
    shown: { freeFailures: 20, firstWaitMs: 5 * seconds, longestWaitMs: 60 * seconds, forgetAfterMs: 10 * minutes },
  },
} as const satisfies { readonly [door in Door]: { readonly [what in keyof Suspect]: FailureRule } };

export type Door = "sign-in" | "api";

/** Who tries. */
export interface Suspect {
  /** The group of addresses that is counted as one; null: leave it out. */
  readonly address: string | null;
  /** What was shown, as a digest; null: nothing that one could recognise. */
  readonly shown: string | null;
}

/** A lock after failures, of this server. */
export interface FailureLocks {
  /** No failure is remembered, so that nobody has to wait. */
  readonly isEmpty: boolean;
  /** Throws QSC_ACCESS_LOCKED, with `retryAfterSeconds`, while the suspect has to wait. */
  check(door: Door, suspect: Suspect): void;
  /** Counts a failure; the first of each wait is written down. `code` says of what kind it was. */
  failed(door: Door, suspect: Suspect, code: string): void;
  /** Resolves when what was begun is written. */
  settled(): Promise<void>;
}

/** Those who failed least recently are forgotten first: by then their wait is over, or somebody commands a great many addresses. */
const MAX_REMEMBERED = 20_000;
const MAX_UNDER_WAY = 20;
/** Refused sign-ins are written down one by one, up to so many at once and so many a minute; the next entry says how many were left out. */
const REFUSALS_AT_ONCE = 20;
const REFUSALS_A_MINUTE = 2;

export function createFailureLocks(services: {
  readonly database: Database;
  readonly log: Log;
  readonly afterWrite?: (() => void) | undefined;
  readonly nowMs?: () => number;
}): FailureLocks {
  const { database, log, afterWrite, nowMs = clock.monotonicMs } = services;
  const counts = new Map<string, FailureCount>();
  const underWay = new Set<Promise<void>>();
  let refusals = { room: REFUSALS_AT_ONCE, at: nowMs(), leftOut: 0 };

  const partsOf = (door: Door, { address, shown }: Suspect) => [
    ...(address === null ? [] : [{ what: "address", key: `${door} address ${address}`, rule: rules[door].address } as const]),
    ...(shown === null ? [] : [{ what: "shown", key: `${door} shown ${shown}`, rule: rules[door].shown } as const]),
  ];

  const inBackground = (work: () => Promise<void>): void => {
    if (underWay.size >= MAX_UNDER_WAY) return;
    const done = work()
      .then(() => afterWrite?.())
      .catch((error: unknown) => log.warn({ err: error }, "a refused sign-in could not be written down"))
      .finally(() => underWay.delete(done));
    underWay.add(done);
  };

  const noteRefusal = (address: string | null, code: string): void => {
    const now = nowMs();
    const room = Math.min(REFUSALS_AT_ONCE, refusals.room + ((now - refusals.at) / minutes) * REFUSALS_A_MINUTE);
    if (room < 1) {
      refusals = { room, at: now, leftOut: refusals.leftOut + 1 };
      return;
    }
    const { leftOut } = refusals;
    refusals = { room: room - 1, at: now, leftOut: 0 };
    inBackground(() => writeRefusal(database, { address, code, leftOut }));
  };

  return {
    get isEmpty() {
      return counts.size === 0;
    },
    check(door, suspect) {
      const now = nowMs();
      const waitMs = Math.max(0, ...partsOf(door, suspect).map(({ key }) => remainingWaitMs(counts.get(key), now)));
      if (waitMs > 0) throw locked(waitMs);
    },
    failed(door, suspect, code) {
      const now = nowMs();
      for (const { what, key, rule } of partsOf(door, suspect)) {
        const { count, begins } = afterFailure(counts.get(key), now, rule);
        remember(counts, key, count);
        const { failures } = count;
        const waitSeconds = Math.ceil(remainingWaitMs(count, now) / seconds);
        if (begins) inBackground(() => writeLock(database, { door, what, address: suspect.address, failures, waitSeconds }));
      }
      if (door === "sign-in") noteRefusal(suspect.address, code);
    },
    settled: async () => {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}

function locked(waitMs: number): DomainError {
  const retryAfterSeconds = Math.ceil(waitMs / seconds);
  return new DomainError("QSC_ACCESS_LOCKED", `Too many attempts failed. Try again in ${retryAfterSeconds} seconds.`, {
    details: { retryAfterSeconds },
  });
}

const subject = { subjectKind: "control", subjectKey: "access" } as const;

function writeLock(
  database: Database,
  lock: {
    readonly door: Door;
    readonly what: keyof Suspect;
    readonly address: string | null;
    readonly failures: number;
    readonly waitSeconds: number;
  },
): Promise<void> {
  const { address, ...rest } = lock;
  return inTransaction({ database }, async (tx) => {
    await recordAudit(tx, { actor: systemActor, action: "attempts.lock", ...subject, after: { ...rest, address } });
    await appendEvents(tx, [{ kind: "attempts.locked", ...subject, payload: rest }]);
  });
}

function writeRefusal(
  database: Database,
  after: { readonly address: string | null; readonly code: string; readonly leftOut: number },
): Promise<void> {
  return inTransaction({ database }, async (tx) => {
    await recordAudit(tx, { actor: systemActor, action: "sign-in.refuse", ...subject, after });
  });
}

function remember(counts: Map<string, FailureCount>, key: string, count: FailureCount): void {
  counts.delete(key);
  counts.set(key, count);
  for (const oldest of counts.keys()) {
    if (counts.size <= MAX_REMEMBERED) break;
    counts.delete(oldest);
  }
}
