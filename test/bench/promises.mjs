import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";

/** How long this bench's servers' runs live without a renewal; the 30 s by default would only be waited for. */
const leaseSeconds = 5;
/** What takes longer has not come about. */
const limitMs = 120_000;
const pageMs = 3_000;
const job = "promised";

/**
 * What the documentation promises in seconds, by the built server as its users start it, with a run in flight whose source never comes
 * to an end. `url` is an empty database. Answers for each promise its goal and the slowest of `rounds`, in seconds.
 */
export async function promises(url, rounds = 3) {
  const folder = await mkdtemp(join(tmpdir(), "quiesce-promises-"));
  const system = await startEndlessSystem();
  const servers = [];
  const start = async () => {
    const server = await startServer(url, folder);
    servers.push(server);
    return server;
  };
  const slowest = new Map();
  const took = (promise, goal, seconds) =>
    slowest.set(promise, { promise, goal, seconds: Math.max(seconds, slowest.get(promise)?.seconds ?? 0) });
  try {
    for (let round = 0; round < rounds; round += 1) {
      const first = await start();
      const { request } = first;
      if (round === 0) await request(documents.apply, { input: { document: JSON.stringify(workspaceOf(system.url, folder)) } });
      took("a revoked token's subscription is closed", 5, await secondsToClose(first));
      await startRun(first, system);
      took("a pause is acknowledged while a run is in flight", 1, await secondsToPause(first));
      took("a run is told to stop after its drain deadline", 2, await secondsToAbort(first));
      await startRun(first, system);
      const second = await start();
      took(
        `a killed server's run starts again after the ${leaseSeconds} s of its lease`,
        5,
        (await secondsToRestart(first, system)) - leaseSeconds,
      );
      took("a server asked to stop with a run in flight and a subscriber has ended", 5, await secondsToStop(second));
    }
    return [...slowest.values()];
  } finally {
    await Promise.all(servers.map(({ process }) => end(process, "SIGKILL")));
    system.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const documents = {
  apply: "mutation ($input: ApplyWorkspaceInput!) { applyWorkspace(input: $input) { dryRun } }",
  runNow: "mutation ($input: RunNowInput!) { runNow(input: $input) { key } }",
  createToken: "mutation ($input: CreateTokenInput!) { createToken(input: $input) { secret token { key } } }",
  revokeToken: "mutation ($input: RevokeTokenInput!) { revokeToken(input: $input) { key } }",
  pause: "mutation ($input: PauseInput!) { pause(input: $input) { id } }",
  resume: "mutation ($input: ResumeInput!) { resume(input: $input) { __typename } }",
  plan: "mutation ($input: MaintenanceWindowInput!) { createMaintenanceWindow(input: $input) { key } }",
  drained: "query ($key: String!) { maintenanceWindow(key: $key) { currentOrNext { quiescedAt drainDeadlineAt } } }",
  endEarly: "mutation ($input: EndMaintenanceWindowEarlyInput!) { endMaintenanceWindowEarly(input: $input) { key } }",
};

const secondsSince = (from) => (performance.now() - from) / 1_000;

async function until(what, look) {
  for (const from = performance.now(); !(await look()); await sleep(10))
    if (performance.now() - from > limitMs) throw new Error(`Waited ${limitMs / 1_000} s in vain: ${what}.`);
}

/** A system over HTTP whose pages come slowly and have no end. */
async function startEndlessSystem() {
  const seen = { requests: 0 };
  const system = createServer((_request, response) => {
    seen.requests += 1;
    const page = { items: [{ id: seen.requests }], next: String(seen.requests) };
    setTimeout(() => response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(page)), pageMs);
  });
  system.listen(0, "127.0.0.1");
  await once(system, "listening");
  return {
    url: `http://127.0.0.1:${system.address().port}`,
    seen,
    close: () => {
      system.closeAllConnections();
      system.close();
    },
  };
}

const workspaceOf = (url, folder) => ({
  quiesce: 1,
  systems: [{ key: "shop" }],
  endpoints: [
    {
      key: "shop",
      system: "shop",
      connector: "http",
      allowPrivate: ["127.0.0.1"],
      config: {
        baseUrl: url,
        streams: [{ name: "orders", path: "/orders", recordsPath: "items", key: ["id"], paging: { style: "token", nextPath: "next" } }],
      },
    },
    {
      key: "files",
      system: "shop",
      connector: "file",
      config: { folder, streams: [{ name: "orders", path: "orders.jsonl", format: "jsonl", key: ["id"], write: "append" }] },
    },
  ],
  integrations: [
    { key: job, source: "shop", target: "files", streams: [{ stream: "orders", mapping: { fields: { id: { from: "id" } } } }] },
  ],
  // Told to stop, or lost, is no reason to give up here.
  jobs: [{ key: job, integration: job, timeout: "1h", retry: { attempts: 100, backoff: "1s", maxBackoff: "1s" } }],
});

/** One built server in a process of its own, once it serves. */
async function startServer(url, folder) {
  const program = fileURLToPath(new URL("../../packages/server/bin/quiesce.js", import.meta.url));
  const port = await freePort();
  const address = `http://127.0.0.1:${port}`;
  const settings = {
    DATABASE_URL: url,
    PORT: String(port),
    QUIESCE_DATA_DIR: folder,
    QUIESCE_LEASE_SECONDS: String(leaseSeconds),
    QUIESCE_LOG_LEVEL: "error",
  };
  const server = spawn(process.execPath, [program, "start"], {
    env: { ...process.env, ...settings },
    stdio: ["ignore", "ignore", "inherit"],
  });
  let token = "";
  await until("a server to serve", async () => {
    if (server.exitCode !== null) throw new Error(`A server ended at its start with ${server.exitCode}.`);
    token = (await readFile(join(folder, "admin-token"), "utf8").catch(() => "")).trim();
    return token !== "" && (await fetch(`${address}/readyz`).catch(() => null))?.ok === true;
  });
  const request = async (query, variables) => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
    const answer = await fetch(`${address}/graphql`, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
    const { data, errors } = await answer.json();
    if (errors !== undefined) throw new Error(`The API answered ${answer.status}: ${JSON.stringify(errors)}`);
    return data;
  };
  return { process: server, url: address, token, request };
}

async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  return port;
}

async function end(server, signal) {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const exited = once(server, "exit");
  server.kill(signal);
  await exited;
}

/** A run that reads, and will not end by itself. */
async function startRun({ request }, { seen }) {
  await request(documents.runNow, { input: { job, reason: "bench" } });
  await readsOn(seen);
}

/** Until the system is asked for one more page. */
async function readsOn(seen) {
  const { requests } = seen;
  await until("the run to ask its system", () => seen.requests > requests);
}

/** A live subscription with that token, once it is taken. */
async function subscribe(url, token) {
  const socket = new WebSocket(`${url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
  await once(socket, "open");
  socket.send(JSON.stringify({ type: "connection_init", payload: { authorization: `Bearer ${token}` } }));
  await once(socket, "message");
  socket.send(JSON.stringify({ id: "1", type: "subscribe", payload: { query: "subscription { liveEvents { cursor } }" } }));
  // An answer to a ping comes behind the subscription.
  socket.send(JSON.stringify({ type: "ping" }));
  await once(socket, "message");
  return socket;
}

async function secondsToClose({ url, request }) {
  const name = `bench-${Date.now()}`;
  const { createToken } = await request(documents.createToken, { input: { name, role: "VIEWER" } });
  const socket = await subscribe(url, createToken.secret);
  const closed = once(socket, "close");
  await request(documents.revokeToken, { input: { key: createToken.token.key } });
  const from = performance.now();
  await closed;
  return secondsSince(from);
}

async function secondsToPause({ request }) {
  const from = performance.now();
  const { pause } = await request(documents.pause, { input: { reason: "bench", scope: { systems: ["shop"] } } });
  const seconds = secondsSince(from);
  await request(documents.resume, { input: { holdId: pause.id, reason: "bench" } });
  return seconds;
}

/** From the drain deadline of a window to the instant from which nothing is in flight, both by the database's clock. */
async function secondsToAbort({ request }) {
  const start = new Date(Date.now() + 5_000).toISOString().slice(0, 19);
  const input = {
    title: `bench ${Date.now()}`,
    owner: "bench",
    reason: "bench",
    scope: { systems: ["shop"] },
    series: { start, duration: "PT1H", timeZone: "UTC" },
    drain: { deadlineMinutes: 1, leadLimitMinutes: 0 },
  };
  const { key } = (await request(documents.plan, { input })).createMaintenanceWindow;
  let occurrence;
  await until("the window to be quiesced", async () => {
    occurrence = (await request(documents.drained, { key })).maintenanceWindow.currentOrNext;
    return occurrence.quiescedAt !== null;
  });
  await request(documents.endEarly, { input: { key, reason: "bench" } });
  const seconds = (Date.parse(occurrence.quiescedAt) - Date.parse(occurrence.drainDeadlineAt)) / 1_000;
  if (seconds < 0) throw new Error(`The run ended ${-seconds} s before the deadline, by itself.`);
  return seconds;
}

async function secondsToRestart(first, { seen }) {
  await end(first.process, "SIGKILL");
  const from = performance.now();
  await readsOn(seen);
  return secondsSince(from);
}

async function secondsToStop({ process: server, url, token }) {
  const socket = await subscribe(url, token);
  socket.on("error", () => undefined);
  const from = performance.now();
  await end(server, "SIGTERM");
  return secondsSince(from);
}
