import { estimateDuration, maxDurationSamples } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { inTransaction, readNow } from "../command.js";
import type { Database } from "../db/client.js";

/** Jobs of one call; the next takes those that waited longest. */
const maxJobs = 500;
/** Runs that were due before this are not looked at, however few there are since. */
const lookBackDays = 100;
const dayMs = 86_400_000;

/**
 * Measures anew what runs of a job take, for jobs that have had a successful run since the last time. The figures stand on the job's row, where
 * the claim reads them. Answers how many jobs were measured.
 */
export function measureDurations(context: { readonly database: Database }): Promise<{ readonly jobs: number }> {
  return inTransaction(context, async (tx) => {
    const now = await readNow(tx);
    // Cleared before the look: a run that ends meanwhile waits for this row and marks it again.
    const stale = await tx.execute<{ id: number }>(sql`
      with stale as (
        select id from job where durations_stale order by durations_at nulls first, id limit ${maxJobs} for no key update skip locked
      )
      update job as j set durations_stale = false, durations_at = ${now}::timestamptz from stale as s where j.id = s.id returning j.id`);
    if (stale.length === 0) return { jobs: 0 };
    const ids = stale.map((row) => row.id).toSorted((a, b) => a - b);
    const rows = await tx.execute<{ jobId: number; durationsMs: number[] }>(sql`
      select wanted.id as "jobId", array(
        select least(extract(epoch from last.finished_at - last.started_at) * 1000, 2147483647)::float8 from (
          (select r.due_at, r.started_at, r.finished_at from run as r
            where r.job_id = wanted.id and r.trigger = 'schedule' and ${countsSince(now)} order by r.due_at desc limit ${maxDurationSamples})
          union all
          (select r.due_at, r.started_at, r.finished_at from run as r
            where r.job_id = wanted.id and r.trigger <> 'schedule' and ${countsSince(now)} order by r.due_at desc limit ${maxDurationSamples})
        ) as last order by last.due_at desc limit ${maxDurationSamples}) as "durationsMs"
      from unnest(${sql.param(ids)}::integer[]) as wanted(id)`);
    const estimates = rows.map((row) => ({ id: row.jobId, ...estimateDuration(row.durationsMs.map(Math.round)) }));
    await tx.execute(sql`
      update job as j set p95_ms = e."p95Ms", duration_samples = e.samples, finish_lead_ms = e."finishLeadMs"
      from jsonb_to_recordset(${JSON.stringify(estimates)}::text::jsonb) as e(id integer, samples integer, "p95Ms" integer, "finishLeadMs" integer)
      where j.id = e.id`);
    return { jobs: rows.length };
  });
}

// A dry run reads a sample and writes nothing, a comparison or a resync is other work than the job's own: they say nothing about how long that takes.
const countsSince = (now: number) => sql`r.state = 'succeeded' and not exists (select from integration_trial as t where t.run_id = r.id)
  and not (r.trigger = 'reconcile' and (exists (select from reconciliation as c where c.run_id = r.id) or exists (select from reconciliation_resync as s where s.run_id = r.id)))
  and r.started_at is not null and r.finished_at >= r.started_at
  and r.due_at > ${now - lookBackDays * dayMs}::timestamptz`;
