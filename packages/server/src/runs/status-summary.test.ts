import { packagedZoneData } from "@quiesce/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import { controlTime } from "../../../../test/database/control-time.js";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import { type Database, openDatabase } from "../db/client.js";
import { expandWindows } from "../windows/expand.js";
import { pause, setMode } from "../windows/hold-commands.js";
import { statusSummary } from "./status-summary.js";

const start = Date.parse("2026-03-02T10:00:00Z");
const hour = 3_600_000;

let fresh: FreshDatabase;
let database: Database;

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 2, applicationName: "status-summary-test" });
  await (await controlTime(database.sql)).set(start);
  await seedCatalogue(database.sql, { integrations: [{ key: "orders" }], jobs: [{ key: "sync", integration: "orders" }] });
});

afterEach(async () => {
  await database.close();
  await fresh.drop();
});

async function run(state: string, dueAt: number, dueCount = 1): Promise<void> {
  await database.sql`select ensure_run_partitions(${dueAt}::timestamptz, ${dueAt}::timestamptz)`;
  await database.sql`
    insert into run (id, due_at, last_due_at, due_count, job_id, integration_id, bucket, trigger, state, ready_at)
    select new_run_id(${dueAt}::timestamptz), ${dueAt}::timestamptz, ${dueAt}::timestamptz, ${dueCount}, id, integration_id, 0, 'manual', ${state}, ${dueAt}::timestamptz from job`;
}

it("counts as queued what is due, not the due times that are written ahead", async () => {
  await run("queued", start, 2);
  await run("queued", start + 1);
  expect((await statusSummary(database)).runsByState).toEqual({ queued: 2 });
});

it("counts what is held, queued or running however long ago it fell due, and what ended within a day", async () => {
  const longAgo = start - 30 * hour;
  for (const state of ["queued", "held", "running", "succeeded", "failed"]) await run(state, longAgo);
  await run("succeeded", start - hour, 3);
  expect((await statusSummary(database)).runsByState).toEqual({ queued: 1, held: 1, running: 1, succeeded: 3 });
});

it("counts what waits at every look, and what ended every half minute", async () => {
  await run("succeeded", start - hour);
  const at = async (monotonicMs: number) => (await statusSummary(database, monotonicMs)).runsByState;
  expect(await at(0)).toEqual({ succeeded: 1 });
  await run("succeeded", start - hour);
  await run("queued", start);
  expect(await at(499), "shared by everybody who looks within half a second").toEqual({ succeeded: 1 });
  expect(await at(29_999)).toEqual({ succeeded: 1, queued: 1 });
  expect(await at(30_000 + 499)).toEqual({ succeeded: 2, queued: 1 });
});

it("counts no integration as held while the deployment only observes", async () => {
  const context = { database, zones: packagedZoneData(), actor: { kind: "token", name: "tester", role: "admin" } } as const;
  await expandWindows(context);
  await pause(context, { scope: { integrations: ["orders"] }, until: null, reason: "checking" });
  expect((await statusSummary(database, 0)).heldIntegrations).toBe(1);
  await setMode(context, { mode: "observe", reason: "trial" });
  expect((await statusSummary(database, 1_000)).heldIntegrations).toBe(0);
});
