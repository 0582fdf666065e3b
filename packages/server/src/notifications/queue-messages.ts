import { isTold, maxNamedIntegrations, occurrenceState, windowMessage, type OccurrenceFacts, type WindowMode } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { isUnapproved } from "../windows/approval-sql.js";
import { destinationOf } from "./destination.js";
import { insertMessages } from "./insert-messages.js";

/** An event of a window, as it goes into the log. */
interface WindowEvent {
  readonly kind: string;
  readonly subjectKey: string;
  readonly payload?: { readonly [name: string]: unknown };
}

interface Hook {
  readonly id: number;
  readonly team: string;
  readonly url: string;
  readonly events: readonly string[];
  readonly observe: boolean;
}

interface Told extends Omit<OccurrenceFacts, "startsAt" | "endsAt"> {
  readonly n: number;
  readonly at: number;
  readonly windowId: number;
  readonly key: string;
  readonly title: string;
  readonly windowKind: string;
  readonly owner: string;
  readonly reason: string;
  readonly timeZone: string;
  readonly localStart: string | null;
  readonly localEnd: string | null;
  readonly startsAt: number | null;
  readonly endsAt: number | null;
  readonly integrations: readonly string[];
  readonly integrationCount: number;
  readonly hooks: readonly Hook[];
}

/**
 * Writes what the owner teams of windows and of the integrations they cover are to be told of events, in the transaction of these events: a message
 * exists exactly when its fact does. Nothing is sent here.
 */
export async function queueMessages(tx: Tx, events: readonly WindowEvent[]): Promise<void> {
  if (events.length === 0) return;
  const messages = (await toldOf(tx, events)).flatMap((told) => {
    const event = events[told.n];
    if (event === undefined) return [];
    const { kind, payload = {} } = event;
    return told.hooks
      .filter((hook) => isTold(hook, { kind, observing: told.mode === "observe" }))
      .map((hook) => ({
        kind,
        webhook_id: hook.id,
        team: hook.team,
        destination: destinationOf(hook.url),
        thing: `${told.windowId}/${told.localStart ?? ""}`,
        payload: messageOf(kind, told, payload),
      }));
  });
  await insertMessages(tx, messages);
}

function messageOf(kind: string, told: Told, event: { readonly [name: string]: unknown }) {
  const { at, key, title, windowKind, mode, owner, reason, localStart, localEnd, timeZone, startsAt, endsAt } = told;
  const isKnown = localStart !== null && startsAt !== null && endsAt !== null;
  return windowMessage({
    kind,
    at,
    window: { key, title, kind: windowKind, mode, owner, reason },
    occurrence: isKnown
      ? {
          localStart,
          localEnd: localEnd ?? localStart,
          timeZone,
          startsAt,
          endsAt,
          state: occurrenceState({ ...told, startsAt, endsAt }, at),
        }
      : null,
    integrations: told.integrations,
    integrationCount: told.integrationCount,
    event,
  });
}

/** Facts and receivers of each event; none when nobody is told anything. What is called off is known by its announcement alone. */
function toldOf(tx: Tx, events: readonly WindowEvent[]): Promise<readonly Told[]> {
  const rows = events.map(({ subjectKey, payload }, n) => ({ n, key: subjectKey, local_start: payload?.["localStart"] ?? null }));
  const covered = sql`m.hold_id = h.id and (m.released_at is null or h.released_at is not null)`;
  return selectRows<Told & { readonly mode: WindowMode }>(
    tx,
    sql`
    select e.n, app_now() as at, w.id as "windowId", w.key, w.title, w.kind as "windowKind", w.owner, w.reason, w.series ->> 'timeZone' as "timeZone",
      case when c.mode = 'observe' then 'observe' else coalesce(h.mode, w.mode) end as mode, (o.id is null or not ${isUnapproved}) as approved,
      coalesce(o.local_start, a.local_start) as "localStart", coalesce(o.local_end, a.local_end) as "localEnd",
      coalesce(o.starts_at, a.starts_at) as "startsAt", coalesce(o.ends_at, a.ends_at) as "endsAt",
      o.quiesced_at as "quiescedAt", o.verifying_at as "verifyingAt", o.overrun_at as "overrunAt", o.released_at as "releasedAt",
      o.reheld_at as "reheldAt", o.closed_at as "closedAt",
      case when o.id is null then coalesce(a.retracted_at, w.cancelled_at) else o.cancelled_at end as "cancelledAt",
      case when h.id is null then coalesce(a.integrations, '{}') else array(
        select i.key from hold_member as m join integration as i on i.id = m.integration_id where ${covered} order by i.key limit ${maxNamedIntegrations}) end as integrations,
      case when h.id is null then coalesce(a.integration_count, 0)
        else (select count(*)::integer from hold_member as m where ${covered}) end as "integrationCount",
      (select coalesce(jsonb_agg(jsonb_build_object('id', k.id, 'team', t.key, 'url', k.url, 'events', k.events, 'observe', k.observe) order by k.id), '[]')
        from team_webhook as k join team as t on t.id = k.team_id
        where k.disabled_at is null and (t.key = w.owner or (h.id is null and t.key = any (a.teams))
          or exists (select from hold_member as m join integration as i on i.id = m.integration_id where ${covered} and i.owner_team = t.key))) as hooks
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as e(n integer, key text, local_start text)
    cross join lateral (
      select v.* from maintenance_window as v where v.key = e.key order by v.cancelled_at is null desc, v.id desc limit 1) as w
    cross join control as c
    left join occurrence as o on o.window_id = w.id and o.local_start = e.local_start
    left join hold as h on h.occurrence_id = o.id
    left join announcement as a on a.window_id = w.id and a.local_start = e.local_start
    where exists (select from team_webhook where disabled_at is null)
    order by e.n`,
  );
}
