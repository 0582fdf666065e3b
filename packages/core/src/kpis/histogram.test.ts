import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addEncoded,
  decodeHistogram,
  emptyHistogram,
  encodeHistogram,
  histogramOf,
  histogramSlot,
  histogramSlots,
  histogramTotal,
  largestValue,
  mergeHistograms,
  quantileOf,
  slotBounds,
  smallestValue,
} from "./histogram.js";

/** Values over the whole range, evenly over their magnitudes. */
const value = fc.oneof(
  fc.double({ min: Math.log2(smallestValue), max: Math.log2(largestValue), noNaN: true }).map((power) => 2 ** power),
  fc.constantFrom(0, smallestValue, 1, 2, 1_024, largestValue),
  fc.integer({ min: 0, max: 100_000 }),
);
const values = fc.array(value, { maxLength: 300 });

describe("the histogram", () => {
  it("has at most 2,048 slots, and every value lies within the bounds of its own", () => {
    expect(histogramSlots).toBeLessThanOrEqual(2_048);
    fc.assert(
      fc.property(value, (one) => {
        const slot = histogramSlot(one);
        const { low, high } = slotBounds(slot);
        expect(slot).toBeLessThan(histogramSlots);
        expect(one).toBeGreaterThanOrEqual(low * (1 - 1e-12));
        expect(one).toBeLessThanOrEqual(high * (1 + 1e-12));
      }),
    );
  });

  it.each([-1, Number.NaN, Number.POSITIVE_INFINITY, largestValue * 1.1])("refuses %s", (one) => {
    expect(() => histogramSlot(one)).toThrow(RangeError);
  });

  it("gives identical bytes in whatever order and grouping it is merged", () => {
    fc.assert(
      fc.property(fc.array(values, { maxLength: 8 }), fc.infiniteStream(fc.nat()), (parts, choices) => {
        const whole = encodeHistogram(histogramOf(parts.flat()));
        const pool = parts.map((part) => histogramOf(part));
        while (pool.length > 1) {
          const take = () => pool.splice((choices.next().value ?? 0) % pool.length, 1);
          pool.push(mergeHistograms([...take(), ...take()]));
        }
        expect(encodeHistogram(pool[0] ?? emptyHistogram())).toEqual(whole);
        const added = emptyHistogram();
        for (const part of parts.toReversed()) addEncoded(added, encodeHistogram(histogramOf(part)));
        expect(encodeHistogram(added)).toEqual(whole);
        expect(encodeHistogram(decodeHistogram(whole))).toEqual(whole);
      }),
    );
  });

  it("is at most 1.1 % from the exact percentile", () => {
    const positive = fc.array(
      value.map((one) => Math.max(one, smallestValue)),
      { minLength: 1, maxLength: 500 },
    );
    fc.assert(
      fc.property(positive, fc.double({ min: 0.001, max: 1, noNaN: true }), (all, quantile) => {
        const exact = all.toSorted((a, b) => a - b)[Math.ceil(quantile * all.length) - 1] ?? Number.NaN;
        const estimate = quantileOf(histogramOf(all), quantile) ?? Number.NaN;
        expect(Math.abs(estimate - exact) / exact).toBeLessThanOrEqual(0.011);
      }),
    );
  });

  it("counts what is below a millionth as zero", () => {
    const histogram = histogramOf([0, 1e-7, 5e-7]);
    expect(quantileOf(histogram, 1)).toBe(0);
    expect(encodeHistogram(histogram)).toEqual(Uint8Array.of(0, 3));
  });

  it("keeps an estimate within what was seen", () => {
    expect(quantileOf(histogramOf([100]), 0.5, { min: 100, max: 100 })).toBe(100);
    expect(quantileOf(emptyHistogram(), 0.5)).toBeNull();
  });

  it("keeps counts beyond four thousand millions", () => {
    const histogram = emptyHistogram();
    histogram.counts[7] = 2 ** 45;
    expect(histogramTotal(decodeHistogram(encodeHistogram(histogram)))).toBe(2 ** 45);
  });

  it.each([[[128]], [[1]], [[255, 255, 1, 1]], [[0, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1]]])("refuses the bytes %j", (bytes) => {
    expect(() => decodeHistogram(Uint8Array.from(bytes))).toThrow(RangeError);
  });
});
