import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { bigints, integers } from "../db/sql-arrays.js";
import { destinationSql } from "./destination.js";
import { type Page, type PageArgs, readPage, type SortKey } from "../db/read-page.js";

export interface TeamView {
  readonly id: number;
  readonly key: string;
  readonly title: string;
  readonly webhooks: readonly WebhookView[];
  readonly mails: readonly MailView[];
}

/** Of the address only the origin is shown: the rest may be secret. */
export interface WebhookView {
  readonly id: number;
  readonly destination: string;
  readonly events: readonly string[];
  readonly observe: boolean;
  readonly disabledAt: number | null;
  readonly pending: number;
}

/** A mail address of a team, and by which endpoint mails go there. */
export interface MailView {
  readonly id: number;
  readonly to: string;
  readonly endpointId: number;
  readonly stream: string;
  readonly events: readonly string[];
  readonly observe: boolean;
  readonly pending: number;
}

export const deliveryStates = ["pending", "delivered", "failed"] as const;
export type DeliveryState = (typeof deliveryStates)[number];

export interface DeliveryView {
  readonly id: number;
  readonly messageId: string;
  readonly kind: string;
  readonly team: string;
  readonly destination: string;
  readonly payload: unknown;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly at: number;
  readonly nextAt: number | null;
  readonly deliveredAt: number | null;
  readonly failedAt: number | null;
  readonly lastStatus: number | null;
  readonly lastError: string | null;
}

export interface DeliveryFilter {
  readonly states?: readonly DeliveryState[] | null | undefined;
  readonly team?: string | null | undefined;
  readonly window?: string | null | undefined;
}

const state = sql`case when d.delivered_at is not null then 'delivered' when d.failed_at is not null then 'failed' else 'pending' end`;
const deliveryColumns = sql`d.id, 'msg_' || d.message_id as "messageId", d.kind, d.team, d.destination, d.payload, ${state} as state, d.attempts, d.at,
  case when d.delivered_at is null and d.failed_at is null then d.next_at end as "nextAt", d.delivered_at as "deliveredAt", d.failed_at as "failedAt",
  d.last_status as "lastStatus", d.last_error as "lastError"`;
// Instants out of JSON would be texts.
const pending = sql`(select count(*) from outbox as x where x.webhook_id = k.id and x.delivered_at is null and x.failed_at is null)`;
const teamColumns = sql`t.id, t.key, t.title, (select coalesce(jsonb_agg(jsonb_build_object('id', k.id, 'destination', ${destinationSql(sql`k.url`)},
  'events', k.events, 'observe', k.observe, 'disabledAt', (extract(epoch from k.disabled_at) * 1000)::float8, 'pending', ${pending}) order by k.url), '[]')
  from team_webhook as k where k.team_id = t.id and k.endpoint_id is null) as webhooks,
  (select coalesce(jsonb_agg(jsonb_build_object('id', k.id, 'to', substring(k.url from length('mailto:') + 1), 'endpointId', k.endpoint_id, 'stream', k.stream,
  'events', k.events, 'observe', k.observe, 'pending', ${pending}) order by k.url), '[]')
  from team_webhook as k where k.team_id = t.id and k.endpoint_id is not null) as mails`;

export function teamsByIds(database: Database, ids: readonly (string | number)[]): Promise<readonly TeamView[]> {
  return selectRows(database.db, sql`select ${teamColumns} from team as t where t.id = any(${integers(ids)})`);
}

export async function teamIdOfKey(database: Database, key: string): Promise<number | null> {
  const [row] = await database.db.execute<{ id: number }>(sql`select id from team where key = ${key}`);
  return row?.id ?? null;
}

export function teamPage(database: Database, args: PageArgs): Promise<Page<TeamView>> {
  const byKey: SortKey<TeamView> = { column: sql`t.key`, type: "text", of: (row) => row.key };
  return readPage(database, args, { columns: teamColumns, from: sql`team as t`, where: [], sort: [byKey], direction: "asc" });
}

export function deliveriesByIds(database: Database, ids: readonly (string | number)[]): Promise<readonly DeliveryView[]> {
  return selectRows(database.db, sql`select ${deliveryColumns} from outbox as d where d.id = any(${bigints(ids)})`);
}

/** A page of messages to teams, newest first. */
export function deliveryPage(database: Database, args: PageArgs, filter: DeliveryFilter): Promise<Page<DeliveryView>> {
  const { states, team, window } = filter;
  const where: SQL[] = [
    ...(states ? [sql`${state} = any (${`{${states.join(",")}}`}::text::text[])`] : []),
    ...(typeof team === "string" ? [sql`d.team = ${team}`] : []),
    ...(typeof window === "string" ? [sql`d.payload #>> '{data,window,key}' = ${window}`] : []),
  ];
  const byId: SortKey<DeliveryView> = { column: sql`d.id`, type: "bigint", of: (row) => row.id };
  return readPage(database, args, { columns: deliveryColumns, from: sql`outbox as d`, where, sort: [byId], direction: "desc" });
}
