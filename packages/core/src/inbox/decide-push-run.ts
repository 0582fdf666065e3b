import type { RetryPolicy } from "../runs/decide-retry.js";
import { isTerminal, type RunState } from "../runs/run-state.js";

/** The run that was queued last for an inbox. */
export interface LastPushRun {
  readonly state: RunState;
  readonly readyAt: number;
  readonly finishedAt: number | null;
  /** It was queued for something that is to be tried again later, and nothing else (a ramp, a coming window) has said since when it may start. */
  readonly isPutOff: boolean;
}

export type PushRunVerdict =
  | { readonly kind: "none"; readonly reason: "nothing-waits" | "job-disabled" | "one-waits" }
  | { readonly kind: "queue"; readonly readyAt: number }
  /** The waiting one is brought forward: it was to try something again later. */
  | { readonly kind: "bring-forward"; readonly readyAt: number };

/**
 * Whether a run of the push job must be queued, so that there is one that has not begun whenever something waits. What is pushed while one runs
 * is for the next: a run takes what was there when it began, and so ends. After a run that could not do it, the next one waits out the job's
 * longest backoff.
 */
export function decidePushRun(facts: {
  readonly waiting: number;
  readonly enabled: boolean;
  readonly last: LastPushRun | null;
  /** The earliest start that makes sense for what waits. */
  readonly notBefore: number;
  readonly policy: RetryPolicy;
}): PushRunVerdict {
  const { last } = facts;
  if (facts.waiting === 0) return { kind: "none", reason: "nothing-waits" };
  if (!facts.enabled) return { kind: "none", reason: "job-disabled" };
  if (last === null || last.state === "running") return { kind: "queue", readyAt: facts.notBefore };
  if (!isTerminal(last.state)) {
    if (last.state === "queued" && last.isPutOff && last.readyAt > facts.notBefore)
      return { kind: "bring-forward", readyAt: facts.notBefore };
    return { kind: "none", reason: "one-waits" };
  }
  if (last.state === "succeeded" || last.finishedAt === null) return { kind: "queue", readyAt: facts.notBefore };
  return { kind: "queue", readyAt: Math.max(facts.notBefore, last.finishedAt + facts.policy.maxBackoffSeconds * 1_000) };
}
