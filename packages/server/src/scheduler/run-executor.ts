import type { RetryPolicy } from "@quiesce/core";
import type { ClaimedRun } from "../runs/claim.js";
import type { RunOutcome } from "../runs/finish.js";

/** A claimed run with what its executor needs to know. */
export interface RunToExecute extends ClaimedRun {
  /** The worker that claimed it: with the attempt the fence of everything the run writes. */
  readonly workerId: string;
  readonly jobKey: string | null;
  readonly integrationKey: string;
  readonly timeoutMs: number;
  readonly retry: RetryPolicy;
}

/** Why a run in flight is told to stop. */
export type AbortReason = { readonly why: "timeout" | "shutdown" | "lease-lost" };

/**
 * Does the work of a claimed run. It must honour the signal (its reason is an AbortReason) and never throw for what the outside world does:
 * that is an outcome. Whatever it throws all the same is a bug and ends the run as failed.
 */
export interface RunExecutor {
  execute(run: RunToExecute, signal: AbortSignal): Promise<RunOutcome>;
}
