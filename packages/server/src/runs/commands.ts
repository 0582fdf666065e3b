import { DomainError } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { type CommandContext, inTransaction, readNow } from "../command.js";
import { appendEvents } from "../events/append-events.js";

/** Queues one run of a job by hand. Inside a window it is held as every other run. */
export function runNow(
  context: CommandContext,
  input: {
    readonly job: string;
    readonly reason: string;
    /** What the source no longer has may be deleted at the target, however much it is. */
    readonly confirmDeletions?: boolean;
  },
): Promise<{ readonly runId: string }> {
  const confirms = input.confirmDeletions === true;
  return inTransaction(context, async (tx) => {
    const jobs = await tx.execute<{ id: number; integrationId: number; integrationKey: string; bucket: number }>(sql`
      select j.id, i.id as "integrationId", i.key as "integrationKey", i.bucket from job as j join integration as i on i.id = j.integration_id where j.key = ${input.job}
      -- Until the run is there for whoever deletes them to see.
      for key share of j, i`);
    const job = jobs[0];
    if (job === undefined) throw new DomainError("QSC_JOB_NOT_FOUND", `There is no job "${input.job}".`, { field: "job" });
    const now = await readNow(tx);
    await tx.execute(sql`select ensure_run_partitions(${now}::timestamptz, ${now}::timestamptz)`);
    const rows = await tx.execute<{ id: string }>(sql`
      insert into run (id, due_at, last_due_at, job_id, integration_id, bucket, trigger, state, ready_at, requested_by, reason, confirms_deletions)
      values (new_run_id(${now}::timestamptz), ${now}::timestamptz, ${now}::timestamptz, ${job.id}, ${job.integrationId}, ${job.bucket}, 'manual', 'queued',
        ${now}::timestamptz, ${context.actor.name}, ${input.reason}, ${confirms})
      returning id`);
    const runId = rows[0]?.id;
    if (runId === undefined) throw new Error("The run was not written.");
    await recordAudit(tx, {
      actor: context.actor,
      action: "run.request",
      subjectKind: "job",
      subjectKey: input.job,
      reason: input.reason,
      after: { runId, ...(confirms ? { confirmDeletions: true } : {}) },
    });
    await appendEvents(tx, [
      {
        kind: "run.queued",
        subjectKind: "run",
        subjectKey: runId,
        integrationKey: job.integrationKey,
        payload: { job: input.job, trigger: "manual" },
      },
    ]);
    return { runId };
  });
}

/** Cancels a run that has not started: queued or held. */
export function cancelRun(
  context: CommandContext,
  input: { readonly runId: string; readonly reason: string },
): Promise<{ readonly runId: string }> {
  return inTransaction(context, async (tx) => {
    const before = await tx.execute<{ state: string }>(sql`
      select state from run where id = ${input.runId}::uuid and due_at = run_due_of_id(${input.runId}::uuid) for update`);
    const rows = await tx.execute<{ id: string; integrationKey: string }>(sql`
      update run as r set state = 'cancelled', finished_at = app_now(), reason = ${input.reason}
      from integration as i
      where i.id = r.integration_id and r.id = ${input.runId}::uuid and r.due_at = run_due_of_id(${input.runId}::uuid) and r.state in ('queued', 'held')
      returning r.id, i.key as "integrationKey"`);
    const cancelled = rows[0];
    if (cancelled === undefined) {
      throw new DomainError("QSC_RUN_NOT_WAITING", `The run ${input.runId} is not queued or held, so there is nothing to cancel.`, {
        field: "runId",
      });
    }
    await recordAudit(tx, {
      actor: context.actor,
      action: "run.cancel",
      subjectKind: "run",
      subjectKey: input.runId,
      reason: input.reason,
      before: { state: before[0]?.state },
      after: { state: "cancelled" },
    });
    await appendEvents(tx, [
      {
        kind: "run.finished",
        subjectKind: "run",
        subjectKey: input.runId,
        integrationKey: cancelled.integrationKey,
        payload: { state: "cancelled", reason: input.reason },
      },
    ]);
    return { runId: input.runId };
  });
}
