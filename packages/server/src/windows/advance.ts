import { sql } from "drizzle-orm";
import { inTransaction, readNow } from "../command.js";
import type { Database, Tx } from "../db/client.js";
import { appendEvents, payloadInstant } from "../events/append-events.js";
import { keepOnHeld, settleMembers } from "../runs/keep-on-held.js";
import { advanceCanaries } from "./advance-canaries.js";
import { announceOpened } from "./announce-opened.js";
import { lockDispatch } from "./locks.js";
import { closeReleased, releaseExpired, releaseReady } from "./release-ended.js";
import { holdIntegrations } from "./store.js";
import { readOpenSince } from "../runs/open-since.js";

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
 * Brings every occurrence and hold to the state that the stored facts and the time imply: opened, quiesced, waiting for its
 * systems, released, trying first runs, closed. It may be called
 * at any moment, by any server, as often as one likes; nothing is lost when it is late, because the claim asks the holds and not this.
 */
export async function advanceWindows(context: Advancing): Promise<AdvanceResult> {
  const opened = await inTransaction(context, (tx) => announceOpened(tx));
  const quiesced = await markQuiesced(context);
  const released = (await releaseExpired(context)) + (await releaseReady(context));
  await advanceCanaries(context);
  const keptOn = await keepOnHeld(context);
  await settleMembers(context);
  const closed = await closeReleased(context);
  return { opened, quiesced, released, keptOn, closed };
}

/**
 * Begun, enforced, unreleased occurrences (or the one of them) with whether anything is in flight, or may be at any moment because the whole
 * deployment only observes, on the integrations they cover.
 */
async function inFlight(tx: Tx, only: { readonly occurrenceId?: number } = {}) {
  const since = await readOpenSince(tx);
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
          and r.due_at >= ${since}::timestamptz
        where m.hold_id = h.id and m.released_at is null)
        -- An order to run through it is as good as a run: nobody is told that the system is quiet meanwhile.
        or exists (select from hold_member as m join run as r on r.integration_id = m.integration_id and r.state = 'queued' and r.trigger = 'break-glass'
          and r.due_at >= ${since}::timestamptz
          where m.hold_id = h.id and m.released_at is null and h.id = any (r.passes_holds)) as busy
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
      await tx.execute(
        sql`update occurrence set quiesced_at = ${again.busy ? null : now}::timestamptz, drained_at = coalesce(drained_at, ${again.busy ? null : now}::timestamptz) where id = ${one.occurrenceId}`,
      );
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
