import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { intersectIntervals, intervalsCover, mergeIntervals, subtractIntervals, uniteIntervals, type Interval } from "./intervals.js";

const interval: fc.Arbitrary<Interval> = fc
  .record({ start: fc.integer({ min: 0, max: 40 }), length: fc.option(fc.integer({ min: 0, max: 12 }), { nil: null, freq: 12 }) })
  .map(({ start, length }) => ({
    start,
    end: length === null ? null : start + length,
  }));
const intervals = fc.array(interval, { maxLength: 6 });
const INSTANTS = Array.from({ length: 60 }, (_, index) => index - 2);

/** The plainest reading: which of the instants are covered. */
const covered = (list: readonly Interval[]): readonly boolean[] =>
  INSTANTS.map((instant) => list.some(({ start, end }) => start <= instant && (end === null || instant < end)));

function expectNormal(list: readonly Interval[]): void {
  for (const [index, { start, end }] of list.entries()) {
    expect(end === null || start < end).toBe(true);
    const next = list[index + 1];
    if (next !== undefined) expect(end !== null && end < next.start).toBe(true);
  }
}

describe("intervals", () => {
  test("that touch merge, and an empty one vanishes", () => {
    expect(
      mergeIntervals([
        { start: 5, end: 9 },
        { start: 1, end: 5 },
        { start: 20, end: 20 },
      ]),
    ).toEqual([{ start: 1, end: 9 }]);
    expect(
      mergeIntervals([
        { start: 1, end: 5 },
        { start: 6, end: 9 },
      ]),
    ).toHaveLength(2);
  });

  test("without an end swallow everything later", () => {
    expect(
      mergeIntervals([
        { start: 3, end: null },
        { start: 7, end: 9 },
        { start: 1, end: 3 },
      ]),
    ).toEqual([{ start: 1, end: null }]);
    expect(subtractIntervals([{ start: 0, end: null }], [{ start: 5, end: 7 }])).toEqual([
      { start: 0, end: 5 },
      { start: 7, end: null },
    ]);
    expect(subtractIntervals([{ start: 0, end: 9 }], [{ start: 5, end: null }])).toEqual([{ start: 0, end: 5 }]);
  });

  test("hold their start and not their end", () => {
    expect(intervalsCover([{ start: 1, end: 5 }], 1)).toBe(true);
    expect(intervalsCover([{ start: 1, end: 5 }], 5)).toBe(false);
  });

  test("merge, unite, intersect and subtract mean what they say at every instant, and answer apart and in order", () => {
    fc.assert(
      fc.property(intervals, intervals, (a, b) => {
        const [inA, inB] = [covered(a), covered(b)];
        for (const [result, expected] of [
          [mergeIntervals(a), inA],
          [uniteIntervals(a, b), inA.map((value, index) => value || (inB[index] ?? false))],
          [intersectIntervals(a, b), inA.map((value, index) => value && (inB[index] ?? false))],
          [subtractIntervals(a, b), inA.map((value, index) => value && !(inB[index] ?? false))],
        ] as const) {
          expectNormal(result);
          expect(covered(result)).toEqual(expected);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test("merging is idempotent and does not depend on the order", () => {
    fc.assert(
      fc.property(intervals, (list) => {
        const merged = mergeIntervals(list);
        expect(mergeIntervals(merged)).toEqual(merged);
        expect(mergeIntervals(list.toReversed())).toEqual(merged);
      }),
    );
  });
});
