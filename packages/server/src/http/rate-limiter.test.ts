import { DomainError } from "@quiesce/core";
import { describe, expect, it } from "vitest";
import { createRateLimiter, type RateLimiter } from "./rate-limiter.js";

function refusalOf(limiter: RateLimiter, name: string, amount?: number): DomainError | null {
  try {
    limiter.take(name, amount);
    return null;
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
}

describe("a limiter", () => {
  it("gives a burst and refuses what is over, of each name by itself", () => {
    const limiter = createRateLimiter({ burst: 2, perSecond: 0.001 });
    expect(["a", "a", "a", "b"].map((name) => refusalOf(limiter, name)?.code)).toEqual([
      undefined,
      undefined,
      "QSC_HTTP_RATE_LIMITED",
      undefined,
    ]);
  });

  it("says when there will be enough, and takes nothing from whom it refuses", () => {
    const limiter = createRateLimiter({ burst: 100, perSecond: 0.01 }, "points");
    expect(refusalOf(limiter, "a", 90)).toBeNull();
    const refused = refusalOf(limiter, "a", 20);
    // Ten are missing: a thousand seconds. The clock may have moved by a little meanwhile.
    expect(refused?.details["retryAfterSeconds"]).toBeGreaterThan(990);
    expect(refused?.details["retryAfterSeconds"]).toBeLessThanOrEqual(1_000);
    expect(refused?.message).toContain("36 an hour");
    expect(refusalOf(limiter, "a", 10)).toBeNull();
  });

  it("remembers ten thousand names and no more", () => {
    const limiter = createRateLimiter({ burst: 1, perSecond: 1 });
    for (let name = 0; name < 12_000; name += 1) limiter.take(`address-${name}`);
    expect(limiter.size).toBe(10_000);
  });
});
