import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect as connectNats, type NatsConnection } from "@nats-io/transport-node";
import amqp from "amqplib";
import mysql from "mysql2/promise";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type FreshDatabase, freshDatabase } from "../database/fresh-database.js";
import { type KillableServer, killableServer } from "../server/killable-server.js";
import { type Mariadb, MARIADB, startMariadb } from "../systems/mariadb.js";
import { type Nats, NATS, startNats } from "../systems/nats.js";
import { type Rabbitmq, RABBITMQ, startRabbitmq } from "../systems/rabbitmq.js";
import { suiteRuns } from "../systems/server-process.js";
import { startTryton, TRYTON, type Tryton } from "../systems/tryton.js";

const RECORDS = 10_000;
/** What the engine asks for at once. */
const PAGE = 500;
/** Routes whose source gives its pages one by one, when the test says so. */
const TO_TARGETS = ["to-postgres", "to-mariadb", "to-nats", "to-rabbitmq", "to-tryton"] as const;
/** Routes that read from real systems, and whose target keeps every page waiting until the test lets it go. */
const FROM_SOURCES = ["from-postgres", "from-mariadb", "from-nats", "from-rabbitmq", "from-tryton"] as const;
/** The lock that a page of the target's tables waits for. */
const GATE = 4_711;
/** A round is over after so long, whatever has been committed: longer than a page of the slowest takes on a busy machine, and shorter than a source is waited for. */
const ROUND_MS = 15_000;
/** How this test's own connections are called. */
const TEST = "kill-sync";

const programs = [...MARIADB.programs, ...NATS.programs, ...RABBITMQ.programs, ...TRYTON.programs];
const packages = [MARIADB.packages, NATS.packages, RABBITMQ.packages, TRYTON.packages].join(" ");
const numbers = Array.from({ length: RECORDS }, (_none, index) => index + 1);

describe.runIf(suiteRuns("MariaDB, NATS, RabbitMQ and Tryton", { programs, packages }))(
  "a server that is killed at every page of 10,000 records",
  () => {
    let database: FreshDatabase;
    let warehouse: FreshDatabase;
    let sql: postgres.Sql;
    /** The server's own database. */
    let own: postgres.Sql;
    let mariadb: Mariadb;
    let maria: mysql.Connection;
    let nats: Nats;
    let natsConnection: NatsConnection;
    let rabbitmq: Rabbitmq;
    let rabbit: amqp.ChannelModel;
    let tryton: Tryton;
    let server: KillableServer;
    let shop: Server;
    /** Pages that a route has asked for and that are kept waiting. */
    const waiting = new Map<string, () => void>();
    let isOpen = false;
    let kills = 0;

    beforeAll(async () => {
      database = await freshDatabase();
      warehouse = await freshDatabase({ empty: true });
      own = postgres(database.url, { max: 2, onnotice: () => undefined });
      sql = postgres(warehouse.url, { max: 4, onnotice: () => undefined, connection: { application_name: TEST } });
      mariadb = await startMariadb({ tls: false });
      nats = await startNats();
      rabbitmq = await startRabbitmq();
      // Its parties are the records: number n is called n<number>, with the number as its code.
      tryton = await startTryton({ parties: RECORDS, party: "{'code': str(i), 'name': 'n%d' % i}" });
      server = await killableServer(database.url);
      await furnishPostgres();
      await furnishMariadb();
      await furnishNats();
      await furnishRabbitmq();
      shop = createServer((request, response) => {
        const url = new URL(request.url ?? "", "http://shop");
        const route = url.pathname.slice(1);
        const from = Number(url.searchParams.get("cursor") ?? "0");
        const answer = (): void => {
          const items = numbers.slice(from, from + PAGE).map((id) => ({ id, note: `n${id}` }));
          const next = from + PAGE < RECORDS ? String(from + PAGE) : null;
          response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ items, next }));
        };
        if (isOpen) answer();
        else {
          waiting.set(route, answer);
          // A server that was killed has no use for it any more.
          response.once("close", () => waiting.get(route) === answer && waiting.delete(route));
        }
      });
      await new Promise<void>((resolve) => shop.listen(0, "127.0.0.1", resolve));
      await server.start();
      await (
        await server.api()
      ).request("mutation ($input: ApplyWorkspaceInput!) { applyWorkspace(input: $input) { dryRun } }", {
        input: { document: JSON.stringify(workspace()) },
      });
    }, 600_000);

    afterAll(async () => {
      await server?.remove();
      shop?.closeAllConnections();
      shop?.close();
      await natsConnection?.close();
      await rabbit?.close();
      await maria?.end();
      await Promise.all([mariadb?.server.remove(), nats?.server.remove(), rabbitmq?.remove(), tryton?.remove()]);
      // Of a test that failed the gate is still reserved.
      await sql?.end({ timeout: 1 });
      await own?.end({ timeout: 1 });
      await database?.drop();
      await warehouse?.drop();
    }, 300_000);

    async function furnishPostgres(): Promise<void> {
      await sql`create table source (id bigint primary key, note text, updated_at timestamptz not null default now())`;
      await sql`insert into source (id, note) select n, 'n' || n from generate_series(1, ${RECORDS}) as n`;
      await sql`create table to_postgres (id bigint primary key, note text)`;
      await sql.unsafe(`create function wait_at_gate() returns trigger language plpgsql as $$
      begin perform pg_advisory_xact_lock_shared(${GATE}); return null; end $$`);
      for (const route of FROM_SOURCES) {
        const table = route.replace("-", "_");
        await sql.unsafe(`create table ${table} (id bigint primary key, note text)`);
        await sql.unsafe(`create trigger gate before insert on ${table} for each statement execute function wait_at_gate()`);
      }
    }

    async function furnishMariadb(): Promise<void> {
      const { admin } = mariadb;
      maria = await mysql.createConnection({
        host: "127.0.0.1",
        port: mariadb.server.port,
        ...admin,
        database: "shop",
        multipleStatements: true,
      });
      await maria.query(`create table source (id bigint primary key, note varchar(100), updated_at timestamp(6) not null default now(6));
      insert into source (id, note) select seq, concat('n', seq) from seq_1_to_${RECORDS};
      create table to_mariadb (id bigint primary key, note varchar(100))`);
    }

    async function furnishNats(): Promise<void> {
      const { user, password } = nats;
      natsConnection = await connectNats({ servers: `127.0.0.1:${nats.server.port}`, user, pass: password });
      const manager = await jetstreamManager(natsConnection);
      await manager.streams.add({ name: "source", subjects: ["source.*"] });
      // Longer than the story lasts: a repetition is known by its id.
      await manager.streams.add({ name: "target", subjects: ["target.*"], duplicate_window: 3_600_000_000_000 });
      const js = jetstream(natsConnection);
      for (let from = 0; from < RECORDS; from += PAGE)
        await Promise.all(numbers.slice(from, from + PAGE).map((id) => js.publish(`source.${id}`, JSON.stringify({ id, note: `n${id}` }))));
    }

    async function furnishRabbitmq(): Promise<void> {
      const { user, password } = rabbitmq;
      rabbit = await amqp.connect({ hostname: "127.0.0.1", port: rabbitmq.server.port, username: user, password });
      const channel = await rabbit.createConfirmChannel();
      await channel.assertQueue("source", { durable: true });
      await channel.assertQueue("target", { durable: true });
      for (const id of numbers) channel.sendToQueue("source", Buffer.from(JSON.stringify({ id, note: `n${id}` })), { persistent: true });
      await channel.waitForConfirms();
      await channel.close();
    }

    function workspace(): object {
      const { port: shopPort } = shop.address() as AddressInfo;
      const address = new URL(warehouse.url);
      const local = { host: "127.0.0.1", tls: "disable" };
      const message = { payload: "json", keyFields: ["id"] };
      const table = (name: string, more: object = {}) => ({ name, table: name, key: ["id"], ...more });
      const grows = { cursorColumn: "updated_at", overlapSeconds: 0 };
      const fromTables = FROM_SOURCES.map((route) => table(route.replace("-", "_")));
      const endpoints = [
        {
          key: "shop",
          connector: "http",
          config: {
            baseUrl: `http://127.0.0.1:${shopPort}`,
            streams: TO_TARGETS.map((route) => ({
              name: route,
              path: `/${route}`,
              recordsPath: "items",
              key: ["id"],
              paging: { style: "token", nextPath: "next" },
            })),
          },
        },
        {
          key: "postgres",
          connector: "postgres",
          config: {
            host: address.hostname,
            port: Number(address.port),
            database: address.pathname.slice(1),
            user: decodeURIComponent(address.username),
            ssl: "disable",
            streams: [table("source", grows), table("to_postgres"), ...fromTables],
          },
          secrets: address.password === "" ? {} : { password: { value: decodeURIComponent(address.password) } },
        },
        {
          key: "mariadb",
          connector: "mariadb",
          config: {
            ...local,
            port: mariadb.server.port,
            database: "shop",
            user: mariadb.user,
            streams: [table("source", grows), table("to_mariadb")],
          },
          secrets: { password: { value: mariadb.password } },
        },
        {
          key: "nats",
          connector: "nats",
          config: {
            ...local,
            port: nats.server.port,
            user: nats.user,
            streams: [
              { name: "source", stream: "source", ...message },
              { name: "target", stream: "target", ...message, write: { subject: "target.{key}", minDuplicateWindowSeconds: 600 } },
            ],
          },
          secrets: { password: { value: nats.password } },
        },
        {
          key: "rabbitmq",
          connector: "rabbitmq",
          config: {
            ...local,
            port: rabbitmq.server.port,
            user: rabbitmq.user,
            streams: [
              { name: "source", queue: "source", ...message },
              { name: "target", ...message, write: { routingKey: "target", repeats: "recognised" } },
            ],
          },
          secrets: { password: { value: rabbitmq.password } },
        },
        {
          key: "tryton",
          connector: "tryton",
          config: {
            url: tryton.url,
            database: tryton.database,
            user: tryton.user,
            streams: [
              { name: "source", model: "party.party", fields: ["code", "name"], overlapSeconds: 0, domain: [["code", "not like", "T%"]] },
              { name: "target", model: "party.party", fields: ["code", "name"], codeField: "code" },
            ],
          },
          secrets: { password: { value: tryton.password } },
        },
      ];
      const mapping = { fields: { id: { from: "id" }, note: { from: "note" } } };
      /** Where the target wants other fields than the source has. */
      const mappings: { readonly [route: string]: object } = {
        "to-tryton": { key: "code", fields: { code: { expression: "'T' & id" }, name: { from: "note" } } },
        "from-tryton": { key: "id", fields: { id: { from: "code", cast: "integer" }, note: { from: "name" } } },
      };
      const mappingOf = (route: string): object => mappings[route] ?? mapping;
      const routes = [
        ...TO_TARGETS.map((route) => {
          const target = route.slice(3);
          const into = { "to-postgres": "to_postgres", "to-mariadb": "to_mariadb" }[route as string] ?? "target";
          return { key: route, source: "shop", target, streams: [{ stream: route, target: into, mapping: mappingOf(route) }] };
        }),
        ...FROM_SOURCES.map((route) => ({
          key: route,
          source: route.slice(5),
          target: "postgres",
          streams: [{ stream: "source", target: route.replace("-", "_"), mapping: mappingOf(route) }],
        })),
      ];
      return {
        quiesce: 1,
        systems: [{ key: "all" }],
        endpoints: endpoints.map((endpoint) => ({ ...endpoint, system: "all", allowPrivate: ["127.0.0.1", address.hostname] })),
        integrations: routes,
        // A lost run is no fault of the integration; each loss costs an attempt all the same.
        jobs: routes.map(({ key }) => ({
          key,
          integration: key,
          retry: { attempts: 100, backoff: "1s", maxBackoff: "1s" },
          timeout: "10m",
        })),
      };
    }

    const openRoutes = async (): Promise<ReadonlySet<string>> => {
      const rows = await own<{ key: string }[]>`
      select i.key from run as r join integration as i on i.id = r.integration_id where r.state in ('queued', 'held', 'running')`;
      return new Set(rows.map(({ key }) => key));
    };
    const until = async (what: string, look: () => Promise<boolean> | boolean, limitMs = 180_000): Promise<void> => {
      for (const began = performance.now(); !(await look());) {
        if (performance.now() - began > limitMs) throw new Error(`Waited ${limitMs / 1_000} s in vain: ${what}.`);
        await sleep(20);
      }
    };
    /** What every commit changes. */
    const committedNow = async (): Promise<ReadonlyMap<string, string>> => {
      const rows = await own<{ key: string; committed: string }[]>`
        select i.key, concat(s.cursor, r.figures) as committed from run as r join integration as i on i.id = r.integration_id
        left join stream_state as s on s.integration_id = i.id`;
      return new Map(rows.map(({ key, committed }) => [key, committed]));
    };
    /** Those of the routes that have neither committed anything since nor come to their end. */
    const unmovedSince = async (before: ReadonlyMap<string, string>, routes: ReadonlySet<string>): Promise<readonly string[]> => {
      const [now, open] = [await committedNow(), await openRoutes()];
      return [...routes].filter((route) => open.has(route) && before.get(route) === now.get(route));
    };
    /** Pages that wait in the target's database. */
    const blocked = async (): Promise<number> => {
      const [row] = await sql<
        { n: number }[]
      >`select count(*)::integer as n from pg_locks where locktype = 'advisory' and objid = ${GATE} and mode = 'ShareLock' and not granted`;
      return row?.n ?? 0;
    };

    /** True if every route that reads from a real system has its page in hand at the gate. */
    const allWaitAgain = async (): Promise<boolean> => {
      const open = await openRoutes();
      return (await blocked()) >= FROM_SOURCES.filter((route) => open.has(route)).length;
    };

    test("loses nothing and doubles nothing where the target is keyed", async () => {
      const gate = await sql.reserve();
      await gate`select pg_advisory_lock(${GATE})`;
      const api = await server.api();
      for (const job of [...TO_TARGETS, ...FROM_SOURCES])
        await api.request("mutation ($input: RunNowInput!) { runNow(input: $input) { key } }", { input: { job, reason: "kill" } });
      const pages = RECORDS / PAGE;
      for (let round = 0; ; round += 1) {
        const left = await openRoutes();
        if (left.size === 0) break;
        if (round >= pages * 8) throw new Error(`${[...left].join(", ")} did not come to an end after ${round} kills.`);
        // Every route that is left stands before a page: its source has been asked for it, or its target has it in hand.
        await until(
          `a page of ${[...left].join(", ")}, of which ${[...waiting.keys()].join(", ")} and ${await blocked()} in the database wait`,
          async () => {
            const now = await openRoutes();
            return TO_TARGETS.every((route) => !now.has(route) || waiting.has(route)) && (await allWaitAgain());
          },
        );
        const before = await committedNow();
        for (const [route, answer] of waiting) {
          waiting.delete(route);
          answer();
        }
        await gate`select pg_advisory_unlock(${GATE})`;
        // Who waited goes on; the next pages wait behind this lock: no route gets further than one page between two kills.
        const locked = gate`select pg_advisory_lock(${GATE})`.then(() => undefined);
        // Anywhere in a page: at once, when half of the routes have come to a commit, or all of them, be the machine fast or slow. The slowest comes along
        // with the others: its pages alone, after all of theirs, would be as many kills again.
        const [atOnce, half] = [round % 5 === 0, round % 5 === 1];
        const commits = atOnce ? 0 : half ? Math.ceil(left.size / 2) : left.size;
        for (const released = performance.now(); performance.now() - released < ROUND_MS;) {
          if (left.size - (await unmovedSince(before, left)).length >= commits) break;
          await sleep(10);
        }
        await sleep(Math.random() * 100);
        await server.kill();
        kills += 1;
        // What still waits in the database for a client that is dead would wait until the gate opens again.
        await own`select pg_terminate_backend(pid) from pg_stat_activity where datname = ${new URL(warehouse.url).pathname.slice(1)} and application_name <> ${TEST}`;
        await locked;
        waiting.clear();
        await server.start();
      }
      await gate`select pg_advisory_unlock(${GATE})`;
      gate.release();
      expect(kills).toBeGreaterThanOrEqual(pages);

      const expected = { n: RECORDS, wrong: 0, lowest: 1, highest: RECORDS };
      for (const name of ["to_postgres", ...FROM_SOURCES.map((route) => route.replace("-", "_"))]) {
        const rows = await sql.unsafe(
          `select count(*)::integer as n, count(*) filter (where note is distinct from 'n' || id)::integer as wrong, min(id)::integer as lowest, max(id)::integer as highest from ${name}`,
        );
        expect([name, rows[0]]).toEqual([name, expected]);
      }
      const [rows] = await maria.query(
        "select count(*) as n, sum(note <> concat('n', id)) as wrong, min(id) as lowest, max(id) as highest from to_mariadb",
      );
      expect(
        (rows as object[]).map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, Number(value)]))),
      ).toEqual([expected]);
      expect(await inTryton()).toEqual(expected);
      // Its messages are known by their ids: none is there twice.
      const { state } = await (await jetstreamManager(natsConnection)).streams.info("target");
      expect(state.messages).toBe(RECORDS);
      // A queue knows no repetition: every record is there, and no more of them twice than pages were under way at a kill.
      const keys = await drainQueue("target");
      expect(new Set(keys).size).toBe(RECORDS);
      expect(keys.length).toBeLessThanOrEqual(RECORDS + kills * PAGE);
      expect(await own`select from dead_letter`).toHaveLength(0);
      console.log(`${kills} kills; RabbitMQ holds ${keys.length - RECORDS} repetitions of ${RECORDS} messages.`);
    }, 1_500_000);

    /** Parties whose code begins with T were written there; the others are its own. */
    async function inTryton(): Promise<unknown> {
      const printed = await tryton.run(`import json
rows = [(int(p.code[1:]), p.name) for p in Party.search([('code', 'like', 'T%')])]
print('FOUND', json.dumps({'n': len(rows), 'wrong': sum(name != 'n%d' % n for n, name in rows), 'lowest': min(rows)[0], 'highest': max(rows)[0]}))`);
      return JSON.parse(/FOUND (.*)/u.exec(printed)?.[1] ?? "null");
    }

    async function drainQueue(queue: string): Promise<readonly number[]> {
      const channel = await rabbit.createChannel();
      const ids: number[] = [];
      for (let message = await channel.get(queue); message !== false; message = await channel.get(queue))
        ids.push((JSON.parse(message.content.toString("utf8")) as { readonly id: number }).id);
      await channel.close();
      return ids;
    }
  },
);
