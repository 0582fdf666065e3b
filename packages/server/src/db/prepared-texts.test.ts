import { sql as query } from "drizzle-orm";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { type Database, openDatabase } from "./client.js";
import { createPreparedTexts } from "./prepared-texts.js";

const HALF_AN_HOUR_MS = 30 * 60_000;

describe("which texts are prepared", () => {
  it("a text is from its third use on, and one that comes once takes no place", () => {
    const texts = createPreparedTexts(2, () => 0);
    expect([1, 2, 3, 4].map(() => texts.admits("often"))).toEqual([false, false, true, true]);
    expect(texts.admits("once")).toBe(false);
    expect(texts.size).toBe(1);
  });

  it("there are never more than were asked for, however many texts somebody thinks of", () => {
    const texts = createPreparedTexts(3, () => 0);
    const uses = Array.from({ length: 1_000 }, (_, n) => `select ${n % 100}`);
    for (const text of uses) texts.admits(text);
    for (let n = 0; n < 500; n += 1) for (let use = 0; use < 5; use += 1) texts.admits(`select ${n}`);
    expect(texts.size).toBe(3);
  });

  it("when all places are taken, those that nobody used for half an hour are given away", () => {
    let now = 0;
    const texts = createPreparedTexts(2, () => now);
    const use = (text: string) => [1, 2, 3].map(() => texts.admits(text)).at(-1);
    expect([use("old"), use("kept"), use("new")]).toEqual([true, true, false]);
    now = HALF_AN_HOUR_MS - 1;
    expect([use("kept"), use("new")]).toEqual([true, false]);
    now = HALF_AN_HOUR_MS;
    expect(use("new")).toBe(true);
    expect(texts.size).toBe(2);
    expect([texts.admits("kept"), texts.admits("old")]).toEqual([true, false]);
  });
});

describe("a database with prepared texts", () => {
  let fresh: FreshDatabase;
  let database: Database;
  beforeEach(async () => {
    fresh = await freshDatabase();
    database = openDatabase(fresh.url, { max: 1, applicationName: "prepared-test", preparedTexts: 10, plansEachCall: true });
    await database.sql`create table thing (id int primary key, at timestamptz(3) not null)`;
    await database.sql`insert into thing values (1, '2026-11-20T08:00:00Z'), (2, '2026-11-20T09:00:00Z')`;
  });
  afterEach(async () => {
    await database.close();
    await fresh.drop();
  });

  /** How many statements about things are prepared on the one connection, and how often they were planned for any value. */
  const prepared = async () => {
    const [row] = await database.sql<{ count: number; generic: number }[]>`
      select count(*)::integer as count, coalesce(sum(generic_plans), 0)::integer as generic from pg_prepared_statements where statement like '%from thing where%'
        and statement not like '%pg_prepared_statements%'`;
    return row;
  };
  const thing = async (id: number) => [...(await database.db.execute(query`select id, at from thing where id = ${id}`))];

  it("answers the same whether a statement is prepared or not, and plans it at every call", async () => {
    for (let use = 0; use < 12; use += 1) expect(await thing(1)).toEqual([{ id: 1, at: Date.parse("2026-11-20T08:00:00Z") }]);
    expect(await thing(2)).toEqual([{ id: 2, at: Date.parse("2026-11-20T09:00:00Z") }]);
    expect(await prepared()).toEqual({ count: 1, generic: 0 });
  });

  it("prepares inside of transactions too", async () => {
    for (let use = 0; use < 4; use += 1)
      await database.db.transaction(async (tx) => {
        expect([...(await tx.execute(query`select id from thing where id >= ${2}`))]).toEqual([{ id: 2 }]);
      });
    expect(await prepared()).toEqual({ count: 1, generic: 0 });
  });

  it("prepares nothing where nobody asked for it", async () => {
    const usual = openDatabase(fresh.url, { max: 1, applicationName: "prepared-test" });
    for (let use = 0; use < 5; use += 1) await usual.db.execute(query`select id from thing where id = ${use}`);
    const rows = await usual.sql`select from pg_prepared_statements where statement like 'select id from thing%'`;
    await usual.close();
    expect(rows).toHaveLength(0);
  });

  it("a column that is changed by a migration meanwhile does not break the statement", async () => {
    for (let use = 0; use < 4; use += 1) await thing(1);
    await database.sql`alter table thing alter column id type bigint`;
    expect(await thing(1)).toEqual([{ id: 1, at: Date.parse("2026-11-20T08:00:00Z") }]);
  });

  it("keeps the rule that nothing is sent into a transaction whose connection is gone", async () => {
    const other = openDatabase(fresh.url, { max: 1, applicationName: "prepared-test" });
    const transaction = database.db.transaction(async (tx) => {
      await tx.execute(query`select id from thing where id = ${1}`);
      await other.sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'prepared-test' and pid <> pg_backend_pid()`;
      await tx.execute(query`select id from thing where id = ${1}`);
    });
    await expect(transaction).rejects.toThrow();
    await other.close();
    await database.sql`select 1`.catch(() => undefined);
    expect(await thing(1)).toHaveLength(1);
  });
});
