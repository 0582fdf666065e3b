import type { SampleRetention } from "@quiesce/core";
import { type SQL, sql } from "drizzle-orm";
import type { Tx } from "../../db/client.js";
import { selectRows } from "../../db/select-rows.js";

/** What is said of a metric, and how far it has gone by it. Instants may be -Infinity. */
export interface RetentionRow {
  /** Empty: every metric without a row of its own. */
  readonly metric: string;
  readonly days: SampleRetention;
  readonly changedAt: number;
  readonly samplesKeptFrom: number;
  readonly samplesGoneTo: number;
  readonly minutesGoneTo: number;
  readonly hoursGoneTo: number;
  readonly daysGoneTo: number;
}

/** The row of every metric that has none of its own. */
export const everyMetric = "";

/** The rows, by their metrics; the first is that of every metric. `lock`: nobody changes them before the transaction ends. */
export async function retentionRows(tx: Tx, { lock } = { lock: false }): Promise<readonly RetentionRow[]> {
  const rows = await selectRows<
    Omit<RetentionRow, "days"> & {
      readonly sample: number | null;
      readonly minute: number | null;
      readonly hour: number | null;
      readonly day: number | null;
    }
  >(
    tx,
    sql`
    select metric, sample_days as sample, minute_days as minute, hour_days as hour, day_days as day, changed_at as "changedAt",
      samples_kept_from as "samplesKeptFrom", samples_gone_to as "samplesGoneTo",
      minutes_gone_to as "minutesGoneTo", hours_gone_to as "hoursGoneTo", days_gone_to as "daysGoneTo"
    from kpi_retention order by metric collate "C" ${lock ? sql`for update` : sql``}`,
  );
  return rows.map(({ sample, minute, hour, day, ...row }) => ({ ...row, days: { sample, minute, hour, day } }));
}

/** The row of every metric. */
export function generalRetention(rows: readonly RetentionRow[]): RetentionRow {
  const row = rows.find(({ metric }) => metric === everyMetric);
  if (row === undefined) throw new Error("kpi_retention has no row of every metric.");
  return row;
}

/** From when on samples are kept whose days have not gone as a whole; -Infinity: no day has gone. */
export async function daysKeptFrom(tx: Tx): Promise<number> {
  const [row] = await selectRows<{ from: number }>(tx, sql`select samples_kept_from as from from kpi_progress`);
  if (row === undefined) throw new Error("kpi_progress has no row.");
  return row.from;
}

/** The numbers of the series of a row: those of its metric, or of all that have no row. */
export async function seriesOfRow(tx: Tx, metric: string): Promise<readonly number[]> {
  const rows = await selectRows<{ id: number }>(tx, sql`select id from kpi_series as s where ${isOfRow(metric)} order by id`);
  return rows.map(({ id }) => id);
}

/** The condition that the series `s` is one of a row's. */
export function isOfRow(metric: string): SQL {
  return metric === everyMetric ? sql`not exists (select from kpi_retention as r where r.metric = s.metric)` : sql`s.metric = ${metric}`;
}
