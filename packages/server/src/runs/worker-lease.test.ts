import { afterEach, beforeEach, expect, it } from "vitest";
import { controlTime, type ControlledTime } from "../../../../test/database/control-time.js";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import { type Database, openDatabase } from "../db/client.js";
import { reapRuns } from "./worker-lease.js";

let fresh: FreshDatabase;
let database: Database;
let time: ControlledTime;

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 4, applicationName: "worker-lease-test" });
  time = await controlTime(database.sql);
  await time.set(Date.parse("2026-03-02T10:00:00Z"));
});

afterEach(async () => {
  await database.close();
  await fresh.drop();
});

it("a gate run that was never entered is cancelled when its lease ends, and an event says so", async () => {
  await seedCatalogue(database.sql, { integrations: [{ key: "orders" }], jobs: [] });
  await database.sql`select ensure_run_partitions(app_now(), app_now())`;
  const [run] = await database.sql<{ id: string }[]>`
    insert into run (id, due_at, last_due_at, integration_id, bucket, trigger, state, ready_at, lease_until)
    select new_run_id(app_now()), app_now(), app_now(), id, bucket, 'gate', 'queued', app_now(), app_now() + interval '1 minute' from integration
    returning id`;
  await time.advance(59_000);
  await reapRuns({ database }, { marginMs: 10_000 });
  expect(await database.sql`select from event_inbox`).toHaveLength(0);
  await time.advance(1_000);
  await reapRuns({ database }, { marginMs: 10_000 });
  const events = await database.sql`select kind, subject_kind, subject_key, integration_key, payload - 'dueAt' as payload from event_inbox`;
  expect([...events]).toEqual([
    {
      kind: "run.finished",
      subject_kind: "run",
      subject_key: run?.id,
      integration_key: "orders",
      payload: { state: "cancelled", reason: "gate-abandoned" },
    },
  ]);
});
