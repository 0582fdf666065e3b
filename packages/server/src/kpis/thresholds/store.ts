import type { alertSeverities, Kpi, StateRule, ThresholdState } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Database, Tx } from "../../db/client.js";
import { type Page, type PageArgs, readPage } from "../../db/read-page.js";
import { selectRows } from "../../db/select-rows.js";
import { integers } from "../../db/sql-arrays.js";
import type { StoredScope } from "../stored-scope.js";

/** A threshold as it is stored. */
export interface ThresholdRow {
  readonly id: number;
  readonly key: string;
  readonly title: string;
  readonly scope: StoredScope;
  readonly kpi: Kpi;
  readonly comparison: "above" | "below";
  readonly value: number;
  readonly clearValue: number;
  readonly step: "minute" | "hour";
  readonly rule: StateRule;
  readonly severity: (typeof alertSeverities)[number];
  readonly lookedAt: number | null;
  readonly problem: string | null;
}

/** How a threshold stands at one integration. */
export interface StoredThresholdState {
  readonly thresholdId: number;
  readonly integrationId: number;
  /** Points before this instant were read. */
  readonly throughAt: number;
  readonly state: ThresholdState;
  readonly endpointId: number | null;
}

const columns = sql`o.id, o.key, o.title, o.scope, o.kpi, o.comparison, o.value, o.clear_value as "clearValue", o.step, o.rule, o.severity,
  o.looked_at as "lookedAt", o.problem`;

/** Looked at so often: points are minutes at the shortest. */
const lookEveryMs = 30_000;

export function thresholdsByIds(database: Database, ids: readonly (string | number)[]): Promise<readonly ThresholdRow[]> {
  return selectRows(database.db, sql`select ${columns} from threshold as o where o.id = any (${integers(ids)})`);
}

/** Locked until the end of the transaction. */
export async function lockThreshold(tx: Tx, key: string): Promise<ThresholdRow | null> {
  const [row] = await selectRows<ThresholdRow>(tx, sql`select ${columns} from threshold as o where o.key = ${key} for update`);
  return row ?? null;
}

export async function thresholdByKey(tx: Tx, key: string): Promise<ThresholdRow | null> {
  const [row] = await selectRows<ThresholdRow>(tx, sql`select ${columns} from threshold as o where o.key = ${key}`);
  return row ?? null;
}

/** A threshold that is due, and that no other server looks at; null: there is none. */
export async function lockDueThreshold(tx: Tx, now: number): Promise<ThresholdRow | null> {
  const [row] = await selectRows<ThresholdRow>(
    tx,
    sql`select ${columns} from threshold as o where o.looked_at is null or o.looked_at <= ${now - lookEveryMs}::timestamptz
      order by o.looked_at nulls first, o.id limit 1 for update skip locked`,
  );
  return row ?? null;
}

export function thresholdPage(database: Database, args: PageArgs): Promise<Page<ThresholdRow>> {
  const sort = [{ column: sql`o.key`, type: "text" as const, of: (row: ThresholdRow) => row.key }];
  return readPage(database, args, { columns, from: sql`threshold as o`, where: [], sort, direction: "asc" });
}

/** How thresholds stand, each by its integrations. What was written before the last point was kept has none. */
export function statesOf(tx: Tx, thresholdIds: readonly number[]): Promise<readonly StoredThresholdState[]> {
  return selectRows(
    tx,
    sql`select threshold_id as "thresholdId", integration_id as "integrationId", through_at as "throughAt", '{"last": null}'::jsonb || state as state,
      endpoint_id as "endpointId" from threshold_state where threshold_id = any (${integers(thresholdIds)}) order by threshold_id, integration_id`,
  );
}

/** Writes how a threshold stands at integrations. */
export async function saveStates(tx: Tx, states: readonly StoredThresholdState[]): Promise<void> {
  if (states.length === 0) return;
  const rows = JSON.stringify(states);
  await tx.execute(sql`
    insert into threshold_state (threshold_id, integration_id, through_at, state, endpoint_id)
    select s."thresholdId", s."integrationId", to_timestamp(s."throughAt" / 1000), s.state, s."endpointId"
    from jsonb_to_recordset(${rows}::text::jsonb) as s("thresholdId" integer, "integrationId" integer, "throughAt" float8, state jsonb, "endpointId" integer)
    on conflict (threshold_id, integration_id) do update set through_at = excluded.through_at, state = excluded.state, endpoint_id = excluded.endpoint_id`);
}
