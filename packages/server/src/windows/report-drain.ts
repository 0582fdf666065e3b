import type { RunState } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";

/** A run that an operator let pass the window. */
export interface BreakGlassRun {
  readonly runId: string;
  readonly job: string;
  readonly by: string;
  readonly reason: string;
  readonly orderedAt: number;
  readonly startedAt: number | null;
  readonly state: RunState;
}

/** How an occurrence emptied what it covers. */
export interface DrainReport {
  /** From its start until nothing was in flight for the first time, in milliseconds; null while that has not come. */
  readonly drainMs: number | null;
  /** When its drain deadline passed with runs still in flight. */
  readonly drainOverdueAt: number | null;
  /** Runs that were kept back before its start, because they would not have finished. */
  readonly postponed: number;
  /** Runs that were told to stop at its drain deadline. */
  readonly aborted: number;
  /** Runs that an operator let pass it; at most 1,000. */
  readonly breakGlass: readonly BreakGlassRun[];
}

/** What was due, or ran, longer before the start than this is not looked for. */
const maxReachBackDays = 31;
const dayMs = 86_400_000;
const maxListed = 1_000;

export async function readDrainReport(
  tx: Tx,
  input: { readonly occurrenceId: number; readonly holdId: number | null; readonly startsAt: number; readonly now: number },
): Promise<DrainReport> {
  const { holdId } = input;
  const [facts] = await tx.execute<{ drainedAt: number | null; drainOverdueAt: number | null }>(sql`
    select drained_at as "drainedAt", drain_overdue_at as "drainOverdueAt" from occurrence where id = ${input.occurrenceId}`);
  const drainMs = typeof facts?.drainedAt === "number" ? Math.max(0, facts.drainedAt - input.startsAt) : null;
  const base = { drainMs, drainOverdueAt: facts?.drainOverdueAt ?? null };
  if (holdId === null) return { ...base, postponed: 0, aborted: 0, breakGlass: [] };
  const ofHold = sql`hold_member as m join run as r on r.integration_id = m.integration_id
    and r.due_at >= ${input.startsAt - maxReachBackDays * dayMs}::timestamptz and r.due_at <= ${input.now}::timestamptz`;
  const [counts] = await tx.execute<{ postponed: number; aborted: number }>(sql`
    select (count(*) filter (where r.postponed_by = ${holdId}::bigint))::integer as postponed, (count(*) filter (where r.aborted_by = ${holdId}::bigint))::integer as aborted
    from ${ofHold} where m.hold_id = ${holdId}::bigint and (r.postponed_by = ${holdId}::bigint or r.aborted_by = ${holdId}::bigint)`);
  // The order stands in the audit trail: a run's own reason is that of its end.
  const breakGlass = await tx.execute<BreakGlassRun & { readonly [column: string]: unknown }>(sql`
    select r.id as "runId", j.key as job, coalesce(r.requested_by, '') as by, coalesce(a.reason, '') as reason, r.due_at as "orderedAt", r.started_at as "startedAt", r.state
    from ${ofHold} join job as j on j.id = r.job_id
    left join audit_entry as a on a.subject_kind = 'job' and a.subject_key = j.key and a.action = 'run.break-glass' and a.after ->> 'runId' = r.id::text
    where m.hold_id = ${holdId}::bigint and r.trigger = 'break-glass' and ${holdId}::bigint = any (r.passes_holds)
    order by r.due_at, r.id limit ${maxListed}`);
  return { ...base, postponed: counts?.postponed ?? 0, aborted: counts?.aborted ?? 0, breakGlass: [...breakGlass] };
}
