import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { histogramSlot, packagedZoneData } from "../../packages/core/dist/index.js";
import { createToken } from "../../packages/server/dist/access/tokens.js";
import { systemActor } from "../../packages/server/dist/command.js";
import { openDatabase } from "../../packages/server/dist/db/client.js";
import { startLiveServer } from "./live.mjs";

const run = promisify(execFile);
const integrations = 20;
const rounds = 3;

/**
 * `count` samples by `POST /ingest/samples` in one request, into a durable PostgreSQL, beside `COPY` of the same rows by psql into the same empty table with
 * the same index, by turns. The server is a process of its own; the client sends text that was made before. Answers rows a second of both.
 */
export async function ingest(cluster, count) {
  const folder = await mkdtemp(join(tmpdir(), "quiesce-ingest-"));
  const url = await cluster.database("bench_ingest", { migrated: true });
  const database = openDatabase(url, { max: 2, applicationName: "bench" });
  const { sql } = database;
  await sql`insert into integration (key, name) select 'integration-' || n, 'Integration ' || n from generate_series(1, ${integrations}) as n`;
  await sql`insert into kpi_series (integration_id, metric) select id, 'response' from integration`;
  await sql`select ensure_day_partition('kpi_sample', (app_now() at time zone 'UTC')::date - n) from generate_series(0, 1) as n`;
  const series = await sql`select s.id, i.key from kpi_series as s join integration as i on i.id = s.integration_id order by s.id`;
  const samples = samplesOf(series, count);
  const body = samples
    .map(({ key, at, value }) => `{"integration":"${key}","metric":"response","at":${at},"value":${value},"ok":true}\n`)
    .join("");
  const file = join(folder, "samples.csv");
  await writeFile(
    file,
    samples.map(({ id, at, value }) => `${id},${histogramSlot(value)},${new Date(at).toISOString()},${value},t\n`).join(""),
  );
  const { secret } = await createToken({ database, actor: systemActor, zones: packagedZoneData() }, { name: "bench", role: "operator" });
  const server = await startLiveServer(["quiesce", url]);
  const taken = { ours: [], copy: [] };
  try {
    for (let round = 0; round <= rounds; round += 1) {
      await sql`truncate kpi_sample, kpi_dirty`;
      await sql`checkpoint`;
      const ours = await secondsOf(() => send(server, { body, secret, count }));
      await sql`truncate kpi_sample, kpi_dirty`;
      await sql`checkpoint`;
      const copy = await secondsOf(() =>
        run("psql", [url, "-q", "-c", `\\copy kpi_sample (series_id, slot, at, value, ok) from '${file}' csv`], { timeout: 600_000 }),
      );
      // The first round warms up.
      if (round === 0) continue;
      taken.ours.push(count / ours);
      taken.copy.push(count / copy);
    }
  } finally {
    await server.stop();
    await database.close();
    await rm(folder, { recursive: true, force: true });
  }
  const [ours, copy] = [median(taken.ours), median(taken.copy)];
  return { count, bytes: Math.round(body.length / count), ours, copy, ratio: ours / copy };
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** Of the last half hour, turn by turn over the integrations, each with its own instants. */
function samplesOf(series, count) {
  const each = Math.ceil(count / series.length);
  const start = Date.now() - 1_800_000;
  return Array.from({ length: count }, (_, n) => {
    const place = Math.floor(n / series.length);
    return { ...series[n % series.length], at: start + Math.floor((place * 1_800_000) / each), value: 5 + ((n * 7_919) % 100_000) / 100 };
  });
}

async function send(server, { body, secret, count }) {
  const headers = { "content-type": "application/x-ndjson", authorization: `Bearer ${secret}` };
  const response = await fetch(`${server.url}/ingest/samples`, { method: "POST", headers, body });
  const answer = await response.json();
  if (answer.accepted !== count) throw new Error(`Accepted ${JSON.stringify(answer).slice(0, 300)} of ${count}.`);
}

async function secondsOf(work) {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1_000;
}
