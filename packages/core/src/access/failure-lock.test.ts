import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { afterFailure, type FailureCount, remainingWaitMs } from "./failure-lock.js";

const rule = { freeFailures: 3, firstWaitMs: 1_000, longestWaitMs: 60_000, forgetAfterMs: 600_000 };

/** Fails again and again, each time as soon as it may; answers the waits. */
function waits(times: number): readonly number[] {
  let count: FailureCount | undefined;
  let now = 0;
  const found: number[] = [];
  for (let n = 0; n < times; n += 1) {
    count = afterFailure(count, now, rule).count;
    found.push(remainingWaitMs(count, now));
    now += remainingWaitMs(count, now);
  }
  return found;
}

describe("the lock after failures", () => {
  it("lets a few mistakes pass, then waits twice as long each time, up to the longest", () => {
    expect(waits(11)).toEqual([0, 0, 0, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  });

  it("begins once, however many failures were under way", () => {
    let count: FailureCount | undefined;
    const begun: boolean[] = [];
    for (let n = 0; n < 20; n += 1) {
      const next = afterFailure(count, 0, rule);
      count = next.count;
      begun.push(next.begins);
    }
    expect(begun.filter(Boolean)).toHaveLength(1);
    expect(remainingWaitMs(count, 0)).toBe(1_000);
  });

  it("forgets after a quiet time, counted from the end of the wait", () => {
    const locked = { failures: 8, lastAt: 0, lockedUntil: 16_000 };
    expect(afterFailure(locked, 16_000 + 599_999, rule).count.failures).toBe(9);
    expect(afterFailure(locked, 16_000 + 600_000, rule).count.failures).toBe(1);
  });

  it("never lets anybody try more often than the free failures and one a wait", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 300 }), (pauses) => {
        let count: FailureCount | undefined;
        let now = 0;
        let tried = 0;
        for (const pause of pauses) {
          now += pause;
          if (remainingWaitMs(count, now) > 0) continue;
          tried += 1;
          count = afterFailure(count, now, rule).count;
        }
        return tried <= rule.freeFailures + 1 + Math.log2(1 + now / rule.firstWaitMs) + now / rule.longestWaitMs;
      }),
    );
  });
});
