import { setTimeout as sleep } from "node:timers/promises";
import type { ConnectorFetch } from "@quiesce/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type FreshDatabase, freshDatabase } from "../../../../test/database/fresh-database.js";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import { type Database, openDatabase } from "../db/client.js";
import { createRequestPace, type RequestPace } from "./traffic/request-pace.js";

let fresh: FreshDatabase;
let database: Database;
/** Two servers on one database. */
let servers: RequestPace[];
let endpoint: { readonly id: number; readonly key: string };
const never = new AbortController().signal;

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 8, applicationName: "pace-test" });
  await seedCatalogue(database.sql, { systems: [{ key: "shop" }], integrations: [], jobs: [] });
  const rows = await database.sql<{ id: number }[]>`
    insert into endpoint (key, name, system_id, connector) select 'shop-api', 'Shop', id, 'http' from system returning id`;
  endpoint = { id: rows[0]?.id ?? 0, key: "shop-api" };
  servers = [createRequestPace(database), createRequestPace(database)];
});
afterEach(async () => {
  for (const server of servers) await server.close();
  await database.close();
  await fresh.drop();
});

describe("requests each second", () => {
  it("are kept by all servers together: none begins before its moment", async () => {
    const perSecond = 40;
    const begunAt: number[] = [];
    const fetch: ConnectorFetch = async () => {
      begunAt.push(performance.now());
      return new Response(null);
    };
    const [one, other] = servers.map((server) => server.paced(fetch, endpoint, { requestsPerSecond: perSecond }, never));
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: 60 }, (_, n) => (n % 2 === 0 ? one : other)?.("http://shop.example/")));
    const seconds = (performance.now() - startedAt) / 1_000;
    begunAt.sort((a, b) => a - b);
    // Each has its moment and none begins before it, whichever server it is; a busy machine can only be late.
    const early = begunAt.filter((at, n) => at < startedAt + (n * 1_000) / perSecond - 2);
    expect(early).toEqual([]);
    // And the rate is used: 60 of them take a second and a half.
    expect(seconds).toBeGreaterThan(1.4);
    expect(seconds).toBeLessThan(45);
  });

  it("are refused as rate_limited when the queue is longer than a minute, and others still get their turn", async () => {
    await database.sql`insert into endpoint_pace (endpoint_id, next_at_ms) values (${endpoint.id}, epoch_ms(clock_timestamp()) + 150000)`;
    const paced = servers[0]?.paced(async () => new Response(null), endpoint, { requestsPerSecond: 1 }, never);
    await expect(paced?.("http://shop.example/")).rejects.toMatchObject({ kind: "rate_limited", info: { retryAfterMs: 60_000 } });
    await database.sql`update endpoint_pace set next_at_ms = 0`;
    await expect(paced?.("http://shop.example/")).resolves.toBeInstanceOf(Response);
  });

  it("stop waiting when the call is stopped", async () => {
    const stop = new AbortController();
    await database.sql`insert into endpoint_pace (endpoint_id, next_at_ms) values (${endpoint.id}, epoch_ms(clock_timestamp()) + 20000)`;
    const paced = servers[0]?.paced(async () => new Response(null), endpoint, { requestsPerSecond: 1 }, stop.signal);
    setTimeout(() => stop.abort(), 50);
    await expect(paced?.("http://shop.example/")).rejects.toMatchObject({ kind: "cancelled" });
  });
});

describe("requests at one time", () => {
  it("are at most so many over all servers, until their answers are read", async () => {
    let now = 0;
    let most = 0;
    const fetch: ConnectorFetch = async () => {
      now += 1;
      most = Math.max(most, now);
      await sleep(30);
      return new Response("x");
    };
    const paced = servers.map((server) => server.paced(fetch, endpoint, { concurrency: 2 }, never));
    await Promise.all(
      Array.from({ length: 8 }, async (_, n) => {
        const response = await paced[n % 2]?.("http://shop.example/");
        await sleep(20);
        now -= 1;
        await response?.text();
      }),
    );
    expect(most).toBe(2);
    await expect
      .poll(async () => (await database.sql<{ held: number }[]>`select sum(held)::integer as held from endpoint_slot`)[0]?.held)
      .toBe(0);
  });

  it("are given back by a failed request, an answer that is left, and the lease of a server that died", async () => {
    const answers: (() => Promise<Response>)[] = [
      async () => Promise.reject(new Error("reset")),
      async () => new Response("left"),
      async () => new Response("whole"),
    ];
    const paced = servers[0]?.paced(async () => answers.shift()?.() ?? new Response(null), endpoint, { concurrency: 1 }, never);
    await expect(paced?.("http://shop.example/")).rejects.toThrow("reset");
    await (await paced?.("http://shop.example/"))?.body?.cancel();
    expect(await (await paced?.("http://shop.example/"))?.text()).toBe("whole");
    const startedAt = performance.now();
    await database.sql`
      insert into endpoint_slot (endpoint_id, server_id, held, lease_until) values (${endpoint.id}, gen_random_uuid(), 1, clock_timestamp() + interval '300 ms')`;
    await paced?.("http://shop.example/");
    expect(performance.now() - startedAt).toBeGreaterThan(250);
  });
});

it("a connector that names no limits asks the database nothing", () => {
  const fetch: ConnectorFetch = async () => new Response(null);
  expect(servers[0]?.paced(fetch, endpoint, {}, never)).toBe(fetch);
});
