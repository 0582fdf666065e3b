import type { ErrorKind, ErrorPolicy } from "@quiesce/sdk";

/** How often and how far apart a failed run is tried again. Seconds, as people write them. */
export interface RetryPolicy {
  readonly maxAttempts: number;
  readonly backoffSeconds: number;
  readonly maxBackoffSeconds: number;
}

export const defaultRetryPolicy: RetryPolicy = { maxAttempts: 3, backoffSeconds: 10, maxBackoffSeconds: 600 };

export interface RunFailure {
  readonly kind: ErrorKind;
  /** What the SDK's table says of this kind. */
  readonly rule: Pick<ErrorPolicy, "retry" | "holdsIntegration">;
  /** What the remote system asked for, in milliseconds. */
  readonly retryAfterMs: number | null;
  /** The write may have been applied although the answer was lost. */
  readonly ambiguous: boolean;
}

export type RetryVerdict =
  | { readonly next: "queued"; readonly readyAt: number; readonly reason: "retry" }
  | { readonly next: "queued"; readonly readyAt: number; readonly reason: "hold-integration" }
  | { readonly next: "failed"; readonly reason: "permanent" }
  | { readonly next: "dead"; readonly reason: "attempts-exhausted" };

/**
 * Decides what follows a failed attempt. `jitter` in [0, 1) is given by the caller, because core knows no random: the delay lies between
 * half and the whole of the exponential backoff, and never before the remote system's own Retry-After.
 */
export function decideRetry(facts: {
  readonly failure: RunFailure;
  readonly attempt: number;
  readonly policy: RetryPolicy;
  readonly now: number;
  readonly jitter: number;
}): RetryVerdict {
  const { failure, policy, now } = facts;
  if (failure.rule.holdsIntegration) return { next: "queued", readyAt: now, reason: "hold-integration" };
  if (!failure.rule.retry) return { next: "failed", reason: "permanent" };
  if (facts.attempt >= policy.maxAttempts) return { next: "dead", reason: "attempts-exhausted" };
  const whole = Math.min(policy.maxBackoffSeconds, policy.backoffSeconds * 2 ** (facts.attempt - 1)) * 1_000;
  const delay = Math.max(failure.retryAfterMs ?? 0, Math.round(whole * (0.5 + facts.jitter / 2)));
  return { next: "queued", readyAt: now + delay, reason: "retry" };
}
