import { isRetentionSettled, keptDays, retentionCutoffs, sampleRetentionBounds } from "@quiesce/core";
import { type SQL, sql } from "drizzle-orm";
import { inTransaction, readNow } from "../../command.js";
import type { Database, Tx } from "../../db/client.js";
import { selectRows } from "../../db/select-rows.js";
import { daysKeptFrom, generalRetention, isOfRow, retentionRows, type RetentionRow } from "./store.js";

/** Bands and anomalies. */
const daysOfAnomalies = 400;
const mostForgotten = 50_000;
const DAY_MS = 86_400_000;

/**
 * Lets minutes, hours and days go that are older than their metric keeps them and that nothing is summed up from any more, and bands and anomalies after 400 days.
 * Answers how many rows went; what is more than one transaction should take goes the next time. One server at a time.
 */
export function forgetSums(context: { readonly database: Database }): Promise<number> {
  return inTransaction(context, async (tx) => {
    const [lock] = await selectRows<{ got: boolean }>(tx, sql`select pg_try_advisory_xact_lock(lock_class_kpi_kept(), 1) as got`);
    if (lock?.got !== true) return 0;
    const now = await readNow(tx);
    const rows = await retentionRows(tx);
    const daysFrom = await daysKeptFrom(tx);
    const general = generalRetention(rows);
    let forgotten = 0;
    for (const row of rows) {
      if (!isRetentionSettled(Math.max(row.changedAt, general.changedAt), now)) continue;
      // How long samples are kept is seen by how far they have gone.
      const kept = keptDays({ own: row.days, general: general.days, sampleDays: sampleRetentionBounds.least.sample });
      const cutoffs = retentionCutoffs(kept, { now, samplesKeptFrom: Math.max(daysFrom, row.samplesKeptFrom) });
      for (const [table, gone, from, to] of [
        [sql`kpi_minute`, sql`minutes_gone_to`, row.minutesGoneTo, cutoffs.minute],
        [sql`kpi_hour`, sql`hours_gone_to`, row.hoursGoneTo, cutoffs.hour],
        [sql`kpi_day`, sql`days_gone_to`, row.daysGoneTo, cutoffs.day],
      ] as const)
        if (to !== null && to > from) forgotten += await forget(tx, { row, table, gone, from, to });
    }
    return forgotten + (await forgetAnomalies(tx, now));
  });
}

/** Lets what lies in a stretch of time go; the stretch is over when there was less than may go at once. */
async function forget(
  tx: Tx,
  of: { readonly row: RetentionRow; readonly table: SQL; readonly gone: SQL; readonly from: number; readonly to: number },
): Promise<number> {
  const { row, table, gone, from, to } = of;
  const deleted = await tx.execute(sql`
    with old as (
      select t.ctid from ${table} as t join kpi_series as s on s.id = t.series_id
      where t.at >= ${from}::timestamptz and t.at < ${to}::timestamptz and ${isOfRow(row.metric)} order by t.at limit ${mostForgotten}
    )
    delete from ${table} as t using old where t.ctid = old.ctid`);
  if (deleted.count < mostForgotten)
    await tx.execute(sql`update kpi_retention set ${gone} = ${to}::timestamptz where metric = ${row.metric}`);
  return deleted.count;
}

async function forgetAnomalies(tx: Tx, now: number): Promise<number> {
  let forgotten = 0;
  for (const table of [sql`kpi_band`, sql`anomaly`]) {
    const deleted = await tx.execute(sql`
      delete from ${table} as t using (select ctid from ${table} where at < ${now - daysOfAnomalies * DAY_MS}::timestamptz order by at limit ${mostForgotten}) as old
      where t.ctid = old.ctid`);
    forgotten += deleted.count;
  }
  return forgotten;
}
