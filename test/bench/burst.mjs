import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { packagedZoneData } from "../../packages/core/dist/index.js";
import { openDatabase } from "../../packages/server/dist/db/client.js";
import { createWindow } from "../../packages/server/dist/windows/commands.js";
import { expandWindows } from "../../packages/server/dist/windows/expand.js";
import { startBenchServer } from "./bench-server.mjs";

const percentile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];

/** Integrations with a job each and one run each, due at random within `spreadMs` from `delayMs` on. */
async function seedRuns(sql, { count, delayMs, spreadMs }) {
  await sql`insert into integration (key, name) select 'i' || n, 'i' from generate_series(1, ${count}::integer) as n`;
  await sql`insert into job (key, name, integration_id) select 'j' || id, 'j', id from integration`;
  await sql`select ensure_run_partitions(app_now(), app_now() + interval '1 hour')`;
  await sql`insert into run (id, due_at, last_due_at, job_id, integration_id, bucket, schedule_version, trigger, state, ready_at)
    select new_run_id(j.at), j.at, j.at, j.id, j.integration_id, i.bucket, 1, 'schedule', 'queued', j.at
    from (select id, integration_id, date_trunc('milliseconds', clock_timestamp() + (${delayMs}::float8 + random() * ${spreadMs}::float8) * interval '1 millisecond') as at from job offset 0) as j
    join integration as i on i.id = j.integration_id`;
  await sql.unsafe("analyze");
}

/** How late runs start when they are due one by one. */
export async function lateness(cluster, count = 2_000, spreadMs = 20_000) {
  const url = await cluster.database("bench_lateness", { migrated: true });
  const server = await startBenchServer({ url, pool: 10 });
  const { sql } = server.database;
  await expandWindows({ database: server.database, zones: packagedZoneData() });
  await seedRuns(sql, { count, delayMs: 1_500, spreadMs });
  server.dispatch();
  await new Promise((resolve) => setTimeout(resolve, spreadMs + 3_000));
  const rows =
    await sql`select (extract(epoch from started_at - due_at) * 1000)::float8 as late from run where started_at is not null order by 1`;
  await server.stop();
  const late = rows.map((row) => row.late);
  if (late.length !== count) throw new Error(`${late.length} of ${count} runs started.`);
  return { p50: percentile(late, 0.5), p99: percentile(late, 0.99), max: late.at(-1), count };
}

/** `count` runs due within a second, two server processes, and a window over one integration saved in the middle. */
export async function burst(cluster, count = 100_000) {
  const url = await cluster.database("bench_burst", { migrated: true });
  const database = openDatabase(url, { max: 4, applicationName: "bench" });
  const zones = packagedZoneData();
  await expandWindows({ database, zones });
  await seedRuns(database.sql, { count, delayMs: 0, spreadMs: 0 });
  const servers = await Promise.all([1, 2].map(() => startProcess(url)));
  const began = performance.now();
  for (const server of servers) server.stdin.write("");
  const acknowledged = [];
  const context = { database, zones, actor: { kind: "system", name: "bench", role: "admin" } };
  let open = count;
  let saved = 0;
  while (open > 0) {
    saved += 1;
    const start = performance.now();
    const at = Date.now();
    const series = {
      start: new Date(at + 60_000).toISOString().slice(0, 19),
      end: new Date(at + 120_000).toISOString().slice(0, 19),
      timeZone: "UTC",
    };
    await createWindow(context, {
      key: `w${saved}`,
      title: "w",
      series,
      scope: { integrations: [`i${saved}`] },
      owner: "bench",
      reason: "bench",
    });
    acknowledged.push(performance.now() - start);
    await new Promise((resolve) => setTimeout(resolve, 250));
    [{ open }] = await database.sql`select count(*)::integer as open from run where state = 'queued'`;
  }
  const seconds = (performance.now() - began) / 1_000;
  const [{ twice }] = await database.sql`
    select count(*)::integer as twice from (select subject_key from (select subject_key from event_log where kind = 'run.started' union all select subject_key from event_inbox where kind = 'run.started') as e group by 1 having count(*) > 1) as d`;
  for (const server of servers) server.stdin.end();
  await Promise.all(servers.map((server) => once(server, "exit")));
  await database.close();
  return { seconds, count, slowestAckMs: Math.max(...acknowledged), saved, twice };
}

async function startProcess(url) {
  const child = spawn(process.execPath, [fileURLToPath(new URL("bench-server.mjs", import.meta.url)), "serve", url], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  return child;
}

/** The price of the decision: claims with it against claims by the same function without the look at the holds, in one run. */
export async function decisionShare(cluster, rounds = 12) {
  const url = await cluster.database("bench_share", { migrated: true });
  const database = openDatabase(url, { max: 2, applicationName: "bench" });
  const { sql } = database;
  await expandWindows({ database, zones: packagedZoneData() });
  const count = 500;
  await seedRuns(sql, { count: count * rounds * 2, delayMs: 0, spreadMs: 0 });
  // Every integration has ten holds ahead, so that the look has something to look at.
  await sql`insert into hold (kind, scope, owner, reason, begins_at) select 'manual', '{}', 'b', 'b', app_now() + n * interval '1 day' from generate_series(1, 10) as n`;
  await sql`insert into hold_member (hold_id, integration_id, begins_at, mode, path) select h.id, i.id, h.begins_at, 'enforce', 'b' from hold as h, integration as i`;
  await sql.unsafe("vacuum analyze hold_member");
  const [{ definition }] = await sql`select pg_get_functiondef('claim_runs'::regproc) as definition`;
  const look = /cross join lateral \(\s*select array_agg\(h\.hold_id[\s\S]*?\) as look/g;
  const blind = "cross join (select null::bigint[] as held_by, null::bigint[] as observed_by) as look";
  const without = definition.replace("claim_runs(", "claim_runs_blind(").replace(look, blind);
  if ((definition.match(look) ?? []).length !== 1) throw new Error("The claim's look at the holds was not found; mend this benchmark.");
  await sql.unsafe(without);
  const times = { claim_runs: [], claim_runs_blind: [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const name of Object.keys(times)) {
      const runs = await sql`select id, due_at from run where state = 'queued' order by ready_at, job_id limit ${count}`;
      const start = performance.now();
      await sql.unsafe(`select * from ${name}(gen_random_uuid(), $1::uuid[], $2::timestamptz[], $3)`, [
        runs.map((run) => run.id),
        runs.map((run) => run.due_at),
        count,
      ]);
      times[name].push(performance.now() - start);
    }
  }
  await database.close();
  const median = (list) => list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)];
  const [withMs, withoutMs] = [median(times.claim_runs), median(times.claim_runs_blind)];
  return { withMs, withoutMs, share: 1 - withoutMs / withMs, count };
}
