import { randomUUID } from "node:crypto";
import { sql } from "drizzle-orm";
import { inTransaction, readNow } from "../command.js";
import type { Database } from "../db/client.js";
import { readOpenSince } from "./open-since.js";

/** How long a worker's lease lasts without renewal, and the margins that keep a slow worker and the reaper apart. Milliseconds. */
export interface LeaseSettings {
  readonly leaseMs: number;
  /** The worker gives up this long before its lease ends, the reaper acts this long after. */
  readonly marginMs: number;
  readonly renewEveryMs: number;
}

/** Registers a process as a worker; its runs live by this one lease. */
export async function registerWorker(database: Database, input: { readonly name: string; readonly leaseMs: number }): Promise<string> {
  const id = randomUUID();
  await database.db.execute(sql`
    insert into worker (id, name, lease_until) values (${id}::uuid, ${input.name}, app_now() + ${`${input.leaseMs} milliseconds`}::interval)`);
  return id;
}

/** Renews the lease; false when the reaper was faster: then nothing that this worker still does will count. */
export async function renewWorker(
  database: Database,
  input: { readonly workerId: string; readonly leaseMs: number; readonly marginMs: number },
): Promise<boolean> {
  const rows = await database.db.execute(sql`
    update worker set lease_until = app_now() + ${`${input.leaseMs} milliseconds`}::interval
    where id = ${input.workerId}::uuid and stopped_at is null and lease_until + ${`${input.marginMs} milliseconds`}::interval > app_now()
    returning id`);
  return rows.length === 1;
}

/** Says that a worker is gone for good, so that nobody waits for its lease. What it left running is reaped at once. */
export async function retireWorker(database: Database, workerId: string): Promise<void> {
  await database.db.execute(sql`update worker set stopped_at = app_now(), lease_until = app_now() where id = ${workerId}::uuid`);
}

/** A claim's answer is not under way longer than this: what its worker still does not know of then, nobody executes. */
const claimAnswerGraceMs = 10_000;

/**
 * Gives back runs that this worker claimed without learning of it: the claim was committed and its answer lost, and the living lease would keep
 * them running for ever. They cost no attempt. `inHand` is asked after the database's time was read: whatever was claimed longer ago than the
 * grace and was not started by then never will be, for a claim that old is refused by the worker.
 */
export function giveBackUnexecuted(
  context: { readonly database: Database },
  input: { readonly workerId: string; readonly inHand: () => readonly string[] },
): Promise<number> {
  return inTransaction(context, async (tx) => {
    const now = await readNow(tx);
    const since = await readOpenSince(tx);
    const given = await tx.execute(sql`
      with unknown as materialized (
        select r.id, r.due_at from run as r
        where r.state = 'running' and r.due_at >= ${since}::timestamptz and r.worker_id = ${input.workerId}::uuid and r.trigger <> 'gate'
          and r.started_at < ${now}::timestamptz - ${`${claimAnswerGraceMs} milliseconds`}::interval
          and r.id <> all (${sql.param([...input.inHand()])}::uuid[])
        order by r.due_at, r.id limit ${maxReapedPerTransaction}
        for update of r skip locked
      ),
      given as (
        update run as r set state = 'queued', worker_id = null, given_back = r.given_back + 1, reason = 'claim-answer-lost', ready_at = ${now}::timestamptz
        from unknown as u where r.id = u.id and r.due_at = u.due_at and r.due_at >= ${since}::timestamptz
        returning r.id, r.due_at, r.job_id, r.integration_id, r.attempt
      ),
      busy as (
        select j.id from job as j join given as g on g.job_id = j.id and j.running_run_id = g.id order by j.id for no key update of j
      ),
      freed as (
        update job as j set running_run_id = null from busy as b where j.id = b.id
      ),
      announced as (
        insert into event_inbox (at, kind, subject_kind, subject_key, integration_key, payload)
        select ${now}::timestamptz, 'run.requeued', 'run', g.id::text, i.key,
          jsonb_build_object('job', j.key, 'dueAt', g.due_at, 'attempt', g.attempt, 'state', 'queued', 'reason', 'claim-answer-lost')
        from given as g join integration as i on i.id = g.integration_id left join job as j on j.id = g.job_id
      )
      select id from given`);
    return given.length;
  });
}

/** The most runs taken back in one transaction. */
const maxReapedPerTransaction = 500;

/**
 * Takes back the runs of workers that lost their lease: queued again where running twice does no harm, `lost` for review where it might.
 * Also ends gate runs whose caller stopped renewing, and gate runs that were never entered.
 */
export function reapRuns(
  context: { readonly database: Database },
  settings: Pick<LeaseSettings, "marginMs">,
): Promise<{ readonly requeued: number; readonly lost: number }> {
  return inTransaction(context, async (tx) => {
    const now = await readNow(tx);
    const since = await readOpenSince(tx);
    const reaped = await tx.execute<{ state: string }>(sql`
      with gone as materialized (
        select r.id, r.due_at, case when r.trigger = 'gate' or not i.idempotent then 'lost' else 'queued' end as next
        from run as r join integration as i on i.id = r.integration_id
        left join worker as w on w.id = r.worker_id
        where r.state = 'running' and r.due_at >= ${since}::timestamptz and case when r.trigger = 'gate'
          then r.lease_until <= ${now}::timestamptz
          else w.id is null or w.stopped_at is not null or w.lease_until + ${`${settings.marginMs} milliseconds`}::interval <= ${now}::timestamptz end
        order by r.due_at, r.id limit ${maxReapedPerTransaction}
        for update of r skip locked
      ),
      taken as (
        update run as r set state = g.next, worker_id = null, reason = 'lease-lost', ready_at = ${now}::timestamptz,
          finished_at = case when g.next = 'lost' then ${now}::timestamptz end
        from gone as g where r.id = g.id and r.due_at = g.due_at and r.due_at >= ${since}::timestamptz
        returning r.id, r.due_at, r.job_id, r.integration_id, r.state, r.attempt
      ),
      busy as (
        select j.id from job as j join taken as t on t.job_id = j.id and j.running_run_id = t.id order by j.id for no key update of j
      ),
      freed as (
        update job as j set running_run_id = null from busy as b where j.id = b.id
      ),
      announced as (
        insert into event_inbox (at, kind, subject_kind, subject_key, integration_key, payload)
        select ${now}::timestamptz, case t.state when 'lost' then 'run.finished' else 'run.requeued' end, 'run', t.id::text, i.key,
          jsonb_build_object('job', j.key, 'dueAt', t.due_at, 'attempt', t.attempt, 'state', t.state, 'reason', 'lease-lost')
        from taken as t join integration as i on i.id = t.integration_id left join job as j on j.id = t.job_id
      )
      select state from taken`);
    await tx.execute(sql`
      with abandoned as (
        update run set state = 'cancelled', reason = 'gate-abandoned', finished_at = ${now}::timestamptz
        where trigger = 'gate' and state in ('queued', 'held') and due_at >= ${since}::timestamptz and lease_until <= ${now}::timestamptz
        returning id, due_at, integration_id
      )
      insert into event_inbox (at, kind, subject_kind, subject_key, integration_key, payload)
      select ${now}::timestamptz, 'run.finished', 'run', a.id::text, i.key,
        jsonb_build_object('dueAt', a.due_at, 'state', 'cancelled', 'reason', 'gate-abandoned')
      from abandoned as a join integration as i on i.id = a.integration_id`);
    const lost = reaped.filter((row) => row.state === "lost").length;
    return { requeued: reaped.length - lost, lost };
  });
}
