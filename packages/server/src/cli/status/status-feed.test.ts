import { mkdtemp, rm } from "node:fs/promises";
import { once } from "node:events";
import { type AddressInfo, createServer, type Server, Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pino } from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { z } from "zod";
import { type FreshDatabase, freshDatabase } from "../../../../../test/database/fresh-database.js";
import { type App, createApp } from "../../app.js";
import { clock } from "../../clock.js";
import { readConfig } from "../../config.js";
import { graphqlClient, operation } from "../graphql-client.js";
import { pauseScope } from "../operations/hold-operations.js";
import type { LiveEventAnswer } from "../operations/status-operations.js";
import { followStatus } from "./status-feed.js";

let fresh: FreshDatabase;
let app: App;
let folder: string;
let proxy: Server;
const sockets = new Set<Socket>();

beforeAll(async () => {
  fresh = await freshDatabase();
  folder = await mkdtemp(join(tmpdir(), "quiesce-feed-"));
  app = await createApp({
    config: readConfig({ PORT: "0", QUIESCE_DATA_DIR: folder }),
    databaseUrl: fresh.url,
    connectors: [],
    log: pino({ level: "silent" }),
  });
  // A wire that can be cut: the server itself stays up.
  proxy = createServer((client) => {
    const upstream = new Socket().connect(Number(new URL(app.url).port), "127.0.0.1");
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
      socket.on("close", () => {
        client.destroy();
        upstream.destroy();
        sockets.delete(socket);
      });
    }
    client.pipe(upstream).pipe(client);
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  proxy.close();
  await app.stop();
  await fresh.drop();
  await rm(folder, { recursive: true, force: true });
});

const connectionTo = (url: string) => ({ url, token: app.firstToken ?? "", tokenSource: "the test" });
const resumed = operation("mutation Lift($input: ResumeInput!) { resume(input: $input) { released { key } } }", z.unknown());

/** Pauses and resumes everything, so that there are four events to see. */
async function twoChanges(reason: string): Promise<void> {
  const api = graphqlClient(connectionTo(app.url));
  await api.request(pauseScope, { input: { scope: { all: true }, reason } });
  await api.request(resumed, { input: { scope: { all: true }, reason } });
}

async function until(fact: () => boolean): Promise<void> {
  for (let looked = 0; !fact(); looked += 1) {
    if (looked > 6_000) throw new Error("It did not happen within a minute.");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

it("tells every event once and in order across a cut connection", async () => {
  const seen: LiveEventAnswer[] = [];
  const troubles: (string | null)[] = [];
  let statuses = 0;
  const stop = new AbortController();
  const ended = followStatus({
    api: graphqlClient(connectionTo(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`)),
    clock,
    signal: stop.signal,
    listener: { onStatus: () => (statuses += 1), onEvent: (event) => seen.push(event), onTrouble: (reason) => troubles.push(reason) },
  });
  const connections = (): number => troubles.filter((reason) => reason === null).length;
  await until(() => connections() === 1);
  await twoChanges("before the cut");
  await until(() => seen.length >= 2);
  for (const socket of sockets) socket.destroy();
  await until(() => troubles.at(-1) !== null);
  await twoChanges("while nobody listens");
  await until(() => connections() === 2);
  await twoChanges("after the cut");
  const logged = async () =>
    (
      await app.database.sql<
        { kind: string }[]
      >`select kind, subject_key as "subjectKey" from event_log where kind like 'hold.%' order by position`
    ).map(({ kind }) => kind);
  await until(() => seen.filter(({ kind }) => kind.startsWith("hold.")).length >= 6);
  stop.abort();
  await ended;
  expect(seen.map(({ kind }) => kind).filter((kind) => kind.startsWith("hold."))).toEqual(await logged());
  expect(new Set(seen.map(({ cursor }) => cursor)).size).toBe(seen.length);
  expect(statuses).toBeGreaterThanOrEqual(2);
});

it("ends with the reason when the token is refused", async () => {
  const api = graphqlClient({ url: app.url, token: `qsc_${"x".repeat(43)}`, tokenSource: "the test" });
  const listener = { onStatus: () => undefined, onEvent: () => undefined, onTrouble: () => undefined };
  await expect(followStatus({ api, clock, signal: new AbortController().signal, listener })).rejects.toMatchObject({
    exit: "denied",
    code: "QSC_ACCESS_TOKEN_INVALID",
  });
});
