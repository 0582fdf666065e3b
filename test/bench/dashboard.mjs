import { packagedZoneData } from "../../packages/core/dist/index.js";
import { createToken } from "../../packages/server/dist/access/tokens.js";
import { systemActor } from "../../packages/server/dist/command.js";
import { openDatabase } from "../../packages/server/dist/db/client.js";
import { startLiveServer } from "./live.mjs";

export const dashboardSettings = { integrations: 50, requests: 300, rounds: 3 };

const QUERY =
  "{ integrations(first: 50) { nodes { id key name ownerTeam criticality lastRun { id state dueAt startedAt finishedAt } holds { id title owner reason expiresAt } } } }";

/** CPU of a request for the page everybody looks at, with token, limits and global ids, against a bare HTTP server that sends one SQL statement's rows. */
export async function dashboard(cluster) {
  const url = await cluster.database("bench_dashboard", { migrated: true });
  const database = openDatabase(url, { max: 2, applicationName: "bench" });
  await seed(database.sql);
  const { secret } = await createToken({ database, actor: systemActor, zones: packagedZoneData() }, { name: "bench", role: "viewer" });
  await database.close();
  const ours = await startLiveServer(["quiesce", url]);
  const raw = await startLiveServer(["raw-sql", url]);
  const askOurs = async () => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${secret}` };
    const response = await fetch(`${ours.url}/graphql`, { method: "POST", headers, body: JSON.stringify({ query: QUERY }) });
    const { data } = await response.json();
    return data.integrations.nodes.filter(({ lastRun, holds }) => lastRun !== null && holds.length > 0).length;
  };
  const askRaw = async () => {
    const response = await fetch(raw.url);
    return (await response.json()).filter(({ lastRun, holds }) => lastRun !== null && holds.length > 0).length;
  };
  const costs = { ours: [], raw: [] };
  for (let round = 0; round <= dashboardSettings.rounds; round += 1) {
    for (const [costsOfOne, server, ask] of [
      [costs.ours, ours, askOurs],
      [costs.raw, raw, askRaw],
    ]) {
      await server.cpu();
      for (let request = 0; request < dashboardSettings.requests; request += 1)
        if ((await ask()) !== 10) throw new Error("The answer is not the page.");
      const used = await server.cpu();
      // The first round warms up.
      if (round > 0) costsOfOne.push(used / dashboardSettings.requests / 1_000);
    }
  }
  await Promise.all([ours.stop(), raw.stop()]);
  const median = (figures) => figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)];
  const [oursMs, rawMs] = [median(costs.ours), median(costs.raw)];
  return { ...dashboardSettings, oursMs, rawMs, ratio: oursMs / rawMs };
}

/** 50 integrations, each with three runs that ended; one hold over ten of them. */
async function seed(sql) {
  const count = dashboardSettings.integrations;
  await sql`insert into integration (key, name, owner_team) select 'i' || n, 'Integration ' || n, 'team-' || n % 5 from generate_series(1, ${count}::integer) as n`;
  await sql`insert into job (key, name, integration_id) select 'j' || id, 'j', id from integration`;
  await sql`select ensure_run_partitions(app_now() - interval '1 day', app_now() + interval '1 hour')`;
  await sql`insert into run (id, due_at, last_due_at, job_id, integration_id, bucket, schedule_version, trigger, state, ready_at, started_at, finished_at, attempt)
    select new_run_id(j.at), j.at, j.at, j.id, j.integration_id, i.bucket, 1, 'schedule', 'succeeded', j.at, j.at, j.at, 1
    from (select id, integration_id, date_trunc('milliseconds', clock_timestamp() - n * interval '1 hour') as at from job, generate_series(1, 3) as n offset 0) as j
    join integration as i on i.id = j.integration_id`;
  await sql`insert into hold (kind, scope, owner, reason, begins_at) values ('manual', '{}', 'bench', 'bench', app_now() - interval '1 minute')`;
  await sql`insert into hold_member (hold_id, integration_id, begins_at, mode, path) select h.id, i.id, h.begins_at, 'enforce', 'all' from hold as h, integration as i where i.id <= 10`;
  await sql.unsafe("analyze");
}
