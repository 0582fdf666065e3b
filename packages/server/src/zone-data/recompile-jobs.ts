import { dueTimes, type JobSchedule, type ZoneData } from "@quiesce/core";
import { and, eq, inArray, sql } from "drizzle-orm";
import { editJobSchedules } from "../catalog/store/edit-job-schedule.js";
import { job, type JobRow } from "../catalog/table.js";
import { systemActor } from "../command.js";
import type { Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";
import { rezoneSchedule } from "./rezone-schedule.js";

const COMPARED_MS = 90 * 86_400_000;
/** Due times of one job that are compared; the first that differs is enough. */
const MAX_COMPARED = 3_000;

/** The first due time of a job that other zone data moved; instants in epoch milliseconds. */
export interface MovedJob {
  readonly job: string;
  readonly before: number | null;
  readonly after: number | null;
}

type ScheduledJob = JobRow & { readonly schedule: JobSchedule };

/**
 * Gives every job in these zones a new version of its schedule, also where no due time moved in the next days: then each version of a schedule is
 * computed by one version of the data for ever, and the ledger adds up. Runs that lie ahead and were never due go with the old version.
 */
export async function recompileJobs(
  tx: Tx,
  input: { readonly timeZones: readonly string[]; readonly before: ZoneData | null; readonly after: ZoneData; readonly now: number },
): Promise<readonly MovedJob[]> {
  const { after, now } = input;
  const before = input.before ?? after;
  const rows = await tx
    .select()
    .from(job)
    .where(and(eq(job.enabled, true), inArray(sql`${job.schedule} ->> 'timeZone'`, [...input.timeZones])))
    .orderBy(job.id);
  const jobs = rows.filter((row): row is ScheduledJob => row.schedule !== null);
  const passedOver = new Map<number, readonly string[]>();
  const validFrom = await validFroms(tx, jobs);
  const opensAt = (row: JobRow, at: number): number => {
    if (row.schedule === null) return at;
    const rezoned = rezoneSchedule(row.schedule, { before, after, at, validFrom: validFrom.get(row.id) ?? at });
    passedOver.set(row.id, rezoned.passedOver);
    return rezoned.opensAt;
  };
  const edits = new Map(jobs.map((row) => [row.id, { schedule: row.schedule, enabled: true }]));
  await editJobSchedules(tx, { edits, zones: after, rezoned: { from: before, opensAt } });
  for (const row of jobs) await makeUp(tx, { row, locals: passedOver.get(row.id) ?? [], version: after.version, now });
  return jobs.flatMap((row) => movedJob(row, { before, after, now }));
}

async function validFroms(tx: Tx, jobs: readonly JobRow[]): Promise<ReadonlyMap<number, number>> {
  const rows = await tx.execute<{ id: number; validFrom: number }>(sql`
    select job_id as id, valid_from as "validFrom" from job_schedule
    where valid_to is null and job_id = any (${sql.param(jobs.map((row) => row.id))}::integer[])`);
  return new Map(rows.map((row) => [row.id, row.validFrom]));
}

/** One run for what was passed over, unless the job skips what it missed. It is no due time of either version, so it stands beside the ledger. */
async function makeUp(
  tx: Tx,
  input: { readonly row: JobRow; readonly locals: readonly string[]; readonly version: string; readonly now: number },
): Promise<void> {
  const { row, locals, now } = input;
  if (locals.length === 0 || row.catchUp === "skip") return;
  const reason = `The time zone data ${input.version} came into force after ${locals.at(-1) ?? ""}, which the data before them had still ahead.`;
  await tx.execute(sql`select ensure_run_partitions(${now}::timestamptz, ${now}::timestamptz)`);
  const made = await tx.execute<{ id: string; integrationKey: string }>(sql`
    with made as (
      insert into run (id, due_at, last_due_at, job_id, integration_id, bucket, trigger, state, ready_at, requested_by, reason)
      select new_run_id(${now}::timestamptz), ${now}::timestamptz, ${now}::timestamptz, ${row.id}, i.id, i.bucket, 'reconcile', 'queued', ${now}::timestamptz,
        ${systemActor.name}, ${reason}
      from integration as i where i.id = ${row.integrationId}
      returning id, integration_id
    )
    select made.id, i.key as "integrationKey" from made join integration as i on i.id = made.integration_id`);
  await appendEvents(
    tx,
    made.map((run) => ({
      kind: "run.queued",
      subjectKind: "run",
      subjectKey: run.id,
      integrationKey: run.integrationKey,
      payload: { job: row.key, trigger: "reconcile" },
    })),
  );
}

function movedJob(
  row: ScheduledJob,
  input: { readonly before: ZoneData; readonly after: ZoneData; readonly now: number },
): readonly MovedJob[] {
  const range = { from: input.now, to: input.now + COMPARED_MS, limit: MAX_COMPARED };
  const was = dueTimes(row.schedule, range, input.before);
  const is = dueTimes(row.schedule, range, input.after);
  for (let index = 0; index < Math.max(was.length, is.length); index++) {
    const [before, after] = [was[index]?.dueAt ?? null, is[index]?.dueAt ?? null];
    if (before !== after) return [{ job: row.key, before, after }];
  }
  return [];
}
