import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { estimateDuration, maxDurationSamples, minDurationSamples } from "./estimate-duration.js";

const many = (count: number, durationMs: number) => Array.from({ length: count }, () => durationMs);

describe("the estimate of how long a run takes", () => {
  it("names no lead below twenty samples, and one from twenty on", () => {
    expect(estimateDuration([])).toEqual({ samples: 0, p95Ms: null, finishLeadMs: null });
    expect(estimateDuration(many(minDurationSamples - 1, 60_000))).toEqual({ samples: 19, p95Ms: 60_000, finishLeadMs: null });
    expect(estimateDuration(many(minDurationSamples, 60_000))).toEqual({ samples: 20, p95Ms: 60_000, finishLeadMs: 66_000 });
  });

  it("lets five of a hundred runs be slower, and no sixth", () => {
    expect(estimateDuration([...many(95, 10_000), ...many(5, 900_000)]).p95Ms).toBe(10_000);
    expect(estimateDuration([...many(94, 10_000), ...many(6, 900_000)]).p95Ms).toBe(900_000);
  });

  it("gives a run of no time at all a second of margin", () => {
    expect(estimateDuration(many(30, 0)).finishLeadMs).toBe(1_000);
  });

  it("looks at the first two hundred only", () => {
    const estimate = estimateDuration([...many(maxDurationSamples, 5_000), ...many(100, 900_000)]);
    expect(estimate).toEqual({ samples: 200, p95Ms: 5_000, finishLeadMs: 6_000 });
  });

  it("at least 95 of 100 samples take no longer than the p95, which is one of them", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 86_400_000 }), { minLength: 1, maxLength: 200 }), (durations) => {
        const { p95Ms } = estimateDuration(durations);
        expect(durations).toContain(p95Ms);
        expect(durations.filter((one) => one <= (p95Ms ?? 0)).length).toBeGreaterThanOrEqual(durations.length * 0.95);
      }),
    );
  });
});
