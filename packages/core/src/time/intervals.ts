/** A half-open stretch of time [start, end) in epoch ms; `end: null` is open-ended. */
export interface Interval {
  readonly start: number;
  readonly end: number | null;
}

const endOf = (interval: Interval): number => interval.end ?? Number.POSITIVE_INFINITY;
const intervalOf = (start: number, end: number): Interval => ({ start, end: end === Number.POSITIVE_INFINITY ? null : end });

/** The same instants as few intervals as possible: sorted, apart from each other, none empty. Touching intervals merge. */
export function mergeIntervals(intervals: readonly Interval[]): readonly Interval[] {
  const sorted = intervals.filter((interval) => interval.start < endOf(interval)).toSorted((a, b) => a.start - b.start);
  const merged: Interval[] = [];
  for (const interval of sorted) {
    const last = merged.at(-1);
    if (last === undefined || interval.start > endOf(last)) merged.push(interval);
    else if (endOf(interval) > endOf(last)) merged[merged.length - 1] = { start: last.start, end: interval.end };
  }
  return merged;
}

/** The instants in either. */
export function uniteIntervals(a: readonly Interval[], b: readonly Interval[]): readonly Interval[] {
  return mergeIntervals([...a, ...b]);
}

/** The instants in both. */
export function intersectIntervals(a: readonly Interval[], b: readonly Interval[]): readonly Interval[] {
  const left = mergeIntervals(a);
  const right = mergeIntervals(b);
  const both: Interval[] = [];
  let leftIndex = 0;
  let rightIndex = 0;
  for (;;) {
    const one = left[leftIndex];
    const other = right[rightIndex];
    if (one === undefined || other === undefined) return both;
    const start = Math.max(one.start, other.start);
    const end = Math.min(endOf(one), endOf(other));
    if (start < end) both.push(intervalOf(start, end));
    if (endOf(one) <= endOf(other)) leftIndex++;
    else rightIndex++;
  }
}

/** The instants of `a` that are not in `b`. */
export function subtractIntervals(a: readonly Interval[], b: readonly Interval[]): readonly Interval[] {
  const holes = mergeIntervals(b);
  const rest: Interval[] = [];
  let firstHole = 0;
  for (const interval of mergeIntervals(a)) {
    let { start } = interval;
    const end = endOf(interval);
    while (firstHole < holes.length && endOf(holes[firstHole] ?? interval) <= start) firstHole++;
    for (let index = firstHole; index < holes.length; index++) {
      const hole = holes[index];
      if (hole === undefined || hole.start >= end) break;
      if (hole.start > start) rest.push(intervalOf(start, hole.start));
      start = Math.max(start, endOf(hole));
    }
    if (start < end) rest.push(intervalOf(start, end));
  }
  return rest;
}

/** Whether the instant is in one of the intervals. */
export function intervalsCover(intervals: readonly Interval[], instant: number): boolean {
  return intervals.some((interval) => interval.start <= instant && instant < endOf(interval));
}
