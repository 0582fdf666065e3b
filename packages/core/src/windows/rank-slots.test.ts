import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { packagedZoneData } from "../time/packaged-zone-data.js";
import { requireZone } from "../time/zone-data.js";
import { type AllowedHours, rankSlots } from "./rank-slots.js";

const HOUR_MS = 3_600_000;
const madrid = requireZone(packagedZoneData(), "Europe/Madrid");
const utc = requireZone(packagedZoneData(), "UTC");
const from = Date.UTC(2026, 2, 27);

const workOf = (weight: readonly number[], start = from) => ({
  from: start,
  bucketMs: HOUR_MS,
  runs: Float64Array.from(weight),
  records: Float64Array.from(weight.map((one) => one * 10)),
  weight: Float64Array.from(weight),
});
const rank = (weight: readonly number[], over: Partial<Parameters<typeof rankSlots>[0]> = {}) =>
  rankSlots({ work: workOf(weight), durationMs: 2 * HOUR_MS, stepMs: HOUR_MS, zone: utc, allowed: {}, taken: [], limit: 10, ...over });

describe("slots", () => {
  test("never overlap what is taken, and the first is never busier than any other that is possible", () => {
    const bucket = fc.integer({ min: 0, max: 60 });
    const taken = fc.array(
      fc.record({ start: bucket, length: fc.option(fc.integer({ min: 0, max: 9 }), { nil: null, freq: 12 }) }).map(({ start, length }) => ({
        start: from + start * HOUR_MS - 1,
        end: length === null ? null : from + (start + length) * HOUR_MS,
      })),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 60 }),
        taken,
        fc.integer({ min: 1, max: 8 }),
        (weight, blocked, hours) => {
          const found = rank(weight, { durationMs: hours * HOUR_MS, taken: blocked });
          const free: number[] = [];
          for (let at = 0; at + hours <= weight.length; at++) {
            const [start, end] = [from + at * HOUR_MS, from + (at + hours) * HOUR_MS];
            const meets = blocked.some((one) => one.start < (one.end ?? Infinity) && one.start < end && start < (one.end ?? Infinity));
            if (!meets) free.push(weight.slice(at, at + hours).reduce((sum, one) => sum + one, 0));
          }
          expect(found.candidates).toBe(free.length);
          if (free.length > 0) expect(found.slots[0]?.score).toBe(Math.min(...free));
          for (const [index, slot] of found.slots.entries()) {
            for (const one of blocked) {
              const end = one.end ?? Infinity;
              expect(one.start >= end || slot.end <= one.start || end <= slot.start).toBe(true);
            }
            for (const other of found.slots.slice(index + 1)) expect(slot.end <= other.start || other.end <= slot.start).toBe(true);
          }
          expect(found.slots.map((slot) => slot.score)).toEqual(found.slots.map((slot) => slot.score).toSorted((a, b) => a - b));
        },
      ),
      { numRuns: 500 },
    );
  });

  test("say how much is planned in them", () => {
    expect(rank([5, 1, 2, 9]).slots[0]).toMatchObject({
      start: from + HOUR_MS,
      runs: 3,
      records: 30,
      score: 3,
      localStart: "2026-03-27T01:00",
    });
  });

  const starts = (allowed: AllowedHours, days: number, durationMs = 4 * HOUR_MS) =>
    rank(
      Array.from({ length: days * 24 }, () => 1),
      { zone: madrid, allowed, limit: 100, durationMs, stepMs: HOUR_MS },
    ).slots.map((slot) => `${slot.localStart} ${slot.localEnd}`);

  test("lie wholly between the allowed hours, over midnight too and on the night on which clocks go forward", () => {
    const nights = starts({ opens: 22 * HOUR_MS, closes: 6 * HOUR_MS }, 4);
    // Clocks go from 02:00 to 03:00 on the 29th: that night has seven hours.
    expect(nights).toContain("2026-03-28T22:00 2026-03-29T03:00");
    expect(nights).toContain("2026-03-27T22:00 2026-03-28T02:00");
    for (const one of nights) expect(one).toMatch(/T(?:2[23]|0[0-2]):00 .*T0[2-6]:00$/);
    expect(starts({ opens: 22 * HOUR_MS, closes: 23 * HOUR_MS }, 4)).toEqual([]);
  });

  test("start on the allowed days", () => {
    expect(starts({ opens: 1 * HOUR_MS, closes: 5 * HOUR_MS, days: [6] }, 9)).toEqual([
      "2026-03-28T01:00 2026-03-28T05:00",
      "2026-04-04T01:00 2026-04-04T05:00",
    ]);
  });
});
