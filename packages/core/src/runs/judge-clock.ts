/** One moment by two clocks of a process, in milliseconds; neither jumps when somebody sets the time. */
export interface ProcessMoment {
  /** Stands still while the machine is suspended. */
  readonly monotonicMs: number;
  /** Goes on while the machine is suspended; on some systems it is known to the second only. */
  readonly uptimeMs: number;
}

/** The database said `databaseMs` at some moment between `before` and `after`. */
export interface ClockReading {
  readonly databaseMs: number;
  readonly before: ProcessMoment;
  readonly after: ProcessMoment;
}

/** What earlier readings say of (database's clock - monotonic clock): it lies between these two. */
export interface ClockReference {
  readonly lowMs: number;
  readonly highMs: number;
  /** The end of the reading that was looked at last. */
  readonly at: ProcessMoment;
}

export type ClockVerdict =
  | { readonly kind: "steady"; readonly reference: ClockReference }
  /** This machine was suspended: its monotonic clock missed the time, the database's clock is as it should be. */
  | { readonly kind: "slept"; readonly forMs: number; readonly reference: ClockReference }
  /** The machine was suspended while the answer was under way; it says nothing, the next one will. */
  | { readonly kind: "unusable" }
  /** The database's clock jumped by at least so much: forward above zero, back below. */
  | { readonly kind: "stepped"; readonly byMs: number };

/** A database's clock that jumps further than this between two readings is not to be trusted by itself. */
export const clockStepLimitMs = 1_000;
/** A shorter suspension cannot be told from the coarseness of the clock that would show it. */
const shortestSleepMs = 2_000;

/**
 * Judges a reading against those before it. The difference of the two clocks is known only as well as the answer was quick, so a jump counts only
 * as far as it is certain: a slow network, a busy process and a slewed clock are no step. A clock that is slewed moves by less than a tenth.
 */
export function judgeClock(reference: ClockReference | null, reading: ClockReading): ClockVerdict {
  const { databaseMs, before, after } = reading;
  if (sleptBetween(before, after) >= shortestSleepMs) return { kind: "unusable" };
  const seen = { lowMs: databaseMs - after.monotonicMs, highMs: databaseMs - before.monotonicMs, at: after };
  if (reference === null) return { kind: "steady", reference: seen };
  const forwardMs = seen.lowMs - reference.highMs;
  const backMs = reference.lowMs - seen.highMs;
  if (backMs > clockStepLimitMs) return { kind: "stepped", byMs: -Math.round(backMs) };
  if (forwardMs > clockStepLimitMs) {
    const sleptMs = sleptBetween(reference.at, after);
    const unexplainedMs = Math.abs(forwardMs - sleptMs) - (reference.highMs - reference.lowMs) - (seen.highMs - seen.lowMs);
    if (sleptMs >= shortestSleepMs && unexplainedMs <= shortestSleepMs)
      return { kind: "slept", forMs: Math.round(sleptMs), reference: seen };
    return { kind: "stepped", byMs: Math.round(forwardMs) };
  }
  const lowMs = Math.max(reference.lowMs, seen.lowMs);
  const highMs = Math.min(reference.highMs, seen.highMs);
  return { kind: "steady", reference: lowMs <= highMs ? { lowMs, highMs, at: after } : seen };
}

function sleptBetween(from: ProcessMoment, to: ProcessMoment): number {
  return to.uptimeMs - from.uptimeMs - (to.monotonicMs - from.monotonicMs);
}
