import { isRetentionSettled, keptDays, retentionCutoffs, sampleRetentionBounds, samplesToKeepFrom } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../../audit/record-audit.js";
import { inTransaction, readNow, systemActor } from "../../command.js";
import type { Database, Tx } from "../../db/client.js";
import { selectRows } from "../../db/select-rows.js";
import { integers } from "../../db/sql-arrays.js";
import { appendEvents, payloadInstant } from "../../events/append-events.js";
import { type StoredDay, storedDays, withRetentionLock } from "../../retention/partitions.js";
import { daysKeptFrom, everyMetric, generalRetention, isOfRow, retentionRows, type RetentionRow, seriesOfRow } from "./store.js";

/** Samples of one transaction, of so many series at most. */
const batchSize = 20_000;
const seriesOfBatch = 100;
/** Transactions of one pass: some seconds of work. */
const mostBatches = 50;

/** What went of one metric in a pass. */
export interface SamplesGone {
  /** null: of every metric without days of its own. */
  readonly metric: string | null;
  readonly samples: number;
}

/**
 * Lets samples go of metrics that are kept for a shorter time than others, whose days stay: first it is written down, audited and told from when on they are kept,
 * so that nothing is taken or summed up before; then they are deleted, some thousands a transaction. What waits to be summed up stays. Days that no metric keeps go
 * as a whole: `letDaysGo`. One server at a time; what is more than a pass should do goes with the next one.
 */
export async function letSamplesGo(
  context: { readonly database: Database },
  configured: { readonly sampleDays: number },
  most = mostBatches,
): Promise<readonly SamplesGone[]> {
  const { db } = context.database;
  const gone: SamplesGone[] = [];
  if (!(await hasWork(db, configured))) return gone;
  await withRetentionLock(context.database, async () => {
    for (const { metric } of await retentionRows(db)) await inTransaction(context, (tx) => moveKeptFrom(tx, metric, configured));
    await inTransaction(context, dropSettledRows);
    const days = await storedDays(db, "kpi_sample");
    let left = most;
    for (const row of await retentionRows(db)) {
      const deleted = await deleteBefore(context, { row, days, most: left });
      left -= deleted.batches;
      if (deleted.samples > 0) gone.push({ metric: row.metric === everyMetric ? null : row.metric, samples: deleted.samples });
      if (left <= 0) break;
    }
  });
  return gone;
}

/** Whoever writes or sums up is kept waiting for something to do alone. */
async function hasWork(tx: Tx, configured: { readonly sampleDays: number }): Promise<boolean> {
  const rows = await retentionRows(tx);
  const at = { now: await readNow(tx), daysFrom: await daysKeptFrom(tx), ...configured };
  return rows.some(
    (row) =>
      row.samplesGoneTo < row.samplesKeptFrom || cutoffOf(row, rows, at) !== null || (row.metric !== everyMetric && !saysSomething(row)),
  );
}

const saysSomething = ({ days }: RetentionRow): boolean => Object.values(days).some((one) => one !== null);

/** Before this instant samples of a row may go one by one; null: none may, or they go with their days. */
function cutoffOf(
  row: RetentionRow,
  rows: readonly RetentionRow[],
  at: { readonly now: number; readonly daysFrom: number; readonly sampleDays: number },
): number | null {
  const general = generalRetention(rows);
  const { now, daysFrom, sampleDays } = at;
  if (!isRetentionSettled(Math.max(row.changedAt, general.changedAt), now)) return null;
  const kept = keptDays({ own: row.days, general: general.days, sampleDays });
  if (kept.sample >= longestOf(rows, sampleDays)) return null;
  const samplesKeptFrom = Math.max(row.samplesKeptFrom, daysFrom);
  const { sample } = retentionCutoffs(kept, { now, samplesKeptFrom });
  return sample > samplesKeptFrom ? sample : null;
}

/** Decides from when on samples of a metric are kept. Nobody writes or sums up samples meanwhile, so none is left behind that no sum has. */
async function moveKeptFrom(tx: Tx, metric: string, { sampleDays }: { readonly sampleDays: number }): Promise<void> {
  const daysFrom = await daysKeptFrom(tx);
  const due = async (lock: boolean): Promise<{ readonly row: RetentionRow; readonly cutoff: number } | null> => {
    const rows = await retentionRows(tx, { lock });
    const row = rows.find((one) => one.metric === metric);
    const cutoff = row === undefined ? null : cutoffOf(row, rows, { now: await readNow(tx), daysFrom, sampleDays });
    return row === undefined || cutoff === null ? null : { row, cutoff };
  };
  if ((await due(false)) === null) return;
  await tx.execute(sql`select pg_advisory_xact_lock(lock_class_kpi_rollup(), 0)`);
  await tx.execute(sql`select pg_advisory_xact_lock(lock_class_kpi_kept(), 0)`);
  const still = await due(true);
  if (still === null) return;
  const { row, cutoff } = still;
  const [waiting] = await selectRows<{ at: number | null }>(
    tx,
    sql`
    select min(d.first_at) as at from kpi_dirty as d join kpi_series as s on s.id = d.series_id
    where d.first_at < ${cutoff}::timestamptz and ${isOfRow(metric)}`,
  );
  const from = samplesToKeepFrom({ cutoff, keptFrom: Math.max(row.samplesKeptFrom, daysFrom), firstWaitingAt: waiting?.at ?? null });
  if (from === null) return;
  await tx.execute(sql`update kpi_retention set samples_kept_from = ${from}::timestamptz where metric = ${metric}`);
  const what = { metric: metric === everyMetric ? null : metric, before: payloadInstant(from) };
  const subject = { subjectKind: "control", subjectKey: "sample-retention" } as const;
  await recordAudit(tx, { ...subject, actor: systemActor, action: "retention.drop-samples", before: what });
  await appendEvents(tx, [{ ...subject, kind: "retention.samples-dropped", payload: what }]);
}

/** Days that samples of any metric are kept. */
function longestOf(rows: readonly RetentionRow[], sampleDays: number): number {
  const general = generalRetention(rows).days;
  return Math.max(...rows.map(({ days }) => keptDays({ own: days, general, sampleDays }).sample));
}

/**
 * For how many days samples of the metric are kept that is kept longest: their days stay for so long. Null: somebody has changed it within the hour, and nothing
 * goes yet.
 */
export async function longestSampleDays(
  tx: Tx,
  { sampleDays, now }: { readonly sampleDays: number; readonly now: number },
): Promise<number | null> {
  const rows = await retentionRows(tx);
  return rows.every(({ changedAt }) => isRetentionSettled(changedAt, now)) ? longestOf(rows, sampleDays) : null;
}

/** Deletes what of a metric lies before it is kept, day by day, oldest first. */
async function deleteBefore(
  context: { readonly database: Database },
  of: { readonly row: RetentionRow; readonly days: readonly StoredDay[]; readonly most: number },
): Promise<{ readonly samples: number; readonly batches: number }> {
  const { row, days, most } = of;
  const { metric, samplesKeptFrom, samplesGoneTo } = row;
  const total = { samples: 0, batches: 0 };
  if (samplesGoneTo >= samplesKeptFrom) return total;
  const { db } = context.database;
  const series = await seriesOfRow(db, metric);
  const due = days.filter((day) => day.status === "attached" && day.opensAt < samplesKeptFrom && day.closesAt > samplesGoneTo);
  for (const day of due.toSorted((a, b) => a.opensAt - b.opensAt)) {
    for (let n = 0; n < series.length; n += seriesOfBatch)
      for (let more = true; more;) {
        if (total.batches >= most) return total;
        const { count } = await db.execute(sql`
          delete from ${sql.identifier(day.name)} as k using (
            select ctid from ${sql.identifier(day.name)} where series_id = any (${integers(series.slice(n, n + seriesOfBatch))})
              and at < ${samplesKeptFrom}::timestamptz limit ${batchSize}) as old
          where k.ctid = old.ctid`);
        total.samples += count;
        total.batches += count > 0 ? 1 : 0;
        more = count === batchSize;
      }
    await db.execute(
      sql`update kpi_retention set samples_gone_to = greatest(samples_gone_to, ${day.closesAt}::timestamptz) where metric = ${metric}`,
    );
  }
  await db.execute(
    sql`update kpi_retention set samples_gone_to = greatest(samples_gone_to, ${samplesKeptFrom}::timestamptz) where metric = ${metric}`,
  );
  return total;
}

/** A metric of which nothing is said any more, and which has come as far as those of which nothing ever was, is one of these. */
async function dropSettledRows(tx: Tx): Promise<void> {
  const changedBefore = (await readNow(tx)) - sampleRetentionBounds.settleMs;
  await tx.execute(sql`
    delete from kpi_retention as r using kpi_retention as e, kpi_progress as p
    where e.metric = ${everyMetric} and r.metric <> ${everyMetric} and r.changed_at <= ${changedBefore}::timestamptz
      and num_nonnulls(r.sample_days, r.minute_days, r.hour_days, r.day_days) = 0
      and greatest(r.samples_kept_from, p.samples_kept_from) <= greatest(e.samples_kept_from, p.samples_kept_from)
      and greatest(r.samples_gone_to, p.samples_kept_from) >= greatest(e.samples_gone_to, p.samples_kept_from)
      and r.minutes_gone_to >= e.minutes_gone_to and r.hours_gone_to >= e.hours_gone_to and r.days_gone_to >= e.days_gone_to`);
}
