import {
  dueTimes,
  type CatchUp,
  type JobSchedule,
  maxWaitingRuns,
  nextDueAt,
  planDues,
  type PlannedRun,
  planUntil,
  type WaitingRun,
  type ZoneData,
} from "@quiesce/core";
import { sql } from "drizzle-orm";
import { inTransaction, readNow } from "../command.js";
import type { Database, Tx } from "../db/client.js";
import { readOpenSince } from "./open-since.js";

/** Due times become rows this far ahead, so that a start is never late for want of a row. */
export const materialiseAheadMs = 15_000;
/** Jobs of one transaction. */
const maxJobsPerBatch = 500;
/** Due times of one job and transaction; more are left for the next. */
const maxDuesPerJob = 5_000;

interface DueJob {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly integrationId: number;
  readonly bucket: number;
  readonly schedule: JobSchedule;
  readonly scheduleVersion: number;
  readonly catchUp: CatchUp;
  readonly watermark: number;
}

/** The job's newest scheduled run, locked, when it still waits and may take further due times. */
interface Waiting extends WaitingRun {
  readonly [column: string]: unknown;
  readonly jobId: number;
  readonly id: string;
}

/** What of a job waits already. */
interface Backlog {
  /** Its newest scheduled run, when that may take further due times. */
  readonly newest: Waiting | null;
  readonly count: number;
  readonly held: boolean;
  readonly oldestQueuedDueAt: number | null;
}

interface JobPlan {
  readonly job: DueJob;
  readonly watermark: number;
  readonly nextDueAt: number | null;
  readonly waiting: Waiting | null;
  readonly plan: ReturnType<typeof planDues>;
}

/**
 * Turns the due times up to a few seconds ahead into rows. A job's watermark says up to where that is done; it moves in the same transaction,
 * and only from the value that was read and in the same schedule version, so two servers and an edit of the schedule never do it twice.
 * One call takes one batch of jobs after the job `after`; go on with `next` until it is null.
 */
export function materialiseRuns(
  context: { readonly database: Database; readonly zones: ZoneData },
  after = 0,
): Promise<{ readonly jobs: number; readonly next: number | null }> {
  return inTransaction(context, async (tx) => {
    const jobs = await dueJobs(tx, { zones: context.zones, after });
    if (jobs.length === 0) return { jobs: 0, next: null };
    const waiting = await lockWaiting(tx, jobs);
    const now = await readNow(tx);
    const plans = jobs.map((job) => planJob({ job, waiting: waiting.get(job.id), now, zones: context.zones }));
    await writePlans(tx, plans);
    // A job that had more due times than one call takes is taken again.
    const unfinished = plans.find((one) => one.watermark < now);
    if (unfinished !== undefined) return { jobs: jobs.length, next: unfinished.job.id - 1 };
    return { jobs: jobs.length, next: jobs.length < maxJobsPerBatch ? null : (jobs.at(-1)?.id ?? null) };
  });
}

/** None for a server that has not taken over the zone data in force yet: its due times would be other ones than everybody else's. */
function dueJobs(tx: Tx, input: { readonly zones: ZoneData; readonly after: number }): Promise<readonly DueJob[]> {
  return tx.execute<DueJob>(sql`
    select j.id, j.integration_id as "integrationId", i.bucket, j.schedule, j.schedule_version as "scheduleVersion", j.catch_up as "catchUp", j.watermark
    from job as j join integration as i on i.id = j.integration_id
    where j.next_due_at <= app_now() + ${`${materialiseAheadMs} milliseconds`}::interval and j.enabled and j.schedule is not null
      and exists (select from control where coalesce(zone_data_version, ${input.zones.version}) = ${input.zones.version})
      and j.id > ${input.after}
    order by j.id limit ${maxJobsPerBatch}`);
}

/** Locks runs before jobs, as the claim does, and never waits: a run that a claim has in hand takes no further due times. */
async function lockWaiting(tx: Tx, jobs: readonly DueJob[]): Promise<ReadonlyMap<number, Backlog>> {
  const ids = jobs.map((job) => job.id);
  const since = await readOpenSince(tx);
  const counts = await tx.execute<{ jobId: number; count: number; held: boolean; oldestQueuedDueAt: number | null }>(sql`
    select job_id as "jobId", count(*) as count, bool_or(state = 'held') as held, min(due_at) filter (where state = 'queued') as "oldestQueuedDueAt"
    from run where job_id = any (${sql.param(ids)}::integer[]) and due_at >= ${since}::timestamptz and state in ('queued', 'held') and trigger = 'schedule' group by job_id`);
  const rows = await tx.execute<Waiting>(sql`
    select r.job_id as "jobId", r.id, r.state, r.attempt, r.due_at as "dueAt"
    from unnest(${sql.param(counts.map((row) => row.jobId))}::integer[]) as wanted(job_id)
    cross join lateral (
      select newest.id, newest.due_at from run as newest
      where newest.job_id = wanted.job_id and newest.trigger = 'schedule' and newest.due_at >= ${since}::timestamptz order by newest.due_at desc limit 1) as last
    join job as j on j.id = wanted.job_id
    join run as r on r.id = last.id and r.due_at = last.due_at
    where r.state in ('queued', 'held') and r.due_at >= ${since}::timestamptz and r.schedule_version = j.schedule_version
    for update of r skip locked`);
  const newest = new Map(rows.map((row) => [row.jobId, row]));
  return new Map(counts.map(({ jobId, ...backlog }) => [jobId, { ...backlog, newest: newest.get(jobId) ?? null }]));
}

function planJob(input: {
  readonly job: DueJob;
  readonly waiting: Backlog | undefined;
  readonly now: number;
  readonly zones: ZoneData;
}): JobPlan {
  const { job, now } = input;
  const { held = false, oldestQueuedDueAt = null } = input.waiting ?? {};
  const until = planUntil({ now, aheadMs: materialiseAheadMs, held, oldestQueuedDueAt });
  const dues = dueTimes(job.schedule, { from: job.watermark, to: until, limit: maxDuesPerJob + 1 }, input.zones);
  const taken = dues.slice(0, maxDuesPerJob);
  // Past the limit the watermark stops at the first due time that was left out.
  const watermark = dues[maxDuesPerJob]?.dueAt ?? Math.max(until, job.watermark);
  const waiting = input.waiting?.newest ?? null;
  const plan = planDues({
    dues: taken,
    now,
    catchUp: job.catchUp,
    waiting,
    waitingCount: Math.min(input.waiting?.count ?? 0, maxWaitingRuns),
  });
  return { job, watermark, nextDueAt: nextDueAt(job.schedule, watermark - 1, input.zones), waiting, plan };
}

async function writePlans(tx: Tx, plans: readonly JobPlan[]): Promise<void> {
  // Ascending, as every statement that changes several jobs: two of them in different orders would deadlock.
  await tx.execute(sql`
    select from job where id = any (${sql.param(plans.map((one) => one.job.id))}::integer[]) order by id for no key update`);
  const moved = await tx.execute<{ id: number }>(sql`
    update job as j set watermark = p.watermark, next_due_at = p.next_due_at
    from unnest(${sql.param(plans.map((one) => one.job.id))}::integer[], ${sql.param(plans.map((one) => one.job.watermark))}::timestamptz[],
      ${sql.param(plans.map((one) => one.job.scheduleVersion))}::integer[], ${sql.param(plans.map((one) => one.watermark))}::timestamptz[],
      ${sql.param(plans.map((one) => one.nextDueAt))}::timestamptz[]) as p(id, old_watermark, version, watermark, next_due_at)
    where j.id = p.id and j.watermark = p.old_watermark and j.schedule_version = p.version
    returning j.id`);
  const hit = new Set(moved.map((row) => row.id));
  const mine = plans.filter((one) => hit.has(one.job.id));
  await extendWaiting(tx, mine);
  await insertRuns(tx, mine);
}

async function extendWaiting(tx: Tx, plans: readonly JobPlan[]): Promise<void> {
  const joins = plans.flatMap(({ waiting, plan }) =>
    waiting === null || plan.absorbed === null ? [] : [{ id: waiting.id, dueAt: waiting.dueAt, ...plan.absorbed }],
  );
  if (joins.length === 0) return;
  await tx.execute(sql`
    update run as r set due_count = r.due_count + p.due_count, last_due_at = p.last_due_at
    from unnest(${sql.param(joins.map((one) => one.id))}::uuid[], ${sql.param(joins.map((one) => one.dueAt))}::timestamptz[],
      ${sql.param(joins.map((one) => one.dueCount))}::integer[], ${sql.param(joins.map((one) => one.lastDueAt))}::timestamptz[])
      as p(id, due_at, due_count, last_due_at)
    where r.id = p.id and r.due_at = p.due_at and r.due_at >= ${Math.min(...joins.map((one) => one.dueAt))}::timestamptz`);
}

async function insertRuns(tx: Tx, plans: readonly JobPlan[]): Promise<void> {
  const rows = plans.flatMap(({ job, plan }) => plan.runs.map((planned) => ({ job, planned })));
  if (rows.length === 0) return;
  const dues = rows.map(({ planned }) => planned.dueAt);
  await tx.execute(sql`select ensure_run_partitions(${Math.min(...dues)}::timestamptz, ${Math.max(...dues)}::timestamptz)`);
  const column = <T>(read: (row: { readonly job: DueJob; readonly planned: PlannedRun }) => T) => sql.param(rows.map(read));
  await tx.execute(sql`
    with made as (
    insert into run (id, due_at, last_due_at, due_count, due_local, job_id, integration_id, bucket, schedule_version, trigger, state, ready_at, reason, finished_at)
    select new_run_id(p.due_at), p.due_at, p.last_due_at, p.due_count, p.due_local, p.job_id, p.integration_id, p.bucket, p.version, 'schedule', p.state,
      p.due_at, case when p.state = 'skipped' then 'missed' end, case when p.state = 'skipped' then app_now() end
    from unnest(${column((row) => row.planned.dueAt)}::timestamptz[], ${column((row) => row.planned.lastDueAt)}::timestamptz[],
      ${column((row) => row.planned.dueCount)}::integer[], ${column((row) => row.planned.local)}::text[], ${column((row) => row.job.id)}::integer[],
      ${column((row) => row.job.integrationId)}::integer[], ${column((row) => row.job.bucket)}::integer[], ${column((row) => row.job.scheduleVersion)}::integer[],
      ${column((row) => row.planned.state)}::text[])
      as p(due_at, last_due_at, due_count, due_local, job_id, integration_id, bucket, version, state)
    returning id, due_at, due_count, job_id, integration_id, state, reason
    )
    insert into event_inbox (kind, subject_kind, subject_key, integration_key, payload)
    select 'run.skipped', 'run', m.id::text, i.key, jsonb_build_object('job', j.key, 'dueAt', m.due_at, 'dueCount', m.due_count, 'reason', m.reason)
    from made as m join integration as i on i.id = m.integration_id join job as j on j.id = m.job_id
    where m.state = 'skipped'`);
}
