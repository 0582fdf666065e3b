import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../db/client.js";
import { integers, texts } from "../db/sql-arrays.js";
import { selectRows } from "../db/select-rows.js";
import { holdsNow } from "../runs/active-holds.js";
import { failsNow } from "../runs/fails-now.js";
import { type Page, type PageArgs, readPage, type SortKey } from "../db/read-page.js";

type Criticality = "low" | "medium" | "high" | "critical";

export interface SystemRow {
  readonly id: number;
  readonly key: string;
  readonly name: string;
  readonly kind: string;
  readonly description: string | null;
  readonly ownerTeam: string | null;
  readonly vendor: string | null;
  readonly criticality: Criticality;
  readonly environment: string | null;
  readonly jurisdiction: string | null;
  readonly tags: string[];
  readonly maxConcurrentRuns: number | null;
  readonly resumeSpacingMs: number;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface EndpointRow {
  readonly id: number;
  readonly key: string;
  readonly name: string;
  readonly systemId: number;
  readonly connector: string;
  readonly allowPrivate: readonly string[];
  readonly checkEveryMs: number | null;
  readonly config: unknown;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface IntegrationRow {
  readonly id: number;
  readonly key: string;
  readonly name: string;
  readonly description: string | null;
  readonly sourceEndpointId: number | null;
  readonly targetEndpointId: number | null;
  readonly streams: unknown;
  readonly ownerTeam: string | null;
  readonly vendor: string | null;
  readonly criticality: Criticality;
  readonly environment: string | null;
  readonly jurisdiction: string | null;
  readonly tags: string[];
  readonly playbookUrl: string | null;
  readonly idempotent: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface JobRow {
  readonly id: number;
  readonly key: string;
  readonly name: string;
  readonly integrationId: number;
  readonly schedule: unknown;
  readonly scheduleVersion: number;
  readonly enabled: boolean;
  readonly catchUp: "skip" | "coalesce" | "all";
  readonly catchUpMaxAgeSeconds: number | null;
  readonly timeoutSeconds: number;
  readonly retry: unknown;
  readonly continuous: boolean;
  readonly push: boolean;
  readonly reconcile: boolean;
  readonly p95Ms: number | null;
  readonly durationSamples: number;
  readonly finishLeadMs: number | null;
  readonly watermark: number;
  readonly nextDueAt: number | null;
  readonly runningRunId: string | null;
  readonly createdAt: number;
  readonly updatedAt: number;
}

const times = sql`created_at as "createdAt", updated_at as "updatedAt"`;

const catalogue = {
  system: {
    columns: sql`id, key, name, kind, description, owner_team as "ownerTeam", vendor, criticality, environment, jurisdiction, tags,
      max_concurrent_runs as "maxConcurrentRuns", resume_spacing_ms as "resumeSpacingMs", ${times}`,
    from: sql`system as t`,
  },
  endpoint: {
    columns: sql`id, key, name, system_id as "systemId", connector, config, allow_private as "allowPrivate", check_every_ms as "checkEveryMs", ${times}`,
    from: sql`endpoint as t`,
  },
  integration: {
    columns: sql`id, key, name, description, source_endpoint_id as "sourceEndpointId", target_endpoint_id as "targetEndpointId", streams,
      owner_team as "ownerTeam", vendor, criticality, environment, jurisdiction, tags, playbook_url as "playbookUrl", idempotent, ${times}`,
    from: sql`integration as t`,
  },
  job: {
    columns: sql`id, key, name, integration_id as "integrationId", schedule, schedule_version as "scheduleVersion", enabled, catch_up as "catchUp",
      catch_up_max_age_seconds as "catchUpMaxAgeSeconds", timeout_seconds as "timeoutSeconds", retry, continuous, push, reconcile, p95_ms as "p95Ms",
      duration_samples as "durationSamples", finish_lead_ms as "finishLeadMs", watermark, next_due_at as "nextDueAt",
      running_run_id as "runningRunId", ${times}`,
    from: sql`job as t`,
  },
} as const;

interface CatalogueRows {
  readonly system: SystemRow;
  readonly endpoint: EndpointRow;
  readonly integration: IntegrationRow;
  readonly job: JobRow;
}

export type CatalogueKind = keyof CatalogueRows;

/** Any catalogue rows by id, in one statement. */
export function catalogueByIds<Kind extends CatalogueKind>(
  database: Database,
  kind: Kind,
  ids: readonly (string | number)[],
): Promise<readonly CatalogueRows[Kind][]> {
  const { columns, from } = catalogue[kind];
  return selectRows(database.db, sql`select ${columns} from ${from} where id = any(${integers(ids)})`);
}

/** One catalogue row by its key or, when the caller found one inside a global id, by its id. */
export async function catalogueByKey<Kind extends CatalogueKind>(
  database: Database,
  kind: Kind,
  by: { readonly key: string } | { readonly id: string },
): Promise<CatalogueRows[Kind] | null> {
  const { columns, from } = catalogue[kind];
  const condition = "key" in by ? sql`key = ${by.key}` : sql`id = any(${integers([by.id])})`;
  const [row] = await selectRows<CatalogueRows[Kind]>(database.db, sql`select ${columns} from ${from} where ${condition}`);
  return row ?? null;
}

/** The ids of integrations by their keys; unknown keys are missing. */
export async function integrationIdsByKey(database: Database, keys: readonly string[]): Promise<ReadonlyMap<string, number>> {
  const rows = await selectRows<{ readonly id: number; readonly key: string }>(
    database.db,
    sql`select id, key from integration where key = any(${texts(keys)})`,
  );
  return new Map(rows.map(({ id, key }) => [key, id]));
}

export interface CatalogueFilter {
  readonly keys?: readonly string[] | null | undefined;
  readonly search?: string | null | undefined;
  readonly tag?: string | null | undefined;
  readonly kind?: string | null | undefined;
  readonly criticality?: Criticality | null | undefined;
  readonly connector?: string | null | undefined;
  readonly ownerTeam?: string | null | undefined;
  readonly enabled?: boolean | null | undefined;
  /** Key of a system, of an integration's route or of an endpoint. */
  readonly system?: string | null | undefined;
  readonly integration?: string | null | undefined;
  readonly held?: boolean | null | undefined;
  readonly failing?: boolean | null | undefined;
}

/** A page of one kind of catalogue object, ordered by key. */
export function cataloguePage<Kind extends CatalogueKind>(
  database: Database,
  kind: Kind,
  args: PageArgs & { readonly filter?: CatalogueFilter | null | undefined; readonly descending?: boolean },
): Promise<Page<CatalogueRows[Kind]>> {
  const byKey: SortKey<CatalogueRows[Kind]> = { column: sql`key`, type: "text", of: (row) => row.key };
  return readPage(database, args, {
    ...catalogue[kind],
    where: conditions(kind, args.filter ?? {}),
    sort: [byKey],
    direction: args.descending === true ? "desc" : "asc",
  });
}

function conditions(kind: CatalogueKind, filter: CatalogueFilter): SQL[] {
  const where: SQL[] = [];
  const add = <T>(value: T | null | undefined, condition: (value: T) => SQL) => {
    if (value !== null && value !== undefined) where.push(condition(value));
  };
  add(filter.keys, (keys) => sql`key = any(${texts(keys)})`);
  add(filter.search, (text) => sql`key ilike ${contains(text)} or name ilike ${contains(text)}`);
  add(filter.tag, (tag) => sql`tags @> ${texts([tag])}`);
  add(filter.kind, (value) => sql`kind = ${value}`);
  add(filter.criticality, (value) => sql`criticality = ${value}`);
  add(filter.connector, (value) => sql`connector = ${value}`);
  add(filter.ownerTeam, (value) => sql`owner_team = ${value}`);
  add(filter.enabled, (value) => sql`enabled = ${value}`);
  add(filter.integration, (key) => sql`integration_id = (select i.id from integration as i where i.key = ${key})`);
  add(filter.system, (key) =>
    kind === "endpoint"
      ? sql`system_id = (select s.id from system as s where s.key = ${key})`
      : sql`exists (select from integration_system as r join system as s on s.id = r.system_id where r.integration_id = t.id and s.key = ${key})`,
  );
  add(filter.held, (held) => {
    const isHeld = sql`exists (select from hold_member as m cross join control as c where m.integration_id = t.id and ${holdsNow})`;
    return held ? isHeld : sql`not ${isHeld}`;
  });
  add(filter.failing, (fails) => (fails ? failsNow(sql`t.id`) : sql`not ${failsNow(sql`t.id`)}`));
  return where;
}

/** The text anywhere, with LIKE's own signs taken literally. */
function contains(text: string): string {
  return `%${text.replaceAll(/[\\%_]/g, String.raw`\$&`)}%`;
}

export interface Dependency {
  readonly systemId: number;
  readonly dependsOnId: number;
  readonly strength: "hard" | "soft";
}

/** What systems depend on. */
export function dependenciesOf(database: Database, systemIds: readonly number[]): Promise<readonly Dependency[]> {
  return selectRows(
    database.db,
    sql`
    select system_id as "systemId", depends_on_id as "dependsOnId", strength from system_dependency
    where system_id = any(${integers(systemIds)}) order by system_id, depends_on_id`,
  );
}

export interface RouteSystem {
  readonly integrationId: number;
  readonly systemId: number;
  readonly role: "source" | "target" | "via";
}

/** The routes of integrations, in the order in which data flows. */
export function routesOf(database: Database, integrationIds: readonly number[]): Promise<readonly RouteSystem[]> {
  return selectRows(
    database.db,
    sql`
    select integration_id as "integrationId", system_id as "systemId", role from integration_system
    where integration_id = any(${integers(integrationIds)}) order by integration_id, array_position(array['source', 'via', 'target'], role), system_id`,
  );
}

/** At most this many children of one parent are listed inside it; the list queries page through more. */
const CHILD_LIMIT = 200;

/** Children by parent: endpoints of systems, jobs of integrations, integrations that touch systems. */
export function childrenOf<Kind extends "endpoint" | "job" | "integration">(
  database: Database,
  kind: Kind,
  parentIds: readonly number[],
): Promise<readonly (CatalogueRows[Kind] & { readonly parentId: number })[]> {
  const { columns, from } = catalogue[kind];
  const fits = {
    endpoint: sql`t.system_id = parent.id`,
    job: sql`t.integration_id = parent.id`,
    integration: sql`exists (select from integration_system as r where r.integration_id = t.id and r.system_id = parent.id)`,
  }[kind];
  return selectRows(
    database.db,
    sql`
    select child.*, parent.id as "parentId" from unnest(${integers(parentIds)}) as parent(id)
    cross join lateral (select ${columns} from (select * from ${from} where ${fits} order by key limit ${CHILD_LIMIT}) as t) as child
    order by parent.id, child.key`,
  );
}

export interface SecretRow {
  readonly endpointId: number;
  readonly name: string;
  readonly source: string;
  readonly fingerprint: string;
  readonly updatedAt: number;
}

/** What is known of endpoints' secrets without opening them. */
export function secretsOf(database: Database, endpointIds: readonly number[]): Promise<readonly SecretRow[]> {
  return selectRows(
    database.db,
    sql`
    select endpoint_id as "endpointId", name, source, fingerprint, updated_at as "updatedAt" from endpoint_secret
    where endpoint_id = any(${integers(endpointIds)}) order by endpoint_id, name`,
  );
}
