import { type SQL, sql } from "drizzle-orm";
import { inTransaction, readNow, systemActor } from "../command.js";
import type { Database, Tx } from "../db/client.js";
import { appendEvents, payloadInstant } from "../events/append-events.js";
import { holdsNow, holdsRun } from "../runs/active-holds.js";
import { announceOpened } from "./announce-opened.js";
import { lockDispatch } from "./locks.js";
import { releaseHold } from "./release-hold.js";
import { holdIntegrations } from "./store.js";

interface Advancing {
  readonly database: Database;
}

/** What one pass over the occurrences changed; for logs and tests. */
export interface AdvanceResult {
  readonly opened: number;
  readonly quiesced: number;
  readonly released: number;
  /** Held runs that other holds keep since theirs ended. */
  readonly keptOn: number;
  readonly closed: number;
}

/**
 * Brings every occurrence and hold to the state that the stored facts and the time imply: opened, quiesced, released, closed. It may be called
 * at any moment, by any server, as often as one likes; nothing is lost when it is late, because the claim asks the holds and not this.
 */
export async function advanceWindows(context: Advancing): Promise<AdvanceResult> {
  const opened = await inTransaction(context, (tx) => announceOpened(tx));
  const quiesced = await markQuiesced(context);
  const released = await releaseExpired(context);
  const keptOn = await keepOnHeld(context);
  const closed = await closeReleased(context);
  return { opened, quiesced, released, keptOn, closed };
}

/**
 * Begun, enforced, unreleased occurrences (or the one of them) with whether anything is in flight, or may be at any moment because the whole
 * deployment only observes, on the integrations they cover.
 */
function inFlight(tx: Tx, only: { readonly occurrenceId?: number } = {}) {
  const which = only.occurrenceId === undefined ? sql`` : sql`and o.id = ${only.occurrenceId}`;
  return tx.execute<{
    occurrenceId: number;
    holdId: number;
    key: string;
    localStart: string;
    quiescedAt: number | null;
    busy: boolean;
  }>(sql`
    select o.id as "occurrenceId", h.id as "holdId", w.key, o.local_start as "localStart", o.quiesced_at as "quiescedAt",
      c.mode = 'observe' or exists (select from hold_member as m join run as r on r.integration_id = m.integration_id and r.state = 'running'
        where m.hold_id = h.id and m.released_at is null) as busy
    from hold as h join occurrence as o on o.id = h.occurrence_id join maintenance_window as w on w.id = o.window_id cross join control as c
    where h.released_at is null and h.mode = 'enforce' and h.begins_at <= app_now() and o.started_at is not null ${which}
    order by o.id`);
}

/** `quiesced` = the window is open and nothing is in flight. Whatever starts again in it (a gate lease, say) takes the word back. */
async function markQuiesced(context: Advancing): Promise<number> {
  const changing = (await inFlight(context.database.db)).filter((one) => one.busy === (one.quiescedAt !== null));
  let quiesced = 0;
  for (const one of changing) {
    quiesced += await inTransaction(context, async (tx) => {
      // Rows before dispatch locks, as every command takes them; the other way round two of them wait for each other.
      await tx.execute(sql`select from occurrence where id = ${one.occurrenceId} for update`);
      // Flush the claims under way: one that decided before the start may not have committed yet.
      await lockDispatch(tx, await holdIntegrations(tx, one.holdId));
      const again = (await inFlight(tx, one))[0];
      if (again === undefined || again.busy !== (again.quiescedAt !== null)) return 0;
      const now = await readNow(tx);
      await tx.execute(sql`update occurrence set quiesced_at = ${again.busy ? null : now}::timestamptz where id = ${one.occurrenceId}`);
      await appendEvents(tx, [
        {
          kind: again.busy ? "window.unquiesced" : "window.quiesced",
          subjectKind: "window",
          subjectKey: one.key,
          payload: { localStart: one.localStart, at: payloadInstant(now) },
        },
      ]);
      return again.busy ? 0 : 1;
    });
  }
  return quiesced;
}

/** Releases what has reached its end: the occurrences of windows and the pauses "until T". */
async function releaseExpired(context: Advancing): Promise<number> {
  const due = await context.database.db.execute<{ id: number }>(sql`
    select id from hold where released_at is null and expires_at <= app_now() order by expires_at, id limit 1000`);
  let released = 0;
  for (const one of due) {
    released += await inTransaction(context, async (tx) => {
      // Locked and read again: somebody may have extended or ended it meanwhile.
      await tx.execute(sql`select from occurrence where id = (select occurrence_id from hold where id = ${one.id}) for update`);
      const still = await tx.execute<{ id: number }>(sql`
        select id from hold where id = ${one.id} and released_at is null and expires_at <= app_now() for update`);
      if (still.length === 0) return 0;
      const now = await readNow(tx);
      await lockDispatch(tx, await releaseHold(tx, { holdId: one.id, actor: systemActor, reason: "its end was reached", now }));
      return 1;
    });
  }
  return released;
}

/** Runs that one transaction gives to other holds; more follow in the next. */
const maxKeptOn = 1_000;

/**
 * Held runs whose holds have all ended while others cover them are held by these from now on. The ended ones stay listed as the record. Answers
 * how many runs changed their holds.
 */
async function keepOnHeld(context: Advancing): Promise<number> {
  if ((await leftAlone(context.database.db, sql`limit 1`)).length === 0) return 0;
  for (let kept = 0; ;) {
    const batch = await inTransaction(context, async (tx) => {
      const runs = await leftAlone(tx, sql`limit ${maxKeptOn} for update of r skip locked`);
      await giveToHolds(tx, runs);
      return runs.length;
    });
    kept += batch;
    if (batch < maxKeptOn) return kept;
  }
}

interface LeftAlone {
  readonly [column: string]: unknown;
  readonly id: string;
  readonly dueAt: number;
  readonly dueCount: number;
  /** The holds that cover it now, none of which it lists. */
  readonly heldBy: readonly number[];
  readonly job: string | null;
  readonly integrationKey: string;
}

function leftAlone(tx: Tx, which: SQL): Promise<readonly LeftAlone[]> {
  return tx.execute<LeftAlone>(sql`
    with cover as materialized (
      select m.integration_id, array_agg(m.hold_id) as holds
      from hold_member as m cross join control as c
      where ${holdsNow} and m.integration_id in (select integration_id from run where state = 'held')
      group by m.integration_id
    )
    select r.id, r.due_at as "dueAt", r.due_count as "dueCount", j.key as job, i.key as "integrationKey",
      array(select unnest(cover.holds) except select unnest(r.passes_holds) order by 1) as "heldBy"
    from run as r join cover on cover.integration_id = r.integration_id join integration as i on i.id = r.integration_id left join job as j on j.id = r.job_id
    where r.state = 'held' and not (r.held_by && cover.holds) and (r.passes_holds is null or not (cover.holds <@ r.passes_holds))
    order by r.due_at, r.id ${which}`);
}

async function giveToHolds(tx: Tx, runs: readonly LeftAlone[]): Promise<void> {
  const first = runs[0];
  const last = runs.at(-1);
  if (first === undefined || last === undefined) return;
  const rows = JSON.stringify(runs.map(({ id, dueAt, heldBy }) => ({ id, due_at: payloadInstant(dueAt), holds: heldBy })));
  await tx.execute(sql`
    update run as r set held_by = r.held_by || array(select jsonb_array_elements_text(k.holds)::bigint)
    from jsonb_to_recordset(${rows}::text::jsonb) as k(id uuid, due_at timestamptz, holds jsonb)
    where r.id = k.id and r.due_at = k.due_at and r.due_at between ${first.dueAt}::timestamptz and ${last.dueAt}::timestamptz`);
  await appendEvents(
    tx,
    runs.map(({ id, integrationKey, job, dueAt, dueCount, heldBy }) => ({
      kind: "run.held",
      subjectKind: "run",
      subjectKey: id,
      integrationKey,
      payload: { job, dueAt: payloadInstant(dueAt), dueCount, heldBy },
    })),
  );
}

/** Closes released occurrences that hold no run any more; one that another hold keeps now waits for that, not for them. */
function closeReleased(context: Advancing): Promise<number> {
  return inTransaction(context, async (tx) => {
    const closed = await tx.execute<{ key: string; localStart: string }>(sql`
      update occurrence as o set closed_at = app_now()
      from maintenance_window as w, hold as h
      where w.id = o.window_id and h.occurrence_id = o.id and o.released_at is not null and o.closed_at is null
        and not exists (
          select from hold_member as m join run as r on r.integration_id = m.integration_id and r.state = 'held'
          where m.hold_id = h.id and h.id = any (r.held_by)
            and not exists (
              select from hold_member as m cross join control as c where m.integration_id = r.integration_id and ${holdsRun}))
      returning w.key, o.local_start as "localStart"`);
    await appendEvents(
      tx,
      closed.map((one) => ({ kind: "window.closed", subjectKind: "window", subjectKey: one.key, payload: { localStart: one.localStart } })),
    );
    return closed.length;
  });
}
