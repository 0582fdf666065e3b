import { packagedZoneData } from "@quiesce/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ControlledTime, controlTime } from "../../../../test/database/control-time.js";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import type { CommandContext } from "../command.js";
import { type Database, openDatabase } from "../db/client.js";
import { readAfter } from "../events/event-log.js";
import { runsRetainedFrom } from "../runs/reach-back.js";
import { letDaysGo } from "./let-days-go.js";
import { detachDay, storedDays } from "./partitions.js";
import { setRetention } from "./settings.js";

const day = 86_400_000;
const start = Date.parse("2026-03-28T12:00:00Z");
const now = start + 50 * day;
const days = { run: 40, event_log: 7, kpi_sample: 14 };

let fresh: FreshDatabase;
let database: Database;
let time: ControlledTime;
let context: CommandContext;

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 6, applicationName: "retention-test" });
  time = await controlTime(database.sql);
  await time.set(start);
  context = { database, zones: packagedZoneData(), actor: { kind: "token", name: "ada", role: "admin" } };
  await seedCatalogue(database.sql, { integrations: [{ key: "orders" }], jobs: [{ key: "sync", integration: "orders" }] });
  for (const at of [0, 1, 2]) await run(start + at * day);
  for (const [position, at] of [start, start + day, now - day].entries()) await event(position + 1, at);
  await database.sql`update event_head set last_position = 3`;
  await time.set(now);
});

afterEach(async () => {
  await database.close();
  await fresh.drop();
});

async function run(dueAt: number, { state = "succeeded", lastDueAt = dueAt } = {}): Promise<void> {
  await database.sql`select ensure_run_partitions(${dueAt}::timestamptz, ${dueAt}::timestamptz)`;
  await database.sql`
    insert into run (id, due_at, last_due_at, due_count, job_id, integration_id, bucket, trigger, state, ready_at)
    select new_run_id(${dueAt}::timestamptz), ${dueAt}::timestamptz, ${lastDueAt}::timestamptz, ${lastDueAt === dueAt ? 1 : 2}, id, integration_id, 0, 'manual', ${state},
      ${dueAt}::timestamptz from job`;
}

async function event(position: number, at: number): Promise<void> {
  await database.sql`select ensure_day_partition('event_log', (${at}::timestamptz at time zone 'UTC')::date)`;
  await database.sql`
    insert into event_log (position, at, kind, subject_kind, subject_key, payload) values (${position}, ${at}::timestamptz, 'run.started', 'run', 'x', '{}')`;
}

const go = (keep = days) => letDaysGo({ database }, keep);
const kept = async () =>
  (await database.sql<{ at: number }[]>`select due_at as at from run order by due_at`).map((row) => (row.at - start) / day);
const tables = async (table: "run" | "event_log") => (await storedDays(database.db, table)).map((one) => one.name).toSorted();

describe("retention", () => {
  it("drops the days of runs and events that are too old, each with an audit entry and an event, and makes the days ahead", async () => {
    expect(await go()).toEqual([
      { name: "run_20260328", rows: 1, result: "dropped" },
      { name: "run_20260329", rows: 1, result: "dropped" },
      { name: "run_20260330", rows: 1, result: "dropped" },
      { name: "event_log_20260328", rows: 1, result: "dropped" },
      { name: "event_log_20260329", rows: 1, result: "dropped" },
    ]);
    expect(await tables("run")).toEqual(["run_20260516", "run_20260517", "run_20260518", "run_20260519", "run_20260520"]);
    expect(await tables("event_log")).toEqual([
      "event_log_20260516",
      "event_log_20260517",
      "event_log_20260518",
      "event_log_20260519",
      "event_log_20260520",
    ]);
    expect(await runsRetainedFrom(database.db)).toBe(Date.parse("2026-03-31T00:00:00Z"));
    const trail = await database.sql<{ before: unknown }[]>`select before from audit_entry where action = 'retention.drop' order by id`;
    expect(trail.map((row) => row.before)).toContainEqual({ table: "run", day: "2026-03-28", rows: 1 });
    expect(trail).toHaveLength(5);
    expect(await database.sql`select from event_inbox where kind = 'retention.dropped'`).toHaveLength(5);
    expect(await go()).toEqual([]);
  });

  it.each(["queued", "held", "running"])("keeps a day with a run that is %s, and drops the others", async (state) => {
    await database.sql`update run set state = ${state} where due_at = ${start + day}::timestamptz`;
    expect((await go()).filter((one) => one.name.startsWith("run_"))).toEqual([
      { name: "run_20260328", rows: 1, result: "dropped" },
      { name: "run_20260329", rows: 1, result: "waiting" },
      { name: "run_20260330", rows: 1, result: "dropped" },
    ]);
    expect(await kept()).toEqual([1]);
    await database.sql`update run set state = 'succeeded'`;
    await go();
    expect(await kept()).toEqual([]);
  });

  it("keeps a day whose run stands for due times that are to be kept", async () => {
    await run(start + 3 * day, { lastDueAt: now - 2 * day });
    expect(await go()).toContainEqual({ name: "run_20260331", rows: 1, result: "reaches" });
    expect(await kept()).toEqual([3]);
  });

  it("puts back a day in which a run waits again, when it had been taken out already", async () => {
    const [first] = (await storedDays(database.db, "run")).filter((one) => one.name === "run_20260328");
    if (first === undefined) throw new Error("no day");
    await detachDay(database.sql, "run", first);
    await database.sql`update run_20260328 set state = 'queued'`;
    expect(await kept()).toEqual([1, 2]);
    expect(await go()).toContainEqual({ name: "run_20260328", rows: 1, result: "waiting" });
    expect(await kept()).toEqual([0]);
  });

  it("finishes what a server began that died: a day that was taken out and never dropped", async () => {
    const [first] = (await storedDays(database.db, "run")).filter((one) => one.name === "run_20260328");
    if (first === undefined) throw new Error("no day");
    await detachDay(database.sql, "run", first);
    expect(await go()).toContainEqual({ name: "run_20260328", rows: 1, result: "dropped" });
    expect(await tables("run")).not.toContain("run_20260328");
  });

  it("does not stop those who read: what is being read goes later", async () => {
    const waiting = openDatabase(fresh.url, { max: 4, applicationName: "retention-waiting" });
    try {
      await database.db.transaction(async (reader) => {
        await reader.execute("select from run");
        const refused = expect(letDaysGo({ database: waiting }, days)).rejects.toThrow(/canceling statement/);
        // As the statement's time limit would, as soon as it waits for the reader.
        await expect
          .poll(
            () =>
              database.sql`select pg_cancel_backend(pid) from pg_stat_activity where application_name = 'retention-waiting' and wait_event_type = 'Lock'`,
          )
          .toHaveLength(1);
        await refused;
        expect((await storedDays(database.db, "run")).filter((one) => one.status === "detaching")).toHaveLength(1);
        await database.sql`select ensure_run_partitions(${now}::timestamptz, ${now}::timestamptz)`;
        await run(now);
      });
      expect((await letDaysGo({ database: waiting }, days)).filter((one) => one.result === "dropped")).toHaveLength(5);
      expect(await kept()).toEqual([50]);
    } finally {
      await waiting.close();
    }
  });

  it("is done by one server at a time", async () => {
    const results = await Promise.all([go(), go()]);
    expect(results.flat()).toHaveLength(5);
    expect(await database.sql`select from audit_entry where action = 'retention.drop'`).toHaveLength(5);
  });

  it("answers a cursor from before what is kept with an explicit refusal, and a later one with every event", async () => {
    await go();
    await expect(readAfter(database.sql, 0)).rejects.toMatchObject({ code: "QSC_EVENTS_CURSOR_EXPIRED" });
    await expect(readAfter(database.sql, 1)).rejects.toMatchObject({ code: "QSC_EVENTS_CURSOR_EXPIRED" });
    expect((await readAfter(database.sql, 2)).map((one) => one.position)).toEqual([3]);
    expect(await readAfter(database.sql, 3)).toEqual([]);
  });

  it("refuses a cursor behind which an event is missing that was numbered after the first ones of the next day", async () => {
    // Position 5 was written before midnight and numbered after 4, which was written after midnight.
    await event(4, start + 43 * day);
    await event(5, start + 42 * day);
    await event(6, start + 43 * day + 1);
    await database.sql`update event_head set last_position = 6`;
    await go(days);
    expect(await database.sql`select position from event_log order by position`).toEqual([
      { position: 3 },
      { position: 4 },
      { position: 6 },
    ]);
    await expect(readAfter(database.sql, 3)).rejects.toMatchObject({ code: "QSC_EVENTS_CURSOR_EXPIRED" });
    expect((await readAfter(database.sql, 5)).map((one) => one.position)).toEqual([6]);
  });
});

describe("the setting of the retention", () => {
  it("goes before what a server is configured with, and is on record", async () => {
    await setRetention(context, { runDays: 100, eventDays: null, reason: "audit of the year" });
    expect((await go()).map((one) => one.name)).toEqual(["event_log_20260328", "event_log_20260329"]);
    await setRetention(context, { runDays: null, eventDays: null, reason: "audit is over" });
    expect(await go()).toHaveLength(3);
    expect(await database.sql`select actor, reason from audit_entry where action = 'control.set-retention' order by id`).toEqual([
      { actor: "token:ada", reason: "audit of the year" },
      { actor: "token:ada", reason: "audit is over" },
    ]);
  });

  it.each([
    [{ runDays: null, eventDays: 6, reason: "x" }, "QSC_CONTROL_RETENTION_DAYS"],
    [{ runDays: 34, eventDays: null, reason: "x" }, "QSC_CONTROL_RETENTION_DAYS"],
    [{ runDays: 40, eventDays: 7, reason: " " }, "QSC_CONTROL_RETENTION_REASON"],
  ])("refuses %o with %s", async (input, code) => {
    await expect(setRetention(context, input)).rejects.toMatchObject({ code });
  });
});
