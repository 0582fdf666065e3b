/** One occurrence that is over: what was booked, and what was used. Instants in epoch ms. */
export interface UsedOccurrence {
  readonly bookedStart: number;
  readonly bookedEnd: number;
  /** When nothing was in flight for the first time; null: never inside it. */
  readonly quiescedAt: number | null;
  readonly releasedAt: number;
}

/** What past occurrences say about the next ones. Lengths in milliseconds. */
export interface WindowTuning {
  readonly occurrences: number;
  readonly bookedMs: number;
  /** Medians: until nothing was in flight, from then to the release, and both. */
  readonly drainMs: number | null;
  readonly workMs: number | null;
  readonly usedMs: number;
  /** 95 of 100 took at most this, by nearest rank. */
  readonly usedP95Ms: number;
  /** Median of what was booked and not used; of those that ended later than booked, how many and by how much at most. */
  readonly unusedMs: number;
  readonly overruns: number;
  readonly longestOverrunMs: number;
}

/** Fewer say nothing about the next. */
export const minTunedOccurrences = 3;
/** Lengths are suggested in quarters of an hour: people book in them. */
const SUGGESTED_STEP_MS = 15 * 60_000;
/** A window that would be shorter by less stays as it is. */
const WORTHWHILE_SHARE = 0.1;

/** Compares booked with used; null below {@link minTunedOccurrences}. */
export function tuneWindow(past: readonly UsedOccurrence[]): WindowTuning | null {
  if (past.length < minTunedOccurrences) return null;
  const used = past.map((one) => one.releasedAt - one.bookedStart);
  const overruns = past.map((one) => one.releasedAt - one.bookedEnd).filter((ms) => ms > 0);
  const quiesced = past.flatMap((one) => (one.quiescedAt === null ? [] : [{ ...one, quiescedAt: one.quiescedAt }]));
  return {
    occurrences: past.length,
    bookedMs:
      rank(
        past.map((one) => one.bookedEnd - one.bookedStart),
        0.5,
      ) ?? 0,
    drainMs: rank(
      quiesced.map((one) => Math.max(0, one.quiescedAt - one.bookedStart)),
      0.5,
    ),
    workMs: rank(
      quiesced.map((one) => Math.max(0, one.releasedAt - Math.max(one.bookedStart, one.quiescedAt))),
      0.5,
    ),
    usedMs: rank(used, 0.5) ?? 0,
    usedP95Ms: rank(used, 0.95) ?? 0,
    unusedMs:
      rank(
        past.map((one) => Math.max(0, one.bookedEnd - one.releasedAt)),
        0.5,
      ) ?? 0,
    overruns: overruns.length,
    longestOverrunMs: Math.max(0, ...overruns),
  };
}

/** The length that would have covered 95 of 100, and what that is for the window. */
export function suggestLength(tuning: WindowTuning): { readonly change: "shorten" | "lengthen" | "keep"; readonly lengthMs: number } {
  const lengthMs = Math.max(1, Math.ceil(tuning.usedP95Ms / SUGGESTED_STEP_MS)) * SUGGESTED_STEP_MS;
  if (lengthMs > tuning.bookedMs) return { change: "lengthen", lengthMs };
  if (tuning.bookedMs - lengthMs < tuning.bookedMs * WORTHWHILE_SHARE) return { change: "keep", lengthMs: tuning.bookedMs };
  return { change: "shorten", lengthMs };
}

function rank(values: readonly number[], share: number): number | null {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * share) - 1] ?? null;
}

/** What to change about the next occurrences, as sentences; `lengthText` writes a length for people. */
export function tuningAdvice(tuning: WindowTuning, lengthText: (ms: number) => string): readonly string[] {
  const { change, lengthMs } = suggestLength(tuning);
  const covered = `95 of 100 took at most ${lengthText(tuning.usedP95Ms)}`;
  const length =
    change === "keep"
      ? `Keep its length: ${covered}.`
      : change === "shorten"
        ? `Book ${lengthText(lengthMs)} instead of ${lengthText(tuning.bookedMs)}: ${covered}.`
        : `Book ${lengthText(lengthMs)}: ${covered}, and ${tuning.overruns} of ${tuning.occurrences} ended later than booked.`;
  const { drainMs } = tuning;
  if (drainMs === null || drainMs < SUGGESTED_STEP_MS) return [length];
  return [
    length,
    `Let it start ${lengthText(drainMs)} earlier than the work, or keep runs back earlier: so long something was still in flight.`,
  ];
}
