import { type CatchUp, type Criticality, type JobSchedule, resumeOrder, upstreamRanks } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { targetsOf } from "../runs/ramp.js";
import { loadResumeFacts } from "../runs/resume-facts.js";

/** A scheduled job of a covered integration, with what is known of its runs. */
export interface CoveredJob {
  /** Of the integration, as `resumeOrder` wants it. */
  readonly id: number;
  readonly jobId: number;
  readonly job: string;
  readonly integration: string;
  readonly schedule: JobSchedule;
  readonly criticality: Criticality;
  readonly catchUp: CatchUp;
  readonly maxAgeMs: number | null;
  readonly continuous: boolean;
  /** The claim keeps a run back that would start later than this before a window; null: the guard does not apply. */
  readonly finishLeadMs: number | null;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  readonly recordsPerRun: number | null;
  /** It reads streams on from where it stopped. */
  readonly reads: boolean;
  readonly systemIds: readonly number[];
  readonly targetIds: readonly number[];
  readonly sourceIds: readonly number[];
}

/** Jobs beyond it are not counted, and the preview says so. */
export const maxCoveredJobs = 1_000;
/** Medians and records are those of so many last runs, not older than this. */
const maxSamples = 20;
const lookBackDays = 31;
const dayMs = 86_400_000;

/** The scheduled jobs of these integrations in the order in which a release lets them go: upstream first. One more than counted when there are more. */
export async function loadCoveredJobs(
  tx: Tx,
  input: { readonly integrationIds: readonly number[]; readonly now: number },
): Promise<readonly CoveredJob[]> {
  if (input.integrationIds.length === 0) return [];
  const found = await tx.execute<CoveredJob & { readonly [column: string]: unknown }>(sql`
    select i.id, j.id as "jobId", j.key as job, i.key as integration, i.criticality, j.schedule, j.catch_up as "catchUp", j.catch_up_max_age_seconds * 1000::float8 as "maxAgeMs",
      j.continuous, j.finish_lead_ms as "finishLeadMs", last.p50::float8 as "p50Ms", coalesce(j.p95_ms, last.p95)::float8 as "p95Ms",
      last.records::float8 as "recordsPerRun", jsonb_array_length(i.streams) > 0 as reads,
      array(select distinct route.system_id from integration_system as route where route.integration_id = i.id) as "systemIds",
      array(select target.system_id from ${targetsOf} as target) as "targetIds",
      array(select route.system_id from integration_system as route where route.integration_id = i.id and route.role <> 'target') as "sourceIds"
    from job as j join integration as i on i.id = j.integration_id
    cross join lateral (
      select percentile_disc(0.5) within group (order by run.ms) as p50, percentile_disc(0.95) within group (order by run.ms) as p95, avg(run.records) as records
      from (
        select extract(epoch from r.finished_at - r.started_at) * 1000 as ms, (r.figures ->> 'read')::numeric as records
        from run as r
        where r.job_id = j.id and r.trigger = 'schedule' and r.state = 'succeeded' and r.started_at is not null and r.finished_at >= r.started_at
          and r.due_at > ${input.now - lookBackDays * dayMs}::timestamptz and r.due_at <= ${input.now}::timestamptz
        order by r.due_at desc limit ${maxSamples}) as run) as last
    where j.enabled and j.schedule is not null and j.integration_id = any (${sql.param(input.integrationIds)}::integer[])
    order by j.key limit ${maxCoveredJobs + 1}`);
  if (found.length < 2) return found;
  return resumeOrder(found, upstreamRanks(await loadResumeFacts(tx)));
}

/** The systems with what a release asks of them. */
export async function loadRampSystems(
  tx: Tx,
): Promise<readonly { readonly id: number; readonly key: string; readonly stepMs: number; readonly maxConcurrentRuns: number | null }[]> {
  return tx.execute<{ id: number; key: string; stepMs: number; maxConcurrentRuns: number | null }>(sql`
    select id, key, resume_spacing_ms as "stepMs", max_concurrent_runs as "maxConcurrentRuns" from system order by key`);
}
