import { DomainError } from "@quiesce/core";
import { type SQL, sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import type { SampleBatch, SampleColumns } from "./sample-batch.js";

/** From when on samples of each metric are kept one by one. */
export async function samplesKeptFrom(tx: Tx, now: number): Promise<(metric: string) => number> {
  const rows = await selectRows<{ metric: string; from: number }>(
    tx,
    sql`
    select r.metric, greatest(p.samples_kept_from, r.samples_kept_from, ${now - mostBackMs}::timestamptz) as from
    from kpi_retention as r cross join kpi_progress as p`,
  );
  const [own, others] = [new Map(rows.map(({ metric, from }) => [metric, from])), rows.find(({ metric }) => metric === "")];
  if (others === undefined) throw new Error("kpi_retention has no row of every metric.");
  return (metric) => own.get(metric) ?? others.from;
}

/** Samples may be added so long afterwards. */
const mostBackMs = 90 * 86_400_000;

/** The number of a series; it is made where there is none. */
export async function seriesOf(tx: Tx, of: { readonly integrationId: number; readonly metric: string }): Promise<number> {
  const find = () =>
    selectRows<{ id: number }>(tx, sql`select id from kpi_series where integration_id = ${of.integrationId} and metric = ${of.metric}`);
  const [known] = await find();
  if (known !== undefined) return known.id;
  const [made] = await selectRows<{ id: number }>(
    tx,
    sql`insert into kpi_series (integration_id, metric) values (${of.integrationId}, ${of.metric}) on conflict do nothing returning id`,
  );
  const [row] = made === undefined ? await find() : [made];
  if (row === undefined) throw new Error("A series was neither made nor found.");
  return row.id;
}

const metricsOfIntegration = 200;

/**
 * Throws QSC_SAMPLE_METRICS_FULL for one metric more than an integration may have. `promised`: so many new ones a trial has let in, which are not written.
 * Answers whether the metric is new.
 */
export async function requireRoom(
  tx: Tx,
  of: { readonly integrationId: number; readonly metric: string; readonly integration: string; readonly promised: number },
): Promise<boolean> {
  const [row] = await selectRows<{ metrics: number; isNew: boolean }>(
    tx,
    sql`
    select count(*)::integer as metrics, count(*) filter (where metric = ${of.metric}) = 0 as "isNew"
    from kpi_series where integration_id = ${of.integrationId}`,
  );
  const { metrics, isNew } = row ?? { metrics: 0, isNew: true };
  if (!isNew || metrics + of.promised < metricsOfIntegration) return isNew;
  throw new DomainError(
    "QSC_SAMPLE_METRICS_FULL",
    `The integration "${of.integration}" has ${metricsOfIntegration} metrics already. Use a metric that it has: what varies belongs in the value, not in the name.`,
    { field: "metric" },
  );
}

/** With fewer samples than this the way there and back of a savepoint takes longer than the insertion. */
const fewSamples = 1_000;

/**
 * Writes samples that are not there yet, and marks the stretches that they lie in. Answers how many were new. `areNew`: it is thought that all are; where
 * they are not, more work was done for the same result. Throws QSC_SAMPLES_BUSY where samples of that time have ceased to be kept since they were let in.
 */
export async function storeSamples(tx: Tx, batch: SampleBatch, { areNew } = { areNew: false }): Promise<number> {
  if (batch.size === 0) return 0;
  const touched = batch.stretches();
  await requireKept(tx, touched);
  await ensureDays(tx, batch);
  const columns = batch.columns();
  const written =
    areNew && batch.size >= fewSamples
      ? await insertNew(tx, columns)
      : (await insertSamples(tx, columns, sql`on conflict do nothing`)).count;
  await tx.execute(sql`
    insert into kpi_dirty (series_id, first_at, last_at)
    select s, to_timestamp(f / 1000), to_timestamp(l / 1000)
    from unnest(${touched.series}::text::integer[], ${touched.firsts}::text::float8[], ${touched.lasts}::text::float8[]) as t(s, f, l)`);
  return written;
}

/** What is written from here on to the end of the transaction is summed up before it goes. */
async function requireKept(tx: Tx, { series, firsts }: ReturnType<SampleBatch["stretches"]>): Promise<void> {
  const [row] = await selectRows<{ kept: boolean }>(
    tx,
    sql`select kpi_hold_kept(${series}::text::integer[], ${firsts}::text::float8[]) as kept`,
  );
  if (row?.kept === true) return;
  throw new DomainError(
    "QSC_SAMPLES_BUSY",
    "Samples as old as some of these have just ceased to be kept one by one. Samples of this request before them may have been taken; send it again.",
    { details: { retryAfterSeconds: 1 } },
  );
}

/** Without a look at what is there, which takes a third of an insertion; if one is there already, all once more with it. */
async function insertNew(tx: Tx, columns: SampleColumns): Promise<number> {
  try {
    return await tx.transaction(async (savepoint) => (await insertSamples(savepoint, columns, sql``)).count);
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    return (await insertSamples(tx, columns, sql`on conflict do nothing`)).count;
  }
}

function insertSamples(tx: Tx, { series, slots, marks, ats, values, oks, keys }: SampleColumns, conflicts: SQL) {
  // Milliseconds as floating-point numbers: to read an instant's text takes five times as long.
  return tx.execute(sql`
    insert into kpi_sample (series_id, slot, mark, at, value, ok, key)
    select s, slot, coalesce(mark, 0), to_timestamp(at / 1000), value, coalesce(ok, true), coalesce(key, '')
    from unnest(${series}::text::integer[], ${slots}::text::smallint[], ${marks}::text::smallint[], ${ats}::text::float8[], ${values}::text::float8[],
      ${oks}::text::boolean[], ${keys}::text::text[]) as g(s, slot, mark, at, value, ok, key)
    ${conflicts}`);
}

function isUniqueViolation(error: unknown): boolean {
  for (let one = error; one instanceof Error; one = one.cause) if ("code" in one && one.code === "23505") return true;
  return false;
}

/** How many stretches of at most an hour wait to be summed up; counted no further than `most`. */
export async function waitingStretches(tx: Tx, most: number): Promise<number> {
  const [row] = await selectRows<{ n: number }>(
    tx,
    sql`select count(*)::integer as n from (select from kpi_dirty limit ${most + 1}) as waiting`,
  );
  return row?.n ?? 0;
}

async function ensureDays(tx: Tx, { firstDay, lastDay }: SampleBatch): Promise<void> {
  await tx.execute(sql`
    select ensure_day_partition('kpi_sample', day::date)
    from generate_series((${firstDay}::timestamptz at time zone 'UTC')::date, (${lastDay}::timestamptz at time zone 'UTC')::date, '1 day') as day
    where to_regclass('kpi_sample_' || to_char(day, 'YYYYMMDD')) is null`);
}
