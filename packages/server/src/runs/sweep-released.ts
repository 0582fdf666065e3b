import { type CatchUp, type CatchUpStep, planCatchUp, type ReleasedRun } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { inTransaction, readNow } from "../command.js";
import type { Database, Tx } from "../db/client.js";
import { holdsNow, holdsRun } from "./active-holds.js";

/** Held runs let go in one transaction; more of an integration follow in the next. */
const maxRunsPerTransaction = 1_000;

interface HeldRun extends ReleasedRun {
  readonly [column: string]: unknown;
  readonly jobId: number | null;
  readonly catchUp: CatchUp | null;
  readonly maxAgeSeconds: number | null;
}

export interface SweepResult {
  readonly integrations: number;
  readonly queued: number;
  readonly skipped: number;
  readonly coalesced: number;
}

/**
 * Lets go every held run that no hold covers any more, by its job's catch-up policy, spread over time for each target system. It needs no
 * memory of what was released: whatever is held and uncovered is due, so a server that died midway is carried on by the next.
 */
export async function sweepReleased(context: { readonly database: Database }): Promise<SweepResult> {
  const waiting = await context.database.db.execute<{ id: number; systemId: number | null; spacingMs: number }>(sql`
    select i.id, s.id as "systemId", coalesce(s.resume_spacing_ms, 0) as "spacingMs"
    from (select distinct integration_id as id from run where state = 'held') as held
    join integration as i on i.id = held.id
    left join integration_system as route on route.integration_id = i.id and route.role = 'target'
    left join system as s on s.id = route.system_id
    where not exists (
      select from hold_member as m cross join control as c
      where m.integration_id = i.id and ${holdsNow})
    order by i.id`);
  // Each target system has its own ramp: earliest start = release + position x spacing.
  const positions = new Map<number, number>();
  const total = { integrations: 0, queued: 0, skipped: 0, coalesced: 0 };
  for (const one of waiting) {
    total.integrations += 1;
    for (;;) {
      const position = one.systemId === null ? 0 : (positions.get(one.systemId) ?? 0);
      const swept = await sweepIntegration(context, { integrationId: one.id, position, spacingMs: one.spacingMs });
      total.queued += swept.queued;
      total.skipped += swept.skipped;
      total.coalesced += swept.coalesced;
      if (one.systemId !== null) positions.set(one.systemId, position + swept.queued);
      if (swept.queued + swept.skipped + swept.coalesced < maxRunsPerTransaction) break;
    }
  }
  return total;
}

function sweepIntegration(
  context: { readonly database: Database },
  input: { readonly integrationId: number; readonly position: number; readonly spacingMs: number },
): Promise<{ readonly queued: number; readonly skipped: number; readonly coalesced: number }> {
  return inTransaction(context, async (tx) => {
    const held = await lockHeld(tx, input.integrationId);
    const now = await readNow(tx);
    const roots = await lockRoots(tx, held);
    const steps = byJob(held).flatMap((runs) => stepsOf(runs, { now, roots }));
    steps.sort((a, b) => a.dueAt - b.dueAt);
    await writeSteps(tx, { steps, now, ...input });
    const count = (next: CatchUpStep["next"]) => steps.filter((step) => step.next === next).length;
    return { queued: count("queued"), skipped: count("skipped"), coalesced: count("coalesced") };
  });
}

/** Locked without SKIP LOCKED, and uncovered at this moment: a hold placed meanwhile keeps them. */
function lockHeld(tx: Tx, integrationId: number): Promise<readonly HeldRun[]> {
  return tx.execute<HeldRun>(sql`
    select r.id as "runId", r.due_at as "dueAt", r.last_due_at as "lastDueAt", r.due_count as "dueCount", r.attempt, r.job_id as "jobId",
      -- A policy for missed due times has no say over what was asked for by hand.
      case when r.trigger = 'schedule' then j.catch_up end as "catchUp", j.catch_up_max_age_seconds as "maxAgeSeconds"
    from run as r left join job as j on j.id = r.job_id
    where r.state = 'held' and r.integration_id = ${integrationId}
      and not exists (
        select from hold_member as m cross join control as c
        where m.integration_id = r.integration_id and ${holdsRun})
    order by r.due_at, r.id limit ${maxRunsPerTransaction}
    for update of r`);
}

/** The run of each job that an earlier transaction of this release queued for the whole gap, locked: no claim takes it while others join it. */
async function lockRoots(tx: Tx, held: readonly HeldRun[]): Promise<ReadonlyMap<number, string>> {
  const jobs = [...new Set(held.flatMap((run) => (run.catchUp === "coalesce" && run.jobId !== null ? [run.jobId] : [])))];
  if (jobs.length === 0) return new Map();
  const rows = await tx.execute<{ jobId: number; id: string }>(sql`
    select wanted.job_id as "jobId", root.id
    from unnest(${sql.param(jobs)}::integer[]) as wanted(job_id)
    cross join lateral (
      select q.id from run as q
      where q.job_id = wanted.job_id and q.state = 'queued' and q.trigger = 'schedule' and q.attempt = 0 and q.released_at is not null
      order by q.due_at limit 1
      for update of q skip locked) as root`);
  return new Map(rows.map((row) => [row.jobId, row.id]));
}

function byJob(held: readonly HeldRun[]): readonly (readonly HeldRun[])[] {
  const groups = new Map<number | string, HeldRun[]>();
  for (const run of held) {
    const key = run.catchUp === null || run.jobId === null ? run.runId : run.jobId;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [run]);
    else group.push(run);
  }
  return [...groups.values()];
}

function stepsOf(
  runs: readonly HeldRun[],
  input: { readonly now: number; readonly roots: ReadonlyMap<number, string> },
): readonly CatchUpStep[] {
  const first = runs[0];
  if (first === undefined) return [];
  if (first.catchUp === null)
    return runs.map((run) => ({ runId: run.runId, dueAt: run.dueAt, next: "queued", into: null, reason: "requested" }));
  return planCatchUp({
    catchUp: first.catchUp,
    maxAgeMs: first.maxAgeSeconds === null ? null : first.maxAgeSeconds * 1_000,
    now: input.now,
    held: runs,
    root: first.jobId === null ? null : (input.roots.get(first.jobId) ?? null),
  });
}

async function writeSteps(
  tx: Tx,
  input: { readonly steps: readonly CatchUpStep[]; readonly now: number; readonly position: number; readonly spacingMs: number },
): Promise<void> {
  if (input.steps.length === 0) return;
  let position = input.position;
  const rows = JSON.stringify(
    input.steps.map((step) => ({
      id: step.runId,
      due_at: new Date(step.dueAt).toISOString(),
      state: step.next,
      into: step.into,
      reason: step.reason,
      ready_at: new Date(input.now + (step.next === "queued" ? position++ : 0) * input.spacingMs).toISOString(),
    })),
  );
  const first = Math.min(...input.steps.map((step) => step.dueAt));
  const last = Math.max(...input.steps.map((step) => step.dueAt));
  await tx.execute(sql`
    with step as materialized (
      select * from jsonb_to_recordset(${rows}::text::jsonb)
        as s(id uuid, due_at timestamptz, state text, "into" uuid, reason text, ready_at timestamptz)
    ),
    moved as (
      update run as r set state = s.state, coalesced_into = s."into", reason = s.reason, released_at = ${input.now}::timestamptz,
        ready_at = case when s.state = 'queued' then s.ready_at else r.ready_at end,
        finished_at = case when s.state = 'queued' then null else ${input.now}::timestamptz end
      from step as s
      where r.id = s.id and r.due_at = s.due_at and r.due_at between ${first}::timestamptz and ${last}::timestamptz and r.state = 'held'
      returning r.id, r.due_at, r.due_count, r.state, r.reason, r.ready_at, r.job_id, r.integration_id
    )
    insert into event_inbox (at, kind, subject_kind, subject_key, integration_key, payload)
    select ${input.now}::timestamptz, case m.state when 'queued' then 'run.released' else 'run.' || m.state end, 'run', m.id::text, i.key,
      jsonb_build_object('job', j.key, 'dueAt', m.due_at, 'dueCount', m.due_count, 'reason', m.reason, 'readyAt', m.ready_at)
    from moved as m join integration as i on i.id = m.integration_id left join job as j on j.id = m.job_id
    order by m.due_at`);
}
