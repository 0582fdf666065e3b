import type { DowntimeEffect } from "@quiesce/core";
import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../../db/client.js";
import { type Page, type PageArgs, readPage, type SortKey } from "../../db/read-page.js";
import { selectRows } from "../../db/select-rows.js";
import { bigints, integers, texts } from "../../db/sql-arrays.js";

/** How far an occurrence is announced at one monitor. */
export const announcementStates = ["pending", "announced", "withdrawn"] as const;
export type AnnouncementState = (typeof announcementStates)[number];

/** An occurrence at one monitor, as the API shows it. */
export interface AnnouncementView {
  readonly id: number;
  readonly endpointId: number;
  readonly windowId: number;
  readonly localStart: string;
  readonly startsAt: number;
  readonly endsAt: number;
  readonly resources: string[];
  readonly suppress: DowntimeEffect;
  readonly state: AnnouncementState;
  readonly begunAt: number;
  readonly announcedAt: number | null;
  readonly withdrawnAt: number | null;
  readonly remoteIds: string[];
  readonly problem: string | null;
}

/** A downtime that others have made at a monitor. */
export interface RemoteDowntimeView {
  readonly id: number;
  readonly endpointId: number;
  readonly remoteId: string;
  readonly startsAt: number;
  readonly endsAt: number;
  readonly resources: string[];
  readonly title: string;
  readonly author: string | null;
  readonly firstSeenAt: number;
}

/** Who watches a system. */
export interface SystemMonitorView {
  readonly systemId: number;
  readonly endpointId: number;
  readonly resources: string[];
  readonly suppress: DowntimeEffect;
}

const state = sql`case when a.withdrawn_at is not null then 'withdrawn' when a.announced_at is not null then 'announced' else 'pending' end`;
const announcementColumns = sql`a.id, a.endpoint_id as "endpointId", a.window_id as "windowId", a.local_start as "localStart", a.starts_at as "startsAt",
  a.ends_at as "endsAt", a.resources, a.suppress, ${state} as state, a.begun_at as "begunAt", a.announced_at as "announcedAt", a.withdrawn_at as "withdrawnAt",
  a.remote_ids as "remoteIds", a.last_error as problem`;
const remoteColumns = sql`r.id, r.endpoint_id as "endpointId", r.remote_id as "remoteId", r.starts_at as "startsAt", r.ends_at as "endsAt", r.resources, r.title,
  r.author, r.first_seen_at as "firstSeenAt"`;

export interface AnnouncementFilter {
  readonly window?: string | null | undefined;
  readonly endpoint?: string | null | undefined;
  readonly states?: readonly AnnouncementState[] | null | undefined;
}

export function announcementsByIds(database: Database, ids: readonly (string | number)[]): Promise<readonly AnnouncementView[]> {
  return selectRows(database.db, sql`select ${announcementColumns} from monitor_announcement as a where a.id = any (${bigints(ids)})`);
}

/** A page of announcements at monitors, the newest first. */
export function announcementPage(database: Database, args: PageArgs, filter: AnnouncementFilter): Promise<Page<AnnouncementView>> {
  const { window, endpoint, states } = filter;
  const where: SQL[] = [
    ...(typeof window === "string" ? [sql`a.window_id in (select w.id from maintenance_window as w where w.key = ${window})`] : []),
    ...(typeof endpoint === "string" ? [sql`a.endpoint_id = (select e.id from endpoint as e where e.key = ${endpoint})`] : []),
    ...(states ? [sql`${state} = any (${texts(states)})`] : []),
  ];
  const byId: SortKey<AnnouncementView> = { column: sql`a.id`, type: "bigint", of: (row) => row.id };
  return readPage(database, args, {
    columns: announcementColumns,
    from: sql`monitor_announcement as a`,
    where,
    sort: [byId],
    direction: "desc",
  });
}

export function remoteDowntimesByIds(database: Database, ids: readonly (string | number)[]): Promise<readonly RemoteDowntimeView[]> {
  return selectRows(database.db, sql`select ${remoteColumns} from remote_downtime as r where r.id = any (${bigints(ids)})`);
}

/** A page of what others have announced at monitors, the newest first. */
export function remoteDowntimePage(database: Database, args: PageArgs, endpoint: string | null): Promise<Page<RemoteDowntimeView>> {
  const where = endpoint === null ? [] : [sql`r.endpoint_id = (select e.id from endpoint as e where e.key = ${endpoint})`];
  const byId: SortKey<RemoteDowntimeView> = { column: sql`r.id`, type: "bigint", of: (row) => row.id };
  return readPage(database, args, { columns: remoteColumns, from: sql`remote_downtime as r`, where, sort: [byId], direction: "desc" });
}

/** Who watches systems, by endpoint. */
export function monitorsOfSystems(database: Database, systemIds: readonly number[]): Promise<readonly SystemMonitorView[]> {
  return selectRows(
    database.db,
    sql`
    select m.system_id as "systemId", m.endpoint_id as "endpointId", m.resources, m.suppress
    from system_monitor as m join endpoint as e on e.id = m.endpoint_id where m.system_id = any (${integers(systemIds)}) order by m.system_id, e.key`,
  );
}
