import { type CanariesOfSystem, type CatchUp, resumeOrder, upstreamRanks } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { loadResumeFacts } from "../runs/resume-facts.js";
import { holdsRun } from "../runs/active-holds.js";
import { targetsOf } from "../runs/ramp.js";
import { readOpenSince } from "../runs/open-since.js";

/** Later due times of one job that go with its first run; what is beyond them joins the run of the rest. */
const maxFollowers = 1_000;

/** A job with a run that could go ahead. */
export interface CanaryCandidate {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly jobId: number;
  readonly runId: string;
  readonly dueAt: number;
  readonly catchUp: CatchUp;
  readonly targetIds: readonly number[];
  readonly sourceIds: readonly number[];
}

interface Trial {
  readonly id: number;
  readonly trial: number;
}

/**
 * What the first runs of this trial did, for every target system of what is held. One that was skipped, joined another run, or is kept by some
 * other hold tells nothing and does not count.
 */
export async function canaryResults(tx: Tx, hold: Trial): Promise<readonly Omit<CanariesOfSystem, "available">[]> {
  const first = await firstCanaryDue(tx, hold);
  return tx.execute<Omit<CanariesOfSystem, "available"> & { readonly [column: string]: unknown }>(sql`
    select waited.system_id as "systemId", count(*) filter (where c.state = 'succeeded') as succeeded,
      count(*) filter (where c.state in ('failed', 'dead', 'lost')) as failed,
      count(*) filter (where c.state in ('queued', 'running') or (c.state = 'held' and not c.kept)) as pending
    from (
      select distinct target.system_id from hold_member as m join integration as i on i.id = m.integration_id cross join lateral ${targetsOf} as target
      where m.hold_id = ${hold.id} and m.released_at is null) as waited
    left join (
      select c.system_id, r.state, exists (
          select from hold_member as m cross join control as c where m.integration_id = r.integration_id and ${holdsRun}) as kept
      from canary as c join run as r on r.id = c.run_id and r.due_at = c.run_due_at and r.due_at >= ${first}::timestamptz
      where c.hold_id = ${hold.id} and c.trial = ${hold.trial} and not c.follows) as c on c.system_id = waited.system_id
    group by waited.system_id order by waited.system_id`);
}

/** When the first of them was due: the days before it are left out. Infinity: none was chosen. */
async function firstCanaryDue(tx: Tx, hold: Trial): Promise<number> {
  const rows = await tx.execute<{ at: number | null }>(sql`select min(run_due_at) as at from canary where hold_id = ${hold.id}`);
  return rows[0]?.at ?? Infinity;
}

/** The held jobs under the hold that could send a run ahead in this trial, upstream first. */
export async function canaryCandidates(tx: Tx, hold: Trial): Promise<readonly CanaryCandidate[]> {
  const since = await readOpenSince(tx);
  const first = await firstCanaryDue(tx, hold);
  const found = await tx.execute<CanaryCandidate>(sql`
    select i.id, j.id as "jobId", first.id as "runId", first.due_at as "dueAt", coalesce(h.catch_up, j.catch_up) as "catchUp",
      array(select target.system_id from ${targetsOf} as target) as "targetIds",
      array(select route.system_id from integration_system as route where route.integration_id = i.id and route.role <> 'target') as "sourceIds"
    from hold as h join hold_member as own on own.hold_id = h.id and own.released_at is null
    join integration as i on i.id = own.integration_id join job as j on j.integration_id = i.id
    cross join lateral (
      select r.id, r.due_at from run as r where r.job_id = j.id and r.state = 'held' and r.due_at >= ${since}::timestamptz and r.due_at <= app_now()
      order by r.due_at limit 1) as first
    where h.id = ${hold.id} and coalesce(h.catch_up, j.catch_up) <> 'skip'
      and not exists (
        select from hold_member as m cross join control as c
        where m.integration_id = i.id and m.hold_id <> h.id and m.begins_at <= app_now() and m.released_at is null and m.mode = 'enforce'
          and c.mode = 'enforce')
      and not exists (
        select from canary as c join run as r on r.id = c.run_id and r.due_at = c.run_due_at and r.due_at >= ${first}::timestamptz
        where c.hold_id = h.id and c.trial = ${hold.trial} and r.job_id = j.id)
    order by first.due_at, j.id`);
  if (found.length < 2) return found;
  return resumeOrder(found, upstreamRanks(await loadResumeFacts(tx)));
}

/** Lets these jobs' first runs pass the hold; where a job coalesces, all that waits of it goes with the first and joins it. */
export async function chooseCanaries(
  tx: Tx,
  hold: Trial,
  chosen: readonly { readonly candidate: CanaryCandidate; readonly systemIds: readonly number[] }[],
): Promise<void> {
  for (const { candidate, systemIds } of chosen) {
    const limit = candidate.catchUp === "coalesce" ? maxFollowers : 1;
    await tx.execute(sql`
      with ahead as (
        select r.id, r.due_at from run as r where r.job_id = ${candidate.jobId} and r.state = 'held' and r.due_at >= ${candidate.dueAt}::timestamptz
        order by r.due_at, r.id limit ${limit} for update of r
      ),
      passing as (
        update run as r set passes_holds = array_append(coalesce(r.passes_holds, '{}'), ${hold.id}::bigint)
        from ahead as a where r.id = a.id and r.due_at = a.due_at and r.due_at >= ${candidate.dueAt}::timestamptz returning r.id, r.due_at
      )
      insert into canary (hold_id, trial, system_id, run_id, run_due_at, follows)
      select ${hold.id}, ${hold.trial}, target.id, p.id, p.due_at, p.id <> ${candidate.runId}::uuid
      from passing as p cross join unnest(${sql.param(systemIds)}::integer[]) as target(id)
      -- What went with a first run in an earlier trial and was held again is tried anew.
      on conflict (hold_id, run_id, system_id) do update set trial = excluded.trial, follows = excluded.follows`);
  }
}
