import { packagedZoneData } from "../../packages/core/dist/index.js";
import { openDatabase } from "../../packages/server/dist/db/client.js";
import { claimRuns, peekDue } from "../../packages/server/dist/runs/claim.js";
import { materialiseRuns } from "../../packages/server/dist/runs/materialise.js";
import { raiseOpenSince } from "../../packages/server/dist/runs/open-since.js";
import { lastRunsOf } from "../../packages/server/dist/runs/queries.js";
import { sweepReleased } from "../../packages/server/dist/runs/sweep-released.js";
import { registerWorker, reapRuns } from "../../packages/server/dist/runs/worker-lease.js";
import { openDispatchDatabase } from "../../packages/server/dist/scheduler/open-dispatch-database.js";
import { schedulerHealth } from "../../packages/server/dist/scheduler/scheduler-health.js";
import { advanceWindows } from "../../packages/server/dist/windows/advance.js";
import { expandWindows } from "../../packages/server/dist/windows/expand.js";

export const agedSettings = { days: 400, jobs: 5_000, claim: 500, rounds: 7 };

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** What is done all day long, in a database with a year of days and in a new one, turn by turn. */
export async function aged(cluster) {
  const servers = [await open(cluster, "bench_aged", agedSettings.days), await open(cluster, "bench_young", 2)];
  const times = servers.map(() => new Map());
  for (let round = 0; round < agedSettings.rounds; round += 1) {
    for (const [index, server] of servers.entries()) {
      for (const [name, work] of server.duties) {
        const began = performance.now();
        await work();
        // The first round plans and fills caches.
        if (round > 0) times[index].set(name, [...(times[index].get(name) ?? []), performance.now() - began]);
      }
    }
  }
  await Promise.all(servers.map((server) => server.close()));
  const [old, young] = times;
  return [...old].map(([name, values]) => ({ name, agedMs: median(values), youngMs: median(young.get(name)) }));
}

async function open(cluster, name, days) {
  const url = await cluster.database(name, { migrated: true });
  const database = openDatabase(url, { max: 4, applicationName: "bench-aged" });
  const dispatch = openDispatchDatabase(url);
  const { sql } = database;
  const context = { database, zones: packagedZoneData() };
  await expandWindows(context);
  const { jobs, claim } = agedSettings;
  await sql`insert into integration (key, name) select 'i' || n, 'i' from generate_series(1, ${jobs}::integer) as n`;
  await sql`insert into job (key, name, integration_id) select 'j' || id, 'j', id from integration`;
  await sql`select ensure_run_partitions(app_now() - ${`${days} days`}::interval, app_now() + interval '1 day')`;
  // A few that ended in each day, and what is due now.
  await sql`
    insert into run (id, due_at, last_due_at, job_id, integration_id, bucket, schedule_version, trigger, state, ready_at, started_at, finished_at)
    select new_run_id(d.at), d.at, d.at, j.id, i.id, i.bucket, 1, 'schedule', 'succeeded', d.at, d.at, d.at
    from job as j join integration as i on i.id = j.integration_id cross join lateral (
      select date_trunc('milliseconds', app_now() - n * interval '1 day') as at from generate_series(0, ${days - 1}::integer) as n where j.id is not null) as d
    where j.id <= 50`;
  await sql`
    insert into run (id, due_at, last_due_at, job_id, integration_id, bucket, schedule_version, trigger, state, ready_at)
    select new_run_id(d.at), d.at, d.at, j.id, i.id, i.bucket, 1, 'queue', 'queued', d.at
    from (select app_now() as at) as d, job as j join integration as i on i.id = j.integration_id`;
  await sql.unsafe("vacuum analyze");
  for (let call = 0; call < 10; call += 1) await raiseOpenSince(context);
  const workerId = await registerWorker(database, { name: "bench", leaseMs: 3_600_000 });
  const ids = Array.from({ length: 50 }, (_, n) => n + 1);
  let runs = [];
  return {
    duties: [
      ["peek", async () => ({ runs } = await peekDue(dispatch.sql, { withinMs: 0, limit: claim, after: null }))],
      [`claim of ${claim}`, () => claimRuns(dispatch.sql, { workerId, runs, limit: claim })],
      ["reaping", () => reapRuns(context, { marginMs: 10_000 })],
      ["advancing windows", () => advanceWindows(context)],
      ["thorough sweep", () => sweepReleased(context)],
      ["materialising", () => materialiseRuns(context)],
      ["health", () => schedulerHealth(database)],
      ["last runs of 50 integrations", () => lastRunsOf(database, "integration", ids)],
    ],
    async close() {
      await dispatch.close();
      await database.close();
    },
  };
}
