import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { catchUpOfGap } from "./catch-up-of-gap.js";
import { type BacklogJob, type BacklogSystem, forecastBacklog } from "./forecast-backlog.js";

const releasedAt = 1_000_000;
const job = (over: Partial<BacklogJob> & { readonly job: string }): BacklogJob => ({
  runs: [{ dues: [releasedAt - 60_000] }],
  p50Ms: 10_000,
  p95Ms: 20_000,
  recordsPerRun: 5,
  reads: false,
  systemIds: [1],
  targetIds: [1],
  ...over,
});
const free: BacklogSystem = { id: 1, stepMs: 0, maxConcurrentRuns: null };
const forecast = (jobs: readonly BacklogJob[], system: Partial<BacklogSystem> = {}, canaries = 0) =>
  forecastBacklog({ releasedAt, jobs, systems: [{ ...free, ...system }], canaries, skipped: 0 });
const three = ["a", "b", "c"].map((name) => job({ job: name }));

describe("the forecast of a backlog", () => {
  test("runs side by side where nothing keeps them apart", () => {
    expect(forecast(three)).toMatchObject({ runs: 3, dueTimes: 3, expectedMs: 10_000, atWorstMs: 20_000, records: 15, unknownJobs: [] });
  });

  test("one after the other under a cap of one, and two by two under a cap of two", () => {
    expect(forecast(three, { maxConcurrentRuns: 1 })).toMatchObject({ expectedMs: 30_000, atWorstMs: 60_000 });
    expect(forecast(three, { maxConcurrentRuns: 2 })).toMatchObject({ expectedMs: 20_000, atWorstMs: 40_000 });
  });

  test("starts are as far apart as the ramp of the target system says", () => {
    expect(forecast(three, { stepMs: 7_000 })).toMatchObject({ expectedMs: 24_000, delayMs: 3 * 60_000 + 21_000, longestDelayMs: 74_000 });
  });

  test("the rest waits until the first runs of the system have ended", () => {
    expect(forecast(three, {}, 1)).toMatchObject({ expectedMs: 20_000, atWorstMs: 40_000 });
    expect(forecast(three, {}, 3)).toMatchObject({ expectedMs: 10_000 });
  });

  test("the runs of one job follow each other", () => {
    const runs = [{ dues: [1] }, { dues: [2] }, { dues: [3] }];
    expect(forecast([job({ job: "a", runs })])).toMatchObject({ runs: 3, expectedMs: 30_000 });
  });

  test("one run for 37 due times takes at worst the work of all of them when it reads on", () => {
    const runs = [{ dues: Array.from({ length: 37 }, (_, index) => releasedAt - 37_000 + index) }];
    expect(forecast([job({ job: "a", runs, reads: true })])).toMatchObject({ expectedMs: 10_000, atWorstMs: 37 * 20_000, records: 185 });
    expect(forecast([job({ job: "a", runs })])).toMatchObject({ dueTimes: 37, runs: 1, atWorstMs: 20_000, records: 5 });
  });

  test("is unknown where no run was ever measured, and says of which job and what it is at least", () => {
    const found = forecast([...three, job({ job: "new", p50Ms: null, p95Ms: null, recordsPerRun: null })], { stepMs: 5_000 });
    expect(found).toMatchObject({ expectedMs: null, atWorstMs: null, records: null, unknownJobs: ["new"], atLeastMs: 20_000 });
    expect(found.systems).toMatchObject([{ systemId: 1, expectedMs: null }]);
  });

  test("never has more than the cap at once on the system's own time, and never ends before the ramp or the longest run", () => {
    const jobs = fc.array(fc.record({ p50: fc.integer({ min: 1, max: 500 }), runs: fc.integer({ min: 1, max: 5 }) }), {
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(
        jobs,
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 0, max: 300 }),
        fc.integer({ min: 0, max: 3 }),
        (list, cap, stepMs, canaries) => {
          const made = list.map((one, index) =>
            job({ job: `j${index}`, p50Ms: one.p50, p95Ms: one.p50 * 2, runs: Array.from({ length: one.runs }, () => ({ dues: [0] })) }),
          );
          const runs = list.reduce((sum, one) => sum + one.runs, 0);
          const work = list.reduce((sum, one) => sum + one.runs * one.p50, 0);
          const found = forecast(made, { stepMs, maxConcurrentRuns: cap }, canaries);
          expect(found.runs).toBe(runs);
          expect(found.expectedMs).toBeGreaterThanOrEqual(work / cap);
          for (const one of list) expect(found.expectedMs).toBeGreaterThanOrEqual(one.runs * one.p50);
          expect(found.atWorstMs).toBeGreaterThanOrEqual(found.expectedMs ?? 0);
          if (canaries === 0) expect(found.expectedMs).toBeGreaterThanOrEqual((runs - 1) * stepMs);
        },
      ),
    );
  });
});

describe("the catch-up of a gap", () => {
  const dues = Array.from({ length: 37 }, (_, index) => index * 1_000);
  const gap = (catchUp: "skip" | "coalesce" | "all", maxAgeMs: number | null = null) =>
    catchUpOfGap({ catchUp, maxAgeMs, releasedAt: 36_000, dues });

  test("of 37 due times makes one run, 37 or none, and loses count of none", () => {
    expect(gap("coalesce")).toMatchObject({ runs: [{ dues }], skipped: 0 });
    expect(gap("all").runs).toHaveLength(37);
    expect(gap("skip")).toEqual({ runs: [], skipped: 37 });
  });

  test("leaves out what is older than the greatest age", () => {
    expect(gap("all", 10_000)).toMatchObject({ skipped: 26 });
    expect(gap("all", 10_000).runs).toHaveLength(11);
    expect(gap("coalesce", 10_000)).toMatchObject({ runs: [{ dues }], skipped: 0 });
  });

  test("of no due time is nothing", () => {
    expect(catchUpOfGap({ catchUp: "coalesce", maxAgeMs: null, releasedAt: 1, dues: [] })).toEqual({ runs: [], skipped: 0 });
  });
});
