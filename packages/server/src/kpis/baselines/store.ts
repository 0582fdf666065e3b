import type { alertSeverities, BaselineView, Kpi } from "@quiesce/core";
import { type SQL, sql } from "drizzle-orm";
import type { Database, Tx } from "../../db/client.js";
import { type Page, type PageArgs, readPage } from "../../db/read-page.js";
import { selectRows } from "../../db/select-rows.js";
import { bigints, integers } from "../../db/sql-arrays.js";
import type { Period } from "../kpi-scope.js";
import type { StoredScope } from "../stored-scope.js";

/** A point that was out of the usual, with its explanation. */
export interface AnomalyRow {
  readonly id: number;
  readonly integrationId: number;
  readonly kpi: Kpi;
  readonly at: number;
  readonly value: number;
  readonly score: number;
  readonly view: BaselineView;
  readonly seen: number;
  readonly low: number;
  readonly high: number;
  readonly expected: number;
  readonly isNewExtreme: boolean;
  readonly explanation: string;
  readonly foundAt: number;
}

/** Which anomalies raise alerts. */
export interface AnomalyRuleRow {
  readonly id: number;
  readonly key: string;
  readonly title: string;
  readonly scope: StoredScope;
  readonly kpi: Kpi | null;
  readonly severity: (typeof alertSeverities)[number];
  readonly leastScore: number;
}

export interface BandPoint {
  readonly at: number;
  readonly low: number;
  readonly high: number;
  readonly expected: number;
}

export interface AnomalyFilter {
  readonly integrations?: readonly number[] | null | undefined;
  readonly kpi?: Kpi | null | undefined;
  readonly from?: number | null | undefined;
  readonly to?: number | null | undefined;
}

const columns = sql`a.id, a.integration_id as "integrationId", a.kpi, a.at, a.value, a.score, a.view, a.seen, a.low, a.high, a.expected, a.new_extreme as "isNewExtreme",
  a.explanation, a.found_at as "foundAt"`;
const ruleColumns = sql`r.id, r.key, r.title, r.scope, r.kpi, r.severity, r.least_score as "leastScore"`;
/** Of one figure, one integration and one answer. */
const mostAnomalies = 500;

export function anomaliesByIds(database: Database, ids: readonly (string | number)[]): Promise<readonly AnomalyRow[]> {
  return selectRows(database.db, sql`select ${columns} from anomaly as a where a.id = any (${bigints(ids)})`);
}

/** A page of anomalies, the newest first. */
export function anomalyPage(database: Database, args: PageArgs, { integrations, kpi, from, to }: AnomalyFilter): Promise<Page<AnomalyRow>> {
  const where: SQL[] = [
    ...(integrations ? [sql`a.integration_id = any (${integers(integrations)})`] : []),
    ...(typeof kpi === "string" ? [sql`a.kpi = ${kpi}`] : []),
    ...(typeof from === "number" ? [sql`a.at >= ${from}::timestamptz`] : []),
    ...(typeof to === "number" ? [sql`a.at < ${to}::timestamptz`] : []),
  ];
  const sort = [
    { column: sql`a.at`, type: "timestamptz" as const, of: (row: AnomalyRow) => row.at },
    { column: sql`a.id`, type: "bigint" as const, of: (row: AnomalyRow) => row.id },
  ];
  return readPage(database, args, { columns, from: sql`anomaly as a`, where, sort, direction: "desc" });
}

/** Of one figure of one integration, in the order of time: the last 500. */
export async function anomaliesOf(
  tx: Tx,
  of: { readonly integrationId: number; readonly kpi: Kpi; readonly period: Period },
): Promise<readonly AnomalyRow[]> {
  const rows = await selectRows<AnomalyRow>(
    tx,
    sql`select ${columns} from anomaly as a where a.integration_id = ${of.integrationId} and a.kpi = ${of.kpi} and a.at >= ${of.period.start}::timestamptz
      and a.at < ${of.period.end}::timestamptz order by a.at desc limit ${mostAnomalies}`,
  );
  return rows.toReversed();
}

/** Hour by hour: of a period of 400 days at most. */
export function bandsOf(
  tx: Tx,
  of: { readonly integrationId: number; readonly kpi: Kpi; readonly period: Period },
): Promise<readonly BandPoint[]> {
  return selectRows(
    tx,
    sql`select at, low, high, expected from kpi_band where integration_id = ${of.integrationId} and kpi = ${of.kpi}
      and at > ${of.period.start - 3_600_000}::timestamptz and at < ${of.period.end}::timestamptz order by at`,
  );
}

export function anomalyRules(tx: Tx): Promise<readonly AnomalyRuleRow[]> {
  return selectRows(tx, sql`select ${ruleColumns} from anomaly_rule as r order by r.key`);
}

/** Locked until the end of the transaction. */
export async function lockAnomalyRule(tx: Tx, key: string): Promise<AnomalyRuleRow | null> {
  const [row] = await selectRows<AnomalyRuleRow>(tx, sql`select ${ruleColumns} from anomaly_rule as r where r.key = ${key} for update`);
  return row ?? null;
}
