import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { seeded } from "../../../../test/incidents/storm-world.js";
import { Baseline, type BaselinePoint, type BaselineReading, baselineSettings, type BaselineState } from "./baseline.js";
import { RecentValues } from "./baseline-values.js";
import { explainAnomaly } from "./explain-anomaly.js";

const start = Date.UTC(2026, 0, 5);
const stepMs = 300_000;
/** Daily and weekly ups and downs with noise: five-minute points. */
const week = (points: number, seed = 1): readonly BaselinePoint[] => {
  const random = seeded(seed);
  return Array.from({ length: points }, (_, n) => {
    const at = start + n * stepMs;
    const day = Math.sin((2 * Math.PI * (at % 86_400_000)) / 86_400_000);
    return { at, value: 100 + 30 * day + 8 * (random() - 0.5) };
  });
};
const readAll = (baseline: Baseline, points: readonly BaselinePoint[]): readonly BaselineReading[] =>
  points.map((one) => baseline.observe(one));
const anomalies = (readings: readonly BaselineReading[]) =>
  readings.flatMap((one) => (one.kind === "scored" && one.isAnomaly ? [one] : []));
const point = (after: readonly BaselinePoint[], value: number): BaselinePoint => ({ at: start + after.length * stepMs, value });

describe("a baseline", () => {
  it("says nothing in the first 200 points, whatever they are", () => {
    const wild = week(baselineSettings.silentPoints).map((one, n) => ({ ...one, value: n % 50 === 0 ? 1e6 : one.value }));
    expect(new Set(readAll(new Baseline(), wild).map((one) => (one.kind === "silent" ? one.why : one.kind)))).toEqual(
      new Set(["learning"]),
    );
  });

  it("finds what was never there before, and says in which view and between which values it usually lies", () => {
    const usual = week(2_500);
    const baseline = new Baseline();
    readAll(baseline, usual);
    const reading = baseline.observe(point(usual, 400));
    expect(reading).toMatchObject({ kind: "scored", isAnomaly: true, isNewExtreme: true });
    if (reading.kind !== "scored") return;
    expect(reading.band.high).toBeLessThan(reading.seen);
    expect(explainAnomaly(reading, "ms")).toMatch(/^400 ms is above the usual [\d.]+ to [\d.]+ ms.*before\.$/);
  });

  it("finds silence where there is always unrest", () => {
    const random = seeded(5);
    const unrest = week(2_500).map((one, n) => ({ ...one, value: 100 + (n % 2 === 0 ? 10 : -10) + 4 * (random() - 0.5) }));
    const baseline = new Baseline();
    readAll(baseline, unrest);
    const flat = Array.from({ length: 40 }, (_, n) => ({ at: start + (2_500 + n) * stepMs, value: 100 }));
    const [first] = anomalies(readAll(baseline, flat));
    expect(first?.view).toBe("activity");
    expect(first === undefined ? "" : explainAnomaly(first)).toMatch(/^From point to point it changes by [\d.]+, less than the usual/);
  });

  it("finds a value that is usual at noon, at night", () => {
    const usual = week(6_048);
    const baseline = new Baseline();
    readAll(baseline, usual);
    // The series is lowest at 18:00 and highest at 06:00.
    const evening = week(6_400).slice(6_048, 6_048 + 216);
    readAll(baseline, evening);
    const reading = baseline.observe({ at: start + (6_048 + 216) * stepMs, value: 129 });
    expect(reading).toMatchObject({ kind: "scored", isAnomaly: true, view: "residual" });
    expect(explainAnomaly(reading)).toMatch(/^129 is above the usual [\d.]+ to [\d.]+ of this hour of the week/);
  });

  it("says one anomaly once, not at each of its points", () => {
    const usual = week(2_500);
    const baseline = new Baseline();
    readAll(baseline, usual);
    const plateau = Array.from({ length: 50 }, (_, n) => ({ at: start + (2_500 + n) * stepMs, value: 400 }));
    expect(anomalies(readAll(baseline, plateau)).length).toBeLessThanOrEqual(3);
  });

  it("refuses a value that is no number, and learns nothing from it", () => {
    const baseline = new Baseline();
    const before = baseline.state();
    expect(() => baseline.observe({ at: start, value: Number.NaN })).toThrow(expect.objectContaining({ code: "QSC_KPI_BASELINE_POINT" }));
    expect(baseline.state()).toEqual(before);
  });
});

const values = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 400 });

describe("whatever the series", () => {
  it("what is in maintenance is neither scored nor learned: without it everything is the same, to the last bit", () => {
    fc.assert(
      fc.property(values, fc.array(fc.boolean(), { minLength: 400, maxLength: 400 }), (list, maintained) => {
        const points = list.map((value, n) => ({ at: start + n * stepMs, value, inMaintenance: maintained[n] ?? false }));
        const [all, without] = [new Baseline(), new Baseline()];
        const readings = readAll(all, points);
        for (const [n, one] of points.entries()) if (one.inMaintenance) expect(readings[n]).toEqual({ kind: "silent", why: "maintenance" });
        const rest = readAll(
          without,
          points.filter(({ inMaintenance }) => !inMaintenance),
        );
        expect(readings.filter((_, n) => !(points[n]?.inMaintenance ?? true))).toEqual(rest);
        expect(all.state()).toEqual(without.state());
      }),
      { numRuns: 50 },
    );
  });

  it("a restart at any point from the stored state says the same of everything that follows", () => {
    fc.assert(
      fc.property(values, fc.nat(), (list, place) => {
        const points = list.map((value, n) => ({ at: start + n * stepMs, value }));
        const cut = place % points.length;
        const [whole, first] = [new Baseline(), new Baseline()];
        const expected = readAll(whole, points).slice(cut);
        readAll(first, points.slice(0, cut));
        const stored = JSON.parse(JSON.stringify(first.state())) as BaselineState;
        expect(readAll(new Baseline(stored), points.slice(cut))).toEqual(expected);
      }),
      { numRuns: 50 },
    );
  });

  it("a restart late in a long series does so too, when the oldest values are forgotten already", () => {
    const points = week(9_000, 3);
    const [whole, first] = [new Baseline(), new Baseline()];
    const expected = readAll(whole, points).slice(8_000);
    readAll(first, points.slice(0, 8_000));
    expect(readAll(new Baseline(JSON.parse(JSON.stringify(first.state())) as BaselineState), points.slice(8_000))).toEqual(expected);
  });

  it("scores are finite and never negative, a value inside every band scores 0, and every anomaly has words", () => {
    fc.assert(
      fc.property(values, (list) => {
        const baseline = new Baseline();
        readAll(baseline, week(250));
        for (const reading of readAll(
          baseline,
          list.map((value, n) => ({ at: start + (250 + n) * stepMs, value })),
        )) {
          if (reading.kind === "silent") throw new Error("silent after the silent points");
          expect(Number.isFinite(reading.score) && reading.score >= 0).toBe(true);
          if (reading.score > 0) expect(reading.seen < reading.band.low || reading.seen > reading.band.high).toBe(true);
          expect(explainAnomaly(reading).endsWith(".")).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });

  it("the recent values know the quantiles of the last ones exactly, also when there are equal and signed zeros among them", () => {
    const small = fc.array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constant(-0)), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(small, fc.integer({ min: 1, max: 20 }), (list, capacity) => {
        const recent = new RecentValues(capacity);
        for (const value of list) recent.add(value);
        const last = list.slice(-capacity);
        expect(recent.inOrder()).toEqual(last);
        const sorted = last.toSorted((a, b) => a - b);
        expect(recent.quantile(0)).toBeCloseTo(sorted[0] ?? 0);
        expect(recent.quantile(1)).toBeCloseTo(sorted.at(-1) ?? 0);
        const middle = (sorted.length - 1) / 2;
        expect(recent.quantile(0.5)).toBeCloseTo(((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2);
      }),
    );
  });
});
