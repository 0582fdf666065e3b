import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FreshDatabase, freshDatabase } from "../database/fresh-database.js";
import { type KillableServer, killableServer } from "../server/killable-server.js";
import { MARIADB } from "../systems/mariadb.js";
import { NATS } from "../systems/nats.js";
import { POSTGRES } from "../systems/postgres.js";
import { RABBITMQ } from "../systems/rabbitmq.js";
import { suiteRuns } from "../systems/server-process.js";
import { TRYTON } from "../systems/tryton.js";
import { waitUntil } from "../systems/wait-until.js";
import { awayMariadb, awayNats, awayPostgres, awayRabbitmq, type AwayTarget, awayTryton, nobodyAt } from "./away-targets.js";

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

const needs = [NATS, RABBITMQ, POSTGRES, MARIADB, TRYTON];
const programs = needs.flatMap((one) => one.programs);
const packages = needs.map((one) => one.packages).join(" ");

describe.runIf(suiteRuns("NATS, RabbitMQ, PostgreSQL, MariaDB and Tryton", { programs, packages }))(
  "targets that are away for two minutes in the middle of a sync",
  () => {
    let database: FreshDatabase;
    let own: postgres.Sql;
    let targets: readonly AwayTarget[] = [];
    let shop: Server;
    let server: KillableServer;
    /** Set once the targets are away: until then the second half is kept. */
    let servesAll = false;

    beforeAll(async () => {
      database = await freshDatabase();
      own = postgres(database.url, { max: 2, onnotice: () => undefined });
      targets = await Promise.all([awayNats(), awayRabbitmq(), awayPostgres(), awayMariadb(), awayTryton()]);
      shop = startShop();
      await new Promise<void>((resolve) => shop.listen(0, "127.0.0.1", resolve));
      server = await killableServer(database.url);
      await server.start();
      const api = await server.api();
      await api.request("mutation ($input: ApplyWorkspaceInput!) { applyWorkspace(input: $input) { dryRun } }", {
        input: { document: JSON.stringify(workspace()) },
      });
    }, 600_000);

    afterAll(async () => {
      await server?.remove();
      shop?.closeAllConnections();
      shop?.close();
      await Promise.all(targets.map((target) => target.remove()));
      await own?.end();
      await database?.drop();
    }, 300_000);

    /** Gives each target's changes page by page, and to who has had them all nothing more. */
    function startShop(): Server {
      const served = new Set<string>();
      return createServer((request, response) => {
        const url = new URL(request.url ?? "", "http://shop");
        const from = Number(url.searchParams.get("cursor") ?? "0");
        const isNew = from > 0 || !served.has(url.pathname);
        const answer = (): void => {
          const next = from + PAGE < items.length ? String(from + PAGE) : null;
          if (next === null) served.add(url.pathname);
          const body = isNew ? { items: items.slice(from, from + PAGE), next } : { items: [], next: null };
          response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(body));
        };
        const wait = setInterval(() => {
          if (!servesAll && from >= items.length / 2) return;
          clearInterval(wait);
          answer();
        }, 20);
        response.once("close", () => clearInterval(wait));
      });
    }

    function workspace(): object {
      const allowPrivate = ["127.0.0.1"];
      const mapping = { fields: { id: { from: "id" }, revision: { from: "revision" } } };
      const paging = { style: "token", nextPath: "next" };
      const streams = targets.map(({ name }) => ({ name, path: `/${name}`, recordsPath: "items", key: ["id"], paging }));
      const baseUrl = `http://127.0.0.1:${(shop.address() as AddressInfo).port}`;
      return {
        quiesce: 1,
        systems: [{ key: "all" }],
        endpoints: [
          { key: "shop", system: "all", connector: "http", allowPrivate, config: { baseUrl, streams } },
          ...targets.map(({ name, endpoint }) => ({ key: name, system: "all", connector: name, allowPrivate, ...endpoint })),
        ],
        integrations: targets.map((target) => ({
          key: target.name,
          source: "shop",
          target: target.name,
          streams: [{ stream: target.name, target: "target", mapping: target.mapping ?? mapping }],
        })),
        jobs: targets.map(({ name }) => ({ key: name, integration: name, schedule: { every: `${EVERY_SECONDS}s` }, timeout: "10m" })),
      };
    }

    async function runsOf(name: string, state: string): Promise<number> {
      const rows = await own<{ n: number }[]>`
        select count(*)::integer as n from run as r join integration as i on i.id = r.integration_id where i.key = ${name} and r.state = ${state}`;
      return rows[0]?.n ?? 0;
    }

    /** Stops every target, gives the second half of the changes, and starts them again two minutes after. Answers what was tried meanwhile. */
    async function takeAway(): Promise<readonly { readonly connects: number; readonly failed: number }[]> {
      await Promise.all(targets.map((target) => target.stop()));
      const nobodies = await Promise.all(targets.map(({ port }) => nobodyAt(port)));
      servesAll = true;
      await sleep(AWAY_MS);
      const tried = await Promise.all(
        targets.map(async ({ name }, index) => ({ connects: nobodies[index]?.connects() ?? 0, failed: await runsOf(name, "failed") })),
      );
      await Promise.all(nobodies.map((nobody) => nobody.end()));
      await Promise.all(targets.map((target) => target.start()));
      return tried;
    }

    test("cost no record and a bounded number of tries, and every change arrives once, in its order", async () => {
      for (const target of targets) await waitUntil(async () => (await target.arrived()) >= items.length / 4, { withinMs: 180_000 });
      const tried = await takeAway();
      // A run comes to its end when the last change has arrived, and no earlier.
      for (const { name } of targets) await waitUntil(async () => (await runsOf(name, "succeeded")) > 0, { withinMs: 600_000 });

      expect(await own`select from dead_letter`).toHaveLength(0);
      for (const [index, target] of targets.entries()) {
        const { connects, failed } = tried[index] ?? { connects: 0, failed: 0 };
        console.log(`While ${target.name} was away: ${connects} connections were tried, ${failed} runs failed.`);
        const mostConnects = CALLS_WHILE_AWAY * (target.dials ?? 1);
        expect([target.name, connects > 0, connects <= mostConnects, failed <= CALLS_WHILE_AWAY]).toEqual([target.name, true, true, true]);
        expectOnceInOrder(target, await target.arrivals());
      }
    }, 2_000_000);

    function expectOnceInOrder({ name, keeps }: AwayTarget, arrivals: readonly { readonly id: number; readonly revision: number }[]): void {
      const revisions = new Map<number, number[]>();
      for (const { id, revision } of arrivals) {
        const found = revisions.get(id) ?? [];
        // A queue does not know a repetition: the page that was under way may be there twice.
        if (keeps !== "queue" || found.at(-1) !== revision) revisions.set(id, [...found, revision]);
      }
      const all = Array.from({ length: REVISIONS }, (_none, index) => index + 1);
      const expected = keeps === "state" ? [REVISIONS] : all;
      expect([name, [...revisions.values()].filter((found) => found.join() !== expected.join())]).toEqual([name, []]);
      expect([name, revisions.size]).toEqual([name, KEYS]);
      if (keeps === "queue") expect(arrivals.length).toBeLessThanOrEqual(items.length + PAGE);
    }
  },
);
