import { postgresConnector } from "@quiesce/connectors";
import postgres from "postgres";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { freshDatabase, type FreshDatabase } from "../database/fresh-database.js";
import { type PipelineBench, pipelineBench } from "../pipeline/pipeline-bench.js";

const ROWS = 3_000;

let shop: FreshDatabase;
let sql: postgres.Sql;
let bench: PipelineBench;

beforeAll(async () => {
  shop = await freshDatabase({ empty: true });
  sql = postgres(shop.url, { max: 2, onnotice: () => undefined });
  const address = new URL(shop.url);
  const base = {
    host: address.hostname,
    port: Number(address.port || 5432),
    database: address.pathname.slice(1),
    user: decodeURIComponent(address.username),
    ssl: "disable",
  };
  const secrets = address.password === "" ? {} : { password: decodeURIComponent(address.password) };
  bench = await pipelineBench({
    source: {
      connector: postgresConnector,
      secrets,
      config: { ...base, streams: [{ name: "items", table: "article", key: ["id"], cursorColumn: "updated_at", overlapSeconds: 0 }] },
    },
    target: { connector: postgresConnector, secrets, config: { ...base, streams: [{ name: "items", table: "copy", key: ["id"] }] } },
    stream: { mapping: { fields: { id: { from: "id" }, title: { from: "title" }, price: { from: "price" }, code: { from: "code" } } } },
    pageSize: 250,
  });
}, 300_000);

beforeEach(async () => {
  await bench.database.sql`delete from stream_state`;
  await bench.database.sql`delete from stream_key`;
  await bench.database.sql`delete from dead_letter`;
  await sql`drop table if exists article, copy`;
  await sql`create table article (id bigint primary key, title text not null, price numeric, code text, updated_at timestamptz not null default clock_timestamp())`;
  await sql`create table copy (id bigint primary key, title text not null, price numeric, code text unique)`;
  await sql`insert into article (id, title, price, code) select i, 'Äpfel ' || i || chr(10) || '''"\\', i / 7.0, 'c' || i from generate_series(1, ${ROWS}) as i`;
});

afterAll(async () => {
  await bench?.close();
  await sql?.end();
  await shop?.drop();
});

/** Rows that differ between the two tables, in either direction. */
async function differences(): Promise<number> {
  const rows = await sql<{ n: number }[]>`
    select count(*)::integer as n from (
      (select id, title, price, code from article except select id, title, price, code from copy)
      union all (select id, title, price, code from copy except select id, title, price, code from article)) as d`;
  return rows[0]?.n ?? -1;
}

test("a real table is copied, changed and thinned out without a difference", async () => {
  expect(await bench.attempt()).toMatchObject({ kind: "succeeded", figures: { read: ROWS, written: ROWS, dead: 0 } });
  expect(await differences()).toBe(0);
  await sql`update article set title = title || '!', updated_at = clock_timestamp() where id % 100 = 0`;
  await sql`delete from article where id between 50 and 80`;
  await sql`insert into article (id, title) values (1000000, 'new')`;
  expect(await bench.attempt()).toMatchObject({ kind: "succeeded", figures: { read: 31, written: 31, deleted: 31 } });
  expect(await differences()).toBe(0);
});

test("a crash between the write and the commit leaves neither a gap nor a double", async () => {
  const run = await bench.claim();
  await bench.database.sql`create function refuse() returns trigger language plpgsql as 'begin raise exception ''crash''; end'`;
  await bench.database
    .sql`create trigger crash before insert or update on stream_state for each row when ((new.cursor ->> 'key0')::bigint > 1000) execute function refuse()`;
  expect(await bench.execute(run)).toMatchObject({ kind: "failed", failure: { kind: "transient" } });
  await bench.database.sql`drop trigger crash on stream_state`;
  await bench.database.sql`drop function refuse()`;
  expect(await bench.cursor()).toMatchObject({ key0: "1000" });
  // The page whose commit failed, and the one that may have been written beside that commit.
  const arrived: unknown = (await sql`select count(*)::integer as n from copy`)[0]?.["n"];
  expect([1_250, 1_500]).toContain(arrived);
  const unchanged = Number(arrived) - 1_000;
  await bench.takeAway(run);
  expect(await bench.attempt()).toMatchObject({
    kind: "succeeded",
    figures: { read: ROWS, written: ROWS - unchanged, unchanged, dead: 0 },
  });
  expect(await differences()).toBe(0);
});

test("a row that the target refuses becomes a dead letter, and its page goes on", async () => {
  await sql`update article set code = 'c1' where id = 2`;
  expect(await bench.attempt()).toMatchObject({ kind: "succeeded", figures: { read: ROWS, written: ROWS - 1, dead: 1 } });
  const letters = await bench.letters();
  expect(letters.map((letter) => [letter.key, letter.status])).toEqual([["2", "open"]]);
});

test("a target that is gone fails the run as unavailable or config, and the cursor stays", async () => {
  await sql`drop table copy`;
  expect(await bench.attempt()).toMatchObject({ kind: "failed" });
  expect(await bench.cursor()).toBeNull();
  expect(await bench.letters()).toHaveLength(0);
});
