import {
  Baseline,
  baselineKpis,
  type BaselineReading,
  type BaselineState,
  explainAnomaly,
  type Interval,
  type Kpi,
  kpiDefinition,
  kpiFigures,
} from "@quiesce/core";
import { sql } from "drizzle-orm";
import { inTransaction, readNow } from "../../command.js";
import type { Database, Tx } from "../../db/client.js";
import { groupRows } from "../../db/group-rows.js";
import { selectRows } from "../../db/select-rows.js";
import { readCoveredTime } from "../read-covered-time.js";
import { grains, readSums } from "../read-sums.js";
import { endQuietAlerts, tellAnomaly } from "./anomaly-alerts.js";

/** A point of a baseline. */
const pointMs = 300_000;
/** A point is read when it is over for so long: samples come a little late, and sums are seconds behind. */
const settleMs = 60_000;
/** A series that is new is learned from what is known of it already. */
const learnedBackMs = 7 * grains.day;
/** After a longer standstill what lies further back is left out. */
const mostBackMs = 2 * learnedBackMs;
/** Series of a deployment: each point rewrites some 100 KB. */
const mostSeries = 500;
/** Series of one transaction. */
const seriesOfPass = 10;

/** A figure of an integration that has points to be read. */
interface DueSeries {
  readonly integrationId: number;
  readonly key: string;
  readonly kpi: Kpi;
  readonly throughAt: number | null;
}

interface FoundAnomaly {
  readonly at: number;
  readonly value: number;
  readonly reading: BaselineReading & { readonly kind: "scored" };
}

/**
 * Reads the points that are over since the last look into the baselines of figures, and writes down what is not usual, in one transaction. One server at a time;
 * killed in between, the next look reads the same points into the same state. `more`: there is more to do at once.
 */
export function learnBaselines(
  context: { readonly database: Database },
  most = mostSeries,
): Promise<{ readonly series: number; readonly more: boolean }> {
  return inTransaction(context, async (tx) => {
    const [lock] = await selectRows<{ got: boolean }>(tx, sql`select pg_try_advisory_xact_lock(lock_class_kpi_baseline(), 0) as got`);
    if (lock?.got !== true) return { series: 0, more: false };
    const now = await readNow(tx);
    const through = Math.floor((now - settleMs) / pointMs) * pointMs;
    const due = await dueSeries(tx, { through, most });
    for (const series of due) await learn(tx, { series, through, now });
    await endQuietAlerts(tx, now);
    return { series: due.length, more: due.length === seriesOfPass };
  });
}

/** Those that have minutes which were not read, the oldest first; new ones last, while there is room. */
function dueSeries(tx: Tx, { through, most }: { readonly through: number; readonly most: number }): Promise<readonly DueSeries[]> {
  const pairs = JSON.stringify(baselineKpis.map((kpi) => ({ kpi, metric: kpiDefinition(kpi).of ?? kpiDefinition(kpi).metric })));
  return selectRows<DueSeries>(
    tx,
    sql`
    select i.id as "integrationId", i.key, p.kpi, b.through_at as "throughAt"
    from jsonb_to_recordset(${pairs}::text::jsonb) as p(kpi text, metric text) join kpi_series as s on s.metric = p.metric join integration as i on i.id = s.integration_id
    left join kpi_baseline as b on b.integration_id = i.id and b.kpi = p.kpi
    where (b.through_at < ${through}::timestamptz or b.through_at is null and (select count(*) from kpi_baseline) < ${most})
      and exists (select from kpi_minute as m where m.series_id = s.id and m.at >= coalesce(b.through_at, ${through - pointMs}::timestamptz) and m.at < ${through}::timestamptz)
    order by b.through_at nulls last, i.id, p.kpi limit ${seriesOfPass}`,
  );
}

async function learn(tx: Tx, of: { readonly series: DueSeries; readonly through: number; readonly now: number }): Promise<void> {
  const { series, through, now } = of;
  const { integrationId, kpi } = series;
  const [stored] = await selectRows<{ state: string }>(
    tx,
    sql`select state from kpi_baseline where integration_id = ${integrationId} and kpi = ${kpi}`,
  );
  // The server wrote it itself, of a version that the migrations keep up.
  const baseline = new Baseline(stored === undefined ? undefined : (JSON.parse(stored.state) as BaselineState));
  const period = { start: Math.max(series.throughAt ?? through - learnedBackMs, through - mostBackMs), end: through };
  const covered = (await readCoveredTime(tx, { integrationIds: [integrationId], period })).get(integrationId) ?? [];
  const bands: { readonly at: number; readonly low: number; readonly high: number; readonly expected: number }[] = [];
  const anomalies: FoundAnomaly[] = [];
  for (const { at, value } of await readPoints(tx, { integrationId, kpi, period })) {
    const hour = Math.floor(at / grains.hour) * grains.hour;
    const usual = baseline.usual({ at });
    if (usual !== null && bands.at(-1)?.at !== hour) bands.push({ at: hour, ...usual });
    const reading = baseline.observe({ at, value, inMaintenance: touches(covered, { start: at, end: at + pointMs }) });
    if (reading.kind === "scored" && reading.isAnomaly) anomalies.push({ at, value, reading });
  }
  await tx.execute(sql`
    insert into kpi_baseline (integration_id, kpi, through_at, state)
    values (${integrationId}, ${kpi}, ${through}::timestamptz, ${JSON.stringify(baseline.state())})
    on conflict (integration_id, kpi) do update set through_at = excluded.through_at, state = excluded.state`);
  await saveBands(tx, { integrationId, kpi, bands });
  for (const found of anomalies) {
    const id = await saveAnomaly(tx, { series, found, now });
    if (id !== null)
      await tellAnomaly(tx, { id, ...series, at: found.at, score: found.reading.score, explanation: explanationOf(kpi, found), now });
  }
}

const touches = (windows: readonly Interval[], { start, end }: { readonly start: number; readonly end: number }): boolean =>
  windows.some((one) => one.start < end && (one.end === null || one.end > start));

const explanationOf = (kpi: Kpi, { reading }: FoundAnomaly): string => {
  const { unit } = kpiDefinition(kpi);
  return explainAnomaly(reading, unit === "ms" || unit === "1/s" ? unit : "");
};

/** The figure of every five minutes that have one. */
async function readPoints(
  tx: Tx,
  of: { readonly integrationId: number; readonly kpi: Kpi; readonly period: { readonly start: number; readonly end: number } },
): Promise<readonly { readonly at: number; readonly value: number }[]> {
  const { metric, of: whole } = kpiDefinition(of.kpi);
  const read = async (name: string) =>
    groupRows(
      await readSums(tx, { metric: name, integrationIds: [of.integrationId], period: of.period, step: "minute" }),
      ({ at }) => Math.floor(at / pointMs) * pointMs,
    );
  const sums = await read(metric);
  const all = whole === undefined ? null : await read(whole);
  return [...(all ?? sums).keys()]
    .toSorted((a, b) => a - b)
    .flatMap((at) => {
      const { value } = kpiFigures(of.kpi, { sums: sums.get(at) ?? [], all: all?.get(at) ?? [], seconds: pointMs / 1_000 });
      return value === null ? [] : [{ at, value }];
    });
}

async function saveBands(
  tx: Tx,
  of: { readonly integrationId: number; readonly kpi: Kpi; readonly bands: readonly object[] },
): Promise<void> {
  if (of.bands.length === 0) return;
  await tx.execute(sql`
    insert into kpi_band (integration_id, kpi, at, low, high, expected)
    select ${of.integrationId}::integer, ${of.kpi}, to_timestamp(b.at / 1000), greatest(0, b.low), greatest(0, b.high), greatest(0, b.expected)
    from jsonb_to_recordset(${JSON.stringify(of.bands)}::text::jsonb) as b(at float8, low float8, high float8, expected float8)
    on conflict do nothing`);
}

/** null: it was there already. */
async function saveAnomaly(
  tx: Tx,
  of: { readonly series: DueSeries; readonly found: FoundAnomaly; readonly now: number },
): Promise<number | null> {
  const { series, found, now } = of;
  const { score, view, seen, band, expected, isNewExtreme } = found.reading;
  const [row] = await selectRows<{ id: number }>(
    tx,
    sql`
    insert into anomaly (integration_id, kpi, at, value, score, view, seen, low, high, expected, new_extreme, explanation, found_at)
    values (${series.integrationId}, ${series.kpi}, ${found.at}::timestamptz, ${found.value}, ${score}, ${view}, ${seen}, ${band.low}, ${band.high}, ${expected},
      ${isNewExtreme}, ${explanationOf(series.kpi, found)}, ${now}::timestamptz)
    on conflict do nothing returning id`,
  );
  return row?.id ?? null;
}
