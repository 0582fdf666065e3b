import { daysToHave, expiredDays, judgeDay, type RetainedTable, retainedTables, retentionCutoff } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { inTransaction, readNow, systemActor } from "../command.js";
import type { Database, RawSql, Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";
import { longestSampleDays } from "../kpis/retention/let-samples-go.js";
import { lowerOpenSince } from "../runs/open-since.js";
import { attachDay, contentsOf, detachDay, ensureDays, type StoredDay, storedDays, withRetentionLock } from "./partitions.js";
import { type RetentionDays, retentionInForce } from "./settings.js";

/** The most days of one table that go in one pass: a mistake with the clock or a setting can still be noticed. */
const maxDaysAtOnce = 10;

/** A day that went, or that stays although it is old enough. */
export interface DayResult {
  readonly name: string;
  readonly rows: number;
  readonly result: "dropped" | "waiting" | "reaches";
}

/**
 * Makes the days ahead, and lets go of days that are older than the retention. A day with a run that has not ended stays, and one whose runs stand
 * for due times that are to be kept. Each day that goes is an audit entry and the event `retention.dropped`.
 */
export async function letDaysGo(context: { readonly database: Database }, configured: RetentionDays): Promise<readonly DayResult[]> {
  const { db } = context.database;
  const now = await readNow(db);
  const inForce = await retentionInForce(db, configured);
  const results: DayResult[] = [];
  for (const table of retainedTables) {
    await ensureDays(db, table, daysToHave(now));
    // Days of samples stay for the metric that is kept longest.
    const days = table === "kpi_sample" ? await longestSampleDays(db, { sampleDays: configured.kpi_sample, now }) : inForce[table];
    if (days === null) continue;
    const cutoff = retentionCutoff(table, days, now);
    const expired = expiredDays(await storedDays(db, table), cutoff);
    if (expired.length === 0) continue;
    await withRetentionLock(context.database, async (connection) => {
      // Looked at again under the lock: another server may have been here.
      const known = new Map((await storedDays(db, table)).map((day) => [day.name, day]));
      const still = expired.flatMap((day) => known.get(day.name) ?? []);
      results.push(...(await letGo({ ...context, connection }, { table, days: still, cutoff })));
    });
  }
  return results;
}

async function letGo(
  context: { readonly database: Database; readonly connection: RawSql },
  of: { readonly table: RetainedTable; readonly days: readonly StoredDay[]; readonly cutoff: number },
): Promise<readonly DayResult[]> {
  const { table, days, cutoff } = of;
  const results: DayResult[] = [];
  for (const day of days) {
    if (results.filter((one) => one.result === "dropped").length >= maxDaysAtOnce) break;
    const contents = await contentsOf(context.database.db, table, day);
    const verdict = judgeDay(contents, cutoff);
    // Also a day that somebody was taking out when it still could go: the transaction below puts it back.
    if (verdict.kind === "keep" && day.status === "attached") {
      results.push({ name: day.name, rows: contents.rows, result: verdict.reason });
      continue;
    }
    await detachDay(context.connection, table, day);
    results.push(await dropDetached(context, { table, day, cutoff }));
  }
  return results;
}

/** Nobody reaches a detached day any more, so what is found now is what goes. */
function dropDetached(
  context: { readonly database: Database },
  of: { readonly table: RetainedTable; readonly day: StoredDay; readonly cutoff: number },
): Promise<DayResult> {
  const { table, day, cutoff } = of;
  return inTransaction(context, async (tx) => {
    await tx.execute(sql`lock table ${sql.identifier(day.name)} in access exclusive mode`);
    const { rows, ...contents } = await contentsOf(tx, table, day);
    const verdict = judgeDay(contents, cutoff);
    if (verdict.kind === "keep") {
      await attachDay(tx, table, day);
      if (table === "run") await lowerOpenSince(tx, day.opensAt);
      return { name: day.name, rows, result: verdict.reason };
    }
    await noteGone(tx, { table, day, lastDueAt: contents.lastDueAt });
    await tx.execute(sql`drop table ${sql.identifier(day.name)}`);
    const what = { table, day: new Date(day.opensAt).toISOString().slice(0, 10), rows };
    const subject = { subjectKind: "control", subjectKey: "retention" } as const;
    await recordAudit(tx, { ...subject, actor: systemActor, action: "retention.drop", before: what });
    await appendEvents(tx, [{ ...subject, kind: "retention.dropped", payload: what }]);
    return { name: day.name, rows, result: "dropped" };
  });
}

/** What readers and writers go by to know what is still there. */
async function noteGone(
  tx: Tx,
  gone: { readonly table: RetainedTable; readonly day: StoredDay; readonly lastDueAt: number | null },
): Promise<void> {
  const { table, day } = gone;
  switch (table) {
    case "run": {
      const at = Math.max(day.closesAt, (gone.lastDueAt ?? 0) + 1);
      await tx.execute(sql`update control set runs_retained_from = greatest(runs_retained_from, ${at}::timestamptz)`);
      break;
    }
    case "event_log":
      await tx.execute(sql`
        update event_head set dropped_through = greatest(dropped_through, coalesce((select max(position) from ${sql.identifier(day.name)}), 0))`);
      break;
    case "kpi_sample":
      await tx.execute(sql`update kpi_progress set samples_kept_from = greatest(samples_kept_from, ${day.closesAt}::timestamptz)`);
      // Who writes samples now, of days that were kept until now, is done before this counts.
      await tx.execute(sql`select pg_advisory_xact_lock(lock_class_kpi_kept(), 0)`);
      break;
  }
}
