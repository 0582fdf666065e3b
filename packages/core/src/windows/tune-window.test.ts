import { describe, expect, test } from "vitest";
import { suggestLength, tuneWindow, tuningAdvice, type UsedOccurrence } from "./tune-window.js";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const text = (ms: number): string => `${ms / MINUTE_MS} min`;

/** One a day, booked for four hours. */
const past = (usedMinutes: readonly number[], drainMinutes: number | null = 5): readonly UsedOccurrence[] =>
  usedMinutes.map((used, day) => {
    const bookedStart = day * 24 * HOUR_MS;
    return {
      bookedStart,
      bookedEnd: bookedStart + 4 * HOUR_MS,
      quiescedAt: drainMinutes === null ? null : bookedStart + drainMinutes * MINUTE_MS,
      releasedAt: bookedStart + used * MINUTE_MS,
    };
  });
const tuned = (occurrences: readonly UsedOccurrence[]) => {
  const tuning = tuneWindow(occurrences);
  if (tuning === null) throw new Error("Too few occurrences.");
  return tuning;
};

describe("tuning", () => {
  test("says nothing about fewer than three occurrences", () => {
    expect(tuneWindow(past([60, 70]))).toBeNull();
    expect(tuneWindow(past([60, 70, 80]))).not.toBeNull();
  });

  test("of four hours booked and 1 h 10 used suggests the length that covers 95 of 100", () => {
    const tuning = tuned(past([60, 65, 70, 70, 70, 75, 80, 100]));
    expect(tuning).toMatchObject({
      occurrences: 8,
      bookedMs: 4 * HOUR_MS,
      usedMs: 70 * MINUTE_MS,
      usedP95Ms: 100 * MINUTE_MS,
      drainMs: 5 * MINUTE_MS,
      workMs: 65 * MINUTE_MS,
      unusedMs: 170 * MINUTE_MS,
      overruns: 0,
    });
    expect(suggestLength(tuning)).toEqual({ change: "shorten", lengthMs: 105 * MINUTE_MS });
    expect(tuningAdvice(tuning, text)).toEqual(["Book 105 min instead of 240 min: 95 of 100 took at most 100 min."]);
  });

  test("of overruns suggests a longer one, and never a shorter one than was needed", () => {
    const tuning = tuned(past([200, 250, 290]));
    expect(tuning).toMatchObject({ overruns: 2, longestOverrunMs: 50 * MINUTE_MS, unusedMs: 0 });
    expect(suggestLength(tuning)).toEqual({ change: "lengthen", lengthMs: 300 * MINUTE_MS });
  });

  test("keeps what is used to the end", () => {
    expect(suggestLength(tuned(past([240, 240, 230]))).change).toBe("keep");
  });

  test("of a long drain says to start earlier, and knows none where nothing ever came to rest", () => {
    expect(tuningAdvice(tuned(past([240, 240, 240], 35)), text)[1]).toContain("35 min earlier");
    expect(tuned(past([240, 240, 240], null))).toMatchObject({ drainMs: null, workMs: null });
  });
});
