import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../db/client.js";
import { type Page, type PageArgs, readPage, type SortKey } from "../db/read-page.js";
import { selectRows } from "../db/select-rows.js";
import { bigints, texts } from "../db/sql-arrays.js";

export const alertStatuses = ["firing", "resolved"] as const;
export const alertEnds = ["monitor", "snapshot", "check", "kpi"] as const;
export const alertOrigins = ["monitor", "check", "kpi"] as const;

/** An alert as the API shows it. */
export interface AlertView {
  readonly id: number;
  readonly endpointId: number;
  readonly origin: (typeof alertOrigins)[number];
  readonly incidentId: number | null;
  readonly isMuted: boolean;
  readonly fingerprint: string;
  readonly remoteId: string;
  readonly status: (typeof alertStatuses)[number];
  readonly severity: "critical" | "major" | "minor" | "warning" | "info";
  readonly title: string;
  readonly resourceKind: string;
  readonly resourceName: string;
  readonly resourceParents: string[];
  readonly labels: unknown;
  readonly suppressedBy: string[];
  readonly acknowledgedBy: string | null;
  readonly url: string | null;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly endedBy: (typeof alertEnds)[number] | null;
  readonly firstSeenAt: number;
  readonly changedAt: number;
}

export interface AlertFilter {
  readonly statuses?: readonly AlertView["status"][] | null | undefined;
  readonly severities?: readonly AlertView["severity"][] | null | undefined;
  readonly endpoint?: string | null | undefined;
  readonly resource?: string | null | undefined;
  readonly incident?: number | null | undefined;
  readonly muted?: boolean | null | undefined;
}

const columns = sql`a.id, a.endpoint_id as "endpointId", a.origin, t.incident_id as "incidentId", coalesce(t.muted, false) as "isMuted", a.fingerprint, a.remote_id as "remoteId", a.status, a.severity, a.title,
  a.resource_kind as "resourceKind", a.resource_name as "resourceName", a.resource_parents as "resourceParents", a.labels, a.suppressed_by as "suppressedBy",
  a.acknowledged_by as "acknowledgedBy", a.url, a.started_at as "startedAt", a.ended_at as "endedAt", a.ended_by as "endedBy", a.first_seen_at as "firstSeenAt",
  a.changed_at as "changedAt"`;

const alerts = sql`alert as a left join alert_standing as t on t.alert_id = a.id`;

export function alertsByIds(database: Database, ids: readonly (string | number)[]): Promise<readonly AlertView[]> {
  return selectRows(database.db, sql`select ${columns} from ${alerts} where a.id = any (${bigints(ids)})`);
}

/** Of these keys, those that endpoints have which the caller may see. */
export async function knownEndpointKeys(database: Database, keys: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await selectRows<{ key: string }>(database.db, sql`select e.key from endpoint as e where e.key = any (${texts(keys)})`);
  return new Set(rows.map(({ key }) => key));
}

/** A page of alerts, the newest first. */
export function alertPage(database: Database, args: PageArgs, filter: AlertFilter): Promise<Page<AlertView>> {
  const { statuses, severities, endpoint, resource, incident, muted } = filter;
  const where: SQL[] = [
    ...(statuses ? [sql`a.status = any (${texts(statuses)})`] : []),
    ...(severities ? [sql`a.severity = any (${texts(severities)})`] : []),
    ...(typeof endpoint === "string" ? [sql`a.endpoint_id = (select e.id from endpoint as e where e.key = ${endpoint})`] : []),
    ...(typeof resource === "string" ? [sql`a.resource_name = ${resource}`] : []),
    ...(typeof incident === "number" ? [sql`t.incident_id = ${incident}::bigint`] : []),
    ...(typeof muted === "boolean" ? [sql`coalesce(t.muted, false) = ${muted}`] : []),
  ];
  const byId: SortKey<AlertView> = { column: sql`a.id`, type: "bigint", of: (row) => row.id };
  return readPage(database, args, { columns, from: alerts, where, sort: [byId], direction: "desc" });
}
