import { explainJobFacts, type JobExplanation, type JobFacts } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { readNow } from "../command.js";
import type { Tx } from "../db/client.js";
import { activeHolds, expansionStale, type HoldReason } from "./active-holds.js";
import { unacknowledgedStep } from "./clock-step.js";
import { openFreezeConflicts } from "../windows/freeze-store.js";
import { endedWindows } from "./ended-windows.js";
import { readOpenSince } from "./open-since.js";
import { unknownJob } from "./unknown-job.js";

export interface JobExplained extends JobExplanation {
  readonly job: string;
  readonly integration: string;
  readonly at: number;
  readonly holds: readonly HoldReason[];
  readonly nextDueAt: number | null;
  readonly waiting: JobFacts["waiting"];
  readonly running: JobFacts["running"];
  readonly pushed: JobFacts["pushed"];
  readonly clockStep: JobFacts["clockStep"];
  readonly expansionStale: boolean;
}

interface JobRow {
  readonly [column: string]: unknown;
  readonly integrationId: number;
  readonly integration: string;
  readonly enabled: boolean;
  readonly hasSchedule: boolean;
  readonly nextDueAt: number | null;
  readonly expansionStale: boolean;
  readonly runningSince: number | null;
  readonly runningAttempt: number | null;
  readonly runningTrigger: string;
  readonly runningBy: string | null;
  readonly runningReason: string | null;
  readonly abortRequestedAt: number | null;
  readonly postponedBy: string | null;
  readonly postponedUntil: number;
  readonly p95Ms: number | null;
  readonly durationSamples: number;
  readonly waitingId: string | null;
  readonly waitingState: "queued" | "held" | null;
  readonly waitingDueAt: number;
  readonly waitingReadyAt: number;
  readonly waitingDues: number;
  readonly waitingHeldSince: number | null;
  readonly waitingAttempt: number;
  readonly push: boolean;
  readonly pushedRecords: number;
  readonly pushedOldestAt: number | null;
  readonly lastState: string | null;
  readonly lastFinishedAt: number;
  readonly lastError: string | null;
}

/** One query's answer to why a job is or is not running: every active hold, the next dispatch, its place in the queue, what is needed. */
export async function explainJob(tx: Tx, jobKey: string): Promise<JobExplained> {
  const row = await loadJob(tx, jobKey);
  const now = await readNow(tx);
  const active = await activeHolds(tx, row.integrationId);
  const undecided = active.length === 0 ? [] : await openFreezeConflicts(tx);
  const ended = await endedWindows(
    tx,
    active.map((hold) => hold.holdId),
  );
  const holds = active.map((hold) => {
    const one = undecided.find(({ window, from }) => window === hold.windowKey && from <= now);
    const undecidedFreeze = one === undefined ? undefined : { freeze: one.freeze, owner: one.freezeOwner };
    return { ...hold, ended: ended.get(hold.holdId), undecidedFreeze };
  });
  const waiting = row.waitingState === null ? null : await waitingOf(tx, row, row.waitingState);
  const facts: JobFacts = {
    job: jobKey,
    integration: row.integration,
    enabled: row.enabled,
    hasSchedule: row.hasSchedule,
    nextDueAt: row.nextDueAt,
    running: runningOf(row),
    waiting,
    holds,
    cappedSystem: await fullSystem(tx, row.integrationId),
    expansionStale: row.expansionStale,
    clockStep: await unacknowledgedStep(tx),
    pushed: row.push ? { records: row.pushedRecords, oldestAt: row.pushedOldestAt } : null,
    lastRun: row.lastState === null ? null : { state: row.lastState, finishedAt: row.lastFinishedAt, error: row.lastError },
  };
  const { nextDueAt, running, integration, pushed, clockStep } = facts;
  const explanation = explainJobFacts(facts, now);
  return {
    job: jobKey,
    integration,
    at: now,
    holds,
    nextDueAt,
    waiting,
    running,
    pushed,
    clockStep,
    expansionStale: facts.expansionStale,
    ...explanation,
  };
}

function runningOf(row: JobRow): JobFacts["running"] {
  if (row.runningSince === null) return null;
  return {
    startedAt: row.runningSince,
    attempt: row.runningAttempt ?? 1,
    breakGlass: row.runningTrigger === "break-glass" ? { by: row.runningBy ?? "somebody", reason: row.runningReason ?? "" } : null,
    abortRequestedAt: row.abortRequestedAt,
  };
}

async function loadJob(tx: Tx, jobKey: string): Promise<JobRow> {
  const since = await readOpenSince(tx);
  const rows = await tx.execute<JobRow>(sql`
    select i.id as "integrationId", i.key as integration, j.enabled, j.push, coalesce(box.waiting_records, 0) as "pushedRecords",
      (select r.accepted_at from inbox_record as r where r.integration_id = i.id and r.settled_at is null order by r.id limit 1) as "pushedOldestAt", j.schedule is not null as "hasSchedule",
      coalesce((select min(q.due_at) from run as q where q.job_id = j.id and q.state = 'queued' and q.due_at >= ${since}::timestamptz and q.due_at > app_now()), j.next_due_at) as "nextDueAt",
      ${expansionStale} as "expansionStale",
      running.started_at as "runningSince", running.attempt as "runningAttempt", running.trigger as "runningTrigger",
      running.requested_by as "runningBy", running.reason as "runningReason", running.abort_requested_at as "abortRequestedAt",
      w.postponed_by as "postponedBy", w.postponed_until as "postponedUntil", j.p95_ms as "p95Ms", j.duration_samples as "durationSamples",
      w.id as "waitingId", w.state as "waitingState", w.due_at as "waitingDueAt", w.ready_at as "waitingReadyAt", w.dues as "waitingDues", w.held_since as "waitingHeldSince",
      w.attempt as "waitingAttempt", last.state as "lastState", last.finished_at as "lastFinishedAt", last.error ->> 'message' as "lastError"
    from job as j join integration as i on i.id = j.integration_id cross join control as c left join inbox as box on box.integration_id = i.id
    left join lateral (select r.started_at, r.attempt, r.trigger, r.requested_by, r.reason, r.abort_requested_at from run as r where r.job_id = j.id and r.id = j.running_run_id and r.due_at = run_due_of_id(j.running_run_id) and r.due_at >= ${since}::timestamptz) as running on true
    left join lateral (
      select r.id, r.state, r.due_at, r.ready_at, r.held_since, r.attempt, r.postponed_until,
        (select mw.title from hold as h join occurrence as o on o.id = h.occurrence_id join maintenance_window as mw on mw.id = o.window_id
          where h.id = r.postponed_by and r.postponed_until is not null) as postponed_by,
        (select sum(other.due_count)::integer from run as other where other.job_id = j.id and other.state = r.state and other.due_at >= ${since}::timestamptz and other.due_at <= app_now()) as dues
      from run as r where r.job_id = j.id and r.state in ('queued', 'held') and r.due_at >= ${since}::timestamptz and r.due_at <= app_now() order by r.due_at limit 1) as w on true
    left join lateral (
      select r.state, r.finished_at, r.error from run as r
      where r.integration_id = i.id and r.job_id = j.id and r.finished_at is not null and r.state in ('succeeded', 'failed', 'dead', 'lost') order by r.due_at desc limit 1) as last on true
    where j.key = ${jobKey}`);
  const row = rows[0];
  if (row === undefined) throw await unknownJob(tx, jobKey);
  return row;
}

async function waitingOf(tx: Tx, row: JobRow, state: "queued" | "held"): Promise<NonNullable<JobFacts["waiting"]>> {
  const since = await readOpenSince(tx);
  const rows = await tx.execute<{ ahead: number }>(sql`
    select count(*)::integer as ahead from run where state = 'queued' and due_at >= ${since}::timestamptz and ready_at < ${row.waitingReadyAt}::timestamptz and id <> ${row.waitingId}::uuid`);
  return {
    state,
    dueAt: row.waitingDueAt,
    readyAt: row.waitingReadyAt,
    dueCount: row.waitingDues,
    heldSince: row.waitingHeldSince,
    attempt: row.waitingAttempt,
    ahead: rows[0]?.ahead ?? 0,
    postponed:
      row.postponedBy === null
        ? null
        : { window: row.postponedBy, beginsAt: row.postponedUntil, p95Ms: row.p95Ms ?? 0, samples: row.durationSamples },
  };
}

/** A system on the route that already carries its cap of running runs. */
async function fullSystem(tx: Tx, integrationId: number): Promise<string | null> {
  const since = await readOpenSince(tx);
  const rows = await tx.execute<{ key: string }>(sql`
    select s.key from integration_system as route join system as s on s.id = route.system_id
    where route.integration_id = ${integrationId} and s.max_concurrent_runs is not null
      and s.max_concurrent_runs <= (select count(*) from run as r join integration_system as other on other.integration_id = r.integration_id
        where r.state = 'running' and r.due_at >= ${since}::timestamptz and other.system_id = s.id)
    order by s.key limit 1`);
  return rows[0]?.key ?? null;
}
