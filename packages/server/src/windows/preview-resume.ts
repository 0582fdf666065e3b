import { type CatchUp, DomainError, planCatchUp } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { readNow } from "../command.js";
import type { Tx } from "../db/client.js";
import { readOpenSince } from "../runs/open-since.js";

/** What releasing the open occurrence now would make of what one job waits with. */
export interface ResumePreviewJob {
  readonly job: string;
  readonly integration: string;
  readonly catchUp: CatchUp;
  readonly dueTimes: number;
  readonly runsAfter: number;
  readonly skipped: number;
  /** Due times that another hold would still keep. */
  readonly keptByOthers: number;
}

interface HeldRun {
  readonly [column: string]: unknown;
  readonly job: string;
  readonly integration: string;
  readonly catchUp: CatchUp;
  readonly maxAgeMs: number | null;
  readonly runId: string;
  readonly dueAt: number;
  readonly lastDueAt: number;
  readonly dueCount: number;
  readonly attempt: number;
  readonly kept: boolean;
}

/** Runs beyond it are not looked at. */
const maxRuns = 20_000;

/** Previews one resume: what waits for a window's open occurrence, by job, and the runs that catch-up makes of it. Throws QSC_OCCURRENCE_NOT_FOUND. */
export async function previewResume(
  tx: Tx,
  input: { readonly key: string; readonly catchUp?: CatchUp | undefined },
): Promise<readonly ResumePreviewJob[]> {
  const [open] = await tx.execute<{ holdId: number }>(sql`
    select h.id as "holdId" from hold as h join occurrence as o on o.id = h.occurrence_id join maintenance_window as w on w.id = o.window_id
    where w.key = ${input.key} and w.cancelled_at is null and h.released_at is null and o.starts_at <= app_now()
    order by o.starts_at desc limit 1`);
  if (open === undefined) {
    throw new DomainError("QSC_OCCURRENCE_NOT_FOUND", `The window "${input.key}" is not known, or has no occurrence that holds now.`, {
      field: "key",
    });
  }
  const now = await readNow(tx);
  const since = await readOpenSince(tx);
  const held = await tx.execute<HeldRun>(sql`
    select j.key as job, i.key as integration, coalesce(${input.catchUp ?? null}::text, h.catch_up, j.catch_up) as "catchUp",
      j.catch_up_max_age_seconds * 1000::float8 as "maxAgeMs", r.id as "runId", r.due_at as "dueAt", r.last_due_at as "lastDueAt", r.due_count as "dueCount", r.attempt,
      exists (select from hold_member as other where other.integration_id = r.integration_id and other.hold_id <> h.id and other.mode = 'enforce'
        and other.begins_at <= ${now}::timestamptz and other.released_at is null) as kept
    from hold as h join hold_member as m on m.hold_id = h.id and m.released_at is null
    join run as r on r.integration_id = m.integration_id and r.state = 'held' and r.due_at >= ${since}::timestamptz
    join job as j on j.id = r.job_id join integration as i on i.id = r.integration_id
    where h.id = ${open.holdId} order by j.key, r.due_at limit ${maxRuns}`);
  const byJob = new Map<string, HeldRun[]>();
  for (const run of held) {
    const runs = byJob.get(run.job) ?? [];
    runs.push(run);
    byJob.set(run.job, runs);
  }
  return [...byJob.values()].flatMap((runs) => {
    const [first] = runs;
    return first === undefined ? [] : [ofJob(first, runs, now)];
  });
}

function ofJob(job: HeldRun, runs: readonly HeldRun[], now: number): ResumePreviewJob {
  const dues = (list: readonly HeldRun[]): number => list.reduce((sum, run) => sum + run.dueCount, 0);
  const going = runs.filter((run) => !run.kept);
  const steps = planCatchUp({ catchUp: job.catchUp, maxAgeMs: job.maxAgeMs, now, held: going, root: null });
  const skipped = new Set(steps.filter((step) => step.next === "skipped").map((step) => step.runId));
  return {
    job: job.job,
    integration: job.integration,
    catchUp: job.catchUp,
    dueTimes: dues(going),
    runsAfter: steps.filter((step) => step.next === "queued").length,
    skipped: dues(going.filter((run) => skipped.has(run.runId))),
    keptByOthers: dues(runs) - dues(going),
  };
}
