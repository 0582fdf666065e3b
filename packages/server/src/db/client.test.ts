import { eq, sql as query } from "drizzle-orm";
import { bigint, integer, jsonb, pgTable, timestamp } from "drizzle-orm/pg-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { openDatabase, type Database } from "./client.js";
import { instant, instantArray } from "./instant.js";

const thing = pgTable("thing", {
  id: integer().primaryKey(),
  at: instant().notNull(),
  until: instant(),
  several: instant().array(),
  count: bigint({ mode: "number" }),
  notes: jsonb(),
  wall: timestamp({ mode: "string" }),
});

const NOON = Date.UTC(2026, 10, 20, 12, 0, 0, 123);

let fresh: FreshDatabase;
let database: Database;

beforeAll(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 2, applicationName: "client-test", statementTimeoutMs: 5_000 });
  await database.sql`
    create table thing (id int primary key, at timestamptz(3) not null, until timestamptz(3), several timestamptz(3)[], count bigint, notes jsonb, wall timestamp)`;
});

afterAll(async () => {
  await database?.close();
  await fresh?.drop();
});

describe("instants are numbers of milliseconds", () => {
  test("through the query builder, with nulls and arrays", async () => {
    const row = {
      id: 1,
      at: NOON,
      until: null,
      several: [NOON, NOON + 1],
      count: 9_007_199_254_740_991,
      notes: { a: [1, "x"] },
      wall: "2026-11-20 12:00:00",
    };
    await database.db.insert(thing).values(row);
    expect(await database.db.select().from(thing).where(eq(thing.at, NOON))).toEqual([row]);
  });

  test("through tx.execute in a transaction, as parameter and as result", async () => {
    const rows = await database.db.transaction((tx) =>
      tx.execute(query`
        insert into thing (id, at, until, several) values (2, ${NOON}, ${null}, ${instantArray([NOON, null])})
        returning at, until, several, at + interval '1 second' as later, 5::bigint as big`),
    );
    expect([...rows]).toEqual([{ at: NOON, until: null, several: [NOON, null], later: NOON + 1000, big: 5 }]);
  });

  test("through the raw client, given as a number and as a Date", async () => {
    const { sql } = database;
    await sql`insert into thing ${sql({ id: 3, at: NOON, until: new Date(NOON + 5), notes: sql.json({ b: 2 }) })}`;
    const [row] = await sql`select at, until, notes, notes ->> 'b' as b from thing where id = 3 and at = ${NOON}`;
    expect(row).toEqual({ at: NOON, until: NOON + 5, notes: { b: 2 }, b: "2" });
  });

  test("an array parameter in unnest arrives as rows, from drizzle and from the raw client", async () => {
    const instants = [NOON, NOON + 60_000, null];
    const drizzled = await database.db.execute(query`select at from unnest(${instantArray(instants)}) as given(at)`);
    expect([...drizzled]).toEqual(instants.map((at) => ({ at })));
    const raw = await database.sql`select at from unnest(${instants}::timestamptz[]) as given(at)`;
    expect([...raw]).toEqual(instants.map((at) => ({ at })));
    const none = await database.sql`select at from unnest(${[]}::timestamptz[]) as given(at)`;
    expect(none.length).toBe(0);
  });

  test("microseconds are rounded as a timestamptz(3) column rounds them", async () => {
    const rows = await database.sql`
      select text::timestamptz as read, text::timestamptz(3) as stored
      from unnest(array['2026-11-20 12:00:00.123499Z', '2026-11-20 12:00:00.1235Z', '2026-11-20 12:00:59.999501Z', '1969-12-31 23:59:59.9994Z']) as given(text)`;
    expect(rows.map(({ read }) => read)).toEqual(rows.map(({ stored }) => stored));
    expect(rows.map(({ read }) => read)).toEqual([NOON, NOON + 1, NOON + 59_877, -1]);
  });

  test("every instant PostgreSQL prints reads as it does in epoch seconds", async () => {
    const rows = await database.sql`
      select text::timestamptz as read, (extract(epoch from text::timestamptz) * 1000)::float8 as ms
      from unnest(array['0099-03-01 00:00:00Z', '0001-01-01 00:00:00Z BC', '12024-02-29 00:00:00Z', '2024-02-29 23:59:59.5Z', 'infinity', '-infinity']) as given(text)`;
    expect(rows.length).toBe(6);
    for (const { read, ms } of rows) expect(read).toBe(ms);
  });

  test("a session in another zone reads the same instant", async () => {
    await database.sql.begin(async (tx) => {
      for (const zone of ["Asia/Kolkata", "America/St_Johns", "Africa/Monrovia"]) {
        await tx`select set_config('TimeZone', ${zone}, true)`;
        const [row] = await tx`select ${NOON}::timestamptz as at, '1900-01-01 00:00:00Z'::timestamptz as old`;
        expect(row).toEqual({ at: NOON, old: Date.UTC(1900, 0, 1) });
      }
    });
  });

  test("NaN, a fraction of a millisecond and a year beyond 9999 are refused before they reach the database", async () => {
    await expect(database.sql`select ${Number.NaN}::timestamptz`).rejects.toThrow(/whole number of milliseconds/);
    await expect(database.sql`select ${0.5}::timestamptz`).rejects.toThrow(/whole number of milliseconds/);
    await expect(database.sql`select ${8.64e15}::timestamptz`).rejects.toThrow(/outside the years/);
  });
});

describe("arrays", () => {
  test("keep nulls, quotes, the word NULL and further dimensions, both ways", async () => {
    const texts = ["a", null, "NULL", 'say "x"', "back\\slash", "{,}", ""];
    const [row] = await database.sql`
      select ${texts}::text[] as texts, ${[1, null]}::int[] as ints, ${[]}::uuid[] as none, array[[1, 2], [3, null]]::int8[] as grid,
        array[true, null, false] as flags, '[0:1]={1.5,NULL}'::float8[] as bounds`;
    expect(row).toEqual({
      texts,
      ints: [1, null],
      none: [],
      grid: [
        [1, 2],
        [3, null],
      ],
      flags: [true, null, false],
      bounds: [1.5, null],
    });
  });
});

describe("a connection", () => {
  test("works in UTC and read committed, under its name, with the statement timeout, whatever the database's own defaults", async () => {
    const name = new URL(fresh.url).pathname.slice(1);
    await database.sql.unsafe(`alter database ${name} set timezone = 'Asia/Kolkata'`);
    await database.sql.unsafe(`alter database ${name} set default_transaction_isolation = 'serializable'`);
    const later = openDatabase(fresh.url, { max: 1, applicationName: "client-test", statementTimeoutMs: 5_000 });
    try {
      const [row] = await later.sql`
        select current_setting('TimeZone') as zone, current_setting('transaction_isolation') as isolation,
          current_setting('application_name') as name, current_setting('statement_timeout') as timeout,
          current_setting('idle_in_transaction_session_timeout') as idle`;
      expect(row).toEqual({ zone: "UTC", isolation: "read committed", name: "client-test", timeout: "5s", idle: "10s" });
    } finally {
      await later.close();
    }
  });

  test("refuses a bigint that JavaScript would silently change", async () => {
    await expect(database.sql`select 9007199254740993::bigint as big`).rejects.toThrow(/exact integers/);
  });
});
