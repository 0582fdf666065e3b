import { readFile } from "node:fs/promises";
import { packagedZoneData } from "../../packages/core/dist/index.js";
import { openDatabase } from "../../packages/server/dist/db/client.js";
import { rollUp } from "../../packages/server/dist/kpis/roll-up.js";
import { slaReport, usualAgreement } from "../../packages/server/dist/kpis/sla-report.js";

const integrations = 100;
const days = 30;
const reports = 40;
const DAY_MS = 86_400_000;

/** A raw query that takes longer than this is asked once. */
const slowMs = 20_000;

/**
 * The report of 30 days of 100 integrations from what `count` samples were summed up to (a check a minute where there are enough, response times for the
 * rest), beside the same availability of results and p95 from the samples themselves by one SQL statement. Answers CPU of this process and of PostgreSQL's
 * backend beside the time a report takes: it does not grow with what else the machine does. `progress` is told how far it is.
 */
export async function sla(cluster, count, progress = () => undefined) {
  const url = await cluster.database("bench_sla", { migrated: true });
  const database = openDatabase(url, { max: 4, applicationName: "bench" });
  const { sql } = database;
  const end = Math.floor(Date.now() / DAY_MS) * DAY_MS;
  const start = end - days * DAY_MS;
  try {
    await seed(sql, { start, count, progress });
    const began = performance.now();
    let told = began;
    for (let more = true; more;) {
      ({ more } = await rollUp({ database }));
      if (performance.now() - told < 10_000) continue;
      told = performance.now();
      const [{ waiting }] = await sql`select count(*)::integer as waiting from kpi_dirty`;
      progress(`${waiting} of ${integrations * 2 * days * 24} stretches are left to be summed up`);
    }
    const sumSeconds = (performance.now() - began) / 1_000;
    progress(`summed up in ${sumSeconds.toFixed(0)} s`);
    await sql`vacuum analyze`;
    const input = { scope: {}, period: { start, end }, agreement: usualAgreement };
    const context = { database, zones: packagedZoneData() };
    const taken = [];
    let [before, backendsBefore] = [process.cpuUsage(), 0];
    for (let n = -5; n < reports; n += 1) {
      if (n === 0) [before, backendsBefore] = [process.cpuUsage(), await backendsCpuMs(sql)];
      const ms = await msOf(() => slaReport(context, input));
      if (n >= 0) taken.push(ms);
    }
    const { user, system } = process.cpuUsage(before);
    const cpuMs = ((user + system) / 1_000 + (await backendsCpuMs(sql)) - backendsBefore) / reports;
    progress(`${reports} reports taken`);
    const sorted = taken.toSorted((a, b) => a - b);
    const raw = [];
    const rawCpuBefore = await backendsCpuMs(sql);
    while (raw.length < 3 && !raw.some((ms) => ms > slowMs)) raw.push(await msOf(() => fromSamples(sql, { start, end })));
    const rawCpuMs = ((await backendsCpuMs(sql)) - rawCpuBefore) / raw.length;
    const [p50Ms, p95Ms] = [sorted[Math.floor(reports / 2)], sorted[Math.ceil(reports * 0.95) - 1]];
    const rawMs = raw.toSorted((a, b) => a - b)[Math.floor(raw.length / 2)];
    return { count, sumSeconds, p50Ms, p95Ms, cpuMs, rawMs, rawCpuMs, ratio: rawMs / p50Ms };
  } finally {
    await database.close();
  }
}

/** CPU of this pool's backends so far, in milliseconds; of Linux, 0 elsewhere. */
async function backendsCpuMs(sql) {
  const backends = await sql`select pid from pg_stat_activity where datname = current_database() and backend_type = 'client backend'`;
  let ms = 0;
  for (const { pid } of backends) ms += Number((await readFile(`/proc/${pid}/schedstat`, "utf8").catch(() => "0")).split(" ")[0]) / 1e6;
  return ms;
}

async function seed(sql, { start, count, progress }) {
  await sql`insert into integration (key, name) select 'integration-' || n, 'Integration ' || n from generate_series(1, ${integrations}) as n`;
  await sql`insert into kpi_series (integration_id, metric) select id, metric from integration, unnest(array['check', 'response']) as metric`;
  await sql`select ensure_day_partition('kpi_sample', (${start}::timestamptz at time zone 'UTC')::date + n) from generate_series(0, ${days - 1}) as n`;
  const spanMs = days * DAY_MS;
  const checks = Math.min(days * 1_440, Math.floor(count / integrations / 2));
  const responses = Math.floor(count / integrations) - checks;
  const seeded = [
    ["check", checks],
    ["response", responses],
  ];
  // Day by day: each is a partition, and so it is seen how far it is.
  for (let day = 0; day < days; day += 1) {
    for (const [metric, each] of seeded)
      // Slots as core's histogram has them; ends of buckets may differ by rounding, which no figure here asks about.
      await sql`
        insert into kpi_sample (series_id, slot, at, value, ok)
        select id, (ceil(ln(value) / ln(2) * 32) + 638)::smallint, at, value, n % 5000 > 4
        from (select s.id, n, ${start}::timestamptz + n * ${spanMs / each}::float8 * interval '1 millisecond' as at, 5 + exp(((n * 7919::bigint + s.id * 31) % 1000) / 150.0) as value
          from kpi_series as s, generate_series(${Math.ceil((each * day) / days)}::integer, ${Math.ceil((each * (day + 1)) / days) - 1}::integer) as n where s.metric = ${metric}) as g`;
    if (day % 5 === 4) progress(`${day + 1} of ${days} days of samples are there`);
  }
  await sql`
    insert into kpi_dirty (series_id, first_at, last_at)
    select s.id, ${start}::timestamptz + h * interval '1 hour', ${start}::timestamptz + h * interval '1 hour' + interval '3599999 milliseconds'
    from kpi_series as s, generate_series(0, ${days * 24 - 1}) as h`;
  await sql`vacuum analyze`;
}

async function fromSamples(sql, { start, end }) {
  const rows = await sql`
    select s.integration_id, s.metric, avg(k.ok::integer) as good, percentile_disc(0.95) within group (order by k.value) as p95
    from kpi_sample as k join kpi_series as s on s.id = k.series_id where k.at >= ${start}::timestamptz and k.at < ${end}::timestamptz
    group by s.integration_id, s.metric`;
  if (rows.length !== 2 * integrations) throw new Error(`Found ${rows.length} series.`);
}

async function msOf(work) {
  const began = performance.now();
  await work();
  return performance.now() - began;
}
