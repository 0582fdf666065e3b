import type { RunState } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { clock } from "../clock.js";
import { readNow } from "../command.js";
import type { Database } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { encodeCursor } from "../events/event-log.js";
import { type FreezeConflict, openFreezeConflicts } from "../windows/freeze-store.js";
import { holdsNow } from "./active-holds.js";
import { type Failing, failing } from "./failing.js";
import { readOpenSince } from "./open-since.js";

/** The state of everything in a few numbers, with the cursor of the same snapshot. */
export interface StatusSummary {
  readonly cursor: string;
  readonly at: number;
  readonly mode: "enforce" | "observe";
  readonly integrations: number;
  readonly heldIntegrations: number;
  readonly activeHoldIds: readonly number[];
  readonly nextOccurrenceId: number | null;
  readonly resumingIds: readonly number[];
  readonly freezeConflicts: readonly FreezeConflict[];
  readonly runsByState: { readonly [state in RunState]?: number };
  readonly recentRunIds: readonly string[];
  readonly failing: Failing;
}

type Counts = StatusSummary["runsByState"];

/** Everybody who looks within this time sees the same summary: it costs the database once. */
const SHARED_FOR_MS = 500;
/** A day of finished runs is much to count, and changes little from one look to the next. */
const FINISHED_FOR_MS = 30_000;
/** The last run of every job: with 10,000 of them not for every look. */
const FAILING_FOR_MS = 2_000;
const dayMs = 86_400_000;
const shared = new WeakMap<Database, Known<StatusSummary>>();
const finished = new WeakMap<Database, Known<Counts>>();
const failures = new WeakMap<Database, Known<Failing>>();

interface Known<T> {
  readonly at: number;
  readonly value: Promise<T>;
}

/** The summary of now, or of half a second ago; what has finished is counted every half minute. `at`: monotonic milliseconds. */
export function statusSummary(database: Database, at = clock.monotonicMs()): Promise<StatusSummary> {
  return known(shared, { database, at, forMs: SHARED_FOR_MS, read: () => readSummary(database, at) });
}

function known<T>(
  cache: WeakMap<Database, Known<T>>,
  input: { readonly database: Database; readonly at: number; readonly forMs: number; readonly read: () => Promise<T> },
): Promise<T> {
  const { database, at } = input;
  const before = cache.get(database);
  if (before !== undefined && at - before.at < input.forMs) return before.value;
  const now = { at, value: input.read() };
  cache.set(database, now);
  now.value.catch(() => {
    if (cache.get(database) === now) cache.delete(database);
  });
  return now.value;
}

/** Due times of the last 24 hours by the state in which they ended. */
async function countFinished(database: Database): Promise<Counts> {
  const now = await readNow(database.db);
  const rows = await selectRows<{ readonly state: RunState; readonly n: number }>(
    database.db,
    sql`
    select r.state, sum(r.due_count)::int as n from run as r
    where r.due_at > ${now - dayMs}::timestamptz and r.due_at <= ${now}::timestamptz and r.state not in ('queued', 'held', 'running')
    group by r.state`,
  );
  return Object.fromEntries(rows.map(({ state, n }) => [state, n]));
}

async function readSummary(database: Database, monotonicMs: number): Promise<StatusSummary> {
  const ended = await known(finished, { database, at: monotonicMs, forMs: FINISHED_FOR_MS, read: () => countFinished(database) });
  const since = await readOpenSince(database.db);
  const yesterday = (await readNow(database.db)) - dayMs;
  const [row] = await selectRows<
    Omit<StatusSummary, "cursor" | "freezeConflicts" | "failing"> & { readonly epoch: string; readonly position: number }
  >(
    database.db,
    sql`
    with clock as (select app_now() as now)
    select clock.now as at, c.mode, c.event_epoch::text as epoch, e.last_position::float8 as position,
      (select count(*)::int from integration) as integrations,
      (select count(distinct m.integration_id)::int from hold_member as m
        where ${holdsNow}) as "heldIntegrations",
      (select coalesce(jsonb_agg(h.id order by h.begins_at, h.id), '[]') from (
        select id, begins_at from hold where released_at is null and begins_at <= clock.now order by begins_at, id limit 50) as h) as "activeHoldIds",
      (select o.id from occurrence as o where o.starts_at > clock.now and o.closed_at is null and o.cancelled_at is null order by o.starts_at limit 1) as "nextOccurrenceId",
      (select coalesce(jsonb_agg(o.id order by o.released_at, o.id), '[]') from (
        select q.id, q.released_at from occurrence as q where q.released_at is not null and q.reheld_at is null and q.closed_at is null and q.cancelled_at is null
        order by q.released_at, q.id limit 20) as o) as "resumingIds",
      (select coalesce(jsonb_object_agg(counted.state, counted.n), '{}') from (
        -- Each from its partial index. Due times ahead have their rows already and are not due.
        select 'queued' as state, sum(r.due_count)::int as n from run as r where r.state = 'queued' and r.due_at >= ${since}::timestamptz and r.due_at <= clock.now
        union all select 'held', sum(r.due_count)::int from run as r where r.state = 'held' and r.due_at >= ${since}::timestamptz
        union all select 'running', sum(r.due_count)::int from run as r where r.state = 'running' and r.due_at >= ${since}::timestamptz) as counted
        where counted.n > 0) as "runsByState",
      (select coalesce(jsonb_agg(recent.id), '[]') from (
        select r.id from run as r where r.due_at > ${yesterday}::timestamptz and r.due_at <= clock.now and r.started_at is not null
        order by r.due_at desc, r.id desc limit 10) as recent) as "recentRunIds"
    from clock, control as c, event_head as e`,
  );
  if (row === undefined) throw new Error("control or event_head has no row.");
  const { epoch, position, runsByState, ...summary } = row;
  return {
    ...summary,
    freezeConflicts: await openFreezeConflicts(database.db),
    failing: await known(failures, { database, at: monotonicMs, forMs: FAILING_FOR_MS, read: () => failing(database) }),
    runsByState: { ...ended, ...runsByState },
    cursor: encodeCursor({ epoch, position }),
  };
}
