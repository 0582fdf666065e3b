import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkThreshold, foldThreshold, freshThreshold, type ThresholdTerms } from "./threshold.js";

const terms: ThresholdTerms = { kpi: "response-time", comparison: "above", value: 500, clearValue: 400, rule: "three-in-a-row" };
const points = (...values: readonly number[]) => values.map((value, at) => ({ at, value }));
const changesOf = (given: readonly number[], more: Partial<ThresholdTerms> = {}) =>
  foldThreshold(freshThreshold, { ...terms, ...more }, points(...given)).changes.map(({ kind, since, decidedAt }) => [
    kind,
    since,
    decidedAt,
  ]);

describe("a threshold", () => {
  it("breaks after three bad points in a row, since the first of them", () => {
    expect(changesOf([100, 600, 600, 100, 600, 600, 600])).toEqual([["broke", 4, 6]]);
  });

  it("breaks after two bad points of three, when the rule says so", () => {
    expect(changesOf([100, 600, 100, 600], { rule: "two-of-three" })).toEqual([["broke", 1, 3]]);
    expect(changesOf([600, 100, 100, 600], { rule: "two-of-three" })).toEqual([]);
  });

  it("is over only behind the value at which it clears, since the first good point after the last bad one", () => {
    expect(changesOf([600, 600, 600, 450, 450, 450, 450])).toEqual([["broke", 0, 2]]);
    expect(changesOf([600, 600, 600, 390, 390, 390])).toEqual([
      ["broke", 0, 2],
      ["cleared", 3, 5],
    ]);
  });

  it("of a figure that must not fall is the same the other way round", () => {
    const below = { kpi: "delivery-success", comparison: "below", value: 0.9, clearValue: 0.95 } as const;
    expect(changesOf([0.8, 0.8, 0.8, 0.92, 0.92, 0.92, 0.96, 0.96, 0.96], below)).toEqual([
      ["broke", 0, 2],
      ["cleared", 6, 8],
    ]);
  });

  it("keeps the last point that it judged, also when a look brings none", () => {
    const { state } = foldThreshold(freshThreshold, terms, points(100, 812));
    expect(state.last).toEqual({ at: 1, value: 812 });
    expect(foldThreshold(state, terms, []).state.last).toEqual({ at: 1, value: 812 });
    expect(foldThreshold(freshThreshold, terms, []).state.last).toBeNull();
  });

  it("does not depend on where its points are cut into looks", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(100, 450, 600), { maxLength: 60 }),
        fc.nat(60),
        fc.constantFrom("three-in-a-row", "two-of-three"),
        (values, cut, rule) => {
          const all = points(...values);
          const whole = foldThreshold(freshThreshold, { ...terms, rule }, all);
          const first = foldThreshold(freshThreshold, { ...terms, rule }, all.slice(0, cut));
          const second = foldThreshold(first.state, { ...terms, rule }, all.slice(cut));
          expect([...first.changes, ...second.changes]).toEqual(whole.changes);
          expect(second.state).toEqual(whole.state);
        },
      ),
    );
  });

  it("alternates between broken and well, and never dates a change before the one before it", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(100, 450, 600), { maxLength: 80 }),
        fc.constantFrom("three-in-a-row", "two-of-three"),
        (values, rule) => {
          const { changes } = foldThreshold(freshThreshold, { ...terms, rule }, points(...values));
          for (const [n, change] of changes.entries()) {
            expect(change.kind).toBe(n % 2 === 0 ? "broke" : "cleared");
            expect(change.since).toBeGreaterThanOrEqual(changes[n - 1]?.since ?? 0);
            expect(change.since).toBeLessThanOrEqual(change.decidedAt);
          }
        },
      ),
    );
  });

  it("is refused when it clears on the wrong side, or when a share is over 1", () => {
    const refused = (more: Partial<ThresholdTerms>) => () => checkThreshold({ ...terms, ...more });
    expect(refused({})).not.toThrow();
    expect(refused({ clearValue: 501 })).toThrow(/clearValue/);
    expect(refused({ comparison: "below", clearValue: 400 })).toThrow(/clearValue/);
    expect(refused({ kpi: "sync-accuracy", value: 2 })).toThrow(/share/);
    expect(refused({ value: Number.NaN })).toThrow(/value/);
  });
});
