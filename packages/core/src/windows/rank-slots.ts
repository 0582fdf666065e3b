import { type Interval, mergeIntervals } from "../time/intervals.js";
import { DAY_MS, formatLocal } from "../time/local-time.js";
import { localAt } from "../time/resolve-local.js";
import type { Zone } from "../time/zone.js";

/** What is planned in the time that slots are looked for in, in buckets of one length from `from` on. */
export interface PlannedWork {
  readonly from: number;
  readonly bucketMs: number;
  readonly runs: Float64Array;
  readonly records: Float64Array;
  /** Runs, and records by the hundred, each with the weight of its criticality: what slots are ranked by. */
  readonly weight: Float64Array;
}

/** Where on the wall clock a slot may lie. */
export interface AllowedHours {
  /** Milliseconds since midnight; all of the slot lies between them. Equal ones, or none: at any time. A close before the open is on the next day. */
  readonly opens?: number | undefined;
  readonly closes?: number | undefined;
  /** 0 (Sunday) to 6: the local days on which it may start; left out, any. */
  readonly days?: readonly number[] | undefined;
}

/** A stretch in which the systems could be taken down. */
export interface Slot {
  readonly start: number;
  readonly end: number;
  readonly localStart: string;
  readonly localEnd: string;
  readonly runs: number;
  readonly records: number;
  readonly score: number;
}

export interface RankedSlots {
  /** The quietest first, of equals the earlier; no two overlap. */
  readonly slots: readonly Slot[];
  /** How many starts were possible, and the score that half of them do not exceed. */
  readonly candidates: number;
  readonly medianScore: number | null;
  /** Starts that were left out because of what is taken: freezes and other windows. */
  readonly taken: number;
}

/**
 * Ranks the slots of one length by how little is planned in them. Sums are differences of running totals, so the work is linear in buckets and
 * starts, whatever the number of jobs and the length. `durationMs` and `stepMs` must be multiples of the bucket.
 */
export function rankSlots(input: {
  readonly work: PlannedWork;
  readonly durationMs: number;
  readonly stepMs: number;
  readonly zone: Zone;
  readonly allowed: AllowedHours;
  /** What no slot may overlap. */
  readonly taken: readonly Interval[];
  readonly limit: number;
}): RankedSlots {
  const { work, durationMs, stepMs, zone } = input;
  const [runs, records, weight] = [runningTotal(work.runs), runningTotal(work.records), runningTotal(work.weight)];
  const isTaken = overlapWalker(mergeIntervals(input.taken));
  const perSlot = durationMs / work.bucketMs;
  const found: { readonly start: number; readonly at: number; readonly score: number }[] = [];
  let taken = 0;
  for (let at = 0; at + perSlot <= work.weight.length; at += stepMs / work.bucketMs) {
    const start = work.from + at * work.bucketMs;
    if (!isAllowed({ start, end: start + durationMs, zone, allowed: input.allowed })) continue;
    if (isTaken(start, start + durationMs)) taken += 1;
    else found.push({ start, at, score: rounded(between(weight, at, at + perSlot)) });
  }
  const ranked = found.toSorted((a, b) => a.score - b.score || a.start - b.start);
  const slots: Slot[] = [];
  for (const one of ranked) {
    if (slots.length >= input.limit) break;
    const end = one.start + durationMs;
    if (slots.some((slot) => one.start < slot.end && slot.start < end)) continue;
    slots.push({
      start: one.start,
      end,
      localStart: formatLocal(localAt(one.start, zone)),
      localEnd: formatLocal(localAt(end, zone)),
      runs: between(runs, one.at, one.at + perSlot),
      records: between(records, one.at, one.at + perSlot),
      score: one.score,
    });
  }
  return { slots, candidates: found.length, medianScore: ranked[(ranked.length - 1) >> 1]?.score ?? null, taken };
}

/** Sums of the same in another order differ in their last digits: equal slots are equal, and the earlier one comes first. */
const rounded = (score: number): number => Math.round(score * 1e6) / 1e6;

function runningTotal(values: Float64Array): Float64Array {
  const totals = new Float64Array(values.length + 1);
  for (let index = 0; index < values.length; index++) totals[index + 1] = (totals[index] ?? 0) + (values[index] ?? 0);
  return totals;
}

function between(totals: Float64Array, from: number, to: number): number {
  return (totals[to] ?? 0) - (totals[from] ?? 0);
}

function isAllowed(input: { readonly start: number; readonly end: number; readonly zone: Zone; readonly allowed: AllowedHours }): boolean {
  const { start, end, zone, allowed } = input;
  const localStart = localAt(start, zone);
  if (allowed.days !== undefined && !allowed.days.includes(new Date(localStart).getUTCDay())) return false;
  const { opens, closes } = allowed;
  if (opens === undefined || closes === undefined || opens === closes) return true;
  const openFor = (closes - opens + DAY_MS) % DAY_MS;
  const sinceOpen = (((localStart - opens) % DAY_MS) + DAY_MS) % DAY_MS;
  return sinceOpen < openFor && localAt(end, zone) <= localStart - sinceOpen + openFor && end - start <= DAY_MS;
}

/** For starts that ascend: whether any of the merged intervals overlaps. */
function overlapWalker(merged: readonly Interval[]): (start: number, end: number) => boolean {
  let at = 0;
  return (start, end) => {
    while (at < merged.length && (merged[at]?.end ?? Number.POSITIVE_INFINITY) <= start) at += 1;
    const next = merged[at];
    return next !== undefined && next.start < end;
  };
}
