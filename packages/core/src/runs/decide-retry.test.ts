import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideRetry, defaultRetryPolicy, type RunFailure } from "./decide-retry.js";

const now = Date.parse("2026-03-29T00:59:59.999Z");
const transient: RunFailure = { kind: "transient", rule: { retry: true, holdsIntegration: false }, retryAfterMs: null, ambiguous: false };
const decide = (failure: Partial<RunFailure>, attempt: number, jitter = 0) =>
  decideRetry({ failure: { ...transient, ...failure }, attempt, policy: defaultRetryPolicy, now, jitter });

const policies = fc
  .record({
    maxAttempts: fc.integer({ min: 1, max: 20 }),
    backoffSeconds: fc.integer({ min: 0, max: 3_600 }),
    extra: fc.integer({ min: 0, max: 86_400 }),
  })
  .map(({ maxAttempts, backoffSeconds, extra }) => ({ maxAttempts, backoffSeconds, maxBackoffSeconds: backoffSeconds + extra }));
const jitters = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe("decideRetry", () => {
  it("waits half of the backoff at least, all of it at most, and doubles it", () => {
    expect(decide({}, 1, 0)).toEqual({ next: "queued", readyAt: now + 5_000, reason: "retry" });
    expect(decide({}, 2, 0)).toEqual({ next: "queued", readyAt: now + 10_000, reason: "retry" });
    expect(decide({}, 1, 0.9999)).toEqual({ next: "queued", readyAt: now + 10_000, reason: "retry" });
  });

  it("gives up when the attempts are used up, not one earlier", () => {
    expect(decide({}, 2).next).toBe("queued");
    expect(decide({}, 3)).toEqual({ next: "dead", reason: "attempts-exhausted" });
  });

  it("never tries a permanent failure again", () => {
    expect(decide({ kind: "invalid", rule: { retry: false, holdsIntegration: false } }, 1)).toEqual({
      next: "failed",
      reason: "permanent",
    });
  });

  it("a failure that holds the integration keeps the run, whatever its attempts", () => {
    expect(decide({ kind: "auth", rule: { retry: false, holdsIntegration: true } }, 99)).toEqual({
      next: "queued",
      readyAt: now,
      reason: "hold-integration",
    });
  });

  it("never comes back before the remote system's own Retry-After", () => {
    expect(decide({ retryAfterMs: 3_600_000 }, 1)).toMatchObject({ readyAt: now + 3_600_000 });
    expect(decide({ retryAfterMs: 1 }, 1)).toMatchObject({ readyAt: now + 5_000 });
  });

  it("retries end: so many attempts as the policy allows, and every wait is within its bounds", () => {
    fc.assert(
      fc.property(policies, jitters, fc.option(fc.integer({ min: 0, max: 86_400_000 })), (policy, jitter, retryAfterMs) => {
        let attempt = 1;
        for (; attempt <= policy.maxAttempts + 1; attempt += 1) {
          const verdict = decideRetry({ failure: { ...transient, retryAfterMs }, attempt, policy, now, jitter });
          if (verdict.next !== "queued") break;
          const delay = verdict.readyAt - now;
          expect(Number.isInteger(verdict.readyAt)).toBe(true);
          expect(delay).toBeGreaterThanOrEqual(
            Math.max(retryAfterMs ?? 0, Math.min(policy.backoffSeconds, policy.maxBackoffSeconds) * 500),
          );
          expect(delay).toBeLessThanOrEqual(Math.max(retryAfterMs ?? 0, policy.maxBackoffSeconds * 1_000));
        }
        expect(attempt).toBe(policy.maxAttempts);
      }),
    );
  });

  it("the wait never gets shorter from one attempt to the next", () => {
    fc.assert(
      fc.property(policies, jitters, (policy, jitter) => {
        let last = 0;
        for (let attempt = 1; attempt < policy.maxAttempts; attempt += 1) {
          const verdict = decideRetry({ failure: transient, attempt, policy, now, jitter });
          const delay = verdict.next === "queued" ? verdict.readyAt - now : 0;
          expect(delay).toBeGreaterThanOrEqual(last);
          last = delay;
        }
      }),
    );
  });
});
