import { postgresConnector } from "@quiesce/connectors";
import postgres from "postgres";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { freshDatabase, type FreshDatabase } from "../database/fresh-database.js";
import { runContext, writeItem } from "./run-context.js";

let database: FreshDatabase;
let sql: postgres.Sql;
let stop: AbortController;
let x: Awaited<ReturnType<typeof postgresContext>>;

beforeAll(async () => {
  database = await freshDatabase({ empty: true });
  sql = postgres(database.url, { max: 2, onnotice: () => undefined });
});
beforeEach(async () => {
  await sql`drop table if exists copy`;
  // Each row says by which connection it came.
  await sql`create table copy (id bigint primary key, note text, pid integer not null default pg_backend_pid())`;
  stop = new AbortController();
  x = await postgresContext(stop.signal);
});
afterAll(async () => {
  await sql.end();
  await database.drop();
});

async function postgresContext(signal: AbortSignal) {
  const url = new URL(database.url);
  const password = decodeURIComponent(url.password);
  return runContext(postgresConnector, {
    config: {
      host: url.hostname,
      port: Number(url.port || 5432),
      database: url.pathname.slice(1),
      user: decodeURIComponent(url.username),
      ssl: "disable",
      streams: [{ name: "s", table: "copy", key: ["id"] }],
    },
    secrets: password === "" ? {} : { password },
    signal,
  });
}

const write = (id: number, data: Record<string, string> = {}) =>
  postgresConnector.write?.apply(x, "s", [writeItem(String(id), { id: String(id), ...data })]);
const pids = async () => (await sql<{ pid: number }[]>`select pid from copy order by id`).map(({ pid }) => pid);
const connections = async () =>
  sql`select pid from pg_stat_activity where datname = current_database() and application_name = 'quiesce' and state is not null`;

test("batches that follow one another come by one connection, which does not outlive their run", async () => {
  for (const id of [1, 2, 3]) expect(await write(id)).toEqual([{ key: String(id), ok: true }]);
  const [first, ...others] = await pids();
  expect(others).toEqual([first, first]);
  stop.abort({ why: "cancel" });
  await expect.poll(connections, { timeout: 60_000 }).toEqual([]);
});

test("a connection that waits in vain ends by itself", async () => {
  await write(1);
  await expect.poll(connections, { timeout: 60_000 }).toEqual([]);
  expect(await write(2)).toEqual([{ key: "2", ok: true }]);
});

test("a connection that the server ended meanwhile is replaced, and nothing is lost or said", async () => {
  await write(1);
  await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name = 'quiesce'`;
  expect(await write(2)).toEqual([{ key: "2", ok: true }]);
  const [first, second] = await pids();
  expect(second).not.toBe(first);
});

test("a column that was added meanwhile is found after the first record that needs it", async () => {
  await write(1);
  await sql`alter table copy add column late text`;
  expect(await write(2, { late: "now" })).toMatchObject([{ ok: false, error: { kind: "invalid", field: "late" } }]);
  expect(await write(2, { late: "now" })).toEqual([{ key: "2", ok: true }]);
});

test("says exactly which rows were there already, whatever the batch before was like, and writes each change once", async () => {
  await sql`drop table if exists change`;
  await sql`create table change (id bigint, note text)`;
  await sql.unsafe(`
    create or replace function note_change() returns trigger language plpgsql as $$ begin insert into change values (new.id, new.note); return new; end $$;
    create trigger note_change after insert or update on copy for each row execute function note_change()`);
  const batch = async (notes: Record<number, string>) => {
    const items = Object.entries(notes).map(([id, note]) => writeItem(id, { id, note }));
    const results = await postgresConnector.write?.apply(x, "s", items);
    return results?.map((result) => (result.ok ? (result.unchanged === true ? "unchanged" : "written") : result.error.message));
  };
  expect(await batch({ 1: "a", 2: "a" })).toEqual(["written", "written"]);
  expect(await batch({ 1: "a", 2: "b", 3: "a" })).toEqual(["unchanged", "written", "written"]);
  expect(await batch({ 1: "c", 2: "c" })).toEqual(["written", "written"]);
  expect(await batch({ 1: "d", 2: "c" })).toEqual(["written", "unchanged"]);
  expect(await batch({ 1: "d", 2: "c" })).toEqual(["unchanged", "unchanged"]);
  const changes = await sql<{ id: string; note: string }[]>`select id, note from change order by id, note`;
  expect(changes.map(({ id, note }) => `${id}${note}`)).toEqual(["1a", "1c", "1d", "2a", "2b", "2c", "3a"]);
  await sql`drop table change`;
});
