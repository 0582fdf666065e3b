import { type Interval, mergeIntervals, windowKindEffects, windowKinds } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { groupRows } from "../db/group-rows.js";
import { selectRows } from "../db/select-rows.js";
import { integers, texts } from "../db/sql-arrays.js";
import type { Period } from "./kpi-scope.js";

/** Kinds of windows in which nobody is told of what goes wrong. */
const kinds = windowKinds.filter((kind) => windowKindEffects[kind].mutesAlerts);

/**
 * Time in which a window was really over integrations, by itself or through what they depend on: to its end, also when it ran over, whatever was agreed. In it
 * figures are neither judged nor learned.
 */
export async function readCoveredTime(
  tx: Tx,
  of: { readonly integrationIds: readonly number[]; readonly period: Period },
): Promise<ReadonlyMap<number, readonly Interval[]>> {
  const rows = await selectRows<{ integrationId: number; start: number; end: number }>(
    tx,
    sql`
    select m.integration_id as "integrationId", o.starts_at as start, least(o.ends_at, coalesce(o.released_at, o.ends_at)) as "end"
    from hold_member as m join hold as h on h.id = m.hold_id join occurrence as o on o.id = h.occurrence_id
    join maintenance_window as w on w.id = o.window_id
    where m.integration_id = any (${integers(of.integrationIds)}) and w.kind = any (${texts(kinds)}) and h.mode = 'enforce' and o.cancelled_at is null
      and o.starts_at < ${of.period.end}::timestamptz and o.ends_at > ${of.period.start}::timestamptz
      and (o.released_at is null or o.released_at > o.starts_at)`,
  );
  return new Map([...groupRows(rows, ({ integrationId }) => integrationId)].map(([id, list]) => [id, mergeIntervals(list)]));
}
