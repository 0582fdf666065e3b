import { describe, expect, it } from "vitest";
import { encodeHistogram, histogramOf } from "./histogram.js";
import { kpiFigures, type SampleSums } from "./kpi-definitions.js";

const sumsOf = (values: readonly number[], good = values.length): SampleSums => ({
  samples: values.length,
  good,
  marked: 0,
  sumMillionths: values.reduce((sum, value) => sum + BigInt(Math.round(value * 1e6)), 0n),
  min: Math.min(...values),
  max: Math.max(...values),
  histogram: encodeHistogram(histogramOf(values)),
});

describe("figures of samples", () => {
  it("have the percentiles of all samples together, not the average of percentiles", () => {
    const fast = sumsOf(Array.from({ length: 990 }, () => 10));
    const slow = sumsOf(Array.from({ length: 10 }, () => 1_000));
    const { p50, p95, p99, mean, max, value } = kpiFigures("response-time", { sums: [fast, slow], seconds: 60 });
    expect(p50).toBeCloseTo(10, 0);
    expect(p95).toBeCloseTo(10, 0);
    expect(p99).toBeCloseTo(10, 0);
    expect(value).toBe(p95);
    expect(mean).toBeCloseTo(19.9, 6);
    expect(max).toBe(1_000);
  });

  it("are shares of attempts, with their interval when there are few", () => {
    const { value, share, p95 } = kpiFigures("attempt-error-rate", { sums: [sumsOf([1, 1, 1, 1], 3)], seconds: 60 });
    expect(value).toBe(0.25);
    expect(share?.isUncertain).toBe(true);
    expect(p95).toBeNull();
  });

  it("count attempts beyond the first among all attempts", () => {
    const attempts = sumsOf([1, 1, 1, 1, 1, 1, 1, 1]);
    expect(kpiFigures("retry-rate", { sums: [sumsOf([1, 1])], all: [attempts], seconds: 60 }).value).toBe(0.25);
    expect(kpiFigures("retry-rate", { sums: [], all: [attempts], seconds: 60 }).value).toBe(0);
    expect(kpiFigures("retry-rate", { sums: [], all: [], seconds: 60 }).value).toBeNull();
  });

  it("are records a second", () => {
    expect(kpiFigures("throughput", { sums: [sumsOf([100, 20])], seconds: 60 }).value).toBe(2);
  });

  it("are null without samples", () => {
    expect(kpiFigures("response-time", { sums: [], seconds: 60 })).toMatchObject({
      value: null,
      mean: null,
      min: null,
      max: null,
      p50: null,
    });
    expect(kpiFigures("throughput", { sums: [], seconds: 60 }).value).toBeNull();
  });
});
