import { afterAll, beforeAll, expect, test } from "vitest";
import { controlTime } from "../../../../test/database/control-time.js";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { openDatabase, type Database } from "./client.js";

let fresh: FreshDatabase[];
let one: Database;
let other: Database;

beforeAll(async () => {
  const [first, second] = await Promise.all([freshDatabase(), freshDatabase()]);
  fresh = [first, second];
  one = openDatabase(first.url, { max: 2, applicationName: "fresh-database-test" });
  other = openDatabase(second.url, { max: 2, applicationName: "fresh-database-test" });
});

afterAll(async () => {
  await one?.close();
  await other?.close();
  for (const database of fresh ?? []) await database.drop();
});

test("a fresh database is migrated, and what one test writes another does not see", async () => {
  await one.sql`create table only_here (id int)`;
  const [row] = await other.sql`select to_regclass('only_here') as here, to_regclass('schema_migration')::text as migrated`;
  expect(row).toEqual({ here: null, migrated: "schema_migration" });
});

test("controlled time stands still until it is moved, in its own database only", async () => {
  const time = await controlTime(one.sql);
  const start = Date.UTC(2026, 2, 29, 0, 59, 59, 999);
  await time.set(start);
  const read = async (database: Database): Promise<unknown> => (await database.sql`select app_now() as now`)[0]?.["now"];
  expect(await read(one)).toBe(start);
  expect(await time.advance(1)).toBe(start + 1);
  expect([await read(one), await time.now()]).toEqual([start + 1, start + 1]);
  const [real] = await other.sql`select abs(extract(epoch from clock_timestamp() - app_now())) < 5 as real`;
  expect(real).toEqual({ real: true });
});
