import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  checkSampleRetention,
  isRetentionSettled,
  keptDays,
  retentionCutoffs,
  sampleClasses,
  type SampleRetention,
  sampleRetentionBounds,
  samplesToKeepFrom,
  unsaidRetention,
} from "./sample-retention.js";

const hour = 3_600_000;
const day = 24 * hour;
const iso = (text: string) => Date.parse(text);
const said = (days: Partial<SampleRetention>): SampleRetention => ({ ...unsaidRetention, ...days });
const others = { general: unsaidRetention, sampleDays: 14 };

describe("for how long a metric is kept", () => {
  it("is what is said of it, else of every metric, else the usual, class by class", () => {
    expect(keptDays({ own: null, ...others })).toEqual({ sample: 14, minute: 35, hour: 800, day: null });
    const general = said({ sample: 20, hour: 400, day: 1_000 });
    expect(keptDays({ own: null, general, sampleDays: 14 })).toEqual({ sample: 20, minute: 35, hour: 400, day: 1_000 });
    expect(keptDays({ own: said({ sample: 7, day: 2_000 }), general, sampleDays: 14 })).toEqual({
      sample: 7,
      minute: 35,
      hour: 400,
      day: 2_000,
    });
  });

  it("is as long as the finer class at least", () => {
    expect(keptDays({ own: said({ sample: 60 }), ...others })).toEqual({ sample: 60, minute: 60, hour: 800, day: null });
    expect(keptDays({ own: null, general: said({ day: 401 }), sampleDays: 3_000 })).toEqual({
      sample: 3_000,
      minute: 3_000,
      hour: 3_000,
      day: 3_000,
    });
  });

  it("law: no class goes before the finer one, whatever is said", () => {
    const days = fc.record({
      sample: fc.option(fc.integer({ min: 2, max: 3_650 })),
      minute: fc.option(fc.integer({ min: 2, max: 36_500 })),
      hour: fc.option(fc.integer({ min: 2, max: 36_500 })),
      day: fc.option(fc.integer({ min: 2, max: 36_500 })),
    });
    const instant = fc.integer({ min: iso("2026-01-01T00:00:00Z"), max: iso("2030-01-01T00:00:00Z") });
    fc.assert(
      fc.property(fc.option(days), days, fc.integer({ min: 2, max: 3_650 }), instant, (own, general, sampleDays, now) => {
        const kept = keptDays({ own, general, sampleDays });
        const cutoffs = retentionCutoffs(kept, { now, samplesKeptFrom: now - kept.sample * day });
        const inOrder = [cutoffs.day ?? Number.NEGATIVE_INFINITY, cutoffs.hour, cutoffs.minute];
        expect(inOrder).toEqual(inOrder.toSorted((a, b) => a - b));
        expect(cutoffs.minute).toBeLessThanOrEqual(now - kept.sample * day);
      }),
    );
  });

  it.each([
    [null, said({ minute: 34 }), "input.minuteDays"],
    ["response", said({ minute: 34 }), "input.minuteDays"],
    ["run.attempt", said({ day: 400 }), "input.dayDays"],
    ["response", said({ sample: 1 }), "input.sampleDays"],
    ["response", said({ sample: 7.5 }), "input.sampleDays"],
    ["response", said({ sample: Number.NaN }), "input.sampleDays"],
    ["our.own", said({ minute: 10 }), "input.minuteDays"],
    ["our.own", said({ minute: 20, hour: 19 }), "input.hourDays"],
    ["our.own", said({ sample: 3_651 }), "input.sampleDays"],
    ["Our Own", said({ sample: 7 }), "input.metric"],
    ["", said({ sample: 7 }), "input.metric"],
  ])("of %o is not %o", (metric, days, field) => {
    expect(() => checkSampleRetention({ metric, days }, others)).toThrow(
      expect.objectContaining({ code: "QSC_SAMPLE_RETENTION_INVALID", field }),
    );
  });

  it.each([
    [null, unsaidRetention],
    [null, said({ sample: 100 })],
    ["response", said({ sample: 7 })],
    ["check", said({ sample: 30, minute: 60, hour: 400, day: 401 })],
    ["our.own", said({ sample: 2, minute: 2, hour: 2, day: 2 })],
  ])("of %o may be %o", (metric, days) => {
    expect(() => checkSampleRetention({ metric, days }, others)).not.toThrow();
  });

  it("may contradict neither what is said of every metric nor what servers are configured with", () => {
    const check = (general: SampleRetention, sampleDays: number) => () =>
      checkSampleRetention({ metric: "our.own", days: said({ minute: 20 }) }, { general, sampleDays });
    expect(check(unsaidRetention, 20)).not.toThrow();
    expect(check(unsaidRetention, 21)).toThrow(/kept for 21 days/);
    expect(check(said({ sample: 40 }), 14)).toThrow(/kept for 40 days/);
  });

  it("has bounds of which the coarser are not below the finer", () => {
    for (const bounds of [sampleRetentionBounds.least, sampleRetentionBounds.leastOfFigures, sampleRetentionBounds.most]) {
      const list = sampleClasses.map((of) => bounds[of]);
      expect(list).toEqual(list.toSorted((a, b) => a - b));
    }
  });
});

describe("what may go", () => {
  it.each([
    ["at midnight", "2026-03-29T00:00:00Z", "2026-03-22T00:00:00Z"],
    ["a millisecond before midnight", "2026-03-28T23:59:59.999Z", "2026-03-21T00:00:00Z"],
    ["over a leap day", "2028-03-03T12:00:00Z", "2028-02-25T00:00:00Z"],
  ])("of samples of 7 days, %s, are the days before the last seven", (_name, now, cutoff) => {
    const kept = keptDays({ own: said({ sample: 7 }), ...others });
    expect(retentionCutoffs(kept, { now: iso(now), samplesKeptFrom: 0 }).sample).toBe(iso(cutoff));
  });

  it("are no sums that samples could still change", () => {
    const now = iso("2026-06-01T12:00:00Z");
    const kept = keptDays({ own: null, ...others });
    expect(retentionCutoffs(kept, { now, samplesKeptFrom: now - 50 * day })).toMatchObject({
      minute: now - 50 * day,
      hour: now - 800 * day,
      day: null,
    });
    expect(retentionCutoffs(kept, { now, samplesKeptFrom: Number.NEGATIVE_INFINITY }).minute).toBe(Number.NEGATIVE_INFINITY);
  });

  it("are whole days without a sample that waits to be summed up", () => {
    const cutoff = iso("2026-03-22T00:00:00Z");
    const of = (firstWaitingAt: number | null, keptFrom = cutoff - 5 * day) => samplesToKeepFrom({ cutoff, keptFrom, firstWaitingAt });
    expect(of(null)).toBe(cutoff);
    expect(of(cutoff - 2 * day + 5 * hour)).toBe(cutoff - 2 * day);
    expect(of(cutoff - 2 * day)).toBe(cutoff - 2 * day);
    expect(of(cutoff - 5 * day + 1)).toBeNull();
    expect(of(cutoff - 9 * day)).toBeNull();
    expect(of(null, cutoff)).toBeNull();
    expect(of(null, cutoff + day)).toBeNull();
  });

  it("waits an hour after somebody changed it", () => {
    expect(isRetentionSettled(0, hour - 1)).toBe(false);
    expect(isRetentionSettled(0, hour)).toBe(true);
    expect(isRetentionSettled(Number.NEGATIVE_INFINITY, 0)).toBe(true);
  });
});
