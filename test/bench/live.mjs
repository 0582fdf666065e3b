import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";
import { packagedZoneData } from "../../packages/core/dist/index.js";
import { createToken } from "../../packages/server/dist/access/tokens.js";
import { systemActor } from "../../packages/server/dist/command.js";
import { openDatabase } from "../../packages/server/dist/db/client.js";
import { appendEvents } from "../../packages/server/dist/events/append-events.js";

export const liveSettings = { subscribers: 1_000, events: 200, rounds: 3, everyMs: 20, latencyEvents: 300 };

const DOCUMENT =
  "subscription ($after: String) { liveEvents(after: $after) { cursor version at kind subjectKind subjectKey integrationKey payload } }";
const percentile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** CPU of a server per message to one of many subscribers, against a raw ws broadcast of the same bytes; and how late a commit is seen. */
export async function live(cluster) {
  const url = await cluster.database("bench_live", { migrated: true });
  const database = openDatabase(url, { max: 2, applicationName: "bench" });
  const { secret } = await createToken({ database, actor: systemActor, zones: packagedZoneData() }, { name: "bench", role: "viewer" });
  const ours = await startLiveServer(["quiesce", url]);
  const raw = await startLiveServer(["raw"]);
  const clients = await Promise.all(Array.from({ length: liveSettings.subscribers }, (_, index) => subscribe(ours.url, secret, index)));
  const listeners = await Promise.all(Array.from({ length: liveSettings.subscribers }, () => listen(raw.url)));
  // A subscription has begun when it brings something.
  while (clients.some(({ count }) => count === 0)) {
    await commit(database, 0);
    await wait(500);
  }
  const messages = liveSettings.events * liveSettings.subscribers;
  const costs = { ours: [], idle: [], raw: [] };
  for (let round = 0; round < liveSettings.rounds; round += 1) {
    const sample = await broadcastOurs({ database, ours, clients, costs });
    await broadcastRaw({ raw, listeners, sample, costs });
  }
  const latency = await latencies(database, clients);
  for (const { socket } of [...clients, ...listeners]) socket.terminate();
  await Promise.all([ours.stop(), raw.stop()]);
  await database.close();
  const perMessage = (figures) => figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] / messages;
  const [oursUs, rawUs] = [perMessage(costs.ours), perMessage(costs.raw)];
  return { ...liveSettings, oursUs, rawUs, ratio: oursUs / rawUs, bytes: costs.bytes, ...latency };
}

/** The whole of it: reading the log, numbering, executing once, sending to all. Commits are some milliseconds apart, as they are in life. */
async function broadcastOurs({ database, ours, clients, costs }) {
  for (const client of clients) client.count = 0;
  await ours.cpu();
  for (let event = 0; event < liveSettings.events; event += 1) {
    await commit(database, event);
    await wait(liveSettings.everyMs);
  }
  await received(clients);
  costs.ours.push(await ours.cpu());
  return clients[0].last;
}

async function broadcastRaw({ raw, listeners, sample, costs }) {
  for (const listener of listeners) listener.count = 0;
  costs.bytes = sample.length;
  await raw.cpu();
  for (let event = 0; event < liveSettings.events; event += 1) {
    raw.broadcast(sample);
    await wait(liveSettings.everyMs);
  }
  await received(listeners);
  costs.raw.push(await raw.cpu());
}

async function received(clients) {
  const began = performance.now();
  while (clients.some(({ count }) => count < liveSettings.events)) {
    if (performance.now() - began > 30_000) throw new Error("Not everything arrived.");
    await wait(20);
  }
}

function commit(database, number) {
  const event = {
    kind: "run.started",
    subjectKind: "run",
    subjectKey: `019a0000-0000-7000-8000-${String(number).padStart(12, "0")}`,
    integrationKey: "orders",
  };
  return database.db.transaction((tx) =>
    appendEvents(tx, [{ ...event, payload: { job: "orders-hourly", dueAt: "2026-11-20T10:00:00.000Z", attempt: 1 } }]),
  );
}

/** From the moment the commit is acknowledged to its writer until each of the subscribers has the message. */
async function latencies(database, clients) {
  const late = [];
  for (let event = 0; event < liveSettings.latencyEvents; event += 1) {
    for (const client of clients) client.count = 0;
    await commit(database, event);
    const committedAt = performance.now();
    await new Promise((resolve) => {
      let missing = clients.length;
      for (const client of clients)
        client.onMessage = () => {
          late.push(performance.now() - committedAt);
          client.onMessage = null;
          missing -= 1;
          if (missing === 0) resolve();
        };
      // Some had it before their commit was acknowledged.
      for (const client of clients) if (client.count > 0) client.onMessage?.();
    });
    await wait(Math.random() * 40);
  }
  late.sort((a, b) => a - b);
  return { p50: percentile(late, 0.5), p99: percentile(late, 0.99), max: late.at(-1) };
}

async function subscribe(url, secret, index) {
  const client = await open(`${url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
  client.socket.send(JSON.stringify({ type: "connection_init", payload: { authorization: `Bearer ${secret}` } }));
  await once(client.socket, "message");
  client.socket.send(
    JSON.stringify({ id: `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`, type: "subscribe", payload: { query: DOCUMENT } }),
  );
  return client;
}

const listen = (url) => open(url.replace("http", "ws"), []);

async function open(url, protocol) {
  const socket = new WebSocket(url, protocol, { perMessageDeflate: false });
  const client = { socket, count: 0, last: "", onMessage: null };
  await once(socket, "open");
  socket.on("message", (data) => {
    client.count += 1;
    client.last = Buffer.from(data).toString("utf8");
    client.onMessage?.();
  });
  return client;
}

/** A server in a process of its own; see live-server.mjs. */
export function startLiveServer(args) {
  return startContender(process.execPath, [fileURLToPath(new URL("live-server.mjs", import.meta.url)), ...args]);
}

/** A process that says where it listens, tells its CPU when it is asked, and ends with its standard input. It runs as the product does, with NODE_ENV=production. */
export async function startContender(command, args) {
  const child = spawn(command, args, {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, NODE_ENV: "production", GRAPHILE_ENV: "production" },
  });
  // A program that is not there says nothing, and that is told below.
  child.on("error", () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { value: url } = await lines.next();
  if (url === undefined) throw new Error(`${args[0]} ended before it listened.`);
  return {
    url,
    broadcast: (text) => void child.stdin.write(`${text}\n`),
    /** Microseconds of CPU since the last time. */
    cpu: async () => {
      child.stdin.write("cpu\n");
      return Number((await lines.next()).value);
    },
    stop: async () => {
      const exited = once(child, "exit");
      child.stdin.end();
      await exited;
    },
  };
}
