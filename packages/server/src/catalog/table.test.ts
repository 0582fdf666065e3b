import { getTableConfig, type PgTable } from "drizzle-orm/pg-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { openDatabase, type Database } from "../db/client.js";
import { endpoint, endpointSecret, integration, integrationSystem, job, jobSchedule, system, systemDependency } from "./table.js";

let fresh: FreshDatabase;
let database: Database;
beforeAll(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 1, applicationName: "catalog-table-test" });
});
afterAll(async () => {
  await database?.close();
  await fresh?.drop();
});

const typeName = (type: string): string => type.replace(/^timestamptz\(3\)$/, "timestamp with time zone").replace(/^.*\[\]$/, "ARRAY");

test.each<[string, PgTable]>(
  [system, systemDependency, endpoint, endpointSecret, integration, integrationSystem, job, jobSchedule].map((table) => [
    getTableConfig(table).name,
    table,
  ]),
)("the columns of %s are those of the migration", async (name, table) => {
  const rows = await database.sql<{ name: string; type: string; nullable: boolean; given: boolean }[]>`
    select column_name as name, data_type as type, is_nullable = 'YES' as nullable,
      column_default is not null or is_identity = 'YES' or is_generated = 'ALWAYS' as given
    from information_schema.columns where table_schema = 'public' and table_name = ${name} order by 1`;
  const columns = getTableConfig(table).columns.map((column) => ({
    name: column.name,
    type: typeName(column.getSQLType()),
    nullable: !column.notNull,
    given: column.hasDefault || column.generated !== undefined || column.generatedIdentity !== undefined,
  }));
  expect(columns.toSorted((a, b) => (a.name < b.name ? -1 : 1))).toEqual([...rows]);
});
