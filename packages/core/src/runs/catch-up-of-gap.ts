import { planCatchUp } from "./plan-catch-up.js";
import type { CatchUp } from "./run-state.js";

/** What becomes of the due times of one job that a window would hold. */
export interface GapCatchUp {
  /** The runs after the release, each with the due times that it stands for. */
  readonly runs: readonly { readonly dues: readonly number[] }[];
  /** Due times that no run makes up for. */
  readonly skipped: number;
}

/**
 * Foretells the catch-up of a gap with the decision that the release will take. As in the ledger, the held due times of `skip` and `coalesce` are
 * one range, whose age is that of its last.
 */
export function catchUpOfGap(facts: {
  readonly catchUp: CatchUp;
  readonly maxAgeMs: number | null;
  readonly releasedAt: number;
  /** Ascending. */
  readonly dues: readonly number[];
}): GapCatchUp {
  const { catchUp, maxAgeMs, dues } = facts;
  const groups = dues.length === 0 ? [] : catchUp === "all" ? dues.map((due) => [due]) : [dues];
  const held = groups.map((group, index) => ({
    runId: String(index),
    dueAt: group[0] ?? 0,
    lastDueAt: group.at(-1) ?? 0,
    dueCount: group.length,
    attempt: 0,
  }));
  const steps = planCatchUp({ catchUp, maxAgeMs, now: facts.releasedAt, held, root: null });
  const runs = steps.filter((step) => step.next === "queued").map((step) => ({ dues: groups[Number(step.runId)] ?? [] }));
  return { runs, skipped: dues.length - runs.reduce((sum, run) => sum + run.dues.length, 0) };
}
