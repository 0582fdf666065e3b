import type { ClaimedRun } from "../runs/claim.js";
import type { RunOutcome } from "../runs/finish.js";

/** A claimed run in the hands of its worker. */
export interface RunToExecute extends ClaimedRun {
  /** The worker that claimed it: with the attempt the fence of everything the run writes. */
  readonly workerId: string;
}

/** Why a run in flight is told to stop. */
export type AbortReason = { readonly why: "timeout" | "shutdown" | "lease-lost" | "window" };

/**
 * Does the work of a claimed run. It must honour the signal (its reason is an AbortReason) and never throw for what the outside world does:
 * that is an outcome. Whatever it throws all the same is a bug and ends the run as failed.
 */
export interface RunExecutor {
  execute(run: RunToExecute, signal: AbortSignal): Promise<RunOutcome>;
}
