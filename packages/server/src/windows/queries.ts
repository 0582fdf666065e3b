import type {
  DrainPolicy,
  OccurrenceFacts,
  ResumePolicyInput,
  WindowApproval,
  WindowKind,
  WindowMode,
  WindowScope,
  WindowSeries,
} from "@quiesce/core";
import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../db/client.js";
import { bigints, integers, texts } from "../db/sql-arrays.js";
import { selectRows } from "../db/select-rows.js";
import { isUnapproved } from "./approval-sql.js";
import { type Page, type PageArgs, readPage, type SortKey } from "../db/read-page.js";
import { holdsRun } from "../runs/active-holds.js";
import { holdTitle } from "../runs/queries.js";
import { readOpenSince } from "../runs/open-since.js";

export interface WindowView {
  readonly id: number;
  readonly key: string;
  readonly title: string;
  readonly kind: WindowKind;
  readonly mode: WindowMode;
  readonly series: WindowSeries;
  readonly scope: WindowScope;
  readonly drain: DrainPolicy;
  readonly resume: ResumePolicyInput;
  readonly owner: string;
  readonly reason: string;
  /** null: none is needed. */
  readonly approval: WindowApproval | null;
  readonly splitFrom: number | null;
  readonly version: number;
  readonly createdBy: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly cancelledAt: number | null;
}

export interface OccurrenceView extends OccurrenceFacts {
  readonly id: number;
  readonly windowId: number;
  readonly windowKey: string;
  readonly timeZone: string;
  readonly localStart: string;
  readonly localEnd: string;
  readonly notes: string[];
  readonly startedAt: number | null;
  readonly drainDeadlineAt: number | null;
  readonly drainOverdueAt: number | null;
  /** What reconciliation found after it; null: nobody has compared. */
  readonly verified: boolean | null;
  readonly holdId: number | null;
  /** The database's time of reading: an occurrence's state follows from its facts and this. */
  readonly asOf: number;
}

type HoldKind = "window" | "manual" | "credentials" | "unready";
type HoldState = "upcoming" | "active" | "expired" | "released";

export interface HoldView {
  readonly id: number;
  readonly kind: HoldKind;
  readonly mode: WindowMode;
  readonly state: HoldState;
  readonly scope: WindowScope;
  readonly title: string;
  readonly owner: string;
  readonly reason: string;
  readonly occurrenceId: number | null;
  readonly beginsAt: number;
  readonly expiresAt: number | null;
  readonly releasedAt: number | null;
  readonly releasedBy: string | null;
  readonly releaseReason: string | null;
  readonly createdAt: number;
}

const windowColumns = sql`w.id, w.key, w.title, w.kind, w.mode, w.series, w.scope, w.drain, w.resume, w.owner, w.reason, w.approval, w.split_from as "splitFrom", w.version, w.created_by as "createdBy",
  w.created_at as "createdAt", w.updated_at as "updatedAt", w.cancelled_at as "cancelledAt"`;

/** `observe` when its hold, as it was made, or the whole deployment only observes. */
export const occurrenceMode: SQL = sql`case (select mode from control) when 'observe' then 'observe'
  else coalesce((select h.mode from hold as h where h.occurrence_id = o.id), w.mode) end`;

const occurrenceColumns = sql`o.id, o.window_id as "windowId", w.key as "windowKey", w.series ->> 'timeZone' as "timeZone", o.local_start as "localStart",
  o.local_end as "localEnd", o.starts_at as "startsAt", o.ends_at as "endsAt", o.notes, o.started_at as "startedAt", o.quiesced_at as "quiescedAt",
  o.verifying_at as "verifyingAt", o.overrun_at as "overrunAt", o.released_at as "releasedAt", o.reheld_at as "reheldAt", o.verified,
  o.closed_at as "closedAt", o.cancelled_at as "cancelledAt", (select h.id from hold as h where h.occurrence_id = o.id) as "holdId",
  o.drain_overdue_at as "drainOverdueAt",
  -- Its hold keeps the policy that stood when it was written.
  coalesce((select h.begins_at + h.drain_deadline_ms * interval '1 millisecond' from hold as h where h.occurrence_id = o.id),
    case when not exists (select from hold as h where h.occurrence_id = o.id)
      then o.starts_at + (w.drain ->> 'deadlineMinutes')::bigint * interval '1 minute' end) as "drainDeadlineAt",
  not ${isUnapproved} as approved, ${occurrenceMode} as mode,
  (select app_now()) as "asOf"`;
const occurrenceTables = sql`occurrence as o join maintenance_window as w on w.id = o.window_id`;

const holdState = sql`case when h.released_at is not null then 'released' when h.begins_at > (select app_now()) then 'upcoming'
  when h.expires_at <= (select app_now()) then 'expired' else 'active' end`;
const holdColumns = sql`h.id, h.kind, h.mode, ${holdState} as state, h.scope, ${holdTitle} as title, h.owner, h.reason, coalesce(h.occurrence_id, h.canary_of) as "occurrenceId",
  h.begins_at as "beginsAt", h.expires_at as "expiresAt", h.released_at as "releasedAt", h.released_by as "releasedBy", h.release_reason as "releaseReason",
  h.created_at as "createdAt"`;
const holdTables = sql`hold as h left join occurrence as o on o.id = h.occurrence_id left join maintenance_window as w on w.id = o.window_id`;

export function windowsByIds(database: Database, ids: readonly string[]): Promise<readonly WindowView[]> {
  return selectRows(database.db, sql`select ${windowColumns} from maintenance_window as w where w.id = any(${integers(ids)})`);
}

export async function windowByKey(database: Database, by: { readonly key: string } | { readonly id: string }): Promise<WindowView | null> {
  const condition = "key" in by ? sql`w.key = ${by.key}` : sql`w.id = any(${integers([by.id])})`;
  const [row] = await selectRows<WindowView>(
    database.db,
    sql`select ${windowColumns} from maintenance_window as w where ${condition} order by w.cancelled_at nulls first, w.id desc limit 1`,
  );
  return row ?? null;
}

export interface WindowFilter {
  readonly keys?: readonly string[] | null | undefined;
  readonly includeCancelled?: boolean | null | undefined;
  readonly search?: string | null | undefined;
}

/** A page of windows by key. */
export function windowPage(
  database: Database,
  args: PageArgs & { readonly filter?: WindowFilter | null | undefined; readonly descending?: boolean },
): Promise<Page<WindowView>> {
  const { keys, includeCancelled, search } = args.filter ?? {};
  const where: SQL[] = includeCancelled === true ? [] : [sql`w.cancelled_at is null`];
  if (Array.isArray(keys)) where.push(sql`w.key = any(${texts(keys)})`);
  if (typeof search === "string") where.push(sql`position(lower(${search}) in lower(w.key || ' ' || w.title)) > 0`);
  const byKey: SortKey<WindowView> = { column: sql`w.key`, type: "text", of: (row) => row.key };
  return readPage(database, args, {
    columns: windowColumns,
    from: sql`maintenance_window as w`,
    where,
    sort: [byKey],
    direction: args.descending === true ? "desc" : "asc",
  });
}

export function occurrencesByIds(database: Database, ids: readonly (string | number)[]): Promise<readonly OccurrenceView[]> {
  return selectRows(database.db, sql`select ${occurrenceColumns} from ${occurrenceTables} where o.id = any(${bigints(ids)})`);
}

/** Of each window the occurrence that is open, else the next one. */
export function currentOrNextOccurrences(database: Database, windowIds: readonly number[]): Promise<readonly OccurrenceView[]> {
  return selectRows(
    database.db,
    sql`
    select ${occurrenceColumns} from unnest(${integers(windowIds)}) as wanted(id) join maintenance_window as w on w.id = wanted.id
    cross join lateral (
      select * from occurrence as q where q.window_id = w.id and q.cancelled_at is null and q.closed_at is null order by q.starts_at limit 1) as o`,
  );
}

export interface OccurrenceFilter {
  readonly window?: string | null | undefined;
  readonly states?: readonly string[] | null | undefined;
  readonly from?: number | null | undefined;
  readonly to?: number | null | undefined;
}

/** The same cases as core's occurrenceState, for filtering; a test compares the two. */
export const occurrenceStateSql: SQL = sql`case when o.cancelled_at is not null then 'cancelled' when o.closed_at is not null then 'closed'
  when o.released_at is not null and o.reheld_at is null then 'resuming' when ${isUnapproved} then 'unapproved' when o.starts_at > (select app_now()) then 'scheduled'
  when ${occurrenceMode} = 'observe' then 'observing'
  when o.reheld_at is not null or o.verifying_at is not null then case when o.overrun_at is null then 'verifying' else 'overrun' end
  when o.quiesced_at is null then 'draining' else 'quiesced' end`;

/** A page of occurrences by start; without `states` and `from`, those not yet over. */
export function occurrencePage(
  database: Database,
  args: PageArgs & { readonly filter?: OccurrenceFilter | null | undefined },
): Promise<Page<OccurrenceView>> {
  const { window, states, from, to } = args.filter ?? {};
  const where: SQL[] = [];
  if (typeof window === "string") where.push(sql`w.key = ${window}`);
  if (Array.isArray(states)) where.push(sql`${occurrenceStateSql} = any(${texts(states)})`);
  else if (typeof from !== "number") where.push(sql`o.closed_at is null and o.cancelled_at is null`);
  if (typeof from === "number") where.push(sql`o.starts_at >= ${from}::timestamptz`);
  if (typeof to === "number") where.push(sql`o.starts_at < ${to}::timestamptz`);
  const sort: readonly SortKey<OccurrenceView>[] = [
    { column: sql`o.starts_at`, type: "timestamptz", of: (row) => row.startsAt },
    { column: sql`o.id`, type: "bigint", of: (row) => row.id },
  ];
  return readPage(database, args, { columns: occurrenceColumns, from: occurrenceTables, where, sort, direction: "asc" });
}

export interface OccurrenceCounts {
  readonly holdId: number;
  /** Runs of covered integrations that run now. */
  readonly inFlight: number;
  /** Due times that wait, held by it. */
  readonly heldRuns: number;
}

/** What is running under, and waiting for, each hold. */
export async function countsOfHolds(database: Database, holdIds: readonly number[]): Promise<readonly OccurrenceCounts[]> {
  const since = await readOpenSince(database.db);
  return selectRows(
    database.db,
    sql`
    select wanted.id::float8 as "holdId",
      (select count(*)::int from hold_member as m join run as r on r.integration_id = m.integration_id and r.state = 'running' and r.due_at >= ${since}::timestamptz
        where m.hold_id = wanted.id) as "inFlight",
      (select coalesce(sum(r.due_count), 0)::int from hold_member as m join run as r on r.integration_id = m.integration_id and r.state = 'held' and r.due_at >= ${since}::timestamptz
        where m.hold_id = wanted.id and r.held_by @> array[wanted.id]
          -- What it held and another hold keeps since is not its any more.
          and (m.released_at is null or not exists (
            select from hold_member as m cross join control as c where m.integration_id = r.integration_id and ${holdsRun}))) as "heldRuns"
    from unnest(${bigints(holdIds)}) as wanted(id)`,
  );
}

export function holdsByIds(database: Database, ids: readonly (string | number)[]): Promise<readonly HoldView[]> {
  return selectRows(database.db, sql`select ${holdColumns} from ${holdTables} where h.id = any(${bigints(ids)})`);
}

/** A list inside another object names at most this many holds or members; the list queries page through more. */
const NESTED_LIMIT = 200;

/** Holds that cover integrations now or are planned to, soonest first. */
export function holdsOfIntegrations(
  database: Database,
  integrationIds: readonly number[],
): Promise<readonly (HoldView & { readonly integrationId: number })[]> {
  return selectRows(
    database.db,
    sql`
    select wanted.id as "integrationId", ${holdColumns} from unnest(${integers(integrationIds)}) as wanted(id)
    cross join lateral (
      select m.hold_id from hold_member as m where m.integration_id = wanted.id and m.released_at is null order by m.begins_at limit ${NESTED_LIMIT}) as member
    join hold as h on h.id = member.hold_id
    left join occurrence as o on o.id = h.occurrence_id left join maintenance_window as w on w.id = o.window_id
    order by wanted.id, h.begins_at, h.id`,
  );
}

export interface HoldFilter {
  readonly integration?: string | null | undefined;
  readonly kinds?: readonly HoldKind[] | null | undefined;
  readonly states?: readonly HoldState[] | null | undefined;
}

/** A page of holds by their beginning, newest first; without `states` the active and upcoming ones. */
export function holdPage(
  database: Database,
  args: PageArgs & { readonly filter?: HoldFilter | null | undefined },
): Promise<Page<HoldView>> {
  const { integration, kinds, states } = args.filter ?? {};
  const where: SQL[] = [sql`${holdState} = any(${texts(states ?? ["upcoming", "active"])})`];
  if (!states?.some((state) => state === "released")) where.push(sql`h.released_at is null`);
  if (Array.isArray(kinds)) where.push(sql`h.kind = any(${texts(kinds)})`);
  if (typeof integration === "string") {
    where.push(
      sql`exists (select from hold_member as m join integration as i on i.id = m.integration_id where m.hold_id = h.id and i.key = ${integration})`,
    );
  }
  const sort: readonly SortKey<HoldView>[] = [
    { column: sql`h.begins_at`, type: "timestamptz", of: (row) => row.beginsAt },
    { column: sql`h.id`, type: "bigint", of: (row) => row.id },
  ];
  return readPage(database, args, { columns: holdColumns, from: holdTables, where, sort, direction: "desc" });
}

export interface MemberView {
  readonly holdId: number;
  readonly integrationId: number;
  readonly path: string;
}

/** Which integrations holds cover, and by which path. */
export function membersOfHolds(database: Database, holdIds: readonly number[]): Promise<readonly MemberView[]> {
  return selectRows(
    database.db,
    sql`
    select wanted.id::float8 as "holdId", member.integration_id as "integrationId", member.path from unnest(${bigints(holdIds)}) as wanted(id)
    cross join lateral (
      select m.integration_id, m.path, i.key from hold_member as m join integration as i on i.id = m.integration_id
      where m.hold_id = wanted.id order by i.key limit ${NESTED_LIMIT}) as member
    order by wanted.id, member.key`,
  );
}

/** How many integrations holds cover. */
export function memberCountsOfHolds(
  database: Database,
  holdIds: readonly number[],
): Promise<readonly { readonly holdId: number; readonly members: number }[]> {
  return selectRows(
    database.db,
    sql`
    select m.hold_id::float8 as "holdId", count(*)::int as members from hold_member as m where m.hold_id = any(${bigints(holdIds)}) group by m.hold_id`,
  );
}
