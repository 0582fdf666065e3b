import type { CatchUp } from "./run-state.js";

/** A held run whose last cover was released. */
export interface ReleasedRun {
  readonly runId: string;
  readonly dueAt: number;
  readonly lastDueAt: number;
  readonly dueCount: number;
  readonly attempt: number;
}

export interface CatchUpStep {
  readonly runId: string;
  readonly dueAt: number;
  readonly next: "queued" | "skipped" | "coalesced";
  /** The run that stands for this one when it is coalesced. */
  readonly into: string | null;
  /** Why, in the words of the ledger. */
  readonly reason: "catch-up-skip" | "catch-up-coalesce" | "catch-up-all" | "catch-up-max-age" | "retry" | "requested";
}

/**
 * Decides what becomes of one job's held runs when the last hold over them is gone. A run that had already begun (attempt > 0) is a retry:
 * it goes on whatever the policy. `root` is a run of this job already queued by the same release, which further held ones join.
 */
export function planCatchUp(facts: {
  readonly catchUp: CatchUp;
  readonly maxAgeMs: number | null;
  readonly now: number;
  readonly held: readonly ReleasedRun[];
  readonly root: string | null;
}): readonly CatchUpStep[] {
  let root = facts.root;
  return facts.held
    .toSorted((a, b) => a.dueAt - b.dueAt)
    .map((run): CatchUpStep => {
      const step = (next: CatchUpStep["next"], reason: CatchUpStep["reason"], into: string | null = null): CatchUpStep => ({
        runId: run.runId,
        dueAt: run.dueAt,
        next,
        into,
        reason,
      });
      if (run.attempt > 0) return step("queued", "retry");
      if (facts.catchUp === "skip") return step("skipped", "catch-up-skip");
      if (facts.maxAgeMs !== null && run.lastDueAt < facts.now - facts.maxAgeMs) return step("skipped", "catch-up-max-age");
      if (facts.catchUp === "all") return step("queued", "catch-up-all");
      if (root !== null) return step("coalesced", "catch-up-coalesce", root);
      root = run.runId;
      return step("queued", "catch-up-coalesce");
    });
}
