import { postgresConnector } from "@quiesce/connectors";
import type { Cursor, Json } from "@quiesce/sdk";
import postgres from "postgres";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openDatabase } from "../../packages/connectors/src/postgres/postgres-client.js";
import { freshDatabase, type FreshDatabase } from "../database/fresh-database.js";
import { listKeys, readPages, readResumed, rejection, runContext, writeItem } from "./run-context.js";

let database: FreshDatabase;
let sql: postgres.Sql;
let settings: { host: string; port: number; database: string; user: string; ssl: string };
let password: string;

beforeAll(async () => {
  database = await freshDatabase({ empty: true });
  sql = postgres(database.url, { max: 4, onnotice: () => undefined });
  const url = new URL(database.url);
  settings = {
    host: url.hostname,
    port: Number(url.port || 5432),
    database: url.pathname.slice(1),
    user: decodeURIComponent(url.username),
    ssl: "disable",
  };
  password = decodeURIComponent(url.password);
});
afterAll(async () => {
  await sql.end();
  await database.drop();
});

async function endpoint(stream: Record<string, unknown>, more: Record<string, unknown> = {}, signal?: AbortSignal) {
  const config = { ...settings, ...more, streams: [{ name: "s", key: ["id"], ...stream }] };
  return runContext(postgresConnector, {
    config,
    secrets: password === "" ? {} : { password },
    ...(signal === undefined ? {} : { signal }),
  });
}

async function apply(stream: Record<string, unknown>, items: Parameters<NonNullable<typeof postgresConnector.write>["apply"]>[2]) {
  return postgresConnector.write?.apply(await endpoint(stream), "s", items);
}

describe("the postgres connector reads", () => {
  beforeEach(async () => {
    await sql`drop table if exists orders`;
    await sql`create table orders (id bigint primary key, updated_at timestamptz not null, note text)`;
    // Microseconds apart, and eleven that share one instant: both fall over page borders.
    await sql`insert into orders select i, timestamptz '2026-11-20 08:00:00.000001+00' + make_interval(secs => greatest(i - 11, 0) * 0.000001), 'n' || i from generate_series(1, 30) i`;
  });
  const incremental = { table: "orders", cursorColumn: "updated_at", overlapSeconds: 0 };

  test.each([1, 2, 7, 100])("every row once, in pages of %d, though times are equal or a microsecond apart", async (pageSize) => {
    const x = await endpoint(incremental);
    const { records, complete } = await readPages(postgresConnector, x, { stream: "s", pageSize });
    expect(complete).toBe(true);
    expect(records.map((record) => Number(record.key))).toEqual(Array.from({ length: 30 }, (_, index) => index + 1));
    expect(await readResumed(postgresConnector, x, { stream: "s", pageSize })).toEqual(records);
    expect(records[29]).toMatchObject({ at: "2026-11-20T08:00:00.00002+00:00", data: { id: "30", note: "n30" } });
  });

  test("nothing twice and nothing lost after the cursor: only the row that changed comes again", async () => {
    const x = await endpoint(incremental);
    const { cursor } = await readPages(postgresConnector, x, { stream: "s", pageSize: 7 });
    expect((await readPages(postgresConnector, x, { stream: "s", cursor })).records).toEqual([]);
    await sql`update orders set updated_at = updated_at + interval '1 microsecond' where id = 30`;
    const next = await readPages(postgresConnector, x, { stream: "s", cursor });
    expect(next.records.map((record) => record.key)).toEqual(["30"]);
  });

  test("a row whose transaction was still open in the last round, within the overlap", async () => {
    const x = await endpoint({ ...incremental, overlapSeconds: 30 });
    const open = await sql.reserve();
    await open`begin`;
    await open`insert into orders values (100, now(), 'late')`;
    await sql`insert into orders values (101, clock_timestamp(), 'early')`;
    const first = await readPages(postgresConnector, x, { stream: "s" });
    expect(first.records.map((record) => record.key)).toContain("101");
    expect(first.records.map((record) => record.key)).not.toContain("100");
    await open`commit`;
    open.release();
    const second = await readPages(postgresConnector, x, { stream: "s", cursor: first.cursor });
    expect(second.records.map((record) => record.key)).toContain("100");
    // Thirty old rows lie outside the overlap: they are not read for ever.
    expect(second.records.length).toBeLessThan(5);
  });

  test("a row dated in the future hides none of those that follow", async () => {
    const x = await endpoint({ ...incremental, overlapSeconds: 1 });
    await sql`insert into orders values (999, '2999-01-01T00:00:00Z', 'future')`;
    const first = await readPages(postgresConnector, x, { stream: "s" });
    await sql`insert into orders values (1000, clock_timestamp(), 'now')`;
    const second = await readPages(postgresConnector, x, { stream: "s", cursor: first.cursor });
    expect(second.records.map((record) => record.key)).toContain("1000");
  });

  test("a nullable cursor column with nulls is refused, not silently skipped", async () => {
    await sql`alter table orders alter updated_at drop not null`;
    const x = await endpoint(incremental);
    expect((await readPages(postgresConnector, x, { stream: "s" })).records).toHaveLength(30);
    await sql`insert into orders values (31, null, '')`;
    expect(await rejection(readPages(postgresConnector, x, { stream: "s" }))).toMatchObject({
      kind: "contract",
      info: { field: "updated_at" },
    });
  });

  test("everything each time without a cursor column, and all keys by listKeys", async () => {
    const x = await endpoint({ table: "orders" });
    const first = await readPages(postgresConnector, x, { stream: "s", pageSize: 7 });
    expect(first).toMatchObject({ cursor: {}, pages: 5 });
    expect((await readPages(postgresConnector, x, { stream: "s", cursor: first.cursor })).records).toHaveLength(30);
    await sql`delete from orders where id = 13`;
    const keys = await listKeys(postgresConnector, await endpoint(incremental), "s", 4);
    expect(keys).toEqual(Array.from({ length: 30 }, (_, index) => String(index + 1)).filter((key) => key !== "13"));
  });

  test("an old cursor of other columns begins again instead of reading nothing", async () => {
    const x = await endpoint(incremental);
    const strange: Cursor = { page: 7 };
    expect((await readPages(postgresConnector, x, { stream: "s", cursor: strange })).records).toHaveLength(30);
  });

  test("values without loss: what a double or a Date cannot hold is text", async () => {
    await sql`drop table if exists kinds`;
    await sql`create table kinds ("Id" uuid, part text, big bigint, num numeric, dbl float8, flag bool, doc jsonb, day date, at timestamp, raw bytea, list int[], primary key ("Id", part))`;
    const id = "0f8fad5b-d9cb-469f-a165-70867728950e";
    await sql`insert into kinds values (${id}, 'a|b', 9007199254740993, 12345678901234567890.10, 'NaN', true, '{"a":[1,null]}', '2026-02-28', '2026-11-20 08:37:21.332807', '\\x00ff', '{1,2}')`;
    const kinds = { table: "kinds", key: ["Id", "part"] };
    const { records } = await readPages(postgresConnector, await endpoint(kinds), { stream: "s" });
    const data: Record<string, Json> = {
      Id: id,
      part: "a|b",
      big: "9007199254740993",
      num: "12345678901234567890.10",
      dbl: "NaN",
      flag: true,
      doc: { a: [1, null] },
      day: "2026-02-28",
      at: "2026-11-20T08:37:21.332807",
      raw: "AP8=",
      list: [1, 2],
    };
    expect(records).toEqual([{ key: `${id}|a\\|b`, data }]);
    // And the way back: what was read is written unchanged.
    expect(await apply(kinds, [writeItem(`${id}|a\\|b`, data)])).toEqual([{ key: `${id}|a\\|b`, ok: true, unchanged: true }]);
    const [stream] = (await postgresConnector.streams?.(await endpoint(kinds))) ?? [];
    expect(stream).toMatchObject({
      key: ["Id", "part"],
      cursor: "none",
      deletes: "snapshot",
      schema: { properties: { big: { type: ["string", "null"] }, Id: { format: "uuid" } } },
    });
  });
});

describe("the postgres connector writes", () => {
  const target = { table: "target", schema: "public" };
  beforeEach(async () => {
    await sql`drop table if exists target`;
    await sql`create table target (id integer primary key, name varchar(5) not null, amount numeric, seen int generated always as (id * 2) stored, unique (name) deferrable initially deferred)`;
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
    expect(await sql`select id, name, amount from target`).toEqual([{ id: 2, name: "b", amount: "7" }]);
  });

  test("a record with fewer columns leaves the others as they are", async () => {
    await apply(target, [writeItem("1", { name: "a", amount: 5 })]);
    await apply(target, [writeItem("1", { name: "z" }), writeItem("2", { name: "b", amount: 1 })]);
    expect(await sql`select id, name, amount from target order by id`).toEqual([
      { id: 1, name: "z", amount: "5" },
      { id: 2, name: "b", amount: "1" },
    ]);
  });

  test("bad records fail alone with kind and reason, though constraints are deferred; the good ones are written", async () => {
    const results = await apply(target, [
      writeItem("1", { name: "a" }),
      writeItem("2", { name: "too long" }),
      writeItem("3", { name: null }),
      writeItem("4", { name: "a" }),
      writeItem("5", { name: "e", nope: 1 }),
      writeItem("6", { id: 7, name: "f" }),
      writeItem("7", { name: "g", seen: 1 }),
      writeItem("x", { name: "x" }),
      writeItem("8", { name: "h\u0000" }),
      writeItem("9", { name: "i" }),
    ]);
    const kinds = results?.map((result) => (result.ok ? "ok" : result.error.kind));
    expect(kinds).toEqual(["ok", "invalid", "invalid", "conflict", "invalid", "invalid", "invalid", "invalid", "invalid", "ok"]);
    expect(results?.[2]).toMatchObject({ error: { field: "name", status: "23502" } });
    expect(results?.[4]).toMatchObject({ error: { field: "nope", message: expect.stringContaining("has no column nope") } });
    expect((await sql`select id from target order by id`).map((row) => row["id"])).toEqual([1, 9]);
  });

  test("names and values cannot become SQL", async () => {
    const name = `we"ird'); drop table target; --`;
    await sql.unsafe(`drop table if exists "we""ird'); drop table target; --"`);
    const evil = {
      table: name,
      createTable: true,
      columns: [
        { name: "id", type: "text" },
        { name: `a"b`, type: "text" },
        { name: "position", type: "integer" },
      ],
    };
    expect(await apply(evil, [writeItem("'; drop table target", { [`a"b`]: `'"; drop table target`, position: 4 })])).toMatchObject([
      { ok: true },
    ]);
    expect(await readPages(postgresConnector, await endpoint(evil), { stream: "s" })).toMatchObject({
      records: [{ data: { position: 4, [`a"b`]: `'"; drop table target` } }],
    });
    expect(await sql`select count(*)::int as n from target`).toEqual([{ n: 0 }]);
  });

  test("a thousand records in one call, twice: the second changes nothing", async () => {
    const items = Array.from({ length: 1000 }, (_, index) => writeItem(String(index), { name: String(index), amount: index / 8 }));
    expect((await apply(target, items))?.every((result) => result.ok && result.unchanged === undefined)).toBe(true);
    expect((await apply(target, items))?.every((result) => result.ok && result.unchanged === true)).toBe(true);
  });

  test("a connection lost before the commit is unavailable, and nothing was written", async () => {
    await sql`create or replace function die() returns trigger language plpgsql as $$ begin perform pg_terminate_backend(pg_backend_pid()); return new; end $$`;
    await sql`create trigger die before insert on target for each row when (new.id = 2) execute function die()`;
    const error = await rejection(apply(target, [writeItem("1", { name: "a" }), writeItem("2", { name: "b" })]) ?? Promise.resolve());
    expect(error).toMatchObject({ kind: "unavailable" });
    expect(await sql`select * from target`).toEqual([]);
  });
});

test("a connection lost between two statements and made again does not commit an empty transaction as a success", async () => {
  await sql`drop table if exists gap`;
  await sql`create table gap (id int primary key)`;
  const connection = await openDatabase(
    await runContext(postgresConnector, {
      config: { ...settings, streams: [{ name: "s", table: "gap", key: ["id"] }] },
      secrets: password === "" ? {} : { password },
    }),
  );
  const lost = connection.transaction(async () => {
    await connection.query("insert into gap values (1)");
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'quiesce'`;
    await expect
      .poll(async () =>
        connection.query("select 1").then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
  });
  expect(await rejection(lost)).toMatchObject({ kind: "unavailable", info: { status: "25P01" } });
  await connection.close();
  expect(await sql`select * from gap`).toEqual([]);
});

describe("a part of a row", () => {
  beforeEach(async () => {
    await sql`drop table if exists part`;
    await sql`create table part (id integer primary key, name varchar(5) not null, amount numeric, kind text not null default 'usual')`;
    await sql`insert into part values (1, 'one', 1), (2, 'two', 2)`;
  });
  const rows = () => sql`select id, name, amount::float8 as amount, kind from part order by id`;

  test("changes these columns of rows that are there, and leaves the rest, even columns that a new row would need", async () => {
    const items = [writeItem("1", { amount: 10 }), writeItem("2", { amount: 2 }), writeItem("3", { amount: 3 })];
    expect(await apply({ table: "part" }, items)).toMatchObject([
      { key: "1", ok: true },
      { key: "2", ok: true, unchanged: true },
      { key: "3", ok: false, error: { kind: "invalid" } },
    ]);
    expect(await rows()).toEqual([
      { id: 1, name: "one", amount: 10, kind: "usual" },
      { id: 2, name: "two", amount: 2, kind: "usual" },
    ]);
  });

  test("makes a row where a trigger gives what it needs, and one that is refused fails alone", async () => {
    await sql`create or replace function name_part() returns trigger language plpgsql as 'begin new.name := coalesce(new.name, ''auto''); return new; end'`;
    await sql`create trigger name_part before insert on part for each row execute function name_part()`;
    const items = [writeItem("1", { amount: "no number" }), writeItem("2", { amount: 20 }), writeItem("3", { amount: 3 })];
    expect(await apply({ table: "part" }, items)).toMatchObject([{ ok: false, error: { kind: "invalid" } }, { ok: true }, { ok: true }]);
    expect(await rows()).toMatchObject([{ amount: 1 }, { amount: 20 }, { id: 3, name: "auto", amount: 3 }]);
  });
});

describe("the postgres connector classifies", () => {
  test("a wrong password, a missing database, a closed port, a missing table and a missing index", async () => {
    await sql`drop table if exists bare`;
    await sql`create table bare (id int, updated_at timestamptz)`;
    await sql.unsafe("drop role if exists nobody_here").simple();
    const check = async (more: Record<string, unknown>) =>
      rejection(Promise.resolve(postgresConnector.check?.(await endpoint({ table: "bare" }, more))));
    expect(await check({ user: "nobody_here" })).toMatchObject({ kind: "auth" });
    expect(await check({ database: "not_there" })).toMatchObject({ kind: "config", info: { status: "3D000" } });
    expect(await check({ port: 1 })).toMatchObject({ kind: "unavailable" });
    expect(await check({ host: "no-such-host.invalid" })).toMatchObject({ kind: "unavailable" });
    expect(await rejection(readPages(postgresConnector, await endpoint({ table: "absent" }), { stream: "s" }))).toMatchObject({
      kind: "config",
      message: expect.stringContaining('"public"."absent"'),
    });
    expect(await rejection(readPages(postgresConnector, await endpoint({ table: "bare", key: ["code"] }), { stream: "s" }))).toMatchObject({
      kind: "config",
      message: expect.stringContaining("it has id, updated_at"),
    });
    expect(await rejection(apply({ table: "bare" }, [writeItem("1", {}), writeItem("2", {})]))).toMatchObject({
      kind: "config",
      info: { status: "42P10" },
    });
    await expect(postgresConnector.check?.(await endpoint({ table: "bare" }))).resolves.toMatchObject({
      status: "up",
      identity: { principal: settings.user },
    });
  });

  test("encryption that the server does not offer is an error, never a fall back to plain text", async () => {
    const error = await rejection(Promise.resolve(postgresConnector.check?.(await endpoint({ table: "t" }, { ssl: "require" }))));
    expect(["config", "unavailable"]).toContain(Reflect.get(Object(error), "kind"));
  });

  test("a stop while a statement runs as cancelled, and the server works no longer on it", async () => {
    const stop = new AbortController();
    await sql`drop view if exists slow`;
    await sql`create view slow as select 1 as id, pg_sleep(600)::text as s`;
    const x = await endpoint({ table: "slow" }, {}, stop.signal);
    const began = Date.now();
    setTimeout(() => stop.abort({ why: "window" }), 150);
    expect(await rejection(readPages(postgresConnector, x, { stream: "s" }))).toMatchObject({ kind: "cancelled" });
    // The statement would take ten minutes.
    expect(Date.now() - began).toBeLessThan(30_000);
    await expect
      .poll(
        async () =>
          sql`select count(*)::int as n from pg_stat_activity where state = 'active' and query like '%from "public"."slow"%' and pid <> pg_backend_pid()`,
      )
      .toEqual([{ n: 0 }]);
  });

  test("a statement over its time as timeout", async () => {
    const x = await endpoint({ table: "slow" }, { statementTimeoutSeconds: 1 });
    expect(await rejection(readPages(postgresConnector, x, { stream: "s" }))).toMatchObject({ kind: "timeout" });
  });

  test("a reader that is stopped between two pages leaves no connection behind", async () => {
    await sql`drop table if exists many`;
    await sql`create table many as select i as id from generate_series(1, 50) i`;
    await readPages(postgresConnector, await endpoint({ table: "many" }), { stream: "s", pageSize: 5, stopAfter: 2 });
    await expect
      .poll(
        async () =>
          sql`select count(*)::int as n from pg_stat_activity where datname = current_database() and application_name = 'quiesce'`,
      )
      .toEqual([{ n: 0 }]);
  });
});
