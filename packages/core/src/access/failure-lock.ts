/** How many failures are free, and how long one waits after more. */
export interface FailureRule {
  readonly freeFailures: number;
  readonly firstWaitMs: number;
  readonly longestWaitMs: number;
  /** Failures are forgotten when so much time passed since the last one, and since the end of its wait. */
  readonly forgetAfterMs: number;
}

/** What is remembered of somebody who failed. Instants are of one clock, whichever. */
export interface FailureCount {
  readonly failures: number;
  readonly lastAt: number;
  /** Nothing is tried before; null: not locked. */
  readonly lockedUntil: number | null;
}

/** How long somebody has to wait yet, in milliseconds; 0: try now. */
export function remainingWaitMs(count: FailureCount | undefined, now: number): number {
  return Math.max(0, (count?.lockedUntil ?? now) - now);
}

/**
 * Counts one more failure. Every failure beyond the free ones locks, each time for twice as long. `begins` is true where this failure begins a lock:
 * those that were under way when it began begin none, or a burst would lock for hours.
 */
export function afterFailure(
  before: FailureCount | undefined,
  now: number,
  rule: FailureRule,
): { readonly count: FailureCount; readonly begins: boolean } {
  if (before !== undefined && remainingWaitMs(before, now) > 0) return { count: before, begins: false };
  const quietSince = Math.max(before?.lastAt ?? 0, before?.lockedUntil ?? 0);
  const known = before !== undefined && now - quietSince < rule.forgetAfterMs ? before.failures : 0;
  const failures = known + 1;
  const beyond = failures - rule.freeFailures;
  if (beyond <= 0) return { count: { failures, lastAt: now, lockedUntil: null }, begins: false };
  // Of doublings twenty exceed every limit that makes sense, and stay far from infinity.
  const waitMs = Math.min(rule.longestWaitMs, rule.firstWaitMs * 2 ** Math.min(beyond - 1, 20));
  return { count: { failures, lastAt: now, lockedUntil: now + waitMs }, begins: true };
}
