import { type PlannedMaintenance, windowKindEffects, windowKinds } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { groupRows } from "../db/group-rows.js";
import { selectRows } from "../db/select-rows.js";
import { integers, texts } from "../db/sql-arrays.js";
import type { Period } from "./kpi-scope.js";

/** Kinds of windows whose time may leave the net figure. */
const kinds = windowKinds.filter((kind) => windowKindEffects[kind].leavesNetSla);

/**
 * Maintenance that covered integrations in a period, by itself or through what they depend on: as the holds of its occurrences did. It counts until its
 * planned end, or until it was released before.
 */
export async function readMaintenance(
  tx: Tx,
  of: { readonly integrationIds: readonly number[]; readonly period: Period },
): Promise<ReadonlyMap<number, readonly PlannedMaintenance[]>> {
  const rows = await selectRows<PlannedMaintenance & { readonly integrationId: number }>(
    tx,
    sql`
    select m.integration_id as "integrationId", w.key || ' ' || o.local_start as key, w.title, o.starts_at as start,
      least(o.planned_ends_at, o.ends_at, coalesce(o.released_at, o.ends_at)) as "end", o.known_since as "announcedAt",
      coalesce(w.approval ->> 'state', 'not-needed') as approval
    from hold_member as m join hold as h on h.id = m.hold_id join occurrence as o on o.id = h.occurrence_id
    join maintenance_window as w on w.id = o.window_id
    where m.integration_id = any (${integers(of.integrationIds)}) and w.kind = any (${texts(kinds)}) and h.mode = 'enforce' and o.cancelled_at is null
      and o.starts_at < ${of.period.end}::timestamptz and o.ends_at > ${of.period.start}::timestamptz
      and (o.released_at is null or o.released_at > o.starts_at)
    order by o.starts_at, o.id`,
  );
  const byId = groupRows(rows, ({ integrationId }) => integrationId);
  return new Map([...byId].map(([id, list]) => [id, list.map(({ integrationId: _integrationId, ...one }) => one)]));
}
