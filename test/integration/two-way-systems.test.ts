import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { StreamEntry } from "@quiesce/core";
import { httpConnector, mariadbConnector, postgresConnector, trytonConnector } from "@quiesce/connectors";
import type { Connector } from "@quiesce/sdk";
import mysql from "mysql2/promise";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freshDatabase, type FreshDatabase } from "../database/fresh-database.js";
import { type BenchEndpoint, type PipelineBench, pipelineBench } from "../pipeline/pipeline-bench.js";
import { type Mariadb, MARIADB, startMariadb } from "../systems/mariadb.js";
import { suiteRuns } from "../systems/server-process.js";
import { startTryton, type Tryton, TRYTON } from "../systems/tryton.js";

const ROWS = 200;
const programs = [...MARIADB.programs, ...TRYTON.programs];
const packages = `${MARIADB.packages} ${TRYTON.packages}`;

describe.runIf(suiteRuns("MariaDB and Tryton", { programs, packages }))("fields that flow both ways between PostgreSQL and", () => {
  let crm: FreshDatabase;
  let source: postgres.Sql;
  let mariadb: Mariadb;
  let maria: mysql.Connection;
  let tryton: Tryton;
  let bench: PipelineBench | undefined;

  beforeAll(async () => {
    crm = await freshDatabase({ empty: true });
    source = postgres(crm.url, { max: 2, onnotice: () => undefined });
    await source.unsafe(
      `create function touched() returns trigger language plpgsql as 'begin new.changed := clock_timestamp(); return new; end'`,
    );
    [mariadb, tryton] = await Promise.all([startMariadb({ tls: false }), startTryton({ parties: 0 })]);
    const at = { host: "127.0.0.1", port: mariadb.server.port, ...mariadb.admin, database: "shop" };
    maria = await mysql.createConnection(at);
    await maria.query(`create table buyer (id bigint primary key, phone varchar(50), email varchar(50), score integer not null default 0,
      changed timestamp(6) not null default now(6) on update now(6))`);
  }, 900_000);

  afterAll(async () => {
    await bench?.close();
    await maria?.end();
    await Promise.all([mariadb?.server.remove(), tryton?.remove()]);
    await source?.end({ timeout: 5 });
    await crm?.drop();
  }, 300_000);

  /** People of the CRM, numbered from 1, in a table of their own. */
  async function people(table: string): Promise<BenchEndpoint> {
    await source.unsafe(`create table ${table} (id text primary key, tel text, mail text, changed timestamptz not null default clock_timestamp());
      create trigger touched before update on ${table} for each row execute function touched();
      insert into ${table} (id, tel, mail) select i, '+' || i, i || '@x' from generate_series(1, ${ROWS}) as i`);
    const address = new URL(crm.url);
    return {
      connector: postgresConnector,
      secrets: address.password === "" ? {} : { password: decodeURIComponent(address.password) },
      config: {
        host: address.hostname,
        port: Number(address.port || 5432),
        database: address.pathname.slice(1),
        user: decodeURIComponent(address.username),
        ssl: "disable",
        streams: [{ name: "items", table, key: ["id"], cursorColumn: "changed", overlapSeconds: 1 }],
      },
    };
  }

  async function open(
    ends: { readonly source: BenchEndpoint; readonly target: BenchEndpoint },
    stream: Partial<StreamEntry>,
  ): Promise<PipelineBench> {
    await bench?.close();
    bench = await pipelineBench({ ...ends, pageSize: 100, stream: { deletes: "ignore", ...stream } });
    return bench;
  }

  /** Runs until nothing is written any more: what is read again because of an overlap is written nowhere. */
  async function rests(on: PipelineBench): Promise<void> {
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { written: 0 } });
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { written: 0 } });
    expect(await on.letters()).toEqual([]);
  }

  test("MariaDB come to the same values when both are edited at once, and then to rest", async () => {
    const streams = [{ name: "items", table: "buyer", key: ["id"], cursorColumn: "changed", overlapSeconds: 1 }];
    const config = { host: "127.0.0.1", tls: "disable", port: mariadb.server.port, database: "shop", user: mariadb.user, streams };
    const target = { connector: mariadbConnector, config, secrets: { password: mariadb.password } };
    const mapping = { key: "id", fields: { id: { from: "id" }, phone: { from: "tel" }, email: { from: "mail" } } };
    const twoWay = { fields: { phone: { conflict: "source" as const }, email: { conflict: "target" as const } }, times: {} };
    const on = await open({ source: await people("person"), target }, { mapping, twoWay });
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { written: ROWS } });
    await maria.query("update buyer set phone = concat('+t', id), score = 7 where id <= 50");
    await source`update person set mail = 's' || id where id::integer between 30 and 90`;
    expect(await on.attempt()).toMatchObject({ kind: "succeeded" });
    const [back] = await source`select count(*)::integer as n from person where tel = '+t' || id and id::integer <= 50`;
    expect(back?.["n"]).toBe(50);
    const [there] = await maria.query(
      "select count(*) as n, min(score) as low, max(score) as high from buyer where email = concat('s', id)",
    );
    expect(there).toMatchObject([{ n: 61, low: 0, high: 7 }]);
    // Both sides at once: the source's telephone, the target's address.
    await source`update person set tel = 'of the source', mail = 'lost' where id = '1'`;
    await maria.query("update buyer set phone = 'lost', email = 'of the target' where id = 1");
    await on.attempt();
    expect(await source`select tel, mail from person where id = '1'`).toEqual([{ tel: "of the source", mail: "of the target" }]);
    const [same] = await maria.query("select phone, email from buyer where id = 1");
    expect(same).toMatchObject([{ phone: "of the source", email: "of the target" }]);
    await rests(on);
  }, 300_000);

  test("Tryton come to the same values when both are edited at once, and an edit during the write is not written over", async () => {
    const { url, database, user, password } = tryton;
    const parties = { name: "items", model: "party.party", fields: ["code", "name"], codeField: "code", key: "code", overlapSeconds: 1 };
    const config = { url, database, user, streams: [parties] };
    let beforeWrite: (() => Promise<unknown>) | undefined;
    const real: Connector = trytonConnector;
    const { write } = real;
    if (write === undefined) throw new Error("The connector writes.");
    const connector: Connector = {
      ...real,
      // Somebody is at work between Quiesce's read and its write.
      write: {
        ...write,
        apply: async (x, stream, items) => {
          const once = beforeWrite;
          beforeWrite = undefined;
          await once?.();
          return write.apply(x, stream, items);
        },
      },
    };
    const target = { connector, config, secrets: { password } };
    const mapping = { key: "code", fields: { code: { from: "id" }, name: { from: "tel" } } };
    const twoWay = { fields: { name: { conflict: "target" as const } }, times: {} };
    const on = await open({ source: await people("customer"), target }, { mapping, twoWay });
    const names = async () =>
      JSON.parse(
        /NAMES (.*)/u.exec(await tryton.run("import json\nprint('NAMES', json.dumps({p.code: p.name for p in Party.search([])}))"))?.[1] ??
          "{}",
      ) as Record<string, string>;
    const rename = (code: number, name: string) => tryton.run(`Party.write(Party.search([('code', '=', '${code}')]), {'name': '${name}'})`);
    expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { written: ROWS } });
    await tryton.run("Party.write(Party.search([('code', 'in', ['%d' % i for i in range(1, 31)])]), {'name': 'of Tryton'})");
    await source`update customer set tel = 'of the CRM' where id::integer between 100 and 120`;
    expect(await on.attempt()).toMatchObject({ kind: "succeeded" });
    const [back] = await source`select count(*)::integer as n from customer where tel = 'of Tryton'`;
    expect(back?.["n"]).toBe(30);
    expect(Object.values(await names()).filter((name) => name === "of the CRM")).toHaveLength(21);
    await rests(on);

    await source`update customer set tel = 'late' where id = '5'`;
    beforeWrite = () => rename(5, "in between");
    expect(await on.attempt()).toMatchObject({ kind: "failed", failure: { kind: "transient" } });
    expect((await names())["5"]).toBe("in between");
    expect(await on.attempt()).toMatchObject({ kind: "succeeded" });
    // Both changed it, and the target wins.
    expect([(await names())["5"], (await source`select tel from customer where id = '5'`)[0]?.["tel"]]).toEqual([
      "in between",
      "in between",
    ]);
    await rests(on);
  }, 300_000);

  test("an HTTP system with ETags: an edit during the write is refused there, and nothing is written over", async () => {
    const rows = new Map<string, { readonly id: string; readonly phone: string; readonly rev: number; readonly changed: string }>();
    let clock = Date.parse("2026-01-05T00:00:00Z");
    let refusals = 0;
    let beforeWrite: (() => void) | undefined;
    const put = (id: string, phone: string): void => {
      clock += 1_000;
      rows.set(id, { id, phone, rev: (rows.get(id)?.rev ?? 0) + 1, changed: new Date(clock).toISOString() });
    };
    const server: Server = createServer((request, response) => {
      const url = new URL(request.url ?? "", "http://crm");
      const answer = (status: number, body: unknown, headers = {}): void =>
        void response.writeHead(status, { "content-type": "application/json", ...headers }).end(JSON.stringify(body));
      if (request.method === "GET") {
        const since = url.searchParams.get("since") ?? "";
        return answer(
          200,
          [...rows.values()].filter(({ changed }) => changed >= since).map((row) => ({ ...row, etag: `"${row.rev}"` })),
        );
      }
      let text = "";
      request.on("data", (chunk: Buffer) => void (text += chunk.toString("utf8")));
      request.on("end", () => {
        const once = beforeWrite;
        beforeWrite = undefined;
        once?.();
        const id = decodeURIComponent(url.pathname.split("/").at(-1) ?? "");
        const match = request.headers["if-match"];
        if (match !== undefined && match !== `"${rows.get(id)?.rev ?? 0}"`) {
          refusals += 1;
          return answer(412, { message: "It was changed." });
        }
        put(id, (JSON.parse(text) as { readonly phone: string }).phone);
        return answer(200, rows.get(id), { etag: `"${rows.get(id)?.rev ?? 0}"` });
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    try {
      const path = "/people";
      const write = { method: "PATCH", path: `${path}/{key}`, idempotency: "upsert", ifMatch: true };
      const since = { parameter: "since", field: "changed" };
      const streams = [{ name: "items", path, key: ["id"], versionPath: "etag", since, write }];
      const target = {
        connector: httpConnector,
        config: { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, streams },
      };
      const mapping = { key: "id", fields: { id: { from: "id" }, phone: { from: "tel" } } };
      const twoWay = { fields: { phone: { conflict: "target" as const } }, times: {} };
      const on = await open({ source: await people("contact"), target }, { mapping, twoWay });
      expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { written: ROWS } });
      put("3", "of the target");
      expect(await on.attempt()).toMatchObject({ kind: "succeeded" });
      expect((await source`select tel from contact where id = '3'`)[0]?.["tel"]).toBe("of the target");
      await rests(on);

      await source`update contact set tel = 'late' where id = '5'`;
      beforeWrite = () => put("5", "in between");
      expect(await on.attempt()).toMatchObject({ kind: "failed", failure: { kind: "transient" } });
      expect([refusals, rows.get("5")?.phone]).toEqual([1, "in between"]);
      expect(await on.attempt()).toMatchObject({ kind: "succeeded" });
      expect([rows.get("5")?.phone, (await source`select tel from contact where id = '5'`)[0]?.["tel"]]).toEqual([
        "in between",
        "in between",
      ]);
      await rests(on);
    } finally {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    }
  }, 300_000);
});
