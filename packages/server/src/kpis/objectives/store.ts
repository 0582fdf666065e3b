import type { BurnRuleName, Kpi, ObjectiveIndicator, ObjectiveState } from "@quiesce/core";
import { type SQL, sql } from "drizzle-orm";
import type { Database, Tx } from "../../db/client.js";
import { type Page, type PageArgs, readPage } from "../../db/read-page.js";
import { selectRows } from "../../db/select-rows.js";
import { integers } from "../../db/sql-arrays.js";
import type { ServiceAgreement } from "../sla-report.js";
import type { StoredScope } from "../stored-scope.js";

/** An objective as it is stored. */
export interface ObjectiveRow {
  readonly id: number;
  readonly key: string;
  readonly title: string;
  readonly scope: StoredScope;
  readonly indicator: ObjectiveIndicator;
  readonly kpi: Kpi | null;
  readonly limit: number | null;
  readonly target: number;
  readonly periodDays: number;
  readonly agreement: ServiceAgreement;
  readonly alerts: boolean;
  readonly state: ObjectiveState;
  readonly stateSince: number;
  readonly lookedAt: number | null;
  /** Why the last look could say nothing. */
  readonly problem: string | null;
}

/** A rule by which a budget is spent too fast, since when, and where its alert is. */
export interface StoredBurn {
  readonly objectiveId: number;
  readonly rule: BurnRuleName;
  readonly since: number;
  readonly endpointId: number | null;
}

const columns = sql`o.id, o.key, o.title, o.scope, o.indicator, o.kpi, o.limit_value as "limit", o.target, o.period_days as "periodDays", o.agreement, o.alerts, o.state,
  o.state_since as "stateSince", o.looked_at as "lookedAt", o.problem`;

/** Looked at so often. */
const lookEveryMs = 60_000;

export function objectivesByIds(database: Database, ids: readonly (string | number)[]): Promise<readonly ObjectiveRow[]> {
  return selectRows(database.db, sql`select ${columns} from objective as o where o.id = any (${integers(ids)})`);
}

export async function objectiveByKey(tx: Tx, key: string): Promise<ObjectiveRow | null> {
  const [row] = await selectRows<ObjectiveRow>(tx, sql`select ${columns} from objective as o where o.key = ${key}`);
  return row ?? null;
}

/** The same, locked until the end of the transaction. */
export async function lockObjective(tx: Tx, key: string): Promise<ObjectiveRow | null> {
  const [row] = await selectRows<ObjectiveRow>(tx, sql`select ${columns} from objective as o where o.key = ${key} for update`);
  return row ?? null;
}

/** An objective that was not looked at for a minute, and that no other server looks at; null: there is none. */
export async function lockDueObjective(tx: Tx, now: number): Promise<ObjectiveRow | null> {
  const [row] = await selectRows<ObjectiveRow>(
    tx,
    sql`select ${columns} from objective as o where o.looked_at is null or o.looked_at <= ${now - lookEveryMs}::timestamptz
      order by o.looked_at nulls first, o.id limit 1 for update skip locked`,
  );
  return row ?? null;
}

/** A page of objectives by their keys. */
export function objectivePage(
  database: Database,
  args: PageArgs,
  filter: { readonly states?: readonly ObjectiveState[] | null | undefined },
): Promise<Page<ObjectiveRow>> {
  const where: SQL[] = filter.states ? [sql`o.state = any (${`{${filter.states.join(",")}}`}::text::text[])`] : [];
  const sort = [{ column: sql`o.key`, type: "text" as const, of: (row: ObjectiveRow) => row.key }];
  return readPage(database, args, { columns, from: sql`objective as o`, where, sort, direction: "asc" });
}

export function burnsOf(tx: Tx, objectiveId: number): Promise<readonly StoredBurn[]> {
  return selectRows(
    tx,
    sql`select objective_id as "objectiveId", rule, since, endpoint_id as "endpointId" from objective_burn where objective_id = ${objectiveId} order by rule`,
  );
}
