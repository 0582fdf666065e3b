import { defaultRetryPolicy, type RetryPolicy } from "@quiesce/core";
import type { RawSql } from "../db/client.js";
import type { ClockState } from "./clock-step.js";

/** A queued run that is due within a moment, as the peek sees it; the claim decides. */
export interface DueRun {
  readonly id: string;
  readonly dueAt: number;
  readonly readyAt: number;
  readonly jobId: number;
}

/** A run that the claim handed to this worker. */
export interface ClaimedRun {
  readonly runId: string;
  readonly dueAt: number;
  readonly jobId: number | null;
  readonly integrationId: number;
  readonly attempt: number;
  /** The verdict's time, by the database's clock. */
  readonly startedAt: number;
  /** null for a run without a job. */
  readonly jobKey: string | null;
  readonly integrationKey: string;
  readonly timeoutMs: number;
  readonly retry: RetryPolicy;
}

export interface ClaimResult {
  readonly claimed: readonly ClaimedRun[];
  readonly held: number;
  /** The expansion of windows does not reach past now: nothing is dispatched until it does. */
  readonly stale: boolean;
  /** The verdict's time, by the database's clock; null when nothing was decided. */
  readonly at: number | null;
}

/** A run that waits since longer than this (a long pause, a long absence of every server) is found by the slow look, not by every peek. */
const peekBackMs = 40 * 86_400_000;
const dayMs = 86_400_000;
const lockNotAvailable = "55P03";
/** For runs without a job. */
const defaultTimeoutSeconds = 900;

interface ClaimRow {
  readonly run_id: string;
  readonly run_due_at: number;
  readonly run_job_id: number | null;
  readonly run_integration_id: number;
  readonly run_attempt: number;
  readonly verdict: string;
  readonly at: number;
  readonly job_key: string | null;
  readonly integration_key: string;
  readonly timeout_seconds: number | null;
  readonly retry: RetryPolicy | null;
}

/** Looks, without a lock, for runs that are due by `withinMs` from now, after the given place in the queue. Gate runs are started by their callers. */
export async function peekDue(
  sql: RawSql,
  input: {
    readonly withinMs: number;
    readonly limit: number;
    readonly after: { readonly readyAt: number; readonly jobId: number } | null;
    /** The slow look: however old the due time is. */
    readonly anyAge?: boolean;
  },
): Promise<{ readonly now: number; readonly clock: ClockState; readonly runs: readonly DueRun[] }> {
  // In a statement of its own: the next one has its times as plain values, by which PostgreSQL leaves the other days out before it plans.
  const [at] = await sql<(ClockState & { now: number; openSince: number })[]>`
    select app_now() as now, c.clock_stepped_at is not null as stepped, c.clock_acknowledgements as acknowledgements, c.runs_open_since as "openSince"
    from control as c`;
  if (at === undefined) throw new Error("The control row is missing.");
  const { now, stepped, acknowledgements } = at;
  const since = input.anyAge === true ? at.openSince : Math.max(at.openSince, now - peekBackMs);
  const after = input.after ?? { readyAt: 0, jobId: -1 };
  const runs = await sql<DueRun[]>`
    select q.id, q.due_at as "dueAt", q.ready_at as "readyAt", coalesce(q.job_id, 0) as "jobId" from run as q
    where q.state = 'queued' and q.trigger <> 'gate' and q.ready_at <= ${now + input.withinMs}::timestamptz
      and (q.ready_at, q.job_id) > (${after.readyAt}::timestamptz, ${after.jobId}::integer)
      and q.due_at between ${since}::timestamptz and ${now + dayMs}::timestamptz
      and not exists (select from job as j where j.id = q.job_id and j.running_run_id is not null)
    order by q.ready_at, q.job_id limit ${input.limit}`;
  return { now, clock: { stepped, acknowledgements }, runs };
}

/** One autocommit call of the claim function; see migration 0005. A writer that keeps the locks for long makes it answer nothing. */
export async function claimRuns(
  sql: RawSql,
  input: { readonly workerId: string; readonly runs: readonly Pick<DueRun, "id" | "dueAt">[]; readonly limit: number },
): Promise<ClaimResult> {
  if (input.runs.length === 0) return { claimed: [], held: 0, stale: false, at: null };
  const ids = input.runs.map((one) => one.id);
  const dues = input.runs.map((one) => one.dueAt);
  try {
    const rows = await sql<ClaimRow[]>`
      select * from claim_runs(${input.workerId}::uuid, ${ids}::uuid[], ${dues}::timestamptz[], ${input.limit}::integer)`;
    const claimed = rows
      .filter((row) => row.verdict === "running")
      .map((row) => ({
        runId: row.run_id,
        dueAt: row.run_due_at,
        jobId: row.run_job_id,
        integrationId: row.run_integration_id,
        attempt: row.run_attempt,
        startedAt: row.at,
        jobKey: row.job_key,
        integrationKey: row.integration_key,
        timeoutMs: (row.timeout_seconds ?? defaultTimeoutSeconds) * 1_000,
        retry: row.retry ?? defaultRetryPolicy,
      }));
    return {
      claimed,
      held: rows.filter((row) => row.verdict === "held").length,
      stale: rows.some((row) => row.verdict === "expansion-stale"),
      at: rows[0]?.at ?? null,
    };
  } catch (error) {
    if ((error as { code?: unknown }).code === lockNotAvailable) return { claimed: [], held: 0, stale: false, at: null };
    throw error;
  }
}
