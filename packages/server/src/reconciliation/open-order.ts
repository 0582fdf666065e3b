import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";
import { ownTransaction } from "../pipeline/own-transaction.js";
import type { RunWork } from "../pipeline/pipeline-run.js";
import type { RunToExecute } from "../scheduler/run-executor.js";
import { forgetOld } from "./queue-runs.js";
import { reconciliationSummary } from "./summary.js";

/** What a run that mends differences was made for. */
export interface ResyncOrder {
  readonly resyncId: number;
  readonly reconciliationId: number;
  readonly confirmsDeletions: boolean;
}

/** The comparison that a run does; a run of a job with reconcile begins its own. */
export async function openReconciliation(work: RunWork): Promise<number> {
  const { run } = work;
  return ownTransaction(work, async (tx) => {
    const rows = await tx.execute<{ id: number }>(sql`
      insert into reconciliation as c (integration_id, run_id, origin, requested_by, started_at)
      select r.integration_id, r.id, case when r.trigger = 'manual' then 'request' else 'schedule' end, coalesce(r.requested_by, 'quiesce'), app_now()
      from run as r where r.id = ${run.runId}::uuid and r.due_at = ${run.dueAt}::timestamptz
      on conflict (run_id) do update set started_at = coalesce(c.started_at, app_now())
      returning id::float8 as id`);
    const id = rows[0]?.id;
    if (id === undefined) throw new Error("The reconciliation was not written.");
    await forgetOld(tx, run.integrationId);
    return id;
  });
}

/** The order of a run that mends differences. */
export async function loadResync(tx: Tx, run: RunToExecute): Promise<ResyncOrder> {
  const rows = await tx.execute<{ id: number; reconciliationId: number; confirms: boolean }>(sql`
    select id::float8 as id, reconciliation_id::float8 as "reconciliationId", confirms_deletions as confirms
    from reconciliation_resync where run_id = ${run.runId}::uuid`);
  const [row] = rows;
  if (row === undefined) throw new Error(`The order of the resync ${run.runId} is gone.`);
  return { resyncId: row.id, reconciliationId: row.reconciliationId, confirmsDeletions: row.confirms };
}

/** Ends a comparison of which every stream was compared: tells it, and the window that asked for it. */
export async function closeReconciliation(work: RunWork, reconciliationId: number): Promise<void> {
  await ownTransaction(work, async (tx) => {
    const rows = await tx.execute<{ occurrenceId: number | null }>(sql`
      update reconciliation set ended_at = app_now() where id = ${reconciliationId}::bigint and ended_at is null returning occurrence_id as "occurrenceId"`);
    const [ended] = rows;
    if (ended === undefined) return;
    const summary = await reconciliationSummary(tx, reconciliationId);
    if (ended.occurrenceId !== null) await verifyOccurrence(tx, ended.occurrenceId);
    const { integrationKey } = work.run;
    const payload = { reconciliation: reconciliationId, ...summary };
    await appendEvents(tx, [
      { kind: "reconciliation.finished", subjectKind: "integration", subjectKey: integrationKey, integrationKey, payload },
    ]);
  });
}

/** When the last comparison after a window is done, the window knows whether everything was equal. */
async function verifyOccurrence(tx: Tx, occurrenceId: number): Promise<void> {
  // One at a time: of two that end together the second one sees the first.
  await tx.execute(sql`select from occurrence where id = ${occurrenceId}::bigint for update`);
  await tx.execute(sql`
    update occurrence set verified = (
      select bool_and(s.only_source + s.only_target + s.different = 0 and (s.method <> 'counts' or s.source_records = s.target_records))
      from reconciliation as c join reconciliation_stream as s on s.reconciliation_id = c.id where c.occurrence_id = ${occurrenceId}::bigint)
    where id = ${occurrenceId}::bigint
      and not exists (select from reconciliation as c where c.occurrence_id = ${occurrenceId}::bigint and c.ended_at is null)`);
}
