import type { Action, FeedScope, IntegrationFacts, Resource, SystemFacts, WindowScope } from "@quiesce/core";
import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../db/client.js";
import { anyRow } from "../db/any-row.js";
import { selectRows } from "../db/select-rows.js";
import { texts } from "../db/sql-arrays.js";

/** What a command is about to change, by the words of its input. */
export type Target =
  | { readonly kind: "integration" | "endpoint" | "job" | "window" | "team" | "import" | "run"; readonly key: string }
  | {
      readonly kind: "hold" | "dead-letter" | "sync-conflict" | "feed" | "delivery" | "webhook-delivery" | "incident" | "problem";
      readonly key: number;
    }
  | { readonly kind: "scope"; readonly scope: WindowScope }
  | { readonly kind: "feed-scope"; readonly scope: FeedScope }
  /** One that there is not yet stands for nothing: its scope is named beside it. */
  | { readonly kind: "objective" | "threshold" | "anomaly_rule"; readonly key: string }
  | { readonly kind: "deployment" };

/** The right that a command needs, and on what. */
export interface Change {
  readonly action: Action;
  readonly on: readonly Target[];
}

/** A change of the deployment as a whole: only a grant over all allows it. */
export function ofDeployment(action: Action): Change {
  return { action, on: [{ kind: "deployment" }] };
}

/** A change of one window. */
export function onWindow(action: Action, key: string): Change {
  return { action, on: [{ kind: "window", key }] };
}

/** What a target stands for: keys of systems, integrations and teams, or the deployment. */
interface Parts {
  readonly systems: readonly string[];
  readonly integrations: readonly string[];
  readonly teams: readonly string[];
  readonly deployment: boolean;
  /** Written down long ago: what the catalogue does not know any more needs nobody's right. */
  readonly mayBeGone?: boolean;
}

const nothing: Parts = { systems: [], integrations: [], teams: [], deployment: false };

/**
 * The things that a target stands for, with the facts that scopes ask about; null when the caller cannot see it, or there is none. `seen` is the
 * database as the caller sees it, `whole` the one in which a scope's names are complete.
 */
export async function resourcesOf(
  target: Target,
  { seen, whole }: { readonly seen: Database; readonly whole: Database },
): Promise<readonly Resource[] | null> {
  const parts = await partsOf(target, seen, whole);
  return parts === null ? null : factsOf(parts, { seen, whole });
}

async function partsOf(target: Target, seen: Database, whole: Database): Promise<Parts | null> {
  switch (target.kind) {
    case "deployment":
      return { ...nothing, deployment: true };
    case "scope":
      return partsOfScope(target.scope);
    case "feed-scope":
      return partsOfFeed(target.scope);
    case "integration":
      return { ...nothing, integrations: [target.key] };
    case "team":
      return (await anyRow(seen.db, sql`team where key = ${target.key}`)) ? { ...nothing, teams: [target.key] } : null;
    case "delivery": {
      const [row] = await selectRows<{ readonly team: string }>(seen.db, sql`select team from outbox where id = ${target.key}::bigint`);
      return row === undefined ? null : { ...nothing, teams: [row.team] };
    }
    case "endpoint": {
      const [row] = await selectRows<{ readonly key: string }>(
        seen.db,
        sql`select s.key from endpoint as e join system as s on s.id = e.system_id where e.key = ${target.key}`,
      );
      return row === undefined ? null : { ...nothing, systems: [row.key] };
    }
    case "webhook-delivery": {
      const [row] = await selectRows<{ readonly key: string }>(
        seen.db,
        sql`select s.key from webhook_delivery as d join endpoint as e on e.id = d.endpoint_id join system as s on s.id = e.system_id where d.id = ${target.key}::bigint`,
      );
      return row === undefined ? null : { ...nothing, systems: [row.key] };
    }
    case "incident":
    case "problem": {
      const table = sql.identifier(target.kind);
      const [row] = await selectRows<{ readonly key: string | null }>(
        seen.db,
        sql`select s.key from ${table} as t left join system as s on s.id = t.system_id where t.id = ${target.key}::bigint`,
      );
      if (row === undefined) return null;
      return row.key === null ? { ...nothing, deployment: true } : { ...nothing, systems: [row.key] };
    }
    case "objective":
    case "threshold":
    case "anomaly_rule": {
      const [row] = await selectRows<{ readonly scope: { readonly kind: string; readonly name: string } }>(
        seen.db,
        sql`select scope from ${sql.identifier(target.kind)} where key = ${target.key}`,
      );
      return row === undefined ? null : { ...partsOfKpiScope(row.scope), mayBeGone: true };
    }
    case "job":
      return integrationBehind(seen, sql`job as t on t.integration_id = i.id where t.key = ${target.key}`);
    case "run":
      return integrationBehind(
        seen,
        sql`run as t on t.integration_id = i.id where t.id = ${target.key}::uuid and t.due_at = run_due_of_id(${target.key}::uuid)`,
      );
    case "dead-letter":
      return integrationBehind(seen, sql`dead_letter as t on t.integration_id = i.id where t.id = ${target.key}::bigint`);
    case "sync-conflict":
      return integrationBehind(seen, sql`sync_conflict as t on t.integration_id = i.id where t.id = ${target.key}::bigint`);
    case "window":
      return scopeBehind({ seen, whole }, sql`maintenance_window`, sql`key = ${target.key} and cancelled_at is null`);
    case "hold":
      return scopeBehind({ seen, whole }, sql`hold`, sql`id = ${target.key}::bigint`);
    case "import": {
      if (!(await anyRow(seen.db, sql`calendar_import where key = ${target.key}`))) return null;
      const rows = await selectRows<{ readonly scope: WindowScope }>(
        whole.db,
        sql`select settings -> 'scope' as scope from calendar_import where key = ${target.key} and removed_at is null`,
      );
      return joined(rows.map(({ scope }) => partsOfScope(scope)));
    }
    case "feed": {
      const [row] = await selectRows<{ readonly scope: FeedScope }>(
        seen.db,
        sql`select scope from calendar_feed where id = ${target.key}::bigint`,
      );
      return row === undefined ? null : partsOfFeed(row.scope);
    }
  }
}

/** Who may change a window or a pause may do so to everything that it names; tags and `all` name what nobody can list beforehand. */
function partsOfScope(scope: WindowScope): Parts {
  return {
    ...nothing,
    systems: scope.systems ?? [],
    integrations: scope.integrations ?? [],
    deployment: scope.all === true || (scope.tags ?? []).length > 0,
  };
}

function partsOfFeed(scope: FeedScope): Parts {
  switch (scope.kind) {
    case "team":
      return { ...nothing, teams: [scope.name] };
    case "system":
      return { ...nothing, systems: [scope.name] };
    case "integration":
      return { ...nothing, integrations: [scope.name] };
    default:
      return { ...nothing, deployment: true };
  }
}

/** A tag, as everything, names what nobody can list beforehand. */
function partsOfKpiScope({ kind, name }: { readonly kind: string; readonly name: string }): Parts {
  switch (kind) {
    case "team":
    case "system":
    case "integration":
      return partsOfFeed({ kind, name });
    default:
      return { ...nothing, deployment: true };
  }
}

function joined(parts: readonly Parts[]): Parts | null {
  if (parts.length === 0) return null;
  return {
    systems: [...new Set(parts.flatMap((one) => one.systems))],
    integrations: [...new Set(parts.flatMap((one) => one.integrations))],
    teams: [...new Set(parts.flatMap((one) => one.teams))],
    deployment: parts.some((one) => one.deployment),
    mayBeGone: true,
  };
}

async function integrationBehind(seen: Database, joinAndWhere: SQL): Promise<Parts | null> {
  const [row] = await selectRows<{ readonly key: string }>(seen.db, sql`select i.key from integration as i join ${joinAndWhere}`);
  return row === undefined ? null : { ...nothing, integrations: [row.key] };
}

async function scopeBehind(
  { seen, whole }: { readonly seen: Database; readonly whole: Database },
  table: SQL,
  where: SQL,
): Promise<Parts | null> {
  if (!(await anyRow(seen.db, sql`${table} where ${where}`))) return null;
  const rows = await selectRows<{ readonly scope: WindowScope }>(whole.db, sql`select scope from ${table} where ${where}`);
  return joined(rows.map(({ scope }) => partsOfScope(scope)));
}

/** The facts of the named things; null when one of them is not there for the caller. */
async function factsOf(
  { systems, integrations, teams, deployment, mayBeGone = false }: Parts,
  { seen, whole }: { readonly seen: Database; readonly whole: Database },
): Promise<readonly Resource[] | null> {
  const wanted = new Set([...systems.map((key) => `system:${key}`), ...integrations.map((key) => `integration:${key}`)]);
  const namesIn = async ({ db }: Database) =>
    selectRows<{ readonly name: string }>(
      db,
      sql`select 'system:' || key as name from system where key = any(${texts(systems)})
        union all select 'integration:' || key from integration where key = any(${texts(integrations)})`,
    );
  const needed = mayBeGone ? (await namesIn(whole)).length : wanted.size;
  if ((await namesIn(seen)).length < needed) return null;
  const system = sql`jsonb_build_object('kind', 'system', 'key', s.key, 'team', s.owner_team, 'vendor', s.vendor)`;
  const rows = await selectRows<{ readonly facts: SystemFacts | IntegrationFacts }>(
    whole.db,
    sql`
    select ${system} as facts from system as s where s.key = any(${texts(systems)})
    union all
    select jsonb_build_object('kind', 'integration', 'key', i.key, 'team', i.owner_team, 'vendor', i.vendor, 'systems',
      (select coalesce(jsonb_agg(${system} order by s.key), '[]') from integration_system as r join system as s on s.id = r.system_id
       where r.integration_id = i.id))
    from integration as i where i.key = any(${texts(integrations)})`,
  );
  return [
    ...rows.map(({ facts }) => facts),
    ...teams.map((key) => ({ kind: "team", key }) as const),
    ...(deployment ? [{ kind: "deployment" } as const] : []),
  ];
}
