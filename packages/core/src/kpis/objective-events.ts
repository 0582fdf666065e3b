import { intersectIntervals, type Interval, subtractIntervals, uniteIntervals } from "../time/intervals.js";
import { lengthOfIntervals } from "./availability.js";
import { decodeHistogram, histogramSlot } from "./histogram.js";
import { kpiDefinition, type SampleSums } from "./kpi-definitions.js";
import type { ObjectiveTerms } from "./objective.js";
import type { EvidenceRun } from "./service-state.js";

/** What was good and bad in a stretch of eligible time: in ms of availability, in events of anything else. */
export interface ObjectiveSpan {
  readonly start: number;
  readonly end: number;
  readonly valid: number;
  readonly bad: number;
  /** How many single bad results it stands on: bad checks of availability. */
  readonly badEvents: number;
}

/**
 * Availability in eligible time, cut at these instants. What is unknown is not valid; down is what `serviceStates` says. The bad results of a run of
 * evidence are taken to lie evenly in it.
 */
export function availabilitySpans(given: {
  readonly eligible: readonly Interval[];
  readonly unknown: readonly Interval[];
  readonly down: readonly Interval[];
  readonly evidence: readonly EvidenceRun[];
  readonly cuts: readonly number[];
}): readonly ObjectiveSpan[] {
  const { unknown, down, evidence } = given;
  const bad = evidence.filter(({ ok }) => !ok);
  return cutIntervals(given.eligible, given.cuts).map(({ start, end }) => {
    const known = subtractIntervals([{ start, end }], unknown);
    return {
      start,
      end,
      valid: lengthOfIntervals(known),
      bad: lengthOfIntervals(intersectIntervals(known, down)),
      badEvents: bad.reduce((sum, run) => sum + resultsWithin(run, { start, end }), 0),
    };
  });
}

/** How many results of a run lie in a stretch: its first at the beginning, its last at the end, the others evenly between. */
function resultsWithin({ first, last, count }: EvidenceRun, { start, end }: { readonly start: number; readonly end: number }): number {
  if (first >= end || last < start) return 0;
  if (count === 1 || first === last) return count;
  const step = (last - first) / (count - 1);
  const from = Math.max(0, Math.ceil((start - first) / step));
  const to = Math.min(count - 1, Math.ceil((end - first) / step) - 1);
  return Math.max(0, to - from + 1);
}

/** What sums of samples come to for an objective that is not of availability. `all` are the sums of the metric that a count-share is a share of. */
export function objectiveEvents(
  terms: Pick<ObjectiveTerms, "kpi" | "limit">,
  given: { readonly sums: readonly SampleSums[]; readonly all: readonly SampleSums[] },
): { readonly valid: number; readonly bad: number } {
  const { kpi, limit } = terms;
  if (kpi === null) return { valid: 0, bad: 0 };
  const { reading } = kpiDefinition(kpi);
  const samples = total(given.sums, (one) => one.samples);
  switch (reading) {
    case "good-share":
    case "bad-share":
      return { valid: samples, bad: samples - total(given.sums, (one) => one.good) };
    case "count-share": {
      const valid = total(given.all, (one) => one.samples);
      return { valid, bad: Math.min(samples, valid) };
    }
    default:
      return { valid: samples, bad: samples - total(given.sums, (one) => notOver(one, limit ?? 0)) };
  }
}

/** How many samples are not over a limit: to the upper end of its slot, 2.2 % beyond it at most. */
function notOver(sums: SampleSums, limit: number): number {
  if (sums.max <= limit) return sums.samples;
  const { counts } = decodeHistogram(sums.histogram);
  const last = histogramSlot(limit);
  let within = 0;
  for (let slot = 0; slot <= last; slot++) within += counts[slot] ?? 0;
  return within;
}

/** Stretches cut at instants: none of the answer crosses one. */
export function cutIntervals(
  intervals: readonly Interval[],
  cuts: readonly number[],
): readonly { readonly start: number; readonly end: number }[] {
  const ordered = [...new Set(cuts)].toSorted((a, b) => a - b);
  return uniteIntervals(intervals, []).flatMap(({ start, end }) => {
    if (end === null) throw new RangeError("A stretch without an end cannot be cut.");
    const within = ordered.filter((cut) => cut > start && cut < end);
    return [start, ...within].map((from, n) => ({ start: from, end: within[n] ?? end }));
  });
}

function total(sums: readonly SampleSums[], of: (one: SampleSums) => number): number {
  return sums.reduce((sum, one) => sum + of(one), 0);
}
