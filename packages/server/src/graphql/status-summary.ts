import type { RunState } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { clock } from "../clock.js";
import type { Database } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { encodeCursor } from "../events/event-log.js";

/** The state of everything in a few numbers, with the cursor of the same snapshot. */
export interface StatusSummary {
  readonly cursor: string;
  readonly at: number;
  readonly mode: "enforce" | "observe";
  readonly integrations: number;
  readonly heldIntegrations: number;
  readonly activeHoldIds: readonly number[];
  readonly nextOccurrenceId: number | null;
  readonly runsByState: { readonly [state in RunState]?: number };
  readonly recentRunIds: readonly string[];
}

/** Everybody who looks within this time sees the same summary: it costs the database once. */
const SHARED_FOR_MS = 500;
const shared = new WeakMap<Database, { readonly at: number; readonly summary: Promise<StatusSummary> }>();

/** The summary of now, or of half a second ago. */
export function statusSummary(database: Database): Promise<StatusSummary> {
  const known = shared.get(database);
  const at = clock.monotonicMs();
  if (known !== undefined && at - known.at < SHARED_FOR_MS) return known.summary;
  const summary = readSummary(database);
  shared.set(database, { at, summary });
  summary.catch(() => shared.delete(database));
  return summary;
}

async function readSummary(database: Database): Promise<StatusSummary> {
  const [row] = await selectRows<Omit<StatusSummary, "cursor"> & { readonly epoch: string; readonly position: number }>(
    database.db,
    sql`
    with clock as (select app_now() as now)
    select clock.now as at, c.mode, c.event_epoch::text as epoch, e.last_position::float8 as position,
      (select count(*)::int from integration) as integrations,
      (select count(distinct m.integration_id)::int from hold_member as m
        where m.begins_at <= clock.now and m.released_at is null and m.mode = 'enforce' and c.mode = 'enforce') as "heldIntegrations",
      (select coalesce(jsonb_agg(h.id order by h.begins_at, h.id), '[]') from (
        select id, begins_at from hold where released_at is null and begins_at <= clock.now order by begins_at, id limit 50) as h) as "activeHoldIds",
      (select o.id from occurrence as o where o.starts_at > clock.now and o.closed_at is null and o.cancelled_at is null order by o.starts_at limit 1) as "nextOccurrenceId",
      (select coalesce(jsonb_object_agg(counted.state, counted.n), '{}') from (
        select r.state, sum(r.due_count)::int as n from run as r
        where (r.due_at > clock.now - interval '24 hours' and r.due_at <= clock.now) or r.state = 'running'
        group by r.state) as counted) as "runsByState",
      (select coalesce(jsonb_agg(recent.id), '[]') from (
        select r.id from run as r where r.due_at > clock.now - interval '24 hours' and r.due_at <= clock.now and r.started_at is not null
        order by r.due_at desc, r.id desc limit 10) as recent) as "recentRunIds"
    from clock, control as c, event_head as e`,
  );
  if (row === undefined) throw new Error("control or event_head has no row.");
  const { epoch, position, ...summary } = row;
  return { ...summary, cursor: encodeCursor({ epoch, position }) };
}
