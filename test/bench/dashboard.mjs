import { packagedZoneData } from "../../packages/core/dist/index.js";
import { createToken } from "../../packages/server/dist/access/tokens.js";
import { systemActor } from "../../packages/server/dist/command.js";
import { openDatabase } from "../../packages/server/dist/db/client.js";
import { startLiveServer } from "./live.mjs";
import { startPeers } from "./peers/start-peers.mjs";

export const dashboardSettings = { integrations: 50, requests: 40, rounds: 25, warmUp: 400, atOnce: [1, 8] };

const FIELDS = "key name ownerTeam criticality";
const QUERY = `{ integrations(first: 50) { nodes { id ${FIELDS} lastRun { id state dueAt startedAt finishedAt } holds { id title owner reason expiresAt } } } }`;
/** The same in the words that PostGraphile makes of the tables; its ids are plain ones. */
const POSTGRAPHILE_QUERY = `{ allIntegrations(first: 50, orderBy: KEY_ASC) { nodes { id: rowId ${FIELDS}
  lastRun { id: rowId state dueAt startedAt finishedAt } holds: holdsList { id: rowId title owner reason expiresAt } } } }`;

/**
 * CPU of a request for the page everybody looks at, with token, limits and global ids, against a bare HTTP server that sends one SQL statement's rows;
 * against the same GraphQL without anything that guards it, which is what access, limits and accounting cost; and against other GraphQL servers over the
 * same rows, which guard nothing either. The contenders take turns, some requests each: what else the machine does meets all of them.
 * Asked for one after the other, requests find a processor that has just been idle; eight at once are what a busy server has.
 */
export async function dashboard(cluster) {
  const url = await cluster.database("bench_dashboard", { migrated: true });
  const database = openDatabase(url, { max: 2, applicationName: "bench" });
  await seed(database.sql);
  const { secret } = await createToken({ database, actor: systemActor, zones: packagedZoneData() }, { name: "bench", role: "viewer" });
  await database.close();
  const graphql = (server, query, pick) => ({ server, ask: () => askGraphql(server, { query, secret, pick }) });
  const ofIntegrations = (data) => data.integrations.nodes;
  const peers = await startPeers(url);
  const raw = await startLiveServer(["raw-sql", url]);
  const contenders = {
    ours: graphql(await startLiveServer(["quiesce", url]), QUERY, ofIntegrations),
    unguarded: graphql(await startLiveServer(["unguarded", url]), QUERY, ofIntegrations),
    raw: { server: raw, ask: async () => shown(await (await fetch(raw.url)).json()) },
  };
  for (const { name, server } of peers.servers)
    contenders[name] = name.startsWith("PostGraphile")
      ? graphql(server, POSTGRAPHILE_QUERY, (data) => data.allIntegrations.nodes)
      : graphql(server, QUERY, ofIntegrations);
  for (const { ask } of Object.values(contenders)) await asked(ask, dashboardSettings.warmUp, 1);
  const measured = [];
  for (const atOnce of dashboardSettings.atOnce) measured.push({ atOnce, figures: await byTurns(contenders, atOnce) });
  for (const { server } of Object.values(contenders)) await server.stop();
  await peers.remove();
  return { measured, skipped: peers.skipped };
}

async function byTurns(contenders, atOnce) {
  const costs = new Map(Object.keys(contenders).map((name) => [name, []]));
  for (let round = 0; round < dashboardSettings.rounds; round += 1) {
    for (const [name, { ask, server }] of Object.entries(contenders)) {
      await server.cpu();
      await asked(ask, dashboardSettings.requests, atOnce);
      costs.get(name).push((await server.cpu()) / dashboardSettings.requests / 1_000);
    }
  }
  const median = (figures) => figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)];
  const ours = costs.get("ours");
  // Round by round: a noisy moment is in both figures of its round.
  return [...costs].map(([name, found]) => ({ name, ms: median(found), ratio: median(ours.map((cost, round) => cost / found[round])) }));
}

async function askGraphql({ url }, { query, secret, pick }) {
  const headers = { "content-type": "application/json", authorization: `Bearer ${secret}` };
  const response = await fetch(`${url}/graphql`, { method: "POST", headers, body: JSON.stringify({ query }) });
  const { data, errors } = await response.json();
  if (errors !== undefined) throw new Error(errors[0].message);
  return shown(pick(data));
}

/** How many integrations have a last run and a hold. */
const shown = (nodes) => nodes.filter(({ lastRun, holds }) => lastRun !== null && holds.length > 0).length;

async function asked(ask, requests, atOnce) {
  const oneAfterTheOther = async () => {
    for (let request = 0; request < requests / atOnce; request += 1)
      if ((await ask()) !== 10) throw new Error("The answer is not the page.");
  };
  await Promise.all(Array.from({ length: atOnce }, oneAfterTheOther));
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
