import { describe, expect, it } from "vitest";
import { encodeHistogram, histogramOf } from "./histogram.js";
import type { SampleSums } from "./kpi-definitions.js";
import { checkObjective } from "./objective.js";
import { objectiveEvents } from "./objective-events.js";

const terms = { key: "orders", title: "Orders", indicator: "availability", kpi: null, limit: null, target: 0.999, periodDays: 28 } as const;
const refused = (more: Partial<Parameters<typeof checkObjective>[0]>) => () => checkObjective({ ...terms, ...more });

describe("the terms of an objective", () => {
  it("are taken when they fit together", () => {
    expect(refused({})).not.toThrow();
    expect(refused({ indicator: "latency", kpi: "response-time", limit: 300 })).not.toThrow();
    expect(refused({ indicator: "share", kpi: "attempt-error-rate" })).not.toThrow();
  });

  it.each([
    ["target", { target: 1 }],
    ["target", { target: 99.9 }],
    ["periodDays", { periodDays: 32 }],
    ["key", { key: "Orders!" }],
    ["title", { title: " " }],
    ["kpi", { kpi: "response-time" }],
    ["kpi", { indicator: "latency" }],
    ["kpi", { indicator: "latency", kpi: "sync-accuracy", limit: 1 }],
    ["limit", { indicator: "latency", kpi: "response-time" }],
    ["limit", { indicator: "share", kpi: "retry-rate", limit: 3 }],
    ["kpi", { indicator: "share", kpi: "throughput" }],
  ] as const)("are refused for their %s: %j", (field, more) => {
    expect(refused(more)).toThrow(expect.objectContaining({ code: "QSC_OBJECTIVE_INVALID", field: `input.${field}` }));
  });
});

describe("events of an objective", () => {
  const sumsOf = (values: readonly number[], good = values.length): SampleSums => ({
    samples: values.length,
    good,
    marked: 0,
    sumMillionths: 0n,
    min: Math.min(...values),
    max: Math.max(...values),
    histogram: encodeHistogram(histogramOf(values)),
  });

  it("of latency are bad over the limit, and good up to it", () => {
    const sums = [sumsOf([100, 200, 300]), sumsOf([290, 400, 5_000])];
    expect(objectiveEvents({ kpi: "response-time", limit: 300 }, { sums, all: [] })).toEqual({ valid: 6, bad: 2 });
  });

  it("of shares are those without error, and of retries the attempts without one", () => {
    expect(objectiveEvents({ kpi: "attempt-error-rate", limit: null }, { sums: [sumsOf([1, 1, 1, 1], 3)], all: [] })).toEqual({
      valid: 4,
      bad: 1,
    });
    expect(objectiveEvents({ kpi: "delivery-success", limit: null }, { sums: [sumsOf([1, 1, 1, 1], 3)], all: [] })).toEqual({
      valid: 4,
      bad: 1,
    });
    expect(objectiveEvents({ kpi: "retry-rate", limit: null }, { sums: [sumsOf([1])], all: [sumsOf([1, 1, 1])] })).toEqual({
      valid: 3,
      bad: 1,
    });
  });
});
