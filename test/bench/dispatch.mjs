import { PostgresBackend } from "@agendajs/postgres-backend";
import { Agenda } from "agenda";
import { run as runGraphileWorker, runMigrations, makeWorkerUtils } from "graphile-worker";
import pg from "pg";
import PgBoss from "pg-boss";
import { packagedZoneData } from "../../packages/core/dist/index.js";
import { expandWindows } from "../../packages/server/dist/windows/expand.js";
import { startBenchServer } from "./bench-server.mjs";

/** Connections that every contender may hold. */
const POOL = 10;
const done = () => {
  let resolve;
  const promise = new Promise((settle) => (resolve = settle));
  return { promise, resolve };
};
const timed = async (work) => {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1_000;
};

/** Quiesce: runs are due, every start is a claim with the window decision, every end is durable with its event, the sequencer runs. */
export async function quiesce(cluster, count) {
  const url = await cluster.database("bench_quiesce", { migrated: true });
  const server = await startBenchServer({ url, pool: POOL });
  const { sql } = server.database;
  await expandWindows({ database: server.database, zones: packagedZoneData() });
  await sql`insert into integration (key, name) select 'i' || n, 'i' from generate_series(1, ${count}::integer) as n`;
  await sql`insert into job (key, name, integration_id) select 'j' || id, 'j', id from integration`;
  await sql`select ensure_run_partitions(app_now(), app_now())`;
  await sql`insert into run (id, due_at, last_due_at, job_id, integration_id, bucket, schedule_version, trigger, state, ready_at)
    select new_run_id(d.at), d.at, d.at, j.id, i.id, i.bucket, 1, 'schedule', 'queued', d.at
    from (select app_now() as at) as d, job as j join integration as i on i.id = j.integration_id`;
  await sql.unsafe("analyze");
  const seconds = await timed(async () => {
    server.dispatch();
    for (;;) {
      const [row] = await sql`select count(*)::integer as open from run where state in ('queued', 'running')`;
      if (row.open === 0) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
  if (server.counted.started !== count) throw new Error(`${server.counted.started} runs started, ${count} were due.`);
  await server.stop();
  return { seconds, note: "claims of 500 with the decision, ends and events durable, sequencer running" };
}

export async function agenda(cluster, count) {
  const url = await cluster.database("bench_agenda");
  const pool = new pg.Pool({ connectionString: url, max: POOL });
  const scheduler = new Agenda({
    backend: new PostgresBackend({ pool }),
    processEvery: 50,
    maxConcurrency: 200,
    defaultConcurrency: 200,
    lockLimit: 500,
    defaultLockLimit: 500,
  });
  scheduler.on("error", () => undefined);
  await scheduler.ready;
  const all = done();
  let ended = 0;
  scheduler.define("noop", async () => undefined);
  scheduler.on("complete:noop", () => {
    ended += 1;
    if (ended === count) all.resolve();
  });
  await pool.query(
    "insert into agenda_jobs (name, next_run_at, type) select 'noop', now(), 'normal' from generate_series(1, $1::integer)",
    [count],
  );
  const seconds = await timed(async () => {
    await scheduler.start();
    await all.promise;
  });
  await scheduler.drain({ timeout: 2_000, closeConnection: false }).catch(() => undefined);
  await pool.end();
  return { seconds, note: "processEvery 50 ms, maxConcurrency 200, lockLimit 500" };
}

export async function graphileWorker(cluster, count, localQueue) {
  const url = await cluster.database(localQueue ? "bench_graphile_local" : "bench_graphile");
  const pool = new pg.Pool({ connectionString: url, max: POOL });
  pool.on("error", () => undefined);
  const preset = localQueue ? { worker: { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } } : {};
  await runMigrations({ pgPool: pool });
  const utils = await makeWorkerUtils({ pgPool: pool });
  await pool.query(
    "select graphile_worker.add_jobs(array(select json_populate_record(null::graphile_worker.job_spec, json_build_object('identifier', 'noop')) from generate_series(1, $1::integer)))",
    [count],
  );
  const all = done();
  let ended = 0;
  const { Logger } = await import("graphile-worker");
  let runner;
  const seconds = await timed(async () => {
    runner = await runGraphileWorker({
      pgPool: pool,
      concurrency: 24,
      noHandleSignals: true,
      logger: new Logger(() => () => undefined),
      taskList: {
        noop: async () => {
          ended += 1;
          if (ended === count) all.resolve();
        },
      },
      preset,
    });
    await all.promise;
    for (;;) {
      const left = await pool.query("select count(*)::integer as n from graphile_worker._private_jobs");
      if (left.rows[0].n === 0) break;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  });
  await runner.stop();
  await utils.release();
  await pool.end().catch(() => undefined);
  return { seconds, note: localQueue ? "concurrency 24, localQueue 500, batched completion" : "concurrency 24" };
}

export async function pgBoss(cluster, count) {
  const url = await cluster.database("bench_boss");
  const boss = new PgBoss({ connectionString: url, max: POOL, supervise: false, schedule: false });
  boss.on("error", () => undefined);
  await boss.start();
  await boss.createQueue("noop");
  for (let from = 0; from < count; from += 1_000)
    await boss.insert(Array.from({ length: Math.min(1_000, count - from) }, () => ({ name: "noop" })));
  let ended = 0;
  const seconds = await timed(async () => {
    // pg-boss's fastest way: fetch a batch, complete the batch.
    const loops = Array.from({ length: 4 }, async () => {
      for (;;) {
        const jobs = await boss.fetch("noop", { batchSize: 500 });
        if (jobs.length === 0) return;
        await boss.complete(
          "noop",
          jobs.map((job) => job.id),
        );
        ended += jobs.length;
      }
    });
    await Promise.all(loops);
  });
  if (ended !== count) throw new Error(`pg-boss ended ${ended} of ${count}`);
  await boss.stop({ graceful: false });
  return { seconds, note: "fetch and complete in batches of 500, 4 loops" };
}
