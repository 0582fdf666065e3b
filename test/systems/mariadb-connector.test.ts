import { mariadbConnector } from "@quiesce/connectors";
import type { Connector, Cursor, Json } from "@quiesce/sdk";
import mysql from "mysql2/promise";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { listKeys, readPages, readResumed, rejection, runContext, writeItem } from "../connectors/run-context.js";
import { MARIADB, startMariadb, type Mariadb } from "./mariadb.js";
import { suiteRuns } from "./server-process.js";
import { inTime } from "../connectors/in-time.js";

describe.runIf(suiteRuns("MariaDB", MARIADB))("the mariadb connector on a real MariaDB", () => {
  const connector: Connector = mariadbConnector;
  let mariadb: Mariadb;
  let sql: mysql.Connection;
  let options: mysql.ConnectionOptions;

  beforeAll(async () => {
    mariadb = await startMariadb();
    options = { host: "127.0.0.1", port: mariadb.server.port, ...mariadb.admin, database: "shop", multipleStatements: true, timezone: "Z" };
    sql = await mysql.createConnection(options);
  });
  afterAll(async () => {
    await sql?.end();
    await mariadb?.server.remove();
  });

  function endpoint(
    stream: Record<string, unknown>,
    more: { readonly config?: Record<string, unknown>; readonly secrets?: Record<string, unknown>; readonly signal?: AbortSignal } = {},
  ) {
    const { user, password, server } = mariadb;
    return runContext(connector, {
      config: {
        host: "127.0.0.1",
        port: server.port,
        tls: "disable",
        database: "shop",
        user,
        ...more.config,
        streams: [{ name: "s", key: ["id"], ...stream }],
      },
      secrets: { password, ...more.secrets },
      ...(more.signal === undefined ? {} : { signal: more.signal }),
    });
  }
  const apply = async (stream: Record<string, unknown>, items: Parameters<NonNullable<typeof connector.write>["apply"]>[2]) =>
    connector.write?.apply(await endpoint(stream), "s", items);
  const rowsOf = async (statement: string): Promise<unknown> => (await sql.query(statement))[0];
  const connections = () => rowsOf(`select count(*) as n from information_schema.processlist where user = '${mariadb.user}'`);

  describe("reads", () => {
    beforeEach(async () => {
      await sql.query(`drop table if exists orders;
        create table orders (id bigint primary key, updated_at timestamp(6) not null default now(6), note text);
        set time_zone = '+00:00';
        insert into orders select seq, timestamp '2026-11-20 08:00:00.000001' + interval greatest(cast(seq as signed) - 11, 0) microsecond, concat('n', seq) from seq_1_to_30`);
    });
    const incremental = { table: "orders", cursorColumn: "updated_at", overlapSeconds: 0 };

    test.each([1, 2, 7, 100])("every row once, in pages of %d, though times are equal or a microsecond apart", async (pageSize) => {
      const x = await endpoint(incremental);
      const { records, complete } = await readPages(connector, x, { stream: "s", pageSize });
      expect(complete).toBe(true);
      expect(records.map((record) => Number(record.key))).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
      expect(await readResumed(connector, x, { stream: "s", pageSize })).toEqual(records);
      expect(records[29]).toMatchObject({ at: "2026-11-20T08:00:00.000020Z", data: { id: "30", note: "n30" } });
    });

    test("nothing twice and nothing lost after the cursor: only the row that changed comes again", async () => {
      const x = await endpoint(incremental);
      const { cursor } = await readPages(connector, x, { stream: "s", pageSize: 7 });
      expect((await readPages(connector, x, { stream: "s", cursor })).records).toEqual([]);
      await sql.query("update orders set updated_at = updated_at + interval 1 microsecond where id = 30");
      expect((await readPages(connector, x, { stream: "s", cursor })).records.map((record) => record.key)).toEqual(["30"]);
    });

    test("a row whose transaction was still open in the last round, within the overlap", async () => {
      const x = await endpoint({ ...incremental, overlapSeconds: 30 });
      const open = await mysql.createConnection(options);
      await open.query("start transaction");
      await open.query("insert into orders (id, note) values (100, 'late')");
      await sql.query("insert into orders (id, note) values (101, 'early')");
      const first = await readPages(connector, x, { stream: "s" });
      expect(first.records.map((record) => record.key)).toContain("101");
      expect(first.records.map((record) => record.key)).not.toContain("100");
      await open.query("commit");
      await open.end();
      const second = await readPages(connector, x, { stream: "s", cursor: first.cursor });
      expect(second.records.map((record) => record.key)).toContain("100");
      // Thirty old rows lie outside the overlap: they are not read for ever.
      expect(second.records.length).toBeLessThan(5);
    });

    test("a row dated in the future hides none of those that follow", async () => {
      const x = await endpoint({ ...incremental, overlapSeconds: 1 });
      await sql.query("insert into orders values (999, '2037-01-01 00:00:00', 'future')");
      const first = await readPages(connector, x, { stream: "s" });
      await sql.query("insert into orders (id, note) values (1000, 'now')");
      const second = await readPages(connector, x, { stream: "s", cursor: first.cursor });
      expect(second.records.map((record) => record.key)).toContain("1000");
    });

    test("bigints beyond a double in the key, in order and once", async () => {
      await sql.query("insert into orders (id) values (9007199254740992), (9007199254740993), (9007199254740994)");
      const keys = (await readResumed(connector, await endpoint({ table: "orders" }), { stream: "s", pageSize: 1 })).map(({ key }) => key);
      expect(keys.slice(-3)).toEqual(["9007199254740992", "9007199254740993", "9007199254740994"]);
      expect(keys).toHaveLength(33);
    });

    test("a nullable cursor column with nulls is refused, and a column without an order too", async () => {
      await sql.query("alter table orders modify updated_at timestamp(6) null, add kind enum('b', 'a') not null default 'a'");
      const x = await endpoint(incremental);
      expect((await readPages(connector, x, { stream: "s" })).records).toHaveLength(30);
      await sql.query("insert into orders (id, updated_at) values (31, null)");
      expect(await rejection(readPages(connector, x, { stream: "s" }))).toMatchObject({ kind: "contract", info: { field: "updated_at" } });
      const unordered = await endpoint({ table: "orders", key: ["kind"] });
      expect(await rejection(readPages(connector, unordered, { stream: "s" }))).toMatchObject({ kind: "config", info: { field: "kind" } });
    });

    test("everything each time without a cursor column, and all keys by listKeys", async () => {
      const x = await endpoint({ table: "orders" });
      const first = await readPages(connector, x, { stream: "s", pageSize: 7 });
      expect(first).toMatchObject({ cursor: {}, pages: 5 });
      expect((await readPages(connector, x, { stream: "s", cursor: first.cursor })).records).toHaveLength(30);
      await sql.query("delete from orders where id = 13");
      const keys = await listKeys(connector, await endpoint(incremental), "s", 4);
      expect(keys).toEqual(Array.from({ length: 30 }, (_, index) => String(index + 1)).filter((key) => key !== "13"));
    });

    test.each<Cursor>([{ page: 7 }, { at: "no time", key0: "1" }])(
      "a strange cursor (%o) begins again instead of reading nothing",
      async (cursor) => {
        expect((await readPages(connector, await endpoint(incremental), { stream: "s", cursor })).records).toHaveLength(30);
      },
    );

    test("values without loss, and the way back: what was read is written unchanged", async () => {
      await sql.query(`drop table if exists kinds; create table kinds (id binary(2), part varchar(20), big bigint unsigned, num decimal(30,10), flt float,
        dbl double, flag boolean, doc json, day date, at datetime(6), stamp timestamp(6) null, raw blob, bits bit(12), word enum('x','y'), primary key (id, part));
        insert into kinds values (x'00ff', 'a|b', 18446744073709551615, 12345678901234567890.1000000000, 0.1, 0.1, true, '{"a":[1,null]}', '2026-02-28',
        '2026-11-20 08:37:21.332807', '2026-11-20 08:37:21.332807', repeat(x'00ff', 60), b'100000000001', 'y')`);
      const kinds = { table: "kinds", key: ["id", "part"] };
      const { records } = await readPages(connector, await endpoint(kinds), { stream: "s" });
      const data: Record<string, Json> = {
        id: "AP8=",
        part: "a|b",
        big: "18446744073709551615",
        num: "12345678901234567890.1000000000",
        flt: Math.fround(0.1),
        dbl: 0.1,
        flag: true,
        doc: { a: [1, null] },
        day: "2026-02-28",
        at: "2026-11-20T08:37:21.332807",
        stamp: "2026-11-20T08:37:21.332807Z",
        raw: Buffer.from("00ff".repeat(60), "hex").toString("base64"),
        bits: "2049",
        word: "y",
      };
      expect(records).toEqual([{ key: "AP8=|a\\|b", data }]);
      const { flt: _float, ...exact } = data;
      expect(await apply(kinds, [writeItem("AP8=|a\\|b", exact)])).toEqual([{ key: "AP8=|a\\|b", ok: true, unchanged: true }]);
      // An offset is told, not dropped.
      await apply(kinds, [writeItem("AP8=|a\\|b", { stamp: "2026-11-20T10:00:00.000001+02:00" })]);
      const again = await readPages(connector, await endpoint(kinds), { stream: "s" });
      expect(again.records[0]?.data["stamp"]).toBe("2026-11-20T08:00:00.000001Z");
      const [stream] = (await connector.streams?.(await endpoint(kinds))) ?? [];
      expect(stream).toMatchObject({
        key: ["id", "part"],
        deletes: "snapshot",
        schema: { properties: { big: { type: ["string", "null"] }, flag: { type: ["boolean", "null"] } } },
      });
    });
  });

  describe("writes", () => {
    const target = { table: "target" };
    beforeEach(async () => {
      await sql.query(`drop table if exists target; create table target (id int primary key, name varchar(5) not null unique, amount decimal(20, 4),
        seen int generated always as (id * 2) stored) default charset utf8mb4`);
    });

    test("inserts, updates only what differs, deletes, and says which", async () => {
      expect(await apply(target, [writeItem("1", { id: 1, name: "a" }), writeItem("2", { name: "b", amount: "1.5" })])).toEqual([
        { key: "1", ok: true },
        { key: "2", ok: true },
      ]);
      const results = await apply(target, [
        writeItem("1", { id: 1, name: "a" }),
        writeItem("2", { id: 2, amount: 7, name: "b" }),
        writeItem("3", {}, { op: "delete" }),
      ]);
      expect(results).toEqual([
        { key: "1", ok: true, unchanged: true },
        { key: "2", ok: true },
        { key: "3", ok: true, unchanged: true },
      ]);
      expect(await apply(target, [writeItem("1", {}, { op: "delete" })])).toEqual([{ key: "1", ok: true }]);
      expect(await rowsOf("select id, name, amount from target")).toEqual([{ id: 2, name: "b", amount: "7.0000" }]);
    });

    test("never over another record that only shares a unique name", async () => {
      await apply(target, [writeItem("1", { name: "a", amount: 1 })]);
      expect(await apply(target, [writeItem("2", { name: "a", amount: 2 })])).toMatchObject([
        { ok: false, error: { kind: "conflict", status: 1062 } },
      ]);
      expect(await rowsOf("select id, name, amount from target")).toEqual([{ id: 1, name: "a", amount: "1.0000" }]);
    });

    test("bad records fail alone with kind and reason; the good ones are written", async () => {
      const results = await apply(target, [
        writeItem("1", { name: "a" }),
        writeItem("2", { name: "too long" }),
        writeItem("3", { name: null }),
        writeItem("4", { name: "a" }),
        writeItem("5", { name: "e", nope: 1 }),
        writeItem("6", { id: 7, name: "f" }),
        writeItem("7", { name: "g", seen: 1 }),
        writeItem("x", { name: "x" }),
        writeItem("9", { name: "i" }),
        writeItem("10", { amount: 1 }),
      ]);
      const kinds = results?.map((result) => (result.ok ? "ok" : result.error.kind));
      expect(kinds).toEqual(["ok", "invalid", "invalid", "conflict", "invalid", "invalid", "invalid", "invalid", "ok", "invalid"]);
      expect(results?.[4]).toMatchObject({ error: { field: "nope", message: expect.stringContaining("has no column nope") } });
      expect(await rowsOf("select id from target order by id")).toEqual([{ id: 1 }, { id: 9 }]);
    });

    test("names and values cannot become SQL, whatever mode the server is in", async () => {
      await sql.query("set global sql_mode = 'NO_BACKSLASH_ESCAPES,ANSI_QUOTES'");
      try {
        await sql.query(
          "drop table if exists `we``ird'; drop table target; --`; create table `we``ird'; drop table target; --` (id varchar(99) primary key, `a``b` text)",
        );
        const evil = { table: "we`ird'; drop table target; --" };
        const texts = ["'; drop table target; -- ", "\\'; drop table target; -- ", "\\\\\\", 'a\u0000\n\u001a"b', "ünï😀"];
        for (const text of texts) {
          expect(await apply(evil, [writeItem(`k${text}`.replaceAll("\u0000", ""), { "a`b": text })])).toMatchObject([{ ok: true }]);
        }
        const { records } = await readPages(connector, await endpoint(evil), { stream: "s" });
        expect(new Set(records.map((record) => record.data["a`b"]))).toEqual(new Set(texts));
        expect(await rowsOf("select count(*) as n from target")).toEqual([{ n: 0 }]);
      } finally {
        await sql.query("set global sql_mode = default");
      }
    });

    test("a thousand records in one call, twice: the second changes nothing", async () => {
      const items = Array.from({ length: 1000 }, (_, index) => writeItem(String(index), { name: String(index), amount: index / 8 }));
      expect((await apply(target, items))?.every((result) => result.ok && result.unchanged === undefined)).toBe(true);
      expect((await apply(target, items))?.every((result) => result.ok && result.unchanged === true)).toBe(true);
    });

    test("a table without a unique index over the key is refused before anything is written", async () => {
      await sql.query("drop table if exists bare; create table bare (id int, name text, unique (id, name(5)))");
      expect(await rejection(apply({ table: "bare" }, [writeItem("1", {})]))).toMatchObject({
        kind: "config",
        message: expect.stringContaining("no unique index over just id"),
      });
    });

    test("a connection lost before the commit is unavailable, and nothing was written", async () => {
      // The second record waits for a lock that this connection holds; then its own connection is killed.
      await sql.query("start transaction; insert into target (id, name) values (2, 'held')");
      const failed = rejection(apply(target, [writeItem("1", { name: "a" }), writeItem("2", { name: "b" })]));
      await expect.poll(connections).toEqual([{ n: 1 }]);
      const [[found]] = await sql.query<mysql.RowDataPacket[]>(
        `select id from information_schema.processlist where user = '${mariadb.user}'`,
      );
      await new Promise((resolve) => setTimeout(resolve, 200));
      await sql.query(`kill ${String(found?.["id"])}`);
      expect(await failed).toMatchObject({ kind: "unavailable" });
      await sql.query("rollback");
      expect(await rowsOf("select * from target")).toEqual([]);
    });
  });

  describe("classifies", () => {
    test("a wrong password, a missing database, right, table and column, and a closed port", async () => {
      await sql.query("drop table if exists bare; create table bare (id int, updated_at datetime)");
      const check = async (config: Record<string, unknown>, secrets = {}) =>
        rejection(Promise.resolve(connector.check?.(await endpoint({ table: "bare" }, { config, secrets }))));
      expect(await check({}, { password: "wrong" })).toMatchObject({ kind: "auth", info: { status: 1045 } });
      expect(await check({ database: "mysql" })).toMatchObject({ kind: "permission" });
      expect(await check({ port: 1 })).toMatchObject({ kind: "unavailable" });
      expect(await check({ host: "no-such-host.invalid" })).toMatchObject({ kind: "unavailable" });
      expect(await rejection(readPages(connector, await endpoint({ table: "absent" }), { stream: "s" }))).toMatchObject({
        kind: "config",
        message: expect.stringContaining("`absent`"),
      });
      expect(await rejection(readPages(connector, await endpoint({ table: "bare", key: ["code"] }), { stream: "s" }))).toMatchObject({
        kind: "config",
        message: expect.stringContaining("it has id, updated_at"),
      });
      const reader = await endpoint({ table: "readable" }, { config: { user: "reader" }, secrets: { password: "reader" } });
      expect(await rejection(Promise.resolve(connector.write?.apply(reader, "s", [writeItem("1", {})])))).toMatchObject({
        kind: "permission",
      });
      await expect(connector.check?.(await endpoint({ table: "bare" }))).resolves.toMatchObject({
        status: "up",
        version: expect.stringContaining("MariaDB"),
        identity: { principal: `${mariadb.user}@localhost` },
      });
    });

    test("encryption: the certificate and its name are checked, and a lack of it is never a fall back to plain text", async () => {
      const check = async (config: Record<string, unknown>) => connector.check?.(await endpoint({ table: "orders" }, { config }));
      const localhost = { host: "localhost", tls: "verify-full" };
      await expect(check({ ...localhost, ca: mariadb.ca })).resolves.toMatchObject({ status: "up" });
      await expect(check({ tls: "require" })).resolves.toMatchObject({ status: "up" });
      expect(await rejection(Promise.resolve(check(localhost)))).toMatchObject({ kind: "config" });
      // The certificate is that of localhost.
      const other = await endpoint({ table: "orders" }, { config: { host: "erp.example.com", tls: "verify-full", ca: mariadb.ca } });
      expect(await rejection(Promise.resolve(connector.check?.({ ...other, resolveHost: async () => ["127.0.0.1"] })))).toMatchObject({
        kind: "config",
      });
      const issues = mariadbConnector.config["~standard"].validate({
        host: "10.0.0.1",
        database: "d",
        user: "u",
        streams: [{ name: "s", table: "t", key: ["id"] }],
      });
      expect(issues).toMatchObject({ issues: [{ path: ["host"] }] });
      await using plain = (await startMariadb({ tls: false })).server;
      expect(await rejection(Promise.resolve(check({ port: plain.port, tls: "require" })))).toMatchObject({
        kind: "config",
        info: { status: "HANDSHAKE_NO_SSL_SUPPORT" },
      });
    });

    test("goes only to addresses that were checked, whatever the name says by itself", async () => {
      const x = await endpoint({ table: "orders" }, { config: { host: "erp.example.com" } });
      await expect(connector.check?.({ ...x, resolveHost: async () => ["127.0.0.1"] })).resolves.toMatchObject({ status: "up" });
    });

    test("a stop while a statement runs as cancelled, within 250 ms, and the server works no longer on it", async () => {
      await sql.query("create or replace view slow as select 1 as id, sleep(600) as s");
      const stop = new AbortController();
      const x = await endpoint({ table: "slow" }, { signal: stop.signal });
      const stopped = rejection(readPages(connector, x, { stream: "s" }));
      const running = "select count(*) as n from information_schema.processlist where info like '%from `slow`%' and id <> connection_id()";
      await expect.poll(() => rowsOf(running)).toEqual([{ n: 1 }]);
      stop.abort({ why: "window" });
      expect(await inTime(stopped)).toMatchObject({ kind: "cancelled" });
      await expect.poll(() => rowsOf(running)).toEqual([{ n: 0 }]);
    });

    test("a statement over its time as timeout", async () => {
      const x = await endpoint({ table: "slow" }, { config: { statementTimeoutSeconds: 1 } });
      expect(await rejection(readPages(connector, x, { stream: "s" }))).toMatchObject({ kind: "timeout" });
    });

    test("a reader that is stopped between two pages leaves no connection behind", async () => {
      await sql.query("drop table if exists many; create table many as select seq as id from seq_1_to_50");
      await readPages(connector, await endpoint({ table: "many" }), { stream: "s", pageSize: 5, stopAfter: 2 });
      await expect.poll(connections).toEqual([{ n: 0 }]);
    });
  });
});
