import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { openDatabase, type Database } from "./client.js";
import { migrate, type MigrateResult } from "./migrate.js";

let fresh: FreshDatabase;
let database: Database;
let folder: string;
let lines: string[];

const write = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text);
const run = (): Promise<MigrateResult> => migrate(fresh.url, { folder, log: (line) => lines.push(line) });
const versions = async (): Promise<number[]> =>
  (await database.sql<{ version: number }[]>`select version from schema_migration order by 1`).map(({ version }) => version);

beforeEach(async () => {
  lines = [];
  folder = await mkdtemp(join(tmpdir(), "quiesce-migrations-"));
  fresh = await freshDatabase({ empty: true });
  database = openDatabase(fresh.url, { max: 1, applicationName: "migrate-test" });
  await write("0001-first.sql", "-- breaking: no\ncreate table first (id int);\ninsert into first values (1);\n");
  await write("0002-second.sql", "-- breaking: no\nalter table first add column name text;\n");
});

afterEach(async () => {
  await database.close();
  await fresh.drop();
  await rm(folder, { recursive: true });
});

test("files are applied once, in order, and recorded", async () => {
  expect(await run()).toEqual({ applied: ["0001-first.sql", "0002-second.sql"] });
  expect(await run()).toEqual({ applied: [] });
  expect(await versions()).toEqual([1, 2]);
  expect([...(await database.sql`select id, name from first`)]).toEqual([{ id: 1, name: null }]);
  expect(lines).toEqual(["Applying migration 0001-first.sql", "Applying migration 0002-second.sql"]);
});

test("eight servers that start at once apply each file once", async () => {
  const results = await Promise.all(Array.from({ length: 8 }, run));
  expect(results.flatMap(({ applied }) => applied).toSorted()).toEqual(["0001-first.sql", "0002-second.sql"]);
  expect([...(await database.sql`select count(*) as rows from first`)]).toEqual([{ rows: 1 }]);
});

test("a file that fails leaves nothing of itself, and those before it stay", async () => {
  await write("0003-third.sql", "-- breaking: no\ncreate table third (id int);\nselect 1 / 0;\n");
  await expect(run()).rejects.toThrow(/division by zero/);
  expect(await versions()).toEqual([1, 2]);
  expect([...(await database.sql`select to_regclass('third') as third`)]).toEqual([{ third: null }]);
});

test("a file changed after it was applied is refused", async () => {
  await run();
  await write("0001-first.sql", "-- breaking: no\ncreate table first (id bigint);\ninsert into first values (1);\n");
  await expect(run()).rejects.toMatchObject({ code: "QSC_DB_MIGRATION_CHANGED" });
});

test("other line ends are no change", async () => {
  await run();
  await write("0002-second.sql", "-- breaking: no\r\nalter table first add column name text;\r\n");
  expect(await run()).toEqual({ applied: [] });
});

test("a newer schema is accepted, unless one of its unknown migrations is breaking", async () => {
  await write("0003-third.sql", "-- breaking: no\ncreate table third (id int);\n");
  await run();
  await rm(join(folder, "0003-third.sql"));
  lines = [];
  expect(await run()).toEqual({ applied: [] });
  expect(lines).toEqual(["The database holds migration 0003-third.sql of a newer Quiesce; this version can work beside it"]);

  await write("0003-third.sql", "-- breaking: no\ncreate table third (id int);\n");
  await write("0004-fourth.sql", "-- breaking: yes\ndrop table third;\n");
  await run();
  await rm(join(folder, "0003-third.sql"));
  await rm(join(folder, "0004-fourth.sql"));
  await expect(run()).rejects.toMatchObject({ code: "QSC_DB_NEWER_SCHEMA" });
});

test("a file slipped in below an applied number is refused", async () => {
  await rm(join(folder, "0001-first.sql"));
  await write("0002-second.sql", "-- breaking: no\ncreate table second (id int);\n");
  await run();
  await write("0001-late.sql", "-- breaking: no\ncreate table late (id int);\n");
  await expect(run()).rejects.toMatchObject({ code: "QSC_DB_MIGRATION_ORDER" });
});

test("a file without the breaking line, with another name, or with a number twice is refused", async () => {
  await write("0003-third.sql", "create table third (id int);\n");
  await expect(run()).rejects.toMatchObject({ code: "QSC_DB_MIGRATION_HEADER" });
  await rm(join(folder, "0003-third.sql"));
  await write("3-third.sql", "-- breaking: no\n");
  await expect(run()).rejects.toMatchObject({ code: "QSC_DB_MIGRATION_NAME" });
  await rm(join(folder, "3-third.sql"));
  await write("0002-again.sql", "-- breaking: no\n");
  await expect(run()).rejects.toMatchObject({ code: "QSC_DB_MIGRATION_NAME" });
});

test("the client that is handed in stays open", async () => {
  await migrate(database.sql, { folder, log: () => undefined });
  expect(await versions()).toEqual([1, 2]);
});
