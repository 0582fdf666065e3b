import { DomainError } from "@quiesce/core";
import { inArray, sql } from "drizzle-orm";
import { readNow } from "../../command.js";
import type { Tx } from "../../db/client.js";
import { readOpenSince } from "../../runs/open-since.js";
import { endpoint, integration, job, system } from "../table.js";
import { idsOfKeys, inChunks } from "./key-ids.js";

/** What goes, by key. */
export interface DeletedKeys {
  readonly systems: readonly string[];
  readonly endpoints: readonly string[];
  readonly integrations: readonly string[];
  readonly jobs: readonly string[];
}

/** The rows that went; their dispatch locks are taken before {@link refuseRunning} looks a last time. */
export interface DeletedIds {
  readonly integrationIds: readonly number[];
  readonly jobIds: readonly number[];
}

/** Deletes what nothing refers to any more. Runs that still wait for a deleted job or integration are cancelled; the record of past runs stays. */
export async function deleteEntries(tx: Tx, keys: DeletedKeys): Promise<DeletedIds> {
  const jobIds = [...(await idsOfKeys(tx, job, keys.jobs)).values()];
  const integrationIds = [...(await idsOfKeys(tx, integration, keys.integrations)).values()];
  await cancelWaitingRuns(tx, { jobIds, integrationIds });
  // Whoever asks for a run keeps its job and integration until the commit. What was asked for meanwhile is there to see from here on, and nothing
  // can be asked for any more.
  await lockToDelete(tx, { jobIds, integrationIds });
  await cancelWaitingRuns(tx, { jobIds, integrationIds });
  for (const some of inChunks(jobIds)) await tx.delete(job).where(inArray(job.id, [...some]));
  for (const some of inChunks(integrationIds)) await tx.delete(integration).where(inArray(integration.id, [...some]));
  for (const some of inChunks(keys.endpoints)) await tx.delete(endpoint).where(inArray(endpoint.key, [...some]));
  for (const some of inChunks(keys.systems)) await tx.delete(system).where(inArray(system.key, [...some]));
  return { jobIds, integrationIds };
}

async function lockToDelete(tx: Tx, ids: DeletedIds): Promise<void> {
  await tx.execute(sql`select from job where id = any (${sql.param(ids.jobIds)}::integer[]) order by id for update`);
  await tx.execute(sql`select from integration where id = any (${sql.param(ids.integrationIds)}::integer[]) order by id for update`);
}

/** Waiting runs that lie ahead were never due and go without a trace, as with an edit of the schedule; the others end as cancelled. */
async function cancelWaitingRuns(tx: Tx, ids: DeletedIds): Promise<void> {
  if (ids.jobIds.length + ids.integrationIds.length === 0) return;
  const now = await readNow(tx);
  const since = await readOpenSince(tx);
  const theirs = sql`(r.job_id = any (${sql.param(ids.jobIds)}::integer[]) or r.integration_id = any (${sql.param(ids.integrationIds)}::integer[]))`;
  await tx.execute(sql`
    delete from run as r where ${theirs} and r.state = 'queued' and r.trigger = 'schedule' and r.attempt = 0 and r.due_at >= ${now}::timestamptz`);
  await tx.execute(sql`
    with gone as (
      update run as r set state = 'cancelled', reason = 'deleted', finished_at = ${now}::timestamptz
      where ${theirs} and r.state in ('queued', 'held') and r.due_at >= ${since}::timestamptz
      returning r.id, r.due_at, r.due_count, r.attempt, r.job_id, r.integration_id
    )
    insert into event_inbox (at, kind, subject_kind, subject_key, integration_key, payload)
    select ${now}::timestamptz, 'run.finished', 'run', g.id::text, i.key,
      jsonb_build_object('job', j.key, 'dueAt', g.due_at, 'dueCount', g.due_count, 'attempt', g.attempt, 'state', 'cancelled', 'reason', 'deleted')
    from gone as g join integration as i on i.id = g.integration_id left join job as j on j.id = g.job_id`);
}

/** Refuses when a run of what goes is still running. Ask under the dispatch locks of its integrations: then none can start any more. */
export async function refuseRunning(tx: Tx, ids: DeletedIds): Promise<void> {
  if (ids.jobIds.length + ids.integrationIds.length === 0) return;
  const since = await readOpenSince(tx);
  const rows = await tx.execute<{ id: string }>(sql`
    select id from run where state = 'running' and due_at >= ${since}::timestamptz
      and (job_id = any (${sql.param(ids.jobIds)}::integer[]) or integration_id = any (${sql.param(ids.integrationIds)}::integer[])) limit 1`);
  const running = rows[0];
  if (running === undefined) return;
  throw new DomainError(
    "QSC_CATALOGUE_RUNNING",
    `Run ${running.id} of a job that would be deleted is still running. Disable or pause the job, wait for the run to end or cancel it, and delete it then.`,
    { details: { run: running.id } },
  );
}
