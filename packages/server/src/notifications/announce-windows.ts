import { announceLeadMs, maxNamedIntegrations } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { inTransaction } from "../command.js";
import type { Database, Tx } from "../db/client.js";
import { appendEvents, type NewEvent, payloadInstant } from "../events/append-events.js";
import { mayHold } from "../windows/approval-sql.js";

/** Occurrences of one transaction; what is left comes with the next pass. */
const maxAtOnce = 500;

/**
 * Announces what will be held: every occurrence once, a day before its start or as soon as it is there; again when its times change, and that it does
 * not take place when it was announced and is gone. It follows from the occurrences and from what was announced, so it may be called at any moment,
 * on any server. Answers how many it told.
 */
export function announceWindows(context: { readonly database: Database }): Promise<number> {
  return inTransaction(context, async (tx) => {
    const events = [...(await announced(tx)), ...(await retracted(tx))];
    await appendEvents(tx, events);
    return events.length;
  });
}

type Times = { readonly startsAt: number; readonly endsAt: number };

async function announced(tx: Tx): Promise<readonly NewEvent[]> {
  const covered = sql`hold_member as m join integration as i on i.id = m.integration_id where m.hold_id = due.hold_id and m.released_at is null`;
  const rows = await tx.execute<
    { key: string; localStart: string; toldStart: number | null; toldEnd: number | null; isTold: boolean; hasBegun: boolean } & Times
  >(sql`
    with due as (
      select o.window_id, w.key, o.local_start, o.local_end, o.starts_at, o.ends_at, h.id as hold_id, o.starts_at <= app_now() as has_begun,
        a.starts_at as told_start, a.ends_at as told_end, a.window_id is not null and a.retracted_at is null as is_told
      from occurrence as o join maintenance_window as w on w.id = o.window_id left join hold as h on h.occurrence_id = o.id
      left join announcement as a on a.window_id = o.window_id and a.local_start = o.local_start
      where o.cancelled_at is null and o.closed_at is null and o.released_at is null and w.cancelled_at is null and h.released_at is null
        and ${mayHold} and o.ends_at > app_now()
        and (o.starts_at <= app_now() + ${announceLeadMs}::float8 * interval '1 millisecond' or (a.window_id is not null and a.retracted_at is null))
        and (a.window_id is null or a.retracted_at is not null or a.starts_at <> o.starts_at or a.ends_at <> o.ends_at)
      order by o.starts_at, o.id limit ${maxAtOnce}
    ), written as (
      insert into announcement (window_id, local_start, local_end, starts_at, ends_at, teams, integrations, integration_count)
      select due.window_id, due.local_start, due.local_end, due.starts_at, due.ends_at,
        array(select distinct i.owner_team from ${covered} and i.owner_team is not null),
        array(select i.key from ${covered} order by i.key limit ${maxNamedIntegrations}),
        (select count(*)::integer from ${covered})
      from due
      on conflict (window_id, local_start) do update set local_end = excluded.local_end, starts_at = excluded.starts_at, ends_at = excluded.ends_at,
        teams = excluded.teams, integrations = excluded.integrations, integration_count = excluded.integration_count, retracted_at = null
      -- Another server may just have told it.
      where (announcement.starts_at, announcement.ends_at) <> (excluded.starts_at, excluded.ends_at) or announcement.retracted_at is not null
      returning window_id, local_start
    )
    select due.key, due.local_start as "localStart", due.starts_at as "startsAt", due.ends_at as "endsAt",
      due.told_start as "toldStart", due.told_end as "toldEnd", due.is_told as "isTold", due.has_begun as "hasBegun"
    from due join written on written.window_id = due.window_id and written.local_start = due.local_start
    order by due.starts_at, due.key`);
  return rows.flatMap((row) => {
    const { key, localStart, toldStart, toldEnd, ...times } = row;
    const payload = { localStart, ...timesOf(times) };
    const subject = { subjectKind: "window", subjectKey: key } as const;
    if (row.isTold && toldStart !== null && toldEnd !== null)
      return [{ ...subject, kind: "window.replanned", payload: { ...payload, before: timesOf({ startsAt: toldStart, endsAt: toldEnd }) } }];
    // That it begins is told by its beginning.
    return row.hasBegun ? [] : [{ ...subject, kind: "window.announced", payload }];
  });
}

/** What was announced and will not be held: cancelled, gone from its series, or no longer approved. What has begun ends by its release. */
async function retracted(tx: Tx): Promise<readonly NewEvent[]> {
  const rows = await tx.execute<{ key: string; localStart: string } & Times>(sql`
    update announcement as a set retracted_at = app_now() from maintenance_window as v
    where v.id = a.window_id and a.retracted_at is null and a.ends_at > app_now()
      and not exists (select from occurrence as o join maintenance_window as w on w.id = o.window_id
        where o.window_id = a.window_id and o.local_start = a.local_start
          and (o.started_at is not null or (o.cancelled_at is null and w.cancelled_at is null and ${mayHold})))
    returning v.key, a.local_start as "localStart", a.starts_at as "startsAt", a.ends_at as "endsAt"`);
  return rows.map(({ key, localStart, ...times }) => ({
    kind: "window.retracted",
    subjectKind: "window",
    subjectKey: key,
    payload: { localStart, ...timesOf(times) },
  }));
}

function timesOf({ startsAt, endsAt }: Times) {
  return { startsAt: payloadInstant(startsAt), endsAt: payloadInstant(endsAt) };
}
