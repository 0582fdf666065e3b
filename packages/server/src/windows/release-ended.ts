import { sql } from "drizzle-orm";
import { inTransaction, readNow, systemActor } from "../command.js";
import type { Database } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";
import { lockDispatch } from "./locks.js";
import { reconcileAfterWindows } from "../reconciliation/after-window.js";
import { announceOverrun, endHold, goOnReady, readyOccurrences } from "./readiness.js";

interface Releasing {
  readonly database: Database;
}

/** Ends what has reached its end: the occurrences of windows, which may have to ask their systems first, and the pauses "until T". */
export async function releaseExpired(context: Releasing): Promise<number> {
  const due = await context.database.db.execute<{ id: number; occurrenceId: number | null }>(sql`
    select h.id, h.occurrence_id as "occurrenceId" from hold as h left join occurrence as o on o.id = h.occurrence_id
    where h.released_at is null and h.expires_at <= app_now() and o.verifying_at is null order by h.expires_at, h.id limit 1000`);
  let released = 0;
  for (const one of due) {
    released += await inTransaction(context, async (tx) => {
      // Locked and read again: somebody may have extended or ended it meanwhile. What is locked is in the hands of another server, or of a command
      // after which the next pass looks: to wait for each in turn made two servers slower than one.
      const mine = await tx.execute(sql`select from occurrence where id = ${one.occurrenceId}::bigint for update skip locked`);
      if (one.occurrenceId !== null && mine.length === 0) return 0;
      const still = await tx.execute<{ id: number }>(sql`
        select h.id from hold as h left join occurrence as o on o.id = h.occurrence_id
        where h.id = ${one.id} and h.released_at is null and h.expires_at <= app_now() and o.verifying_at is null for update of h`);
      if (still.length === 0) return 0;
      const now = await readNow(tx);
      await lockDispatch(tx, await endHold(tx, { holdId: one.id, actor: systemActor, reason: "its end was reached", now }));
      return 1;
    });
  }
  return released;
}

/** Goes on with the occurrences whose systems are ready, and says of those that wait for too long that they are overrun. */
export async function releaseReady(context: Releasing): Promise<number> {
  let released = 0;
  for (const one of await readyOccurrences(context.database.db)) {
    released += await inTransaction(context, async (tx) => {
      await tx.execute(sql`select from occurrence where id = ${one.occurrenceId} for update`);
      await tx.execute(sql`select from hold where id = ${one.holdId} for update`);
      const still = (await readyOccurrences(tx, sql`and o.id = ${one.occurrenceId}`))[0];
      if (still === undefined) return 0;
      await lockDispatch(tx, await goOnReady(tx, still));
      return 1;
    });
  }
  await inTransaction(context, (tx) => announceOverrun(tx));
  return released;
}

/**
 * Closes released occurrences: none of their first runs is tried, no run waits to be let go, and their ramp is over. What another hold keeps now
 * waits for that, not for them.
 */
export function closeReleased(context: Releasing): Promise<number> {
  return inTransaction(context, async (tx) => {
    const closed = await tx.execute<{ id: number; key: string; localStart: string }>(sql`
      update occurrence as o set closed_at = app_now()
      from maintenance_window as w
      where w.id = o.window_id and o.released_at is not null and o.closed_at is null
        and not exists (select from hold as h where h.canary_of = o.id and h.released_at is null)
        and not exists (
          select from hold as h join hold_member as m on m.hold_id = h.id and m.released_at is not null and m.settled_at is null
          where h.occurrence_id = o.id or h.canary_of = o.id)
        and not exists (
          select from hold as h join resume_batch as b on b.hold_id = h.id
          where (h.occurrence_id = o.id or h.canary_of = o.id) and b.last_at > app_now())
        and exists (select from hold as h where h.occurrence_id = o.id)
      returning o.id::float8 as id, w.key, o.local_start as "localStart"`);
    await reconcileAfterWindows(
      tx,
      closed.map((one) => one.id),
    );
    await appendEvents(
      tx,
      closed.map((one) => ({ kind: "window.closed", subjectKind: "window", subjectKey: one.key, payload: { localStart: one.localStart } })),
    );
    return closed.length;
  });
}
