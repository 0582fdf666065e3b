import { DomainError } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { type CommandContext, inTransaction } from "../command.js";
import type { Tx } from "../db/client.js";
import { queueReconciliation, queueResync, type QueuingIntegration } from "./queue-runs.js";

const codes = {
  NOT_FOUND: "QSC_RECONCILIATION_NOT_FOUND",
  ONE_SIDED: "QSC_RECONCILIATION_ONE_SIDED",
  WITHOUT_JOB: "QSC_RECONCILIATION_WITHOUT_JOB",
  UNDER_WAY: "QSC_RECONCILIATION_UNDER_WAY",
  NOT_DONE: "QSC_RECONCILIATION_NOT_DONE",
  NO_DIFFERENCES: "QSC_RECONCILIATION_NO_DIFFERENCES",
  REASON: "QSC_RECONCILIATION_REASON",
} as const;

function refused(what: keyof typeof codes, message: string, field = "key"): DomainError {
  return new DomainError(codes[what], message, { field });
}

/**
 * Has both sides of an integration compared, by a run of its own: a window holds it as every other run. Throws QSC_RECONCILIATION_NOT_FOUND,
 * _ONE_SIDED, _WITHOUT_JOB and _UNDER_WAY.
 */
export function reconcileIntegration(
  context: CommandContext,
  input: { readonly integration: string; readonly reason: string | null },
): Promise<{ readonly id: number; readonly runId: string }> {
  return inTransaction(context, async (tx) => {
    const integration = await lockIntegration(tx, input.integration, "reconcile desc, continuous");
    if (!integration.hasSides)
      throw refused(
        "ONE_SIDED",
        `Integration "${input.integration}" has no two sides to compare: expected a source, a target, and a stream that is read.`,
        "integration",
      );
    const waiting = await tx.execute<{ id: number }>(sql`
      select c.id from reconciliation as c join run as r on r.id = c.run_id and r.due_at = run_due_of_id(c.run_id)
      where c.integration_id = ${integration.id} and c.ended_at is null and r.state in ('queued', 'held', 'running') limit 1`);
    if (waiting[0] !== undefined)
      throw refused("UNDER_WAY", `The reconciliation ${waiting[0].id} of "${input.integration}" is not over. Wait for it.`, "integration");
    const requestedBy = context.actor.name;
    const queued = await queueReconciliation(tx, {
      ...jobOf(integration),
      origin: "request",
      occurrenceId: null,
      requestedBy,
      reason: input.reason,
    });
    await recordAudit(tx, {
      actor: context.actor,
      action: "reconciliation.request",
      subjectKind: "integration",
      subjectKey: integration.key,
      ...(input.reason === null ? {} : { reason: input.reason }),
      after: { reconciliation: queued.id, runId: queued.runId },
    });
    return queued;
  });
}

/**
 * Has the records that a comparison found different copied once more, and no others, by a run of its own. What only the target has is deleted there
 * where the stream applies deletions. Throws QSC_RECONCILIATION_REASON, _NOT_FOUND, _NOT_DONE, _NO_DIFFERENCES, _UNDER_WAY and _WITHOUT_JOB.
 */
export function resyncDifferences(
  context: CommandContext,
  input: { readonly id: number; readonly confirmDeletions: boolean; readonly reason: string },
): Promise<{ readonly runId: string; readonly differences: number }> {
  if (input.reason.trim() === "") throw refused("REASON", "The reason is empty. Say why these records are copied once more.", "reason");
  return inTransaction(context, async (tx) => {
    const rows = await tx.execute<{ integration: string; isDone: boolean }>(sql`
      select i.key as integration, c.ended_at is not null as "isDone" from reconciliation as c join integration as i on i.id = c.integration_id
      where c.id = ${input.id}::bigint for update of c`);
    const [found] = rows;
    if (found === undefined) throw refused("NOT_FOUND", `There is no reconciliation ${input.id}.`);
    if (!found.isDone) throw refused("NOT_DONE", `The reconciliation ${input.id} is not done, so its differences are not known.`);
    // With a job that copies its run takes turns: what it has read would else be written over what that job has written since.
    const integration = await lockIntegration(tx, found.integration, "continuous, reconcile");
    const under = await tx.execute(sql`
      select from reconciliation_resync as s join run as r on r.id = s.run_id and r.due_at = run_due_of_id(s.run_id)
      where s.reconciliation_id = ${input.id}::bigint and r.state in ('queued', 'held', 'running')`);
    if (under.length > 0)
      throw refused("UNDER_WAY", `The differences of reconciliation ${input.id} are being copied already. Wait for that run.`);
    const differences = await openDifferences(tx, input.id);
    if (differences === 0)
      throw refused("NO_DIFFERENCES", `The reconciliation ${input.id} has no difference that is open. Compare again to see how it is now.`);
    const { runId } = await queueResync(tx, {
      ...jobOf(integration),
      reconciliationId: input.id,
      confirmsDeletions: input.confirmDeletions,
      requestedBy: context.actor.name,
      reason: input.reason,
    });
    await recordAudit(tx, {
      actor: context.actor,
      action: "reconciliation.resync",
      subjectKind: "integration",
      subjectKey: integration.key,
      reason: input.reason,
      after: { reconciliation: input.id, runId, differences, ...(input.confirmDeletions ? { confirmDeletions: true } : {}) },
    });
    return { runId, differences };
  });
}

async function openDifferences(tx: Tx, id: number): Promise<number> {
  const [row] = await tx.execute<{ open: number }>(sql`
    select count(*)::float8 as open from reconciliation_difference where reconciliation_id = ${id}::bigint and state = 'open'`);
  return row?.open ?? 0;
}

interface Locked {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly key: string;
  readonly bucket: number;
  readonly hasSides: boolean;
  readonly jobId: number | null;
  readonly jobKey: string | null;
}

/** With the job whose run it becomes, the first by this order. */
async function lockIntegration(tx: Tx, key: string, order: "reconcile desc, continuous" | "continuous, reconcile"): Promise<Locked> {
  // Held until the run is there, for whoever deletes the integration to see; and so that two do not begin one at once.
  await tx.execute(sql`select from integration where key = ${key} for no key update`);
  const rows = await tx.execute<Locked>(sql`
    select i.id, i.key, i.bucket, j.id as "jobId", j.key as "jobKey",
      i.source_endpoint_id is not null and i.target_endpoint_id is not null
        and exists (select from jsonb_array_elements(i.streams) as s(stream) where not coalesce((s.stream -> 'push')::boolean, false)) as "hasSides"
    from integration as i left join lateral (select id, key from job where integration_id = i.id and not push order by ${sql.raw(order)}, id limit 1) as j on true
    where i.key = ${key}`);
  const [integration] = rows;
  if (integration === undefined) throw refused("NOT_FOUND", `There is no integration "${key}".`, "integration");
  return integration;
}

function jobOf({ id, key, bucket, jobId, jobKey }: Locked): QueuingIntegration {
  if (jobId === null || jobKey === null)
    throw refused(
      "WITHOUT_JOB",
      `No job of integration "${key}" reads its source, and a comparison is a run of one. Give it a job.`,
      "integration",
    );
  return { integrationId: id, integrationKey: key, bucket, jobId, jobKey };
}
