import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import type { SampleBatch } from "./sample-batch.js";

/** From when on samples are kept one by one. */
export async function samplesKeptFrom(tx: Tx, now: number): Promise<number> {
  const [row] = await selectRows<{ from: number }>(
    tx,
    sql`select greatest(samples_kept_from, ${now - mostBackMs}::timestamptz) as from from kpi_progress`,
  );
  if (row === undefined) throw new Error("kpi_progress has no row.");
  return row.from;
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

/** How many metrics an integration has. */
export async function metricsOf(tx: Tx, integrationId: number): Promise<number> {
  const [row] = await selectRows<{ n: number }>(
    tx,
    sql`select count(*)::integer as n from kpi_series where integration_id = ${integrationId}`,
  );
  return row?.n ?? 0;
}

/** Writes samples that are not there yet, and marks the stretches that they lie in. Answers how many were new. */
export async function storeSamples(tx: Tx, batch: SampleBatch): Promise<number> {
  if (batch.size === 0) return 0;
  await ensureDays(tx, batch);
  const { series, slots, marks, ats, values, oks, keys } = batch.columns();
  const touched = batch.stretches();
  // Milliseconds as floating-point numbers: to read an instant's text takes five times as long.
  const written = await tx.execute(sql`
    insert into kpi_sample (series_id, slot, mark, at, value, ok, key)
    select s, slot, mark, to_timestamp(at / 1000), value, ok, key
    from unnest(${series}::text::integer[], ${slots}::text::smallint[], ${marks}::text::smallint[], ${ats}::text::float8[], ${values}::text::float8[],
      ${oks}::text::boolean[], ${keys}::text::text[]) as g(s, slot, mark, at, value, ok, key)
    on conflict do nothing`);
  await tx.execute(sql`
    insert into kpi_dirty (series_id, first_at, last_at)
    select s, to_timestamp(f / 1000), to_timestamp(l / 1000)
    from unnest(${touched.series}::text::integer[], ${touched.firsts}::text::float8[], ${touched.lasts}::text::float8[]) as t(s, f, l)`);
  return written.count;
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
