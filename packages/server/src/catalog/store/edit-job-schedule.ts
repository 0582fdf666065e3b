import { DomainError, dueTimes, nextDueAt, planDues, type JobSchedule, type PlannedRun, type ZoneData } from "@quiesce/core";
import { eq, inArray, sql } from "drizzle-orm";
import { readNow } from "../../command.js";
import { instantArray } from "../../db/instant.js";
import type { Tx } from "../../db/client.js";
import { readOpenSince } from "../../runs/open-since.js";
import { job, type JobRow } from "../table.js";

/** So many due times that the scheduler had not yet written down are settled within an edit; more and the scheduler must catch up first. */
const MAX_UNWRITTEN_DUES = 5_000;

/** A change of the zone data instead of the schedule. */
interface Rezoned {
  readonly from: ZoneData;
  /** The instant from which the new version counts, not before `at`, at which the old one ends. */
  readonly opensAt: (row: JobRow, at: number) => number;
}

/** What a job is due by: nothing while it is disabled. */
export function effectiveSchedule(row: Pick<JobRow, "schedule" | "enabled">): JobSchedule | null {
  return row.enabled ? row.schedule : null;
}

/**
 * Replaces the schedules of jobs from this moment on. What was due under the old one keeps its runs, also where the scheduler had not written them
 * yet (law 2); runs that lie ahead and were never due go; the history closes the old version and opens the new one at the same instant.
 */
export async function editJobSchedules(
  tx: Tx,
  input: {
    readonly edits: ReadonlyMap<number, { readonly schedule: JobSchedule | null; readonly enabled: boolean }>;
    readonly zones: ZoneData;
    /** When the edit is one of the zone data: what was due up to now is due by the data before, and `opensAt` says from when on the new ones count. */
    readonly rezoned?: Rezoned;
  },
): Promise<void> {
  const ids = [...input.edits.keys()].toSorted((a, b) => a - b);
  if (ids.length === 0) return;
  // Runs before jobs, as the claim and the scheduler take them.
  await lockRunsAhead(tx, ids);
  const rows = await tx.select().from(job).where(inArray(job.id, ids)).orderBy(job.id).for("update");
  const buckets = await bucketsOf(tx, ids);
  for (const row of rows) {
    const edit = input.edits.get(row.id);
    if (edit !== undefined) await editOne(tx, { row, edit, bucket: buckets.get(row.id) ?? 0, zones: input.zones, rezoned: input.rezoned });
  }
}

async function lockRunsAhead(tx: Tx, jobIds: readonly number[]): Promise<void> {
  const now = await readNow(tx);
  await tx.execute(sql`
    select from run where job_id = any (${sql.param(jobIds)}::integer[]) and trigger = 'schedule' and state = 'queued' and due_at >= ${now}::timestamptz
    order by due_at, id for update`);
}

async function bucketsOf(tx: Tx, jobIds: readonly number[]): Promise<ReadonlyMap<number, number>> {
  const rows = await tx.execute<{ id: number; bucket: number }>(sql`
    select j.id, i.bucket from job as j join integration as i on i.id = j.integration_id where j.id = any (${sql.param(jobIds)}::integer[])`);
  return new Map(rows.map((row) => [row.id, row.bucket]));
}

async function editOne(
  tx: Tx,
  input: {
    readonly row: JobRow;
    readonly edit: { readonly schedule: JobSchedule | null; readonly enabled: boolean };
    readonly bucket: number;
    readonly zones: ZoneData;
    readonly rezoned: Rezoned | undefined;
  },
): Promise<void> {
  const { row, edit, zones, rezoned } = input;
  const now = await readNow(tx);
  // They were never due, so they are no part of the account; cancelled rows would also keep the new schedule from the same due times.
  await tx.execute(sql`
    delete from run where job_id = ${row.id} and trigger = 'schedule' and state = 'queued' and attempt = 0 and due_at >= ${now}::timestamptz`);
  const at = await changeInstant(tx, row.id, now);
  await settleUnwritten(tx, { row, bucket: input.bucket, at, zones: rezoned?.from ?? zones });
  const opensAt = rezoned?.opensAt(row, at) ?? at;
  const version = row.scheduleVersion + 1;
  const schedule = effectiveSchedule(edit);
  await tx.execute(sql`update job_schedule set valid_to = ${at}::timestamptz where job_id = ${row.id} and valid_to is null`);
  await openSchedule(tx, { jobId: row.id, version, schedule, at: opensAt, zones });
  await tx
    .update(job)
    .set({
      schedule: edit.schedule,
      enabled: edit.enabled,
      scheduleVersion: version,
      watermark: opensAt,
      nextDueAt: schedule === null ? null : nextDueAt(schedule, opensAt - 1, zones),
      updatedAt: now,
    })
    .where(eq(job.id, row.id));
}

/** Opens a version of a job's schedule in its history; null says that nothing is due. */
export async function openSchedule(
  tx: Tx,
  input: {
    readonly jobId: number;
    readonly version: number;
    readonly schedule: JobSchedule | null;
    readonly at: number;
    readonly zones: ZoneData;
  },
): Promise<void> {
  await tx.execute(sql`
    insert into job_schedule (job_id, version, schedule, valid_from, zone_data_version)
    values (${input.jobId}, ${input.version}, ${input.schedule === null ? null : JSON.stringify(input.schedule)}::text::jsonb, ${input.at}::timestamptz, ${input.zones.version})`);
}

/** The instant from which the new schedule holds: now, or right after a due time of this very millisecond whose run stays, so that no due time belongs to both. */
async function changeInstant(tx: Tx, jobId: number, now: number): Promise<number> {
  // One that could be due now or later has not ended, or was due within the last day.
  const since = await readOpenSince(tx);
  const rows = await tx.execute<{ lastDueAt: number | null; validFrom: number | null }>(sql`
    select (select last_due_at from run where job_id = ${jobId} and trigger = 'schedule' and due_at >= ${since}::timestamptz order by due_at desc limit 1) as "lastDueAt",
      (select valid_from from job_schedule where job_id = ${jobId} and valid_to is null) as "validFrom"`);
  const { lastDueAt, validFrom } = rows[0] ?? { lastDueAt: null, validFrom: null };
  return Math.max(now, lastDueAt === null ? now : lastDueAt + 1, validFrom ?? now);
}

/** Writes the runs of due times between the watermark and the change, which exist when the scheduler was down or late. */
async function settleUnwritten(
  tx: Tx,
  input: { readonly row: JobRow; readonly bucket: number; readonly at: number; readonly zones: ZoneData },
): Promise<void> {
  const { row, at, zones } = input;
  const schedule = effectiveSchedule(row);
  if (schedule === null || row.watermark >= at) return;
  const dues = dueTimes(schedule, { from: row.watermark, to: at, limit: MAX_UNWRITTEN_DUES + 1 }, zones);
  if (dues.length === 0) return;
  if (dues.length > MAX_UNWRITTEN_DUES) {
    throw new DomainError(
      "QSC_CATALOGUE_SCHEDULER_BEHIND",
      `More than ${MAX_UNWRITTEN_DUES} due times of job "${row.key}" are not written down yet, expected the scheduler to keep up. Wait until it has, then change the schedule.`,
      { field: `jobs.${row.key}.schedule` },
    );
  }
  const plan = planDues({ dues, now: at, catchUp: row.catchUp, waiting: null, waitingCount: 0 });
  await insertPlanned(tx, { ...input, runs: plan.runs });
}

async function insertPlanned(
  tx: Tx,
  input: { readonly row: JobRow; readonly bucket: number; readonly at: number; readonly runs: readonly PlannedRun[] },
): Promise<void> {
  const { row, runs } = input;
  const dues = runs.map((planned) => planned.dueAt);
  if (dues.length === 0) return;
  await tx.execute(sql`select ensure_run_partitions(${Math.min(...dues)}::timestamptz, ${Math.max(...dues)}::timestamptz)`);
  await tx.execute(sql`
    with made as (
    insert into run (id, due_at, last_due_at, due_count, due_local, job_id, integration_id, bucket, schedule_version, trigger, state, ready_at, reason, finished_at)
    select new_run_id(p.due_at), p.due_at, p.last_due_at, p.due_count, p.due_local, ${row.id}::integer, ${row.integrationId}::integer, ${input.bucket}::integer,
      ${row.scheduleVersion}::integer, 'schedule', p.state, p.due_at, case when p.state = 'skipped' then 'missed' end,
      case when p.state = 'skipped' then ${input.at}::timestamptz end
    from unnest(${instantArray(dues)}, ${instantArray(runs.map((planned) => planned.lastDueAt))}, ${sql.param(runs.map((planned) => planned.dueCount))}::integer[],
      ${sql.param(runs.map((planned) => planned.local))}::text[], ${sql.param(runs.map((planned) => planned.state))}::text[])
      as p(due_at, last_due_at, due_count, due_local, state)
    returning id, due_at, due_count, integration_id, state, reason
    )
    insert into event_inbox (kind, subject_kind, subject_key, integration_key, payload)
    select 'run.skipped', 'run', m.id::text, i.key, jsonb_build_object('job', ${row.key}::text, 'dueAt', m.due_at, 'dueCount', m.due_count, 'reason', m.reason)
    from made as m join integration as i on i.id = m.integration_id where m.state = 'skipped'`);
}
