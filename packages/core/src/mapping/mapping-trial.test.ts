import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compareMappings } from "./compare-mappings.js";
import { isInCanary, judgeCanary, noTrialFigures, type TrialSettings } from "./mapping-trial.js";

const settings: TrialSettings = { records: 100, runs: null, percent: 10, errorRatio: 0.05 };
const seen = (records: number, errors: number, more: object = {}) => ({ ...noTrialFigures, records, errors, ...more });

describe("judgeCanary", () => {
  it.each([
    [seen(0, 0), "go-on"],
    [seen(19, 1), "go-on"],
    [seen(20, 1), "go-on"],
    [seen(20, 2), "roll-back"],
    [seen(99, 4), "go-on"],
    [seen(100, 5), "promote"],
    [seen(100, 6), "roll-back"],
    [seen(1, 0, { failedRuns: 1 }), "roll-back"],
  ])("%j: %s", (figures, kind) => {
    expect(judgeCanary(figures, settings).kind).toBe(kind);
  });

  it("ends by runs, but never without a record", () => {
    const byRuns = { ...settings, runs: 3 };
    expect(judgeCanary(seen(0, 0, { runs: 5 }), byRuns).kind).toBe("go-on");
    expect(judgeCanary(seen(4, 0, { runs: 3 }), byRuns).kind).toBe("promote");
    expect(judgeCanary(seen(4, 1, { runs: 3 }), byRuns).kind).toBe("roll-back");
  });

  it("never promotes above the limit, and always decides in the end", () => {
    const arbitrary = fc.record({
      records: fc.integer({ min: 1, max: 500 }),
      errors: fc.integer({ min: 0, max: 500 }),
      ratio: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(arbitrary, fc.integer({ min: 1, max: 500 }), ({ records, errors, ratio }, wanted) => {
        const figures = seen(records, Math.min(errors, records));
        const verdict = judgeCanary(figures, { ...settings, records: wanted, errorRatio: ratio });
        if (verdict.kind === "promote") expect(figures.errors / figures.records).toBeLessThanOrEqual(ratio);
        if (records >= wanted) expect(verdict.kind).not.toBe("go-on");
      }),
    );
  });
});

describe("isInCanary", () => {
  it("takes about the wanted share, of numbers in a row too, and always the same keys", () => {
    for (const percent of [1, 10, 50, 100]) {
      for (const prefix of ["", "SO-2026-", "customer/"]) {
        const keys = Array.from({ length: 20_000 }, (_none, index) => `${prefix}${index}`);
        const share = keys.filter((key) => isInCanary(key, percent)).length / 200;
        expect(Math.abs(share - percent), `${prefix} ${percent}`).toBeLessThanOrEqual(percent === 100 ? 0 : Math.max(0.5, percent / 10));
      }
    }
  });
  it("keeps whom it has when the share grows", () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.integer({ min: 0, max: 99 }),
        (key, percent) => !isInCanary(key, percent) || isInCanary(key, percent + 1),
      ),
    );
  });
});

describe("compareMappings", () => {
  const mapped = (key: string, data: object) => ({ kind: "mapped", record: { key, data: data as { a: number } } }) as const;
  it("tells fields, keys and outcomes that differ, and nothing of what is the same", () => {
    expect(compareMappings(mapped("1", { a: 1, b: 2 }), mapped("1", { b: 2, a: 1 }))).toBeNull();
    expect(compareMappings(mapped("1", { a: 1 }), mapped("2", { a: 3 }))?.fields).toEqual([
      { path: "key", before: "1", after: "2" },
      { path: "data.a", before: 1, after: 3 },
    ]);
    const errors = [{ field: "a", found: "x", expected: "y" }];
    expect(compareMappings(mapped("1", {}), { kind: "unfit", errors })).toEqual({ now: "mapped", candidate: "unfit", fields: [], errors });
    expect(compareMappings({ kind: "unfit", errors }, { kind: "unfit", errors: [] })).toBeNull();
    expect(compareMappings({ kind: "skipped" }, { kind: "skipped" })).toBeNull();
  });
});
