import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideDelivery, deliveryPolicy, type DeliveryAnswer } from "./decide-delivery.js";

const now = Date.parse("2026-03-29T01:00:00Z");
const facts = (patch: Partial<Parameters<typeof decideDelivery>[1]> = {}) => ({ attempt: 1, since: now, now, jitter: 0, ...patch });
const answered = (status: number, retryAfter: string | null = null): DeliveryAnswer => ({ kind: "answered", status, retryAfter });

describe("decideDelivery", () => {
  it("is content with any 2xx and with nothing else", () => {
    for (let status = 200; status < 600; status += 1)
      expect(decideDelivery(answered(status), facts()).kind === "delivered").toBe(status < 300);
  });

  it("sends nothing more to a receiver that is gone", () => {
    expect(decideDelivery(answered(410), facts())).toEqual({ kind: "disable", reason: "HTTP 410" });
  });

  it.each([
    [1, 5_000],
    [2, 10_000],
    [5, 80_000],
    [11, 3_600_000],
    [1_000, 3_600_000],
  ])("waits after attempt %i for %i ms", (attempt, pauseMs) => {
    expect(decideDelivery(answered(500), facts({ attempt }))).toEqual({ kind: "retry", at: now + pauseMs, reason: "HTTP 500" });
  });

  it.each([
    ["120", 120_000],
    ["1", 5_000],
    ["999999", 3_600_000],
    ["Sun, 29 Mar 2026 01:05:00 GMT", 300_000],
    ["Sun, 29 Mar 2026 00:05:00 GMT", 5_000],
    ["soon", 5_000],
    ["-5", 5_000],
  ])("leaves a receiver that says Retry-After: %s alone for %i ms", (retryAfter, pauseMs) => {
    for (const status of [429, 503])
      expect(decideDelivery(answered(status, retryAfter), facts())).toMatchObject({ kind: "retry", at: now + pauseMs });
  });

  it("always ends: the pauses never shrink below their base, and a day after the first attempt it gives up", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 60, maxLength: 60 }), (jitters) => {
        let at = now;
        for (const [index, jitter] of jitters.entries()) {
          const verdict = decideDelivery(
            { kind: "unreachable", problem: "no answer" },
            { attempt: index + 1, since: now, now: at, jitter },
          );
          if (verdict.kind !== "retry") {
            expect(verdict).toEqual({ kind: "give-up", reason: "no answer" });
            expect(at).toBeLessThanOrEqual(now + deliveryPolicy.giveUpAfterMs);
            return;
          }
          expect(verdict.at - at).toBeGreaterThanOrEqual(Math.min(5_000 * 2 ** index, deliveryPolicy.maxRetryMs));
          expect(verdict.at - at).toBeLessThanOrEqual(deliveryPolicy.maxRetryMs * 1.25);
          at = verdict.at;
        }
        expect.unreachable("it never gave up");
      }),
    );
  });
});
