import { type JobSchedule, packagedZoneData } from "@quiesce/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ControlledTime, controlTime } from "../../../../test/database/control-time.js";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import { type Database, openDatabase } from "../db/client.js";
import { schedulerHealth } from "../scheduler/scheduler-health.js";
import { checkConservation, lastConservation } from "./conservation-round.js";
import { materialiseRuns } from "./materialise.js";

const start = Date.parse("2026-03-02T10:00:00Z");
const minute = 60_000;
const hour = 60 * minute;
const everyMinute: JobSchedule = { kind: "interval", everySeconds: 60, startsAt: start };
const zones = packagedZoneData();

let fresh: FreshDatabase;
let database: Database;
let time: ControlledTime;

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 6, applicationName: "conservation-test" });
  time = await controlTime(database.sql);
  await time.set(start);
  await seedCatalogue(database.sql, {
    integrations: [{ key: "orders" }],
    jobs: ["a", "b", "c", "d", "e"].map((key) => ({ key, integration: "orders", schedule: everyMinute, catchUp: "all" as const })),
  });
  await time.set(start + 10 * minute);
  await materialiseRuns({ database, zones });
});

afterEach(async () => {
  await database.close();
  await fresh.drop();
});

const check = (jobs = 2) => checkConservation({ database, zones }, jobs);
async function wholeRound() {
  for (;;) {
    const result = await check();
    if (result === "rests") throw new Error("rests");
    if (result !== "under-way") return result;
  }
}
const events = () =>
  database.sql<
    { payload: { difference: number; differences: unknown[] } }[]
  >`select payload from event_inbox where kind = 'ledger.difference' order by id`;
const ledgerHealth = async () => (await schedulerHealth(database)).find((one) => one.name === "ledger.conservation");

describe("the running check of the ledger", () => {
  it("goes through all jobs in pieces, publishes the round and rests", async () => {
    expect(await check()).toBe("under-way");
    expect(await check()).toBe("under-way");
    expect(await lastConservation(database.db)).toBeNull();
    const round = await check();
    expect(round).toMatchObject({ checkedAt: start + 10 * minute, to: start + 10 * minute, expected: 50, accounted: 50, difference: 0 });
    expect(await lastConservation(database.db)).toEqual(round);
    expect(await check()).toBe("rests");
    expect(await ledgerHealth()).toMatchObject({ status: "pass", observed: { expected: 50, difference: 0 } });
    expect(await events()).toEqual([]);
    await time.advance(6 * minute);
    expect(await check()).toBe("under-way");
  });

  it("looks no further back than a day, and not before what is kept", async () => {
    await time.advance(30 * hour);
    expect(await wholeRound()).toMatchObject({ from: start + 10 * minute + 6 * hour });
    await database.sql`update control set runs_retained_from = ${start + 40 * hour}::timestamptz`;
    await time.advance(12 * hour);
    expect(await wholeRound()).toMatchObject({ from: start + 40 * hour });
  });

  it("names a due time that was lost in an event, once, and in the health check, until it is there again", async () => {
    await database.sql`delete from run where due_at = ${start + 3 * minute}::timestamptz and job_id = (select id from job where key = 'd')`;
    const differences = [{ job: "d", kind: "missing", dueAt: start + 3 * minute }];
    expect(await wholeRound()).toMatchObject({ expected: 50, accounted: 49, difference: 1, differences });
    expect(await ledgerHealth()).toMatchObject({
      status: "warn",
      detail: expect.stringContaining("d at 2026-03-02T10:03:00.000Z (missing)"),
    });
    await time.advance(6 * minute);
    await materialiseRuns({ database, zones });
    expect(await wholeRound()).toMatchObject({ difference: 1, differences });
    expect((await events()).map((one) => one.payload)).toMatchObject([
      { expected: 50, accounted: 49, difference: 1, differences: [{ job: "d", kind: "missing", dueAt: "2026-03-02T10:03:00.000Z" }] },
    ]);
  });

  it("counts every difference, and keeps and names a bounded number", async () => {
    await database.sql`delete from run where trigger = 'schedule' and due_at >= ${start}::timestamptz and due_at < ${start + 10 * minute}::timestamptz`;
    await database.sql`update job set schedule = jsonb_set(schedule, '{everySeconds}', '5')`;
    await database.sql`update job_schedule set schedule = jsonb_set(schedule, '{everySeconds}', '5')`;
    const round = await wholeRound();
    expect(round.difference).toBe(600);
    expect(round.differences.length).toBeLessThanOrEqual(150);
    const [event] = await events();
    expect(event?.payload).toMatchObject({ difference: 600 });
    expect(event?.payload.differences).toHaveLength(20);
  });

  it("is done once by two servers at the same time, and goes on where one of them died", async () => {
    // They meet, or come one after the other; no piece is counted twice either way.
    expect(await Promise.all([check(), check()])).toContain("under-way");
    // A server takes a piece and dies with it.
    await database.sql`update conservation_round set leased_until = app_now() + interval '30 seconds'`;
    expect(await check()).toBe("rests");
    await time.advance(31_000);
    expect(await wholeRound()).toMatchObject({ expected: 50, accounted: 50 });
  });

  it("says so when nobody has checked for an hour", async () => {
    await wholeRound();
    await time.advance(hour + 1);
    expect(await ledgerHealth()).toMatchObject({ status: "warn", detail: expect.stringContaining("checked last at 2026-03-02T10:10:00") });
  });
});
