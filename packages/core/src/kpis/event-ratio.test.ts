import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { eventRatio } from "./event-ratio.js";

describe("a share of events", () => {
  it("has Wilson's interval", () => {
    // Agresti and Coull (1998): 0 of 10 and 5 of 10 at 95 %.
    expect(eventRatio(0, 10)).toMatchObject({ ratio: 0, low: 0, isUncertain: true });
    expect(eventRatio(0, 10).high).toBeCloseTo(0.2775, 4);
    expect(eventRatio(5, 10).low).toBeCloseTo(0.2366, 4);
    expect(eventRatio(5, 10).high).toBeCloseTo(0.7634, 4);
    expect(eventRatio(20, 20)).toMatchObject({ high: 1, isUncertain: false });
  });

  it("lies within its interval, which lies within 0 and 1", () => {
    const counts = fc.nat(1_000_000).chain((valid) => fc.tuple(fc.nat(valid), fc.constant(valid)));
    fc.assert(
      fc.property(counts, ([good, valid]) => {
        const { ratio, low, high } = eventRatio(good, valid);
        if (valid === 0) expect([ratio, low, high]).toEqual([null, null, null]);
        else {
          expect(low ?? -1).toBeGreaterThanOrEqual(0);
          expect(low).toBeLessThanOrEqual(ratio ?? 2);
          expect(ratio).toBeLessThanOrEqual(high ?? -1);
          expect(high).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it("refuses more good events than there were", () => {
    expect(() => eventRatio(2, 1)).toThrow(RangeError);
  });
});
