import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { packagedZoneData } from "../../packages/core/dist/index.js";
import { openDatabase } from "../../packages/server/dist/db/client.js";
import { createWindow } from "../../packages/server/dist/windows/commands.js";
import { endWindowEarly } from "../../packages/server/dist/windows/occurrence-commands.js";
import { expandWindows } from "../../packages/server/dist/windows/expand.js";

/** Runs of one job follow one another: many jobs, or the benchmark measures only that. */
const runsOfJob = 10;
const jobsOfIntegration = 50;
const runsOfIntegration = runsOfJob * jobsOfIntegration;
const systems = 20;
const spacingMs = 1;
/** Of each system. */
const cap = 100;
/** What has not ended by then is told as it is. */
const limitMs = 20 * 60_000;

/**
 * `count` held runs of jobs that want every one, let go after a window by two servers: first runs, then the ramp. `url` is a migrated database.
 * Answers what was promised: none lost, none twice, caps kept, transactions and memory bounded, windows saved meanwhile acknowledged.
 */
export async function resumeHeld(url, count) {
  const database = openDatabase(url, { max: 6, applicationName: "bench" });
  const { sql } = database;
  const context = { database, zones: packagedZoneData(), actor: { kind: "system", name: "bench", role: "admin" } };
  await expandWindows(context);
  const began = await seedHeld(context, count);
  const servers = await Promise.all([1, 2].map(() => startProcess(url)));
  const start = performance.now();
  await endWindowEarly(context, { key: "upgrade", reason: "done" });
  const watched = await watch(context, { start, count });
  const [{ twice }] = await sql`
    select count(*)::integer as twice from (
      select subject_key from (select subject_key, kind from event_log union all select subject_key, kind from event_inbox) as e
      where kind = 'run.started' group by 1 having count(*) > 1) as d`;
  const [{ batch, crowded }] = await sql`
    select max(queued) as batch, (select count(*)::integer from (
      -- Two starts on one system closer than its step, although neither was a first run.
      select r.ready_at - lag(r.ready_at) over (partition by route.system_id order by r.ready_at, r.id) as apart
      from run as r join integration_system as route on route.integration_id = r.integration_id and route.role = 'target'
      where r.released_at is not null and r.passes_holds is null) as placed where apart < ${spacingMs} * interval '1 millisecond') as crowded
    from resume_batch`;
  const memory = await Promise.all(servers.map((server) => stop(server)));
  await database.close();
  return { count, integrations: began.integrations, ...watched, twice, largestBatch: batch, crowded, mostMemoryMib: Math.max(...memory) };
}

async function seedHeld(context, count) {
  const { sql } = context.database;
  const integrations = Math.max(1, Math.ceil(count / runsOfIntegration));
  await sql`insert into system (key, name, resume_spacing_ms, max_concurrent_runs) select 's' || n, 's', ${spacingMs}, ${cap} from generate_series(1, ${systems}::integer) as n`;
  // One more, which no window covers: what is saved meanwhile is about it.
  await sql`insert into integration (key, name) select 'i' || n, 'i' from generate_series(1, ${integrations + 1}::integer) as n`;
  await sql`insert into integration_system (integration_id, system_id, role) select i.id, s.id, 'target' from integration as i join system as s on s.id = 1 + i.id % ${systems} where i.id <= ${integrations}`;
  await sql`insert into job (key, name, integration_id, catch_up) select 'j' || id || '-' || n, 'j', id, 'all' from integration, generate_series(1, ${jobsOfIntegration}::integer) as n where id <= ${integrations}`;
  const now = Date.now();
  const local = (at) => new Date(at).toISOString().slice(0, 19);
  await createWindow(context, {
    key: "upgrade",
    title: "Upgrade",
    series: { start: local(now - 3_600_000), end: local(now + 3_600_000), timeZone: "UTC" },
    scope: { systems: Array.from({ length: systems }, (_, index) => `s${index + 1}`) },
    owner: "bench",
    reason: "bench",
  });
  await sql`select ensure_run_partitions(app_now() - interval '1 day', app_now() + interval '1 day')`;
  await sql`
    insert into run (id, due_at, last_due_at, job_id, integration_id, bucket, schedule_version, trigger, state, ready_at, held_by, held_since)
    select new_run_id(d.at), d.at, d.at, j.id, i.id, i.bucket, 1, 'queue', 'held', d.at, (select array_agg(id) from hold), app_now()
    from job as j join integration as i on i.id = j.integration_id
    cross join lateral (select date_trunc('milliseconds', app_now()) - n * interval '1 minute' as at from generate_series(1, ${runsOfJob}::integer) as n where j.id is not null) as d
    order by d.at, j.id limit ${count}::integer`;
  await sql.unsafe("vacuum analyze");
  return { integrations };
}

/** Saves windows and looks at the servers until nothing waits any more. */
async function watch(context, { start, count }) {
  const { sql } = context.database;
  const found = { sweptSeconds: null, seconds: 0, slowestAckMs: 0, saved: 0, mostRunning: 0, longestTransactionMs: 0 };
  for (let done = 0; done < count;) {
    found.saved += 1;
    // Tomorrow: hundreds of windows that open and end meanwhile would be another benchmark.
    const at = Date.now() + 86_400_000;
    const local = (instant) => new Date(instant).toISOString().slice(0, 19);
    const asked = performance.now();
    await createWindow(context, {
      key: `w${found.saved}`,
      title: "w",
      series: { start: local(at), end: local(at + 60_000), timeZone: "UTC" },
      scope: { integrations: [`i${Math.ceil(count / runsOfIntegration) + 1}`] },
      owner: "bench",
      reason: "bench",
    });
    found.slowestAckMs = Math.max(found.slowestAckMs, performance.now() - asked);
    // To count half a million rows costs as much as the servers' own work: with many runs it is done seldom.
    if (found.saved % Math.ceil(count / 20_000) !== 0) {
      await new Promise((resolve) => setTimeout(resolve, 250));
      continue;
    }
    const [look] = await sql`
      select (select count(*)::integer from run where state = 'held') as held, (select count(*)::integer from run where state = 'succeeded') as done,
        (select coalesce(max(n), 0)::integer from (select count(*) as n from run as r join integration_system as route on route.integration_id = r.integration_id
          where r.state = 'running' group by route.system_id) as busy) as running,
        (select coalesce(max(extract(epoch from clock_timestamp() - xact_start) * 1000), 0)::float8 from pg_stat_activity
          where application_name like 'quiesce%' and datname = current_database() and state <> 'idle' and query not like '%event%') as "transactionMs"`;
    done = look.done;
    if (look.held === 0) found.sweptSeconds ??= (performance.now() - start) / 1_000;
    found.mostRunning = Math.max(found.mostRunning, look.running);
    found.longestTransactionMs = Math.max(found.longestTransactionMs, look.transactionMs);
    if (performance.now() - start > limitMs) {
      console.error(`  (only ${done} of ${count} runs ended in ${limitMs / 60_000} minutes)`);
      return { ...found, seconds: null, done, cap };
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  return { ...found, seconds: (performance.now() - start) / 1_000, cap };
}

async function startProcess(url) {
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url), "serve", url], { stdio: ["pipe", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return child;
}

/** The most memory that the process had, in MiB. */
async function stop(child) {
  const said = once(child.stdout, "data");
  child.stdin.end();
  const [text] = await said;
  await once(child, "exit");
  return Number(String(text));
}

/** A whole scheduler, with runs that do nothing, until its pipe closes. */
async function serve(url) {
  const { Scheduler } = await import("../../packages/server/dist/scheduler/scheduler.js");
  const { pino } = await import("pino");
  const database = openDatabase(url, { max: 10, applicationName: "quiesce-bench" });
  const scheduler = new Scheduler({
    database,
    databaseUrl: url,
    zones: packagedZoneData(),
    executor: { execute: async () => ({ kind: "succeeded", figures: {} }) },
    probe: { isReady: async () => ({ ready: true, why: null }) },
    log: pino({ level: "error" }, pino.destination(2)),
    workerName: `bench-${process.pid}`,
    maxConcurrentRuns: 1_000,
    lease: { leaseMs: 60_000, marginMs: 10_000, renewEveryMs: 5_000 },
    random: Math.random,
  });
  await scheduler.start();
  let most = 0;
  const measure = setInterval(() => {
    most = Math.max(most, process.memoryUsage().rss);
  }, 200);
  process.stdout.write("ready\n");
  process.stdin.resume();
  await once(process.stdin, "close");
  clearInterval(measure);
  await scheduler.stop(1_000);
  await database.close();
  process.stdout.write(`${Math.round(most / 1_048_576)}\n`, () => process.exit(0));
}

if (process.argv[2] === "serve") await serve(process.argv[3]);
else if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { startBenchCluster } = await import("./cluster.mjs");
  const count = Number(process.argv[2] ?? 500_000);
  const cluster = await startBenchCluster();
  try {
    console.log(JSON.stringify(await resumeHeld(await cluster.database("bench_resume", { migrated: true }), count)));
  } finally {
    await cluster.stop();
  }
}
