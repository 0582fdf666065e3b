import { type JobSchedule, packagedZoneData } from "@quiesce/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ControlledTime, controlTime } from "../../../../test/database/control-time.js";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import { type Database, openDatabase } from "../db/client.js";
import { conservation } from "./ledger.js";
import { materialiseRuns } from "./materialise.js";

const start = Date.parse("2026-03-02T10:00:00Z");
const minute = 60_000;
const everyMinute: JobSchedule = { kind: "interval", everySeconds: 60, startsAt: start };
const zones = packagedZoneData();

let fresh: FreshDatabase;
let database: Database;
let time: ControlledTime;

/** Version 1 was due every minute up to minute 5; version 2 says that nothing is due; version 3 is due every minute from minute 8 on. */
beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 2, applicationName: "ledger-test" });
  time = await controlTime(database.sql);
  await time.set(start);
  await seedCatalogue(database.sql, {
    integrations: [{ key: "orders" }],
    jobs: [{ key: "sync", integration: "orders", schedule: everyMinute, catchUp: "all" }],
  });
  await materialiseRuns({ database, zones });
  await time.set(start + 5 * minute - 1_000);
  await materialiseRuns({ database, zones });
  await database.sql`delete from run where due_at >= ${start + 5 * minute}::timestamptz`;
  await database.sql`update job_schedule set valid_to = ${start + 5 * minute}::timestamptz`;
  await database.sql`
    insert into job_schedule (job_id, version, schedule, valid_from, valid_to)
    select id, 2, null::jsonb, ${start + 5 * minute}::timestamptz, ${start + 8 * minute}::timestamptz from job
    union all select id, 3, schedule, ${start + 8 * minute}::timestamptz, null::timestamptz from job`;
  await database.sql`update job set schedule_version = 3, watermark = ${start + 8 * minute}::timestamptz, next_due_at = ${start + 8 * minute}::timestamptz`;
  await time.set(start + 10 * minute);
  await materialiseRuns({ database, zones });
});

afterEach(async () => {
  await database.close();
  await fresh.drop();
});

const check = async (from = start, to = start + 20 * minute) => (await conservation(database.db, zones, { from, to })).differences;
const unexpected = (dueAt: number) => ({ job: "sync", kind: "unexpected", dueAt });
async function stray(input: {
  readonly version: number;
  readonly dueAt: number;
  readonly lastDueAt?: number;
  readonly dueCount?: number;
}): Promise<void> {
  const { version, dueAt, lastDueAt = dueAt, dueCount = 1 } = input;
  await database.sql`select ensure_run_partitions(${dueAt}::timestamptz, ${dueAt}::timestamptz)`;
  await database.sql`
    insert into run (id, due_at, last_due_at, due_count, job_id, integration_id, bucket, schedule_version, trigger, state, ready_at)
    select new_run_id(${dueAt}::timestamptz), ${dueAt}::timestamptz, ${lastDueAt}::timestamptz, ${dueCount}, id, integration_id, 0, ${version}, 'schedule', 'queued', ${dueAt}::timestamptz
    from job`;
}

describe("the ledger", () => {
  it("finds nothing wrong with what the schedules explain", async () => {
    expect(await check()).toEqual([]);
    expect(await check(start + 2 * minute, start + 9 * minute)).toEqual([]);
  });

  it("reports a run that fell due after its version of the schedule had ended", async () => {
    await stray({ version: 1, dueAt: start + 6 * minute });
    expect(await check()).toEqual([unexpected(start + 6 * minute)]);
    expect(await check(start, start + 6 * minute)).toEqual([]);
    expect(await check(start + 7 * minute)).toEqual([]);
  });

  it("reports a run that fell due before its version of the schedule began", async () => {
    await stray({ version: 3, dueAt: start + 7 * minute });
    expect(await check()).toEqual([unexpected(start + 7 * minute)]);
  });

  it("reports a run of a version in which nothing was due, and of one that never was", async () => {
    await stray({ version: 2, dueAt: start + 6 * minute });
    await stray({ version: 9, dueAt: start + 7 * minute });
    expect(await check()).toEqual([unexpected(start + 6 * minute), unexpected(start + 7 * minute)]);
  });

  it("reports a run that lies ahead of everything that was written", async () => {
    await stray({ version: 3, dueAt: start + 15 * minute });
    expect(await check()).toEqual([unexpected(start + 15 * minute)]);
  });

  it("reports a range that reaches past the end of its version, once, and only in the period in which it does", async () => {
    await database.sql`update run set last_due_at = ${start + 6 * minute}::timestamptz, due_count = 3 where due_at = ${start + 4 * minute}::timestamptz`;
    expect(await check()).toEqual([unexpected(start + 6 * minute)]);
    expect(await check(start, start + 5 * minute)).toEqual([]);
  });

  it("reports a range that nothing explains also in a period inside of it", async () => {
    await stray({ version: 2, dueAt: start + 5 * minute, lastDueAt: start + 8 * minute - 1, dueCount: 3 });
    expect(await check(start + 6 * minute, start + 7 * minute)).toEqual([unexpected(start + 6 * minute)]);
  });

  it("does not look at the rows of a job that is gone", async () => {
    await stray({ version: 1, dueAt: start + 6 * minute });
    await database.sql`delete from job`;
    expect(await check()).toEqual([]);
  });
});
