import { createServer as createHttpServer, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Server as TcpServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FreshDatabase, freshDatabase } from "../database/fresh-database.js";
import { type KillableServer, killableServer } from "../server/killable-server.js";
import { type Nats, NATS, startNats } from "../systems/nats.js";
import { suiteRuns } from "../systems/server-process.js";
import { waitUntil } from "../systems/wait-until.js";

const KEYS = 400;
const REVISIONS = 5;
const PAGE = 100;
const AWAY_MS = 120_000;
/** Due so often, the outage lasts 24 due times. */
const EVERY_SECONDS = 5;
/**
 * Five runs without an answer open the breaker, which probes after 30 and 90 seconds; one more for the call that was under way. Without the breaker it
 * would be twice as many: a run's own retries become rare too.
 */
const CALLS_WHILE_AWAY = 5 + 2 + 1;

/** Every key in its first revision, then every key in its second. */
const items = Array.from({ length: KEYS * REVISIONS }, (_none, index) => ({
  id: (index % KEYS) + 1,
  revision: Math.floor(index / KEYS) + 1,
}));

describe.runIf(suiteRuns("NATS", NATS))("a target that is away for two minutes in the middle of a sync", () => {
  let database: FreshDatabase;
  let own: postgres.Sql;
  let nats: Nats;
  let connection: NatsConnection | undefined;
  let shop: Server;
  let server: KillableServer;
  /** Set once the target is there for good: until then the last page is kept. */
  let servesAll = false;

  beforeAll(async () => {
    database = await freshDatabase();
    own = postgres(database.url, { max: 2, onnotice: () => undefined });
    nats = await startNats();
    await withTarget((manager) => manager.streams.add({ name: "target", subjects: ["target.*"], duplicate_window: 3_600_000_000_000 }));
    shop = createHttpServer((request, response) => {
      const from = Number(new URL(request.url ?? "", "http://shop").searchParams.get("cursor") ?? "0");
      const answer = (): void => {
        const next = from + PAGE < items.length ? String(from + PAGE) : null;
        const text = JSON.stringify({ items: items.slice(from, from + PAGE), next });
        response.writeHead(200, { "content-type": "application/json" }).end(text);
      };
      const wait = setInterval(() => {
        if (!servesAll && from >= items.length / 2) return;
        clearInterval(wait);
        answer();
      }, 20);
      response.once("close", () => clearInterval(wait));
    });
    await new Promise<void>((resolve) => shop.listen(0, "127.0.0.1", resolve));
    server = await killableServer(database.url);
    await server.start();
    const api = await server.api();
    await api.request("mutation ($input: ApplyWorkspaceInput!) { applyWorkspace(input: $input) { dryRun } }", {
      input: { document: JSON.stringify(workspace()) },
    });
  }, 300_000);

  afterAll(async () => {
    await server?.remove();
    shop?.closeAllConnections();
    shop?.close();
    await connection?.close();
    await nats?.server.remove();
    await own?.end();
    await database?.drop();
  });

  function workspace(): object {
    const message = { payload: "json", keyFields: ["id"] };
    const allowPrivate = ["127.0.0.1"];
    return {
      quiesce: 1,
      systems: [{ key: "all" }],
      endpoints: [
        {
          key: "shop",
          system: "all",
          connector: "http",
          allowPrivate,
          config: {
            baseUrl: `http://127.0.0.1:${(shop.address() as AddressInfo).port}`,
            streams: [
              { name: "changes", path: "/changes", recordsPath: "items", key: ["id"], paging: { style: "token", nextPath: "next" } },
            ],
          },
        },
        {
          key: "nats",
          system: "all",
          connector: "nats",
          allowPrivate,
          config: {
            host: "127.0.0.1",
            tls: "disable",
            port: nats.server.port,
            user: nats.user,
            streams: [{ name: "target", stream: "target", ...message, write: { subject: "target.{key}", minDuplicateWindowSeconds: 600 } }],
          },
          secrets: { password: { value: nats.password } },
        },
      ],
      integrations: [
        {
          key: "changes",
          source: "shop",
          target: "nats",
          streams: [{ stream: "changes", target: "target", mapping: { fields: { id: { from: "id" }, revision: { from: "revision" } } } }],
        },
      ],
      jobs: [{ key: "changes", integration: "changes", schedule: { every: `${EVERY_SECONDS}s` }, timeout: "10m" }],
    };
  }

  /** Runs `work` with a connection of the test's own. */
  async function withTarget<T>(work: (manager: Awaited<ReturnType<typeof jetstreamManager>>) => Promise<T>): Promise<T> {
    connection ??= await connect({
      servers: `127.0.0.1:${nats.server.port}`,
      user: nats.user,
      pass: nats.password,
      maxReconnectAttempts: -1,
    });
    return work(await jetstreamManager(connection));
  }
  const arrived = () => withTarget(async (manager) => (await manager.streams.info("target")).state.messages);
  const failedRuns = async (): Promise<number> =>
    (await own<{ n: number }[]>`select count(*)::integer as n from run where state = 'failed'`)[0]?.n ?? 0;

  /** Takes the target's place, counts who connects, and hangs up. */
  async function nobodyThere(): Promise<{ readonly connects: () => number; readonly end: () => Promise<void> }> {
    let connects = 0;
    const nobody: TcpServer = createTcpServer((socket) => {
      connects += 1;
      socket.destroy();
    });
    await new Promise<void>((resolve) => nobody.listen(nats.server.port, "127.0.0.1", resolve));
    return { connects: () => connects, end: () => new Promise((resolve) => nobody.close(() => resolve())) };
  }

  test("costs no record and a bounded number of tries, and every change arrives once, in its order", async () => {
    await waitUntil(async () => (await arrived()) >= items.length / 4, { withinMs: 120_000 });
    // Its own connection would try again and be counted.
    await connection?.close();
    connection = undefined;
    await nats.server.stop();
    const nobody = await nobodyThere();
    servesAll = true;
    await sleep(AWAY_MS);
    const connects = nobody.connects();
    await nobody.end();
    const failed = await failedRuns();
    await nats.server.start();
    await waitUntil(async () => (await arrived()) >= items.length, { withinMs: 300_000 });

    expect(await own`select from dead_letter`).toHaveLength(0);
    console.log(`While the target was away: ${connects} connections were tried, ${failed} runs failed.`);
    expect(connects).toBeGreaterThan(0);
    expect(connects).toBeLessThanOrEqual(CALLS_WHILE_AWAY);
    expect(failed).toBeLessThanOrEqual(CALLS_WHILE_AWAY);
    const revisions = new Map<number, number[]>();
    for (const { id, revision } of await messages()) revisions.set(id, [...(revisions.get(id) ?? []), revision]);
    const inOrder = Array.from({ length: REVISIONS }, (_none, index) => index + 1);
    expect([...revisions.values()].filter((found) => found.join() !== inOrder.join())).toEqual([]);
    expect(revisions.size).toBe(KEYS);
  }, 900_000);

  async function messages(): Promise<readonly { readonly id: number; readonly revision: number }[]> {
    return withTarget(async (manager) => {
      const found: { readonly id: number; readonly revision: number }[] = [];
      for (let seq = 1; seq <= items.length; seq += 1) {
        const message = await manager.streams.getMessage("target", { seq });
        if (message !== null) found.push(message.json<{ readonly id: number; readonly revision: number }>());
      }
      return found;
    });
  }
});
