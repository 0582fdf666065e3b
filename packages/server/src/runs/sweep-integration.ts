import { type CatchUp, type CatchUpStep, planCatchUp, planRamp, type ReleasedRun, type ZoneData } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { inTransaction, readNow } from "../command.js";
import type { Database, Tx } from "../db/client.js";
import { holdsRun } from "./active-holds.js";
import { type ExpandedDue, expandRanges } from "./expand-range.js";
import { lockRamps, saveRamps, takeSweep } from "./ramp.js";
import { writeSweep } from "./write-sweep.js";
import { readOpenSince } from "./open-since.js";

/** Held runs let go in one transaction; more of an integration follow in the next. */
const maxRunsPerTransaction = 1_000;

interface HeldRun extends ReleasedRun {
  readonly [column: string]: unknown;
  readonly jobId: number | null;
  readonly catchUp: CatchUp | null;
  readonly maxAgeSeconds: number | null;
  readonly scheduleVersion: number | null;
  readonly heldBy: readonly number[];
  /** An operator said for this resume what becomes of it. */
  readonly override: CatchUp | null;
}

/** What becomes of one held run: a step of the catch-up, and for a range that is taken apart the rows it becomes. */
export interface SweepStep extends CatchUpStep {
  readonly heldBy: readonly number[];
  readonly expanded: readonly ExpandedDue[];
}

export interface SweptIntegration {
  readonly queued: number;
  readonly skipped: number;
  readonly coalesced: number;
  /** There may be more of it. */
  readonly more: boolean;
}

/** Lets go the held runs of one integration that nothing covers, at most a thousand in this one transaction. `busy`: another server sweeps. */
export function sweepIntegration(
  context: { readonly database: Database; readonly zones: ZoneData },
  integrationId: number,
): Promise<SweptIntegration | "busy"> {
  return inTransaction(context, async (tx) => {
    if (!(await takeSweep(tx))) return "busy";
    const held = await lockHeld(tx, integrationId);
    if (held.length === 0) return { queued: 0, skipped: 0, coalesced: 0, more: false };
    const now = await readNow(tx);
    const roots = await lockRoots(tx, held);
    const planned = byJob(held)
      .flatMap((runs) => stepsOf(runs, { now, roots }))
      .toSorted((a, b) => a.dueAt - b.dueAt);
    const steps = bounded(await withExpanded(tx, { zones: context.zones, held, steps: planned }));
    const starts = steps.flatMap((step) => (step.next === "queued" ? [step, ...step.expanded.slice(1)] : []));
    const ramp = planRamp({ systems: await lockRamps(tx, integrationId), notBefore: starts.map(() => now) });
    await writeSweep(tx, { steps, readyAt: ramp.readyAt, now });
    await saveRamps(tx, ramp.systems);
    const count = (next: CatchUpStep["next"]) => steps.filter((step) => step.next === next).length;
    return {
      queued: starts.length,
      skipped: count("skipped"),
      coalesced: count("coalesced"),
      more: held.length === maxRunsPerTransaction || steps.length < planned.length,
    };
  });
}

/** Locked without SKIP LOCKED, and uncovered at this moment: a hold placed meanwhile keeps them. */
async function lockHeld(tx: Tx, integrationId: number): Promise<readonly HeldRun[]> {
  const since = await readOpenSince(tx);
  return tx.execute<HeldRun>(sql`
    select r.id as "runId", r.due_at as "dueAt", r.last_due_at as "lastDueAt", r.due_count as "dueCount", r.attempt, r.job_id as "jobId",
      -- A policy for missed due times has no say over what was asked for by hand.
      case when r.trigger = 'schedule' then j.catch_up end as "catchUp", j.catch_up_max_age_seconds as "maxAgeSeconds",
      r.schedule_version as "scheduleVersion", r.held_by as "heldBy",
      case when r.trigger = 'schedule' then (
        select h.catch_up from hold as h where h.id = any (r.held_by) and h.catch_up is not null
        order by h.released_at desc nulls last, h.id desc limit 1) end as "override"
    from run as r left join job as j on j.id = r.job_id
    where r.state = 'held' and r.due_at >= ${since}::timestamptz and r.integration_id = ${integrationId}
      and not exists (
        select from hold_member as m cross join control as c
        where m.integration_id = r.integration_id and ${holdsRun})
    order by r.due_at, r.id limit ${maxRunsPerTransaction}
    for update of r`);
}

const catchUpOf = (run: HeldRun): CatchUp | null => (run.catchUp === null ? null : (run.override ?? run.catchUp));

/** The run of each job that an earlier transaction of this release queued for the whole gap, locked: no claim takes it while others join it. */
async function lockRoots(tx: Tx, held: readonly HeldRun[]): Promise<ReadonlyMap<number, string>> {
  const jobs = [...new Set(held.flatMap((run) => (catchUpOf(run) === "coalesce" && run.jobId !== null ? [run.jobId] : [])))];
  if (jobs.length === 0) return new Map();
  const since = await readOpenSince(tx);
  const rows = await tx.execute<{ jobId: number; id: string }>(sql`
    select wanted.job_id as "jobId", root.id
    from unnest(${sql.param(jobs)}::integer[]) as wanted(job_id)
    cross join lateral (
      select q.id from run as q
      where q.job_id = wanted.job_id and q.state = 'queued' and q.due_at >= ${since}::timestamptz and q.trigger = 'schedule' and q.attempt = 0 and q.released_at is not null
      order by q.due_at limit 1
      for update of q skip locked) as root`);
  return new Map(rows.map((row) => [row.jobId, row.id]));
}

function byJob(held: readonly HeldRun[]): readonly (readonly HeldRun[])[] {
  const groups = new Map<string, HeldRun[]>();
  for (const run of held) {
    const key = run.catchUp === null || run.jobId === null ? run.runId : `${run.jobId} ${catchUpOf(run)} ${run.override}`;
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
  const catchUp = catchUpOf(first);
  if (catchUp === null) return runs.map((run) => ({ runId: run.runId, dueAt: run.dueAt, next: "queued", into: null, reason: "requested" }));
  return planCatchUp({
    catchUp,
    // Whoever says for one resume what shall become of what waited means all of it.
    maxAgeMs: first.maxAgeSeconds === null || first.override !== null ? null : first.maxAgeSeconds * 1_000,
    now: input.now,
    held: runs,
    root: first.jobId === null ? null : (input.roots.get(first.jobId) ?? null),
  });
}

async function withExpanded(
  tx: Tx,
  input: { readonly zones: ZoneData; readonly held: readonly HeldRun[]; readonly steps: readonly CatchUpStep[] },
): Promise<readonly SweepStep[]> {
  const runOf = new Map(input.held.map((run) => [run.runId, run]));
  const ranges = input.steps.flatMap((step) => {
    const run = runOf.get(step.runId);
    if (run === undefined || step.reason !== "catch-up-all" || run.override !== "all" || run.dueCount === 1) return [];
    return run.jobId === null || run.scheduleVersion === null ? [] : [{ ...run, jobId: run.jobId, scheduleVersion: run.scheduleVersion }];
  });
  const expanded = await expandRanges(tx, { zones: input.zones, ranges });
  return input.steps.map((step) => ({
    ...step,
    heldBy: runOf.get(step.runId)?.heldBy ?? [],
    expanded: expanded.get(step.runId) ?? [],
  }));
}

/** As many steps, in their order, as make no more rows than one transaction may; at least one. */
function bounded(steps: readonly SweepStep[]): readonly SweepStep[] {
  let rows = 0;
  const end = steps.findIndex((step) => {
    rows += Math.max(1, step.expanded.length);
    return rows > maxRunsPerTransaction;
  });
  return end === -1 ? steps : steps.slice(0, Math.max(1, end));
}
