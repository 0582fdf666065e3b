import { afterEach, beforeEach, expect, it } from "vitest";
import { controlTime } from "../../../../test/database/control-time.js";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import { type Database, openDatabase } from "../db/client.js";
import { cataloguePage } from "../catalog/queries.js";
import { integrationCountsOf } from "../catalog/integration-counts.js";
import { failing } from "./failing.js";

const now = Date.parse("2026-03-02T10:00:00Z");
const minute = 60_000;
const hour = 60 * minute;

let fresh: FreshDatabase;
let database: Database;

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 2, applicationName: "failing-test" });
  await (await controlTime(database.sql)).set(now);
  await seedCatalogue(database.sql, {
    integrations: [{ key: "orders" }, { key: "invoices" }, { key: "stock" }],
    jobs: [
      { key: "orders-in", integration: "orders" },
      { key: "orders-out", integration: "orders" },
      { key: "invoices-in", integration: "invoices" },
      { key: "stock-in", integration: "stock" },
    ],
  });
});

afterEach(async () => {
  await database.close();
  await fresh.drop();
});

/** A run of a job that ended a minute after it was due. */
async function run(
  job: string,
  dueAt: number,
  ended: { readonly state: string; readonly kind?: string; readonly message?: string },
): Promise<void> {
  const { state, kind, message } = ended;
  const error = message === undefined ? null : { kind: kind ?? "auth", message };
  await database.sql`select ensure_run_partitions(${dueAt}::timestamptz, ${dueAt}::timestamptz)`;
  await database.sql`
    insert into run (id, due_at, last_due_at, job_id, integration_id, bucket, trigger, state, ready_at, finished_at, error)
    select new_run_id(${dueAt}::timestamptz), ${dueAt}::timestamptz, ${dueAt}::timestamptz, id, integration_id, 0, 'manual', ${state}, ${dueAt}::timestamptz,
      ${dueAt + minute}::timestamptz, ${error === null ? null : database.sql.json(error)} from job where key = ${job}`;
}
const unauthorized = { state: "failed", message: "401 Unauthorized from POS" };

it("groups integrations whose jobs fail alike, the largest group first, and says since when", async () => {
  await run("orders-in", now - 4 * hour, { state: "succeeded" });
  await run("orders-in", now - 3 * hour, unauthorized);
  await run("orders-in", now - 2 * hour, unauthorized);
  await run("invoices-in", now - hour, unauthorized);
  await run("stock-in", now - hour, { state: "dead", kind: "unavailable", message: "503 from the warehouse" });
  const { integrations, groups } = await failing(database);
  expect(integrations).toBe(3);
  expect(groups).toMatchObject([
    { kind: "auth", message: "401 Unauthorized from POS", integrations: 2, since: now - 3 * hour + minute },
    { kind: "unavailable", message: "503 from the warehouse", integrations: 1, since: now - hour + minute },
  ]);
  expect(groups[0]?.sampleIds).toHaveLength(2);
});

it("forgets a failure once its job has succeeded, and not when another job of the integration has", async () => {
  await run("orders-in", now - 2 * hour, unauthorized);
  await run("orders-out", now - hour, { state: "succeeded" });
  expect((await failing(database)).integrations).toBe(1);
  await run("orders-in", now - minute, { state: "succeeded" });
  expect(await failing(database)).toEqual({ integrations: 0, groups: [] });
});

it("takes no account of what is held, runs or waits, of disabled jobs, and of what is a day old", async () => {
  await run("orders-in", now - 2 * hour, unauthorized);
  for (const state of ["held", "running", "queued", "skipped"]) await run("orders-in", now - hour, { state });
  await run("invoices-in", now - 25 * hour, unauthorized);
  await run("stock-in", now - hour, unauthorized);
  await database.sql`update job set enabled = false where key = 'stock-in'`;
  expect((await failing(database)).integrations).toBe(1);
});

it("takes messages that differ in ids and long numbers for one cause, and those that differ in a status for two", async () => {
  await run("orders-in", now - 3 * hour, { state: "failed", kind: "invalid", message: "record 10418 has no name" });
  await run("invoices-in", now - 2 * hour, { state: "failed", kind: "invalid", message: "record 10419 has no name" });
  await run("stock-in", now - hour, { state: "failed", kind: "invalid", message: "status 400" });
  await run("orders-out", now - hour, { state: "failed", kind: "invalid", message: "status 422" });
  const { groups } = await failing(database);
  expect(new Map(groups.map(({ message, integrations }) => [message, integrations]))).toEqual(
    new Map([
      ["record 10419 has no name", 2],
      ["status 400", 1],
      ["status 422", 1],
    ]),
  );
});

it("has a name for what failed without an error", async () => {
  await run("orders-in", now - hour, { state: "lost" });
  expect((await failing(database)).groups).toMatchObject([{ kind: "lost", message: "lost", integrations: 1 }]);
});

it("counts the same integrations as the catalogue's filter and as a system's counts", async () => {
  await database.sql`insert into system (key, name) values ('erp', 'ERP'), ('shop', 'Shop'), ('nobody', 'Nobody')`;
  await database.sql`insert into integration_system (integration_id, system_id, role)
    select i.id, s.id, 'via' from integration as i join system as s on s.key = 'erp' or (s.key = 'shop' and i.key = 'stock')`;
  await run("orders-in", now - 2 * hour, unauthorized);
  await run("orders-out", now - hour, { state: "succeeded" });
  await run("invoices-in", now - hour, { state: "succeeded" });
  await run("stock-in", now - 25 * hour, unauthorized);
  const page = async (fails: boolean) =>
    (await cataloguePage(database, "integration", { first: 10, filter: { failing: fails } })).edges.map(({ node }) => node.key);
  expect([await page(true), await page(false)]).toEqual([["orders"], ["invoices", "stock"]]);
  expect((await failing(database)).integrations).toBe(1);
  const systems = await database.sql<{ readonly id: number; readonly key: string }[]>`select id, key from system order by key`;
  const counts = await integrationCountsOf(
    database,
    systems.map(({ id }) => id),
  );
  const named = Object.fromEntries(
    counts.map(({ systemId, all, held, failing: fails }) => [systems.find(({ id }) => id === systemId)?.key, [all, held, fails]]),
  );
  expect(named).toEqual({ erp: [3, 0, 1], shop: [1, 0, 0] });
});
