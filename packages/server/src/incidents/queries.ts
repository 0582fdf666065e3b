import type { IncidentState } from "@quiesce/core";
import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../db/client.js";
import { type Page, type PageArgs, readPage, type SortKey } from "../db/read-page.js";
import { selectRows } from "../db/select-rows.js";
import { bigints, texts } from "../db/sql-arrays.js";

/** An incident as the API shows it. */
export interface IncidentView {
  readonly id: number;
  readonly state: IncidentState;
  readonly severity: "critical" | "major" | "minor" | "warning" | "info";
  readonly title: string;
  readonly root: string;
  readonly rootAlertId: number | null;
  readonly systemId: number | null;
  readonly isQuiet: boolean;
  readonly ownerTeam: string | null;
  readonly assignee: string | null;
  readonly offeredTo: string | null;
  readonly offeredBy: string | null;
  readonly offerReason: string | null;
  readonly holdReason: string | null;
  readonly startedAt: number;
  readonly openedAt: number;
  readonly acknowledgedAt: number | null;
  readonly resolvedAt: number | null;
  readonly closedAt: number | null;
  readonly reopened: number;
  readonly mergedInto: number | null;
  readonly problemId: number | null;
  readonly toldAt: number | null;
  readonly changedAt: number;
}

export interface IncidentFilter {
  readonly states?: readonly IncidentState[] | null | undefined;
  readonly severities?: readonly IncidentView["severity"][] | null | undefined;
  readonly system?: string | null | undefined;
  readonly team?: string | null | undefined;
  readonly problem?: number | null | undefined;
}

const columns = sql`i.id, i.state, i.severity, i.title, i.root_node as root, i.root_alert_id as "rootAlertId", i.system_id as "systemId", i.quiet as "isQuiet",
  i.owner_team as "ownerTeam", i.assignee, i.offered_to as "offeredTo", i.offered_by as "offeredBy", i.offer_reason as "offerReason", i.hold_reason as "holdReason",
  i.started_at as "startedAt", i.opened_at as "openedAt", i.acknowledged_at as "acknowledgedAt", i.resolved_at as "resolvedAt", i.closed_at as "closedAt",
  i.reopened, i.merged_into as "mergedInto", i.problem_id as "problemId", i.told_at as "toldAt", i.changed_at as "changedAt"`;

export function incidentsByIds(database: Database, ids: readonly (string | number)[]): Promise<readonly IncidentView[]> {
  return selectRows(database.db, sql`select ${columns} from incident as i where i.id = any (${bigints(ids)})`);
}

/** A page of incidents, the newest first. */
export function incidentPage(database: Database, args: PageArgs, filter: IncidentFilter): Promise<Page<IncidentView>> {
  const { states, severities, system, team, problem } = filter;
  const where: SQL[] = [
    ...(states ? [sql`i.state = any (${texts(states)})`] : []),
    ...(severities ? [sql`i.severity = any (${texts(severities)})`] : []),
    ...(typeof system === "string" ? [sql`i.system_id = (select s.id from system as s where s.key = ${system})`] : []),
    ...(typeof team === "string" ? [sql`i.owner_team = ${team}`] : []),
    ...(typeof problem === "number" ? [sql`i.problem_id = ${problem}::integer`] : []),
  ];
  const byId: SortKey<IncidentView> = { column: sql`i.id`, type: "bigint", of: (row) => row.id };
  return readPage(database, args, { columns, from: sql`incident as i`, where, sort: [byId], direction: "desc" });
}

/** How many alerts each incident has, and how many of them fire. */
export function alertCounts(
  database: Database,
  ids: readonly number[],
): Promise<readonly { readonly id: number; readonly alerts: number; readonly firing: number }[]> {
  return selectRows(
    database.db,
    sql`select t.incident_id as id, count(*)::integer as alerts, (count(*) filter (where a.status = 'firing'))::integer as firing
      from alert_standing as t join alert as a on a.id = t.alert_id where t.incident_id = any (${bigints(ids)}) group by t.incident_id`,
  );
}

/** The system that an alert `a` is about, as a look places it (place-alerts.ts); null: a thing that only its monitor knows. */
export const systemOfAlert = sql`case when a.origin = 'monitor' then coalesce(
    (select min(m.system_id) from system_monitor as m where m.endpoint_id = a.endpoint_id and a.resource_name = any (m.resources)),
    (select n.id from system as n where n.key = a.resource_name))
  else (select p.system_id from endpoint as p where p.id = a.endpoint_id) end`;

/** Systems that alerts of an incident are about, with their own first. */
export function touchedSystems(
  database: Database,
  ids: readonly number[],
): Promise<readonly { readonly id: number; readonly systemId: number }[]> {
  return selectRows(
    database.db,
    sql`
    select distinct x.id, x."systemId" from (
      select i.id, i.system_id as "systemId" from incident as i where i.id = any (${bigints(ids)}) and i.system_id is not null
      union all
      select t.incident_id, ${systemOfAlert} from alert_standing as t join alert as a on a.id = t.alert_id
      where t.incident_id = any (${bigints(ids)})) as x
    join system as s on s.id = x."systemId" order by 1, 2`,
  );
}

/** Integrations that pass through a system that alerts of an incident are about. */
export async function touchedIntegrations(
  database: Database,
  ids: readonly number[],
): Promise<readonly { readonly id: number; readonly integrationId: number }[]> {
  const systems = await touchedSystems(database, ids);
  return selectRows(
    database.db,
    sql`
    select distinct x.id, r.integration_id as "integrationId"
    from jsonb_to_recordset(${JSON.stringify(systems)}::text::jsonb) as x(id bigint, "systemId" integer)
    join integration_system as r on r.system_id = x."systemId" join integration as i on i.id = r.integration_id order by 1, 2`,
  );
}

/** Why an alert is kept quiet or marked, as the API shows it. */
export interface AlertReasonView {
  readonly alertId: number;
  readonly kind: "informational" | "monitor" | "duplicate" | "flapping" | "window" | "dependency" | "rule";
  readonly rule: string;
  readonly path: string;
  readonly reason: string;
  readonly mutes: boolean;
  readonly until: number | null;
  readonly beganAt: number;
  readonly endedAt: number | null;
}

/** Reasons of one alert that the API shows. */
const maxReasons = 50;

/** The last reasons of each alert, the newest first. */
export function reasonsOfAlerts(database: Database, ids: readonly number[]): Promise<readonly AlertReasonView[]> {
  return selectRows(
    database.db,
    sql`
    select r.alert_id as "alertId", r.kind, r.rule, r.path, r.reason, r.mutes, r.until, r.began_at as "beganAt", r.ended_at as "endedAt"
    from unnest(${bigints(ids)}) as a(id) cross join lateral (
      select * from alert_reason as x where x.alert_id = a.id order by x.id desc limit ${maxReasons}) as r`,
  );
}

export const problemStates = ["open", "known-error", "closed"] as const;

/** Incidents of one cause that come again and again. */
export interface ProblemView {
  readonly id: number;
  readonly title: string;
  readonly state: (typeof problemStates)[number];
  readonly root: string;
  readonly systemId: number | null;
  readonly cause: string | null;
  readonly workaround: string | null;
  readonly openedAt: number;
  readonly closedAt: number | null;
}

const problemColumns = sql`p.id, p.title, p.state, p.root_node as root, p.system_id as "systemId", p.cause, p.workaround, p.opened_at as "openedAt", p.closed_at as "closedAt"`;

export function problemsByIds(database: Database, ids: readonly (string | number)[]): Promise<readonly ProblemView[]> {
  return selectRows(database.db, sql`select ${problemColumns} from problem as p where p.id = any (${bigints(ids)})`);
}

/** A page of problems, the newest first. */
export function problemPage(
  database: Database,
  args: PageArgs,
  filter: { readonly states?: readonly ProblemView["state"][] | null | undefined },
): Promise<Page<ProblemView>> {
  const where = filter.states ? [sql`p.state = any (${texts(filter.states)})`] : [];
  const byId: SortKey<ProblemView> = { column: sql`p.id`, type: "bigint", of: (row) => row.id };
  return readPage(database, args, { columns: problemColumns, from: sql`problem as p`, where, sort: [byId], direction: "desc" });
}
