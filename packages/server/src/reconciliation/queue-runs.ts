import { RECONCILIATION_LIMITS } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { readNow } from "../command.js";
import type { Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";

/** Whose run it is, and of which job: so windows hold it and the systems' caps count it as any other. */
export interface QueuingIntegration {
  readonly integrationId: number;
  readonly integrationKey: string;
  readonly bucket: number;
  readonly jobId: number;
  readonly jobKey: string;
}

interface Reason {
  readonly requestedBy: string;
  readonly reason: string | null;
}

/** Queues a run that compares both sides of an integration. */
export async function queueReconciliation(
  tx: Tx,
  order: QueuingIntegration & Reason & { readonly origin: "request" | "window"; readonly occurrenceId: number | null },
): Promise<{ readonly id: number; readonly runId: string }> {
  await forgetOld(tx, order.integrationId);
  const runId = await queueRun(tx, order, { reconcile: true });
  const rows = await tx.execute<{ id: number }>(sql`
    insert into reconciliation (integration_id, run_id, origin, occurrence_id, requested_by, reason)
    values (${order.integrationId}, ${runId}::uuid, ${order.origin}, ${order.occurrenceId}::bigint, ${order.requestedBy}, ${order.reason})
    returning id::float8 as id`);
  const id = rows[0]?.id;
  if (id === undefined) throw new Error("The reconciliation was not written.");
  return { id, runId };
}

/** Queues a run that mends the open differences of a comparison. */
export async function queueResync(
  tx: Tx,
  order: QueuingIntegration & {
    readonly requestedBy: string;
    readonly reason: string;
    readonly reconciliationId: number;
    readonly confirmsDeletions: boolean;
  },
): Promise<{ readonly runId: string }> {
  const runId = await queueRun(tx, order, { resync: order.reconciliationId });
  await tx.execute(sql`
    insert into reconciliation_resync (reconciliation_id, run_id, confirms_deletions, requested_by, reason)
    values (${order.reconciliationId}::bigint, ${runId}::uuid, ${order.confirmsDeletions}, ${order.requestedBy}, ${order.reason})`);
  return { runId };
}

async function queueRun(tx: Tx, order: QueuingIntegration & Reason, said: { readonly [name: string]: unknown }): Promise<string> {
  const now = await readNow(tx);
  await tx.execute(sql`select ensure_run_partitions(${now}::timestamptz, ${now}::timestamptz)`);
  const rows = await tx.execute<{ id: string }>(sql`
    insert into run (id, due_at, last_due_at, job_id, integration_id, bucket, trigger, state, ready_at, requested_by, reason)
    values (new_run_id(${now}::timestamptz), ${now}::timestamptz, ${now}::timestamptz, ${order.jobId}, ${order.integrationId}, ${order.bucket}, 'reconcile', 'queued',
      ${now}::timestamptz, ${order.requestedBy}, ${order.reason})
    returning id`);
  const runId = rows[0]?.id;
  if (runId === undefined) throw new Error("The run was not written.");
  const payload = { job: order.jobKey, trigger: "reconcile", ...said };
  await appendEvents(tx, [{ kind: "run.queued", subjectKind: "run", subjectKey: runId, integrationKey: order.integrationKey, payload }]);
  return runId;
}

/** Keeps the newest comparisons of an integration, and nothing that one which died has staged. */
export async function forgetOld(tx: Tx, integrationId: number): Promise<void> {
  await tx.execute(sql`
    delete from reconciliation_entry as e using reconciliation as c
    where c.id = e.reconciliation_id and c.integration_id = ${integrationId}
      and not exists (select from run as r where r.id = c.run_id and r.due_at = run_due_of_id(c.run_id) and r.state in ('queued', 'held', 'running'))`);
  await tx.execute(sql`
    delete from reconciliation as c where c.integration_id = ${integrationId} and c.id <= (
      select o.id from reconciliation as o where o.integration_id = ${integrationId} order by o.id desc offset ${RECONCILIATION_LIMITS.kept} limit 1)`);
}
