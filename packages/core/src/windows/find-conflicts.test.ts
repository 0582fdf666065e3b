import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Interval } from "../time/intervals.js";
import { findConflicts } from "./find-conflicts.js";

interface Named extends Interval {
  readonly id: number;
}

const stretches = (): fc.Arbitrary<readonly Named[]> =>
  fc
    .array(
      fc.record({ start: fc.integer({ min: 0, max: 30 }), length: fc.option(fc.integer({ min: 0, max: 10 }), { nil: null, freq: 8 }) }),
      {
        maxLength: 8,
      },
    )
    .map((list) => list.map(({ start, length }, id) => ({ id, start, end: length === null ? null : start + length })));

/** Every pair, one by one. */
function slowly(own: readonly Named[], others: readonly Named[]): readonly string[] {
  const found: string[] = [];
  for (const mine of own) {
    for (const other of others) {
      const [mineEnd, otherEnd] = [mine.end ?? Infinity, other.end ?? Infinity];
      if (mine.start >= mineEnd || other.start >= otherEnd) continue;
      const from = Math.max(mine.start, other.start);
      const until = Math.min(mineEnd, otherEnd);
      if (from < until) found.push(`${mine.id} overlaps ${other.id} ${from}-${until}`);
      if (from === until) found.push(`${mine.id} touches ${other.id} ${from}-${until}`);
    }
  }
  return found.toSorted();
}

describe("conflicts", () => {
  test("are those that a comparison of all pairs finds, each once and by their beginning", () => {
    fc.assert(
      fc.property(stretches(), stretches(), (own, others) => {
        const found = findConflicts({ own, others, limit: 1_000 });
        expect(
          found.listed.map((one) => `${one.own.id} ${one.relation} ${one.other.id} ${one.from}-${one.until ?? Infinity}`).toSorted(),
        ).toEqual(slowly(own, others));
        expect(found.listed.map((one) => one.from)).toEqual(found.listed.map((one) => one.from).toSorted((a, b) => a - b));
        expect(found.overlaps + found.touches).toBe(found.listed.length);
      }),
      { numRuns: 1_000 },
    );
  });

  test("beyond the limit are counted and not listed, and what does not concern the plan is neither", () => {
    const own = [{ id: 1, start: 0, end: 10 }];
    const others = [1, 2, 3, 4].map((id) => ({ id, start: id, end: id === 4 ? null : 10 }));
    const found = findConflicts({ own, others, limit: 2, concerns: (other) => other.id !== 2 });
    expect(found.listed.map((one) => one.other.id)).toEqual([1, 3]);
    expect(found.overlaps).toBe(3);
  });

  test("are not there between an end and a start a millisecond later", () => {
    const found = findConflicts({ own: [{ start: 0, end: 10 }], others: [{ start: 11, end: 20 }], limit: 10 });
    expect(found).toEqual({ listed: [], overlaps: 0, touches: 0 });
  });
});
