import type { Interval } from "../time/intervals.js";

/** Results of checks that came one after the other and say the same, without a gap of more than `evidenceGapMs` between them. */
export interface EvidenceRun {
  readonly ok: boolean;
  /** The instants of the first and of the last result, epoch milliseconds. */
  readonly first: number;
  readonly last: number;
  /** How many results. */
  readonly count: number;
}

/** The shortest silence that is no evidence; runs of evidence are stored apart from there on. */
export const evidenceGapMs = 300_000;

/** How many results make a change of state: three in a row, or two of the last three. */
export const stateRules = ["three-in-a-row", "two-of-three"] as const;
export type StateRule = (typeof stateRules)[number];

/** After how long a silence nothing is known of a service that is checked every `checkIntervalMs`. */
export function unknownAfterMs(checkIntervalMs: number): number {
  return Math.max(3 * checkIntervalMs, evidenceGapMs);
}

/** Puts evidence of parts of time, in the order of time, together: the same as of the whole time at once. */
export function joinEvidence(parts: Iterable<readonly EvidenceRun[]>): readonly EvidenceRun[] {
  const joined: EvidenceRun[] = [];
  for (const part of parts)
    for (const run of part) {
      const before = joined.at(-1);
      if (before?.ok === run.ok && run.first - before.last <= evidenceGapMs)
        joined[joined.length - 1] = { ...before, last: run.last, count: before.count + run.count };
      else joined.push(run);
    }
  return joined;
}

/** What the evidence says of a period. */
export interface ServiceStates {
  readonly down: readonly Interval[];
  /** No evidence; it goes before `down`. */
  readonly unknown: readonly Interval[];
  /** At the end of the period. */
  readonly state: "up" | "down" | "unknown";
}

/**
 * Folds evidence into states. A change needs `rule`; the service is down from the first bad result of those on, and up
 * again from the first good one after the last bad one. `evidence` is in the order of time; give some from before the period, so that it begins in the
 * right state, and what is known of the time after it: the third bad result may come when the period is over, and periods side by side add up. A service
 * of which nothing bad is known is up, of which nothing is known unknown.
 */
export function serviceStates(
  evidence: readonly EvidenceRun[],
  given: { readonly period: { readonly start: number; readonly end: number }; readonly checkIntervalMs: number; readonly rule: StateRule },
): ServiceStates {
  const { period, rule } = given;
  const limitMs = unknownAfterMs(given.checkIntervalMs);
  const unknown = silences(evidence, period, limitMs);
  const down: Interval[] = [];
  let isDown = false;
  let since = Number.NEGATIVE_INFINITY;
  const flip = (at: number): void => {
    const from = Math.max(at, since);
    if (isDown && since < from) down.push({ start: since, end: from });
    isDown = !isDown;
    since = from;
  };
  const recent: { readonly ok: boolean; readonly at: number }[] = [];
  for (const run of evidence) {
    // More than three results of one kind say no more than three do.
    for (let n = 0; n < Math.min(run.count, 3); n++) {
      recent.push({ ok: run.ok, at: n === 0 ? run.first : run.last });
      if (recent.length > 3) recent.shift();
      const against = recent.filter(({ ok }) => ok === isDown);
      if (against.length < (rule === "three-in-a-row" ? 3 : 2)) continue;
      // What was bad beyond doubt stays down: a recovery begins after the last bad result.
      const lastBad = recent.findLastIndex(({ ok }) => !ok);
      flip((isDown ? recent[lastBad + 1] : against[0])?.at ?? run.first);
    }
  }
  if (isDown) down.push({ start: since, end: null });
  const within = down.flatMap(({ start, end }) => (start < period.end ? [{ start, end: Math.min(end ?? period.end, period.end) }] : []));
  const [isSilent, isDownAtEnd] = [unknown, within].map((list) => list.at(-1)?.end === period.end);
  return { down: within, unknown, state: isSilent === true ? "unknown" : isDownAtEnd === true ? "down" : "up" };
}

function silences(
  evidence: readonly EvidenceRun[],
  period: { readonly start: number; readonly end: number },
  limitMs: number,
): readonly Interval[] {
  const gaps: Interval[] = [];
  let heard = Number.NEGATIVE_INFINITY;
  for (const { first, last } of evidence) {
    if (first - heard > limitMs) gaps.push({ start: Math.max(heard, period.start), end: Math.min(first, period.end) });
    heard = last;
  }
  if (period.end - heard > limitMs) gaps.push({ start: Math.max(heard, period.start), end: period.end });
  return gaps.filter(({ start, end }) => end !== null && start < end);
}
