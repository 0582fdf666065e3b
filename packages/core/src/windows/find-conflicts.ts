import type { Interval } from "../time/intervals.js";

/** Two stretches of time that meet: they `overlap` from `from` to `until`, or one begins at the instant at which the other ends. */
export interface Conflict<Own extends Interval, Other extends Interval> {
  readonly relation: "overlaps" | "touches";
  readonly own: Own;
  readonly other: Other;
  readonly from: number;
  /** null: without an end. */
  readonly until: number | null;
}

export interface Conflicts<Own extends Interval, Other extends Interval> {
  /** By `from`; at most as many as were asked for. */
  readonly listed: readonly Conflict<Own, Other>[];
  /** All of them, listed or not. */
  readonly overlaps: number;
  readonly touches: number;
}

const endOf = (one: Interval): number => one.end ?? Number.POSITIVE_INFINITY;

/**
 * Finds where the occurrences of a plan meet other stretches of time, in one sweep over all starts: each pair is met once, when the later of the
 * two begins. `concerns` says whether another one concerns the plan at all, and is asked only about what meets it in time. An empty stretch meets
 * nothing. Work: sorting, and the pairs found.
 */
export function findConflicts<Own extends Interval, Other extends Interval>(input: {
  readonly own: readonly Own[];
  readonly others: readonly Other[];
  readonly concerns?: (other: Other) => boolean;
  readonly limit: number;
}): Conflicts<Own, Other> {
  const own = ascending(input.own);
  const others = ascending(input.others);
  const listed: Conflict<Own, Other>[] = [];
  const counts = { overlaps: 0, touches: 0 };
  let activeOwn: Own[] = [];
  let activeOthers: Other[] = [];
  const meet = (mine: Own, other: Other, from: number): void => {
    if (input.concerns?.(other) === false) return;
    const until = Math.min(endOf(mine), endOf(other));
    const relation = until === from ? "touches" : "overlaps";
    counts[relation] += 1;
    if (listed.length < input.limit)
      listed.push({ relation, own: mine, other, from, until: until === Number.POSITIVE_INFINITY ? null : until });
  };
  for (let ownAt = 0, otherAt = 0; ownAt < own.length || otherAt < others.length;) {
    const mine = own[ownAt];
    const other = others[otherAt];
    if (mine !== undefined && (other === undefined || mine.start <= other.start)) {
      ownAt += 1;
      activeOthers = activeOthers.filter((one) => endOf(one) >= mine.start);
      for (const one of activeOthers) meet(mine, one, mine.start);
      activeOwn.push(mine);
    } else if (other !== undefined) {
      otherAt += 1;
      activeOwn = activeOwn.filter((one) => endOf(one) >= other.start);
      for (const one of activeOwn) meet(one, other, other.start);
      activeOthers.push(other);
    }
  }
  return { listed, ...counts };
}

function ascending<One extends Interval>(list: readonly One[]): readonly One[] {
  return list.filter((one) => one.start < endOf(one)).toSorted((a, b) => a.start - b.start || endOf(a) - endOf(b));
}
