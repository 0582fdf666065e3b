import { addEncoded, emptyHistogram, encodeHistogram, encodeSlots, type EvidenceRun, joinEvidence } from "@quiesce/core";
import { type SQL, sql } from "drizzle-orm";
import { inTransaction } from "../command.js";
import type { Database, Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { evidenceMetric } from "./metrics.js";
import { type EncodedRun, decodeRuns, encodeRuns } from "./evidence-runs.js";

/** Stretches of one pass: some seconds of work. */
const mostStretches = 3_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** A stretch of at most an hour whose samples changed. */
interface Stretch {
  readonly seriesId: number;
  readonly first: number;
  readonly last: number;
}

/** A minute, hour or day of a series. */
interface Bucket {
  readonly seriesId: number;
  readonly at: number;
}

interface Sums extends Bucket {
  readonly samples: number;
  readonly good: number;
  readonly marked: number;
  /** A whole number as text: it may have more digits than a JavaScript number holds. */
  readonly sumMillionths: string;
  readonly min: number;
  readonly max: number;
}

/**
 * Sums up the stretches that changed: minutes from samples, hours from minutes, days from hours, each computed anew, so that neither the order of arrival nor
 * a repetition makes a difference. One server at a time. `more`: there is more to do at once.
 */
export function rollUp(
  context: { readonly database: Database },
  most = mostStretches,
): Promise<{ readonly stretches: number; readonly more: boolean }> {
  return inTransaction(context, async (tx) => {
    const [lock] = await selectRows<{ got: boolean }>(tx, sql`select pg_try_advisory_xact_lock(lock_class_kpi_rollup(), 0) as got`);
    if (lock?.got !== true) return { stretches: 0, more: false };
    const { taken, stretches } = await takeStretches(tx, most);
    if (stretches.length > 0) {
      await sumMinutes(tx, stretches);
      const hours = bucketsOf(stretches, HOUR_MS);
      await sumAbove(tx, { from: sql`kpi_minute`, to: sql`kpi_hour`, spanMs: HOUR_MS, buckets: hours });
      await writeEvidence(tx, hours);
      const days = bucketsOf(stretches, DAY_MS);
      await sumAbove(tx, { from: sql`kpi_hour`, to: sql`kpi_day`, spanMs: DAY_MS, buckets: days });
    }
    return { stretches: taken, more: taken === most };
  });
}

/** Takes what was marked, oldest first, joined an hour. What lies before the samples that are kept stays as it was summed up. */
async function takeStretches(tx: Tx, most: number): Promise<{ readonly taken: number; readonly stretches: readonly Stretch[] }> {
  const rows = await selectRows<Stretch & { readonly marks: number; readonly kept: boolean }>(
    tx,
    sql`
    with taken as (select id from kpi_dirty order by id limit ${most}),
    gone as (delete from kpi_dirty as d using taken as t where d.id = t.id returning d.series_id, d.first_at, d.last_at),
    stretch as (
      select series_id, min(first_at) as first, max(last_at) as last, count(*)::integer as marks
      from gone group by series_id, date_trunc('hour', first_at, 'UTC')
    ),
    kept as materialized (select metric, kpi_kept_from(metric) as since from (select distinct s.metric from stretch as t join kpi_series as s on s.id = t.series_id) as m)
    select t.series_id as "seriesId", t.first, t.last, t.marks, t.first >= k.since as kept
    from stretch as t join kpi_series as s on s.id = t.series_id join kept as k on k.metric = s.metric`,
  );
  return { taken: rows.reduce((sum, { marks }) => sum + marks, 0), stretches: rows.filter(({ kept }) => kept) };
}

function bucketsOf(stretches: readonly Stretch[], spanMs: number): readonly Bucket[] {
  const all = new Map<string, Bucket>();
  for (const { seriesId, first } of stretches) {
    const at = Math.floor(first / spanMs) * spanMs;
    all.set(`${seriesId} ${at}`, { seriesId, at });
  }
  return [...all.values()];
}

async function sumMinutes(tx: Tx, stretches: readonly Stretch[]): Promise<void> {
  const ranges = stretches.map(({ seriesId, first, last }) => ({
    seriesId,
    from: Math.floor(first / MINUTE_MS) * MINUTE_MS,
    to: (Math.floor(last / MINUTE_MS) + 1) * MINUTE_MS,
  }));
  const rows = await selectRows<Sums & { readonly slots: number[]; readonly counts: number[] }>(
    tx,
    sql`
    -- LATERAL here and below: each stretch is found by the index. As a join the planner meets every stretch of a series with every sample of it.
    with slot as (
      select w.series_id, k.*
      from ${rangesTable(ranges)} as w cross join lateral (
        select date_trunc('minute', k.at, 'UTC') as at, k.slot, count(*) as n, count(*) filter (where k.ok) as good,
          count(*) filter (where k.mark <> 0) as marked, sum((k.value * 1e6)::bigint) as sum_millionths, min(k.value) as min, max(k.value) as max
        from kpi_sample as k
        where k.series_id = w.series_id and k.at >= w.from_at and k.at < w.to_at
          and k.at >= ${Math.min(...ranges.map(({ from }) => from))}::timestamptz and k.at < ${Math.max(...ranges.map(({ to }) => to))}::timestamptz
        group by 1, 2) as k
    )
    select series_id as "seriesId", at, sum(n)::float8 as samples, sum(good)::float8 as good, sum(marked)::float8 as marked,
      sum(sum_millionths)::text as "sumMillionths", min(min) as min, max(max) as max, array_agg(slot::integer order by slot) as slots,
      array_agg(n::integer order by slot) as counts
    from slot group by series_id, at`,
  );
  await writeSums(
    tx,
    sql`kpi_minute`,
    rows.map((row) => ({ ...row, histogram: encodeSlots(row.slots, row.counts) })),
  );
}

/** Hours from minutes, days from hours. Of checks a day also joins the evidence of its hours. */
async function sumAbove(
  tx: Tx,
  of: { readonly from: SQL; readonly to: SQL; readonly spanMs: number; readonly buckets: readonly Bucket[] },
): Promise<void> {
  const isDay = of.spanMs === DAY_MS;
  const ranges = of.buckets.map(({ seriesId, at }) => ({ seriesId, from: at, to: at + of.spanMs }));
  const rows = await selectRows<Sums & { readonly histogram: Uint8Array; readonly evidence: readonly EncodedRun[] | null }>(
    tx,
    sql`
    select r.series_id as "seriesId", r.at, r.samples::float8 as samples, r.good::float8 as good, r.marked::float8 as marked,
      r.sum_millionths::text as "sumMillionths", r.min_value as min, r.max_value as max, r.histogram, ${isDay ? sql`r.evidence` : sql`null::jsonb as evidence`}
    from ${rangesTable(ranges)} as w cross join lateral (
      select * from ${of.from} as one where one.series_id = w.series_id and one.at >= w.from_at and one.at < w.to_at offset 0) as r
    order by r.series_id, r.at`,
  );
  const groups = new Map<string, (typeof rows)[number][]>();
  for (const row of rows) {
    const name = `${row.seriesId} ${Math.floor(row.at / of.spanMs)}`;
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [row]);
    else group.push(row);
  }
  await writeSums(
    tx,
    of.to,
    [...groups.values()].flatMap((group) => {
      const [first] = group;
      if (first === undefined) return [];
      const histogram = emptyHistogram();
      for (const row of group) addEncoded(histogram, row.histogram);
      const sum = { ...sumOf(group), seriesId: first.seriesId, at: Math.floor(first.at / of.spanMs) * of.spanMs };
      const evidence = group.flatMap((row) => (row.evidence === null ? [] : [decodeRuns(row.evidence)]));
      return [{ ...sum, histogram: encodeHistogram(histogram), ...(evidence.length > 0 ? { evidence: joinEvidence(evidence) } : {}) }];
    }),
  );
}

function sumOf(rows: readonly Sums[]): Omit<Sums, "seriesId" | "at"> {
  const total = (of: (row: Sums) => number): number => rows.reduce((sum, row) => sum + of(row), 0);
  return {
    samples: total((row) => row.samples),
    good: total((row) => row.good),
    marked: total((row) => row.marked),
    sumMillionths: String(rows.reduce((sum, row) => sum + BigInt(row.sumMillionths), 0n)),
    min: rows.reduce((least, row) => Math.min(least, row.min), Number.POSITIVE_INFINITY),
    max: rows.reduce((most, row) => Math.max(most, row.max), 0),
  };
}

async function writeSums(
  tx: Tx,
  table: SQL,
  rows: readonly (Sums & { readonly histogram: Uint8Array; readonly evidence?: readonly EvidenceRun[] })[],
): Promise<void> {
  if (rows.length === 0) return;
  const list = (of: (row: (typeof rows)[number]) => string | number): string => `{${rows.map(of).join(",")}}`;
  await tx.execute(sql`
    insert into ${table} (series_id, at, samples, good, marked, sum_millionths, min_value, max_value, histogram)
    select s, to_timestamp(at / 1000), n, good, marked, sum, min, max, decode(histogram, 'hex')
    from unnest(${list((row) => row.seriesId)}::text::integer[], ${list((row) => row.at)}::text::float8[], ${list((row) => row.samples)}::text::bigint[],
      ${list((row) => row.good)}::text::bigint[], ${list((row) => row.marked)}::text::bigint[], ${list((row) => row.sumMillionths)}::text::numeric[],
      ${list((row) => row.min)}::text::float8[], ${list((row) => row.max)}::text::float8[],
      ${list((row) => Buffer.from(row.histogram).toString("hex"))}::text::text[]) as g(s, at, n, good, marked, sum, min, max, histogram)
    on conflict (series_id, at) do update set samples = excluded.samples, good = excluded.good, marked = excluded.marked,
      sum_millionths = excluded.sum_millionths, min_value = excluded.min_value, max_value = excluded.max_value, histogram = excluded.histogram`);
  const evidence = rows.flatMap(({ seriesId, at, evidence: runs }) =>
    runs === undefined ? [] : [{ seriesId, at, runs: encodeRuns(runs) }],
  );
  await setEvidence(tx, table, evidence);
}

/** Of checks, what the results of the hours say one after the other. */
async function writeEvidence(tx: Tx, hours: readonly Bucket[]): Promise<void> {
  const ranges = hours.map(({ seriesId, at }) => ({ seriesId, from: at, to: at + HOUR_MS }));
  const rows = await selectRows<{ seriesId: number; at: number; ok: boolean; first: number; last: number; count: number }>(
    tx,
    sql`
    with result as (
      select k.series_id, w.from_at as hour, k.at, k.key, k.ok,
        k.ok is distinct from lag(k.ok) over in_order as turns
      from ${rangesTable(ranges)} as w join kpi_series as s on s.id = w.series_id and s.metric = ${evidenceMetric}
      cross join lateral (
        select one.series_id, one.at, one.key, one.ok from kpi_sample as one
        where one.series_id = w.series_id and one.at >= w.from_at and one.at < w.to_at
          and one.at >= ${Math.min(...ranges.map(({ from }) => from))}::timestamptz and one.at < ${Math.max(...ranges.map(({ to }) => to))}::timestamptz
        offset 0) as k
      window in_order as (partition by k.series_id, w.from_at order by k.at, k.key)
    ),
    numbered as (
      select *, at - lag(at) over in_order > interval '5 minutes' as follows_silence,
        sum(turns::integer) over in_order as turn
      from result window in_order as (partition by series_id, hour order by at, key)
    ),
    grouped as (
      select *, sum(coalesce(follows_silence, false)::integer) over (partition by series_id, hour order by at, key) as part from numbered
    )
    select series_id as "seriesId", hour as at, bool_and(ok) as ok, min(grouped.at) as first, max(grouped.at) as last, count(*)::integer as count
    from grouped group by series_id, hour, turn, part order by series_id, hour, min(grouped.at), turn, part`,
  );
  const groups = new Map<string, { readonly seriesId: number; readonly at: number; readonly runs: EncodedRun[] }>();
  for (const { seriesId, at, ...run } of rows) {
    const name = `${seriesId} ${at}`;
    const group = groups.get(name) ?? { seriesId, at, runs: [] };
    groups.set(name, group);
    group.runs.push(...encodeRuns([run]));
  }
  await setEvidence(tx, sql`kpi_hour`, [...groups.values()]);
}

async function setEvidence(
  tx: Tx,
  table: SQL,
  rows: readonly { readonly seriesId: number; readonly at: number; readonly runs: readonly EncodedRun[] }[],
): Promise<void> {
  if (rows.length === 0) return;
  await tx.execute(sql`
    update ${table} as t set evidence = e.runs
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as e("seriesId" integer, at float8, runs jsonb)
    where t.series_id = e."seriesId" and t.at = to_timestamp(e.at / 1000)`);
}

function rangesTable(ranges: readonly { readonly seriesId: number; readonly from: number; readonly to: number }[]): SQL {
  const list = (of: (one: (typeof ranges)[number]) => number): string => `{${ranges.map(of).join(",")}}`;
  return sql`(select s as series_id, to_timestamp(f / 1000) as from_at, to_timestamp(t / 1000) as to_at
    from unnest(${list((one) => one.seriesId)}::text::integer[], ${list((one) => one.from)}::text::float8[], ${list((one) => one.to)}::text::float8[])
      as r(s, f, t))`;
}
