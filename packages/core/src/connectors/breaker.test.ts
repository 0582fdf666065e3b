import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  admitCalls,
  afterAnswer,
  afterAway,
  afterProbe,
  afterRateLimit,
  BREAKER_FAILURES,
  type BreakerFacts,
  closedBreaker,
} from "./breaker.js";

const now = 1_000_000;
const opened = (): BreakerFacts =>
  Array.from({ length: BREAKER_FAILURES }).reduce<BreakerFacts>((facts) => afterAway(facts, now), closedBreaker);

describe("the breaker of an endpoint", () => {
  it("opens at the fifth failure in a row, and not when an answer came between", () => {
    let facts = closedBreaker;
    for (let n = 1; n < BREAKER_FAILURES; n += 1) facts = afterAway(facts, now);
    expect(admitCalls(facts, now)).toEqual({ kind: "go" });
    expect(admitCalls(afterAway(afterAnswer(facts), now), now)).toEqual({ kind: "go" });
    expect(admitCalls(afterAway(facts, now), now)).toEqual({ kind: "wait", until: now + 35_000, why: "endpoint-away" });
  });

  it("waits longer after each probe that failed, five minutes at most, and begins anew after an answer", () => {
    let facts = opened();
    const pauses = [];
    for (let n = 0; n < 7; n += 1) {
      facts = afterProbe(facts, false, now);
      pauses.push(((facts.probeAt ?? 0) - now) / 1_000);
    }
    expect(pauses).toEqual([60, 120, 240, 300, 300, 300, 300]);
    const closed = afterProbe(facts, true, now);
    expect(closed).toEqual(closedBreaker);
    expect(opened().probeAt).toBe(now + 30_000);
  });

  it("is closed by a probe alone, and keeps its probe's time while calls of before fail", () => {
    const facts = opened();
    expect(afterAnswer(facts)).toEqual(facts);
    expect(afterAway(facts, now + 20_000).probeAt).toBe(facts.probeAt);
    expect(admitCalls(facts, now + 31_000)).toMatchObject({ kind: "wait" });
  });

  it("lets runs try when nothing can be asked, and opens for longer at the first failure", () => {
    const trying = afterProbe(opened(), null, now);
    expect(admitCalls(trying, now)).toEqual({ kind: "go" });
    expect(afterAway(trying, now).probeAt).toBe(now + 60_000);
  });
});

describe("a system that asks to slow down", () => {
  it.each([
    [7_000, 7_000],
    [undefined, 30_000],
    [-5, 0],
    [1e12, 3_600_000],
  ])("for %s ms is left alone for %s ms", (asked, delayMs) => {
    expect(afterRateLimit(closedBreaker, asked, now).delayedUntil).toBe(now + delayMs);
  });

  it("is not called earlier because of a shorter wish", () => {
    const facts = afterRateLimit(afterRateLimit(closedBreaker, 60_000, now), 1_000, now);
    expect(admitCalls(facts, now)).toEqual({ kind: "wait", until: now + 60_000, why: "endpoint-rate-limited" });
    expect(admitCalls(facts, now + 60_000)).toEqual({ kind: "go" });
  });
});

it("nothing waits for ever: whatever happened, a probe or an end of the delay is within an hour", () => {
  const step = fc.constantFrom("away", "answer", "probe-yes", "probe-no", "probe-none", "limit") as fc.Arbitrary<string>;
  fc.assert(
    fc.property(fc.array(fc.tuple(step, fc.integer({ min: 0, max: 100_000 }))), (steps) => {
      let at = now;
      let facts = closedBreaker;
      for (const [kind, later] of steps) {
        at += later;
        if (kind === "away") facts = afterAway(facts, at);
        else if (kind === "answer") facts = afterAnswer(facts);
        else if (kind === "limit") facts = afterRateLimit(facts, later * 100, at);
        else if (facts.probeAt !== null) facts = afterProbe(facts, kind === "probe-yes" ? true : kind === "probe-no" ? false : null, at);
        const admission = admitCalls(facts, at);
        if (admission.kind === "wait" && (admission.until <= at || admission.until > at + 3_600_000)) return false;
      }
      return true;
    }),
  );
});
