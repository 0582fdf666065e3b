import { type Occurrence, occurrences, type ZoneData } from "@quiesce/core";
import { and, inArray, isNull, sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { formatInstant } from "../db/instant-text.js";
import { holdHorizonMs } from "../windows/expand.js";
import { applyMembership } from "../windows/membership.js";
import { withMovedOccurrences } from "../windows/moved-occurrences.js";
import { evaluatedSeries } from "../windows/planning-store.js";
import { insertOccurrenceHolds, insertOccurrences, loadCatalogFacts } from "../windows/store.js";
import { maintenanceWindow, type WindowRow } from "../windows/table.js";

/** No zone data move a local time further than this. */
const LARGEST_MOVE_MS = 2 * 86_400_000;

/** An occurrence that other zone data moved; instants in epoch milliseconds. */
export interface MovedOccurrence {
  readonly window: string;
  readonly localStart: string;
  readonly timeZone: string;
  readonly before: { readonly startsAt: number; readonly endsAt: number };
  readonly after: { readonly startsAt: number; readonly endsAt: number };
}

interface Ahead {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly localStart: string;
}

/**
 * Computes again what has not begun yet of every window in these zones. An occurrence keeps its identity, its overrides and its hold; what is
 * between start and release keeps its instants too. Answers what moved, by start. Call it under the catalogue lock, and take the dispatch locks of
 * all before the commit.
 */
export async function recompileWindows(
  tx: Tx,
  input: { readonly timeZones: readonly string[]; readonly zones: ZoneData; readonly now: number },
): Promise<readonly MovedOccurrence[]> {
  const { zones, now } = input;
  const windows = await tx
    .select()
    .from(maintenanceWindow)
    .where(and(isNull(maintenanceWindow.cancelledAt), inArray(sql`${maintenanceWindow.series} ->> 'timeZone'`, [...input.timeZones])))
    .orderBy(maintenanceWindow.id)
    .for("update");
  const moved: MovedOccurrence[] = [];
  for (const window of windows) moved.push(...(await recompileWindow(tx, { window, zones, now })));
  const holds = await insertOccurrenceHolds(tx, { until: now + holdHorizonMs, now });
  await applyMembership(tx, { facts: await loadCatalogFacts(tx), holds });
  return moved.toSorted((a, b) => a.after.startsAt - b.after.startsAt);
}

async function recompileWindow(
  tx: Tx,
  input: { readonly window: WindowRow; readonly zones: ZoneData; readonly now: number },
): Promise<readonly MovedOccurrence[]> {
  const { window, zones, now } = input;
  const series = await evaluatedSeries(tx, window.series);
  const found = occurrences(series, { from: now - LARGEST_MOVE_MS, to: window.expandedUntil + LARGEST_MOVE_MS }, zones);
  const ahead = await tx.execute<Ahead>(sql`
    select id, local_start as "localStart" from occurrence
    where window_id = ${window.id} and starts_at > ${now}::timestamptz and started_at is null and closed_at is null
    order by id for update`);
  const real = await withMovedOccurrences(tx, { window, series, found, zones });
  const byLocalStart = new Map(real.map(({ one }) => [one.localStart, one]));
  const moved = await moveOccurrences(tx, { window, zones, now, ahead, byLocalStart });
  // Near the edges others come in: what lay beyond the horizon, and a local time that the old data let pass before the window was made.
  await insertOccurrences(tx, {
    window,
    zoneDataVersion: zones.version,
    occurrences: real.filter(({ startsAt }) => startsAt > now && startsAt < window.expandedUntil).map(({ one }) => one),
  });
  return moved;
}

async function moveOccurrences(
  tx: Tx,
  input: {
    readonly window: WindowRow;
    readonly zones: ZoneData;
    readonly now: number;
    readonly ahead: readonly Ahead[];
    readonly byLocalStart: ReadonlyMap<string, Occurrence>;
  },
): Promise<readonly MovedOccurrence[]> {
  const { window, zones, now } = input;
  const rows = input.ahead.flatMap(({ id, localStart }) => {
    const one = input.byLocalStart.get(localStart);
    if (one === undefined) return [];
    return [{ id, starts_at: formatInstant(one.start), ends_at: formatInstant(one.end), local_end: one.localEnd, notes: one.notes }];
  });
  if (rows.length === 0) return [];
  const changed = await tx.execute<{
    id: number;
    localStart: string;
    oldStart: number;
    oldEnd: number;
    startsAt: number;
    endsAt: number;
    cancelled: boolean;
  }>(sql`
    with given as (
      select * from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb)
        as g(id bigint, starts_at timestamptz, ends_at timestamptz, local_end text, notes jsonb)
    ),
    was as (select o.id, o.starts_at, o.ends_at from occurrence as o join given as g on g.id = o.id)
    update occurrence as o
    set starts_at = coalesce(v.starts_at, g.starts_at), ends_at = coalesce(v.ends_at, g.ends_at), local_end = g.local_end,
      notes = array(select jsonb_array_elements_text(g.notes)), zone_data_version = ${zones.version}
    from was join given as g on g.id = was.id
      left join occurrence as named on named.id = was.id
      left join occurrence_override as v on v.window_id = named.window_id and v.local_start = named.local_start
    where o.id = was.id
    returning o.id, o.local_start as "localStart", was.starts_at as "oldStart", was.ends_at as "oldEnd", o.starts_at as "startsAt", o.ends_at as "endsAt",
      o.cancelled_at is not null as cancelled`);
  const moved = changed.filter((one) => one.startsAt !== one.oldStart || one.endsAt !== one.oldEnd);
  await moveHolds(tx, { ids: moved.map((one) => one.id), now });
  return moved
    .filter((one) => !one.cancelled)
    .map((one) => ({
      window: window.key,
      localStart: one.localStart,
      timeZone: window.series.timeZone,
      before: { startsAt: one.oldStart, endsAt: one.oldEnd },
      after: { startsAt: one.startsAt, endsAt: one.endsAt },
    }));
}

/** The holds follow their occurrences, their members the holds. What is over before it could begin is closed: it held nothing. */
async function moveHolds(tx: Tx, input: { readonly ids: readonly number[]; readonly now: number }): Promise<void> {
  if (input.ids.length === 0) return;
  const ids = sql`${sql.param(input.ids)}::bigint[]`;
  await tx.execute(sql`
    delete from hold using occurrence as o
    where o.id = hold.occurrence_id and o.id = any (${ids}) and o.ends_at <= ${input.now}::timestamptz`);
  await tx.execute(sql`
    update occurrence set closed_at = ${input.now}::timestamptz where id = any (${ids}) and ends_at <= ${input.now}::timestamptz and cancelled_at is null`);
  await tx.execute(sql`
    update hold as h set begins_at = o.starts_at, expires_at = o.ends_at
    from occurrence as o where o.id = h.occurrence_id and o.id = any (${ids}) and h.released_at is null`);
  // Nobody is covered after the fact: where the new start has passed, the cover begins now.
  await tx.execute(sql`
    update hold_member as m set begins_at = greatest(h.begins_at, ${input.now}::timestamptz)
    from hold as h where h.id = m.hold_id and h.occurrence_id = any (${ids}) and h.released_at is null and m.released_at is null`);
}
