import type { ApprovalState } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { inTransaction } from "../command.js";
import type { Database } from "../db/client.js";
import { appendEvents, payloadInstant } from "../events/append-events.js";
import { isUnapproved } from "./approval-sql.js";

/** When it is told, by the number that the occurrence remembers. */
const stages = { 1: "a-day-before", 2: "an-hour-before", 3: "at-its-start" } as const;

/**
 * Says of every coming occurrence that nobody has approved that it will hold nothing: a day before its start, an hour before, and at it. Each once,
 * however often and on however many servers this is called; one that was late says the latest. What is over is closed: it held nothing.
 */
export function tellUnapproved(context: { readonly database: Database }): Promise<{ readonly told: number; readonly closed: number }> {
  return inTransaction(context, async (tx) => {
    const told = await tx.execute<{
      key: string;
      title: string;
      owner: string;
      localStart: string;
      startsAt: number;
      stage: keyof typeof stages;
      state: ApprovalState;
    }>(sql`
      update occurrence as o set unapproved_told = due.stage
      from maintenance_window as w, (
        select x.id, case when x.starts_at <= app_now() then 3 when x.starts_at <= app_now() + interval '1 hour' then 2 else 1 end as stage
        from occurrence as x
        where x.starts_at <= app_now() + interval '24 hours' and x.ends_at > app_now() and x.closed_at is null and x.cancelled_at is null) as due
      where due.id = o.id and w.id = o.window_id and w.cancelled_at is null and o.unapproved_told < due.stage and ${isUnapproved}
      returning w.key, w.title, w.owner, o.local_start as "localStart", o.starts_at as "startsAt", o.unapproved_told as stage, w.approval ->> 'state' as state`);
    await appendEvents(
      tx,
      told.map(({ key, startsAt, stage, ...payload }) => ({
        kind: "window.unapproved",
        subjectKind: "window",
        subjectKey: key,
        payload: { ...payload, startsAt: payloadInstant(startsAt), when: stages[stage] },
      })),
    );
    const closed = await tx.execute(sql`
      update occurrence as o set closed_at = app_now() from maintenance_window as w
      where w.id = o.window_id and o.ends_at <= app_now() and o.closed_at is null and o.cancelled_at is null and ${isUnapproved}
      returning o.id`);
    return { told: told.length, closed: closed.length };
  });
}
