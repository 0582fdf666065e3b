import { existsSync } from "node:fs";
import { chromium } from "playwright-core";
import { packagedZoneData } from "../../packages/core/dist/index.js";
import { createToken } from "../../packages/server/dist/access/tokens.js";
import { systemActor } from "../../packages/server/dist/command.js";
import { openDatabase } from "../../packages/server/dist/db/client.js";
import { appendEvents } from "../../packages/server/dist/events/append-events.js";
import { startLiveServer } from "./live.mjs";

const CHROMIUM = "/usr/bin/chromium";

export const pageSettings = {
  integrations: 10_000,
  groups: 10,
  eventsPerSecond: 500,
  batchMs: 100,
  changeMs: 5_000,
  warmUpMs: 15_000,
  sampleMs: 5_000,
  /** A machine with other work takes long to load a page. */
  patienceMs: 300_000,
};

/**
 * A page of the dashboard in Chromium while 500 events a second are written, and a pause over a thousand integrations begins or ends every five
 * seconds. Answers the long tasks of the page's main thread, how busy that was, and its heap after a collection at the beginning and at the end.
 */
export async function dashboardPage(cluster, { minutes, path }) {
  if (!existsSync(CHROMIUM)) throw new Error(`${CHROMIUM} is needed: test/systems/install-debian.sh installs it.`);
  const url = await cluster.database("bench_page", { migrated: true });
  const database = openDatabase(url, { max: 3, applicationName: "bench-page" });
  await seed(database.sql);
  const context = { database, actor: systemActor, zones: packagedZoneData() };
  const { secret } = await createToken(context, { name: "bench", role: "admin" });
  const server = await startLiveServer(["quiesce", url]);
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ["--disable-dev-shm-usage", ...(process.getuid?.() === 0 ? ["--no-sandbox"] : [])],
  });
  const load = startLoad({ database, server, secret });
  try {
    return { ...(await watch(browser, { server, secret, path, minutes })), ...load.figures() };
  } finally {
    await load.stop();
    await browser.close();
    await server.stop();
    await database.close();
  }
}

async function watch(browser, { server, secret, path, minutes }) {
  const page = await browser.newPage({ viewport: { width: 1_280, height: 860 } });
  page.setDefaultTimeout(pageSettings.patienceMs);
  const faults = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  await page.addInitScript((token) => {
    sessionStorage.setItem("quiesce.token", token);
    globalThis.longTasks = [];
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) globalThis.longTasks.push(duration);
    }).observe({ type: "longtask", buffered: true });
  }, secret);
  await page.goto(`${server.url}${path}`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.waitForTimeout(pageSettings.warmUpMs);
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Performance.enable");
  const metrics = async () =>
    Object.fromEntries((await cdp.send("Performance.getMetrics")).metrics.map(({ name, value }) => [name, value]));
  const heap = async () => {
    await cdp.send("HeapProfiler.collectGarbage");
    return (await metrics()).JSHeapUsedSize / 2 ** 20;
  };
  const startMib = await heap();
  const loading = await page.evaluate(() => globalThis.longTasks.splice(0));
  const before = await metrics();
  const headings = new Set();
  let peakMib = 0;
  const ends = performance.now() + minutes * 60_000;
  while (performance.now() < ends) {
    await page.waitForTimeout(pageSettings.sampleMs);
    peakMib = Math.max(peakMib, (await metrics()).JSHeapUsedSize / 2 ** 20);
    headings.add(await page.getByRole("heading", { level: 1 }).textContent());
  }
  const after = await metrics();
  const tasks = await page.evaluate(() => globalThis.longTasks.splice(0));
  return {
    longTasks: tasks.length,
    longestMs: Math.max(0, ...tasks),
    longestLoadingMs: Math.max(0, ...loading),
    busyShare: (after.TaskDuration - before.TaskDuration) / (after.Timestamp - before.Timestamp),
    startMib,
    endMib: await heap(),
    peakMib,
    nodes: after.Nodes,
    headings: headings.size,
    faults,
  };
}

/** Writes events at the wanted rate, whatever a batch takes, and begins or ends a pause over a group of integrations again and again. */
function startLoad({ database, server, secret }) {
  const { eventsPerSecond, batchMs, changeMs, integrations, groups } = pageSettings;
  const over = new AbortController();
  let written = 0;
  const began = performance.now();
  const events = (async () => {
    while (!over.signal.aborted) {
      const wanted = Math.floor(((performance.now() - began) / 1_000) * eventsPerSecond) - written;
      if (wanted > 0) {
        const batch = Array.from({ length: wanted }, (_, index) => eventOf(written + index, integrations));
        await database.db.transaction((tx) => appendEvents(tx, batch));
        written += wanted;
      }
      await wait(batchMs);
    }
  })();
  let changes = 0;
  const pauses = (async () => {
    let hold = null;
    while (!over.signal.aborted) {
      await wait(changeMs);
      if (hold === null) {
        const scope = { tags: [`group-${changes % groups}`] };
        hold = (await ask({ server, secret }, "mutation ($input: PauseInput!) { pause(input: $input) { id } }", { scope, reason: "bench" }))
          .pause.id;
      } else {
        await ask({ server, secret }, "mutation ($input: ResumeInput!) { resume(input: $input) { released { key } } }", {
          holdId: hold,
          reason: "bench",
        });
        hold = null;
      }
      changes += 1;
    }
  })();
  return {
    figures: () => ({ eventsPerSecond: written / ((performance.now() - began) / 1_000), changes }),
    stop: async () => {
      over.abort();
      await Promise.all([events, pauses]);
    },
  };
}

const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Runs start and end, in turn, over all integrations. */
function eventOf(number, integrations) {
  const isStart = number % 2 === 0;
  const integrationKey = `i${Math.floor(number / 2) % integrations}`;
  const subjectKey = `019a0000-0000-7000-8000-${String(Math.floor(number / 2)).padStart(12, "0")}`;
  const payload = isStart
    ? { job: integrationKey, dueAt: "2026-11-20T10:00:00.000Z", attempt: 1 }
    : { job: integrationKey, dueAt: "2026-11-20T10:00:00.000Z", attempt: 1, state: "succeeded" };
  return { kind: isStart ? "run.started" : "run.finished", subjectKind: "run", subjectKey, integrationKey, payload };
}

async function ask({ server, secret }, query, input) {
  const headers = { "content-type": "application/json", authorization: `Bearer ${secret}` };
  const response = await fetch(`${server.url}/graphql`, { method: "POST", headers, body: JSON.stringify({ query, variables: { input } }) });
  const { data, errors } = await response.json();
  if (errors !== undefined) throw new Error(errors[0].message);
  return data;
}

/** Integrations on one system in groups by tag, each with a job; a hundred of them failed last, for four reasons. */
async function seed(sql) {
  const { integrations, groups } = pageSettings;
  await sql`insert into integration (key, name, owner_team, tags)
    select 'i' || n, 'Integration ' || n, 'team-' || n % 50, array['group-' || n % ${groups}::integer] from generate_series(0, ${integrations - 1}::integer) as n`;
  await sql`insert into job (key, name, integration_id) select key, 'j', id from integration`;
  await sql`select ensure_run_partitions(app_now() - interval '1 day', app_now() + interval '1 hour')`;
  await sql`insert into run (id, due_at, last_due_at, job_id, integration_id, bucket, schedule_version, trigger, state, ready_at, started_at, finished_at, attempt, error)
    select new_run_id(j.at), j.at, j.at, j.id, j.integration_id, 0, 1, 'schedule', case when j.id % 100 = 0 then 'failed' else 'succeeded' end, j.at, j.at, j.at, 1,
      case when j.id % 100 = 0 then jsonb_build_object('kind', 'auth', 'message', 'Unauthorized by system ' || j.id % 4) end
    from (select id, integration_id, date_trunc('milliseconds', clock_timestamp() - interval '1 hour') as at from job offset 0) as j`;
  await sql.unsafe("analyze");
}
