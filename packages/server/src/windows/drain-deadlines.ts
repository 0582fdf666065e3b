import { sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { inTransaction, readNow, systemActor } from "../command.js";
import type { Database, Tx } from "../db/client.js";
import { appendEvents, payloadInstant } from "../events/append-events.js";
import { readOpenSince } from "../runs/open-since.js";

/** Runs told to stop in one transaction; the next pass goes on. */
const maxAborted = 1_000;

interface Overdue {
  readonly [column: string]: unknown;
  readonly occurrenceId: number;
  readonly holdId: number;
  readonly key: string;
  readonly localStart: string;
  readonly atDeadline: "abort" | "leave";
  readonly announced: boolean;
}

/**
 * Meets the drain deadlines: where a window has been open for longer than its deadline and runs are still in flight, it says so once, and tells
 * them to stop if its policy wants that. The worker of such a run sees it within a second or two; the run is given back, costs no attempt, and
 * waits for the window's end. Work in the hands of others (gate leases) cannot be told, only shown. Answers how many runs were told.
 */
export async function meetDrainDeadlines(context: {
  readonly database: Database;
}): Promise<{ readonly overdue: number; readonly aborted: number }> {
  const found = await overdueDrains(context.database.db);
  const total = { overdue: 0, aborted: 0 };
  for (const one of found) {
    const met = await inTransaction(context, (tx) => meetDeadline(tx, one.occurrenceId));
    total.overdue += met.overdue;
    total.aborted += met.aborted;
  }
  return total;
}

/** Open, enforcing occurrences past their deadline with something in flight that was not told to stop, or that nobody was told of. */
async function overdueDrains(tx: Tx, only: { readonly occurrenceId?: number } = {}): Promise<readonly Overdue[]> {
  const since = await readOpenSince(tx);
  const which = only.occurrenceId === undefined ? sql`` : sql`and o.id = ${only.occurrenceId}`;
  return tx.execute<Overdue>(sql`
    select o.id as "occurrenceId", h.id as "holdId", w.key, o.local_start as "localStart", h.at_drain_deadline as "atDeadline",
      o.drain_overdue_at is not null as announced
    from hold as h join occurrence as o on o.id = h.occurrence_id join maintenance_window as w on w.id = o.window_id cross join control as c
    where h.released_at is null and h.mode = 'enforce' and c.mode = 'enforce' and o.started_at is not null
      and h.begins_at + h.drain_deadline_ms * interval '1 millisecond' <= (select app_now()) ${which}
      and exists (
        select from hold_member as m join run as r on r.integration_id = m.integration_id and r.state = 'running'
        where ${overdueRun} and r.due_at >= ${since}::timestamptz
          and (o.drain_overdue_at is null or (h.at_drain_deadline = 'abort' and r.trigger <> 'gate' and r.abort_requested_at is null)))
    order by o.id`);
}

/** A run (r) of a member (m) whose deadline under the hold (h) has passed; who joined the hold later has as long from then on. */
const overdueRun = sql`m.hold_id = h.id and m.released_at is null and m.begins_at + h.drain_deadline_ms * interval '1 millisecond' <= (select app_now())
  and (r.passes_holds is null or h.id <> all (r.passes_holds))`;

async function meetDeadline(tx: Tx, occurrenceId: number): Promise<{ readonly overdue: number; readonly aborted: number }> {
  await tx.execute(sql`select from occurrence where id = ${occurrenceId} for update`);
  // Read again: somebody may have ended the window meanwhile.
  const [one] = await overdueDrains(tx, { occurrenceId });
  if (one === undefined) return { overdue: 0, aborted: 0 };
  const now = await readNow(tx);
  const since = await readOpenSince(tx);
  const [flight] = await tx.execute<{ inFlight: number; leases: number }>(sql`
    select count(*)::integer as "inFlight", (count(*) filter (where r.trigger = 'gate'))::integer as leases
    from hold as h join hold_member as m on m.hold_id = h.id join run as r on r.integration_id = m.integration_id and r.state = 'running'
    where h.id = ${one.holdId} and ${overdueRun} and r.due_at >= ${since}::timestamptz`);
  const aborted = one.atDeadline === "abort" ? await tellToStop(tx, { holdId: one.holdId, now }) : 0;
  if (aborted > 0)
    await recordAudit(tx, {
      actor: systemActor,
      action: "occurrence.stop-runs",
      subjectKind: "window",
      subjectKey: one.key,
      reason: "its drain deadline has passed",
      after: { localStart: one.localStart, runs: aborted },
    });
  if (one.announced) return { overdue: 0, aborted };
  await tx.execute(sql`update occurrence set drain_overdue_at = ${now}::timestamptz where id = ${occurrenceId}`);
  await appendEvents(tx, [
    {
      kind: "window.drain-deadline-passed",
      subjectKind: "window",
      subjectKey: one.key,
      payload: {
        localStart: one.localStart,
        at: payloadInstant(now),
        atDeadline: one.atDeadline,
        inFlight: flight?.inFlight ?? 0,
        aborted,
        leases: flight?.leases ?? 0,
      },
    },
  ]);
  return { overdue: 1, aborted };
}

/** Skips what is ending at this moment: then there is nothing to stop, and the next pass looks again. */
async function tellToStop(tx: Tx, input: { readonly holdId: number; readonly now: number }): Promise<number> {
  const since = await readOpenSince(tx);
  const told = await tx.execute(sql`
    with late as materialized (
      select r.id, r.due_at from hold as h join hold_member as m on m.hold_id = h.id
      join run as r on r.integration_id = m.integration_id and r.state = 'running'
      where h.id = ${input.holdId} and ${overdueRun} and r.due_at >= ${since}::timestamptz and r.trigger <> 'gate' and r.abort_requested_at is null
      order by r.due_at, r.id limit ${maxAborted}
      for update of r skip locked
    )
    update run as r set abort_requested_at = ${input.now}::timestamptz, abort_reason = 'window', aborted_by = ${input.holdId}
    from late as l where r.id = l.id and r.due_at = l.due_at and r.due_at >= ${since}::timestamptz
    returning r.id`);
  return told.length;
}
