import { type JobSchedule, packagedZoneData, type Zone, type ZoneTransition, zoneFromTransitions } from "@quiesce/core";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ControlledTime, controlTime } from "../../../../test/database/control-time.js";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { silentLog } from "../../../../test/database/silent-log.js";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import { editJobSchedules } from "../catalog/store/edit-job-schedule.js";
import { type CommandContext, inTransaction } from "../command.js";
import { type Database, openDatabase } from "../db/client.js";
import { askGate } from "../runs/gate.js";
import { conservation } from "../runs/ledger.js";
import { materialiseRuns } from "../runs/materialise.js";
import { advanceWindows } from "../windows/advance.js";
import { cancelWindow, createWindow } from "../windows/commands.js";
import { moveOccurrence } from "../windows/move-occurrence.js";
import { extendWindow } from "../windows/occurrence-commands.js";
import { expandWindows } from "../windows/expand.js";
import { packagedZoneDataFiles } from "./load-zone-data.js";
import { recompileJobs } from "./recompile-jobs.js";
import { storedZoneData, switchZoneData } from "./store.js";
import { writeTzif } from "./write-tzif.js";
import { ensureZoneData, followZoneData, type ZoneDataInForce } from "./zone-data-in-force.js";
import { type ZoneDataFiles, zoneDataOf } from "./zone-data-files.js";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const at = (text: string): number => Date.parse(text);
const START = at("2026-03-20T12:00:00Z");

function madrid(): Zone {
  const zone = packagedZoneData().zone("Europe/Madrid");
  if (zone === undefined) throw new Error("Europe/Madrid is not packaged.");
  return zone;
}

/** The packaged data with another Madrid from `from` on, under a version of its own. */
function otherMadrid(version: string, from: number, transitions: readonly ZoneTransition[]): ZoneDataFiles {
  const { starts, offsets } = madrid();
  const kept: ZoneTransition[] = [];
  starts.forEach((start, index) => {
    if (index > 0 && start < from) kept.push({ at: start, offsetMs: offsets[index] ?? 0 });
  });
  const zone = zoneFromTransitions({ name: "Europe/Madrid", firstOffsetMs: offsets[0] ?? 0, transitions: [...kept, ...transitions] });
  return { version, source: "test", files: new Map([...packagedZoneDataFiles().files, ["Europe/Madrid", writeTzif(zone)]]) };
}

const packaged = packagedZoneDataFiles();
/** Madrid stays at +01:00 for good: no clock change on 29 March 2026. */
const noSummer = otherMadrid("2026g", at("2026-03-01T00:00:00Z"), []);
/** Madrid is at +02:00 from 1 March 2026 on. */
const summerFrom1March = otherMadrid("2026h", at("2026-03-01T00:00:00Z"), [{ at: at("2026-03-01T01:00:00Z"), offsetMs: 2 * HOUR_MS }]);

let fresh: FreshDatabase;
let database: Database;
let time: ControlledTime;
const ensure = (candidate: ZoneDataFiles) => ensureZoneData(database, candidate, silentLog);

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 6, applicationName: "zone-data-test", statementTimeoutMs: 20_000 });
  time = await controlTime(database.sql);
  await time.set(START);
});
afterEach(async () => {
  await database.close();
  await fresh.drop();
});

function contextOf(zones: ZoneDataInForce): CommandContext {
  return { database, zones, actor: { kind: "token", name: "ada", role: "admin" } };
}
const seed = (jobs: readonly { readonly key: string; readonly catchUp?: "skip" | "coalesce" | "all" }[] = []) =>
  seedCatalogue(database.sql, {
    systems: [{ key: "erp" }],
    integrations: [{ key: "orders", systems: ["erp"] }],
    jobs: jobs.map((job) => ({ ...job, integration: "orders" })),
  });
/** Gives a job its schedule as the catalogue does, so that its history says which zone data it was computed with. */
async function schedule(context: CommandContext, key: string, wanted: JobSchedule) {
  const [row] = await database.sql<{ id: number }[]>`select id from job where key = ${key}`;
  await inTransaction(context, (tx) =>
    editJobSchedules(tx, { edits: new Map([[row?.id ?? 0, { schedule: wanted, enabled: true }]]), zones: context.zones }),
  );
}
const night = {
  title: "Night",
  series: { start: "2026-03-21T02:00", end: "2026-03-21T04:00", timeZone: "Europe/Madrid", rrule: "FREQ=DAILY" },
  scope: { systems: ["erp"] },
  owner: "erp-team",
  reason: "patch",
} as const;
const occurrence = async (localStart: string) => {
  const [row] = await database.sql<
    {
      startsAt: number;
      endsAt: number;
      begins: number | null;
      expires: number | null;
      memberBegins: number | null;
      version: string;
      closedAt: number | null;
      notes: string[];
    }[]
  >`
    select o.starts_at as "startsAt", o.ends_at as "endsAt", h.begins_at as begins, h.expires_at as expires, m.begins_at as "memberBegins",
      o.zone_data_version as version, o.closed_at as "closedAt", o.notes
    from occurrence as o join maintenance_window as w on w.id = o.window_id left join hold as h on h.occurrence_id = o.id left join hold_member as m on m.hold_id = h.id
    where o.local_start = ${localStart} and w.key = 'night'`;
  return row;
};
const inForce = async () =>
  (await database.sql<{ version: string | null }[]>`select zone_data_version as version from control`)[0]?.version;
const changes = () =>
  database.sql<
    {
      payload: {
        version: string;
        occurrencesMoved: number;
        occurrences: { window: string; localStart: string }[];
        jobsMoved: number;
        jobs: unknown[];
      };
    }[]
  >`
    select payload from event_inbox where kind = 'control.zone-data-changed' order by id`;
const runs = () =>
  database.sql<{ dueAt: number; local: string | null; trigger: string; state: string }[]>`
    select due_at as "dueAt", due_local as local, trigger, state from run order by due_at, trigger`.then((rows) => [...rows]);
async function materialise(context: CommandContext) {
  for (let after: number | null = 0; after !== null;) after = (await materialiseRuns(context, after)).next;
}
const differences = async (context: CommandContext) =>
  (await conservation(database.db, context.zones, { from: START - DAY_MS, to: (await time.now()) + 60_000 })).differences;

describe("the zone data in force", () => {
  test("are the first server's on an empty database, whole, and nothing is announced", async () => {
    const zones = await ensure(packaged);
    expect(zones.version).toBe("2026f");
    expect(await inForce()).toBe("2026f");
    const stored = await storedZoneData(database.db, "2026f");
    expect(stored?.names()).toEqual(packagedZoneData().names());
    expect(stored?.zone("Europe/Madrid")).toEqual(madrid());
    expect(await changes()).toHaveLength(0);
    expect(await database.sql`select from audit_entry where action = 'control.zone-data'`).toHaveLength(1);
  });

  test("are the database's when a server comes with older ones, or with other ones of the same version", async () => {
    await ensure(noSummer);
    expect((await ensure(packaged)).version).toBe("2026g");
    const same = await ensure({ ...packaged, version: "2026g" });
    expect(same.zone("Europe/Madrid")?.starts.at(-1)).toBe(noSummerLastChange());
    expect(await inForce()).toBe("2026g");
  });

  test("are the same for servers that start at once with different ones", async () => {
    const candidates = [summerFrom1March, noSummer, packaged, noSummer, packaged, packaged];
    const zones = await Promise.all(candidates.map(ensure));
    await Promise.all(zones.map((one) => one.refresh()));
    expect(new Set(zones.map((one) => one.version))).toEqual(new Set(["2026h"]));
    expect(await inForce()).toBe("2026h");
  });

  test("stay when the newer ones lack a zone in use or have a broken file of it; unused zones may be missing", async () => {
    const context = contextOf(await ensure(packaged));
    await seed();
    await createWindow(context, night);
    const without = (name: string): ZoneDataFiles => ({ ...noSummer, files: new Map([...noSummer.files].filter(([one]) => one !== name)) });
    expect((await ensure(without("Europe/Madrid"))).version).toBe("2026f");
    const broken = { ...noSummer, files: new Map([...noSummer.files, ["Europe/Madrid", new Uint8Array(10)] as const]) };
    expect((await ensure(broken)).version).toBe("2026f");
    expect((await ensure(without("Asia/Tokyo"))).version).toBe("2026g");
  });

  test("from before they were stored are taken for the same when the version is the same, and recomputed when it is not", async () => {
    const context = { ...contextOf(await ensure(packaged)) };
    await seed();
    await createWindow(context, night);
    await database.sql`delete from zone_data`;
    await ensure(packaged);
    expect(await changes()).toHaveLength(0);
    await database.sql`delete from zone_data`;
    await ensure(noSummer);
    expect((await changes())[0]?.payload.occurrencesMoved).toBeGreaterThan(80);
    expect(await occurrence("2026-03-30T02:00")).toMatchObject({ startsAt: at("2026-03-30T01:00:00Z"), version: "2026g" });
  });

  test("reach a server that is already up; until then it writes neither due times nor occurrences", async () => {
    const old = contextOf(await ensure(packaged));
    await seed([{ key: "sync" }]);
    await schedule(old, "sync", { kind: "cron", expression: "* * * * *", timeZone: "Europe/Madrid" });
    await ensure(noSummer);
    await time.advance(HOUR_MS);
    expect(await materialiseRuns(old)).toEqual({ jobs: 0, next: null });
    await expect(createWindow(old, night)).rejects.toThrow();
    await expect(schedule(old, "sync", { kind: "cron", expression: "0 * * * *", timeZone: "Europe/Madrid" })).rejects.toThrow();
    await expandWindows(old);
    expect(await inForce()).toBe("2026g");
    const stop = followZoneData(old.zones as ZoneDataInForce, { everyMs: 5, log: silentLog });
    await expect.poll(() => old.zones.version).toBe("2026g");
    await stop();
    await createWindow(old, night);
    expect((await occurrence("2026-03-30T02:00"))?.startsAt).toBe(at("2026-03-30T01:00:00Z"));
    await materialise(old);
    expect(await differences(old)).toEqual([]);
  });
});

describe("windows under newer zone data", () => {
  test("what has not begun moves with its hold and is listed; what the rule does not touch stays", async () => {
    const context = contextOf(await ensure(packaged));
    await seed();
    await time.set(at("2026-03-25T12:00:00Z"));
    await createWindow(context, night);
    await createWindow(context, { ...night, key: "tokyo", series: { ...night.series, timeZone: "Asia/Tokyo" } });
    const before = await occurrence("2026-03-30T02:00");
    expect(before).toMatchObject({ startsAt: at("2026-03-30T00:00:00Z"), begins: at("2026-03-30T00:00:00Z") });
    await ensure(noSummer);
    const moved = at("2026-03-30T01:00:00Z");
    expect(await occurrence("2026-03-30T02:00")).toMatchObject({
      startsAt: moved,
      endsAt: moved + 2 * HOUR_MS,
      begins: moved,
      expires: moved + 2 * HOUR_MS,
      memberBegins: moved,
    });
    expect(await occurrence("2026-03-28T02:00")).toMatchObject({
      startsAt: at("2026-03-28T01:00:00Z"),
      begins: at("2026-03-28T01:00:00Z"),
    });
    expect((await occurrence("2026-03-29T02:00"))?.notes).toEqual([]);
    const [change] = await changes();
    const moves = change?.payload.occurrences ?? [];
    // The night of the change itself, from 02:00 to 04:00, loses no hour any more: only its end moves.
    expect(moves[0]).toMatchObject({ window: "night", localStart: "2026-03-29T02:00" });
    expect(moves.every((one) => one.window === "night")).toBe(true);
    expect(change?.payload.occurrencesMoved).toBe(moves.length);
    expect(moves.at(-1)?.localStart).toBe("2026-06-23T02:00");
    const [audit] = await database.sql<
      { after: { occurrences: unknown[] } }[]
    >`select after from audit_entry where action = 'control.zone-data' order by id desc limit 1`;
    expect(audit?.after.occurrences).toHaveLength(moves.length);
    const wrong =
      await database.sql`select from occurrence as o join hold as h on h.occurrence_id = o.id where h.begins_at <> o.starts_at or h.expires_at <> o.ends_at`;
    expect(wrong).toHaveLength(0);
  });

  test("an occurrence in progress keeps its instants until it is released, and is not held twice", async () => {
    const context = contextOf(await ensure(packaged));
    await seed();
    await createWindow(context, night);
    await time.set(at("2026-03-30T01:00:00Z"));
    await expandWindows(context);
    await advanceWindows(context);
    expect((await askGate(database.db, "orders")).kind).toBe("held");
    const open = await occurrence("2026-03-30T02:00");
    await ensure(noSummer);
    expect(await occurrence("2026-03-30T02:00")).toEqual(open);
    expect(open).toMatchObject({ startsAt: at("2026-03-30T00:00:00Z"), endsAt: at("2026-03-30T02:00:00Z"), version: "2026f" });
    await time.set(at("2026-03-30T02:00:00Z"));
    await advanceWindows(context);
    expect((await askGate(database.db, "orders")).kind).toBe("open");
    expect((await occurrence("2026-03-31T02:00"))?.startsAt).toBe(at("2026-03-31T01:00:00Z"));
  });

  test("an occurrence whose start has passed by the new data holds from now on; one that is over by them never begins", async () => {
    const context = contextOf(await ensure(packaged));
    await seed();
    await createWindow(context, night);
    await createWindow(context, { ...night, key: "short", series: { ...night.series, end: "2026-03-21T02:15" } });
    // 02:30 by the new data, 01:30 by the old.
    const now = at("2026-03-25T00:30:00Z");
    await time.set(now);
    await expandWindows(context);
    await advanceWindows(context);
    expect((await askGate(database.db, "orders")).kind).toBe("open");
    await ensure(summerFrom1March);
    expect(await occurrence("2026-03-25T02:00")).toMatchObject({
      startsAt: at("2026-03-25T00:00:00Z"),
      endsAt: at("2026-03-25T02:00:00Z"),
      memberBegins: now,
      closedAt: null,
    });
    expect(await askGate(database.db, "orders")).toMatchObject({ kind: "held", until: at("2026-03-25T02:00:00Z") });
    const short = await database.sql<{ closedAt: number; holds: number }[]>`
      select o.closed_at as "closedAt", (select count(*) from hold as h where h.occurrence_id = o.id) as holds
      from occurrence as o join maintenance_window as w on w.id = o.window_id where w.key = 'short' and o.local_start = '2026-03-25T02:00'`;
    expect(short).toEqual([{ closedAt: now, holds: 0 }]);
  });

  test("what an operator cancelled or extended stays so", async () => {
    const context = contextOf(await ensure(packaged));
    await time.set(at("2026-03-28T12:00:00Z"));
    await seed();
    await createWindow(context, night);
    const until = at("2026-04-02T08:00:00Z");
    await extendWindow(context, { key: "night", localStart: "2026-04-02T02:00", until, reason: "long" });
    await cancelWindow(context, { key: "night", localStart: "2026-04-01T02:00", reason: "not needed" });
    await ensure(noSummer);
    expect(await occurrence("2026-04-02T02:00")).toMatchObject({ startsAt: at("2026-04-02T01:00:00Z"), endsAt: until, expires: until });
    const cancelled = await database.sql`select from occurrence where local_start = '2026-04-01T02:00' and cancelled_at is not null`;
    expect(cancelled).toHaveLength(1);
    const [change] = await changes();
    expect(change?.payload.occurrences.map((one) => one.localStart)).not.toContain("2026-04-01T02:00");
  });

  test("what an operator moved keeps its local times and takes their new instants, with its hold", async () => {
    const context = contextOf(await ensure(packaged));
    await time.set(at("2026-03-28T12:00:00Z"));
    await seed();
    await createWindow(context, night);
    const localStart = "2026-04-02T02:00";
    await moveOccurrence(context, { key: "night", localStart, start: "2026-04-02T12:00", end: "2026-04-02T13:00", reason: "later" });
    expect(await occurrence(localStart)).toMatchObject({ startsAt: at("2026-04-02T10:00:00Z"), expires: at("2026-04-02T11:00:00Z") });
    await ensure(noSummer);
    const moved = { startsAt: at("2026-04-02T11:00:00Z"), endsAt: at("2026-04-02T12:00:00Z") };
    expect(await occurrence(localStart)).toMatchObject({ ...moved, expires: moved.endsAt });
    const [change] = await changes();
    expect(change?.payload.occurrences.map((one) => one.localStart)).toContain(localStart);
  });

  test("the horizon has no hole: a later expansion finds every day", async () => {
    // A hundred days later at this time of day an occurrence is beyond the horizon by the old data and before it by the new.
    await time.set(at("2026-03-20T00:30:00Z"));
    const context = contextOf(await ensure(noSummer));
    await seed();
    await createWindow(context, night);
    await ensure(summerFrom1March);
    await (context.zones as ZoneDataInForce).refresh();
    await time.advance(30 * DAY_MS);
    await expandWindows(context);
    const [row] = await database.sql<{ days: number; first: string; last: string }[]>`
      select count(*) as days, min(local_start) as first, max(local_start) as last from occurrence`;
    expect(row?.first).toBe("2026-03-21T02:00");
    expect(row?.last).toBe("2026-07-28T02:00");
    expect(row?.days).toBe((at(`${row?.last}Z`) - at(`${row?.first}Z`)) / DAY_MS + 1);
  });
});

describe("jobs under newer zone data", () => {
  const daily: JobSchedule = { kind: "cron", expression: "30 2 * * *", timeZone: "Europe/Madrid" };
  const rezoned = async (context: CommandContext, candidate: ZoneDataFiles) => {
    await ensure(candidate);
    await (context.zones as ZoneDataInForce).refresh();
  };

  test("a due time of the night of the clock change moves, is listed, and the ledger adds up", async () => {
    const context = contextOf(await ensure(packaged));
    await seed([{ key: "sync" }, { key: "tokyo" }]);
    await schedule(context, "sync", daily);
    await schedule(context, "tokyo", { ...daily, timeZone: "Asia/Tokyo" });
    await time.set(at("2026-03-28T12:00:00Z"));
    await materialise(context);
    await rezoned(context, noSummer);
    const [change] = await changes();
    expect(change?.payload).toMatchObject({
      jobsMoved: 1,
      jobs: [{ job: "sync", before: "2026-03-30T00:30:00.000Z", after: "2026-03-30T01:30:00.000Z" }],
    });
    await time.set(at("2026-03-31T12:00:00Z"));
    await materialise(context);
    const sync = await database.sql<{ dueAt: number }[]>`
      select r.last_due_at as "dueAt" from run as r join job as j on j.id = r.job_id where j.key = 'sync' and r.schedule_version = j.schedule_version`;
    expect(sync.map((row) => row.dueAt)).toEqual([at("2026-03-31T01:30:00Z")]);
    expect(await differences(context)).toEqual([]);
    const versions = await database.sql<{ version: string }[]>`
      select s.zone_data_version as version from job_schedule as s join job as j on j.id = s.job_id where j.key = 'sync' and s.schedule is not null order by s.version`;
    expect(versions.map((row) => row.version)).toEqual(["2026f", "2026g"]);
    const tokyo =
      await database.sql`select from job_schedule as s join job as j on j.id = s.job_id where j.key = 'tokyo' and s.zone_data_version = '2026g'`;
    expect(tokyo).toHaveLength(0);
  });

  test("a run that was written ahead for the old instant goes before anybody claims it", async () => {
    const context = contextOf(await ensure(packaged));
    await seed([{ key: "sync" }]);
    await schedule(context, "sync", daily);
    await time.set(at("2026-03-30T00:29:50Z"));
    await materialise(context);
    expect((await runs()).filter((row) => row.dueAt === at("2026-03-30T00:30:00Z"))).toHaveLength(1);
    await rezoned(context, noSummer);
    expect((await runs()).filter((row) => row.dueAt === at("2026-03-30T00:30:00Z"))).toHaveLength(0);
    await time.set(at("2026-03-30T01:30:00Z"));
    await materialise(context);
    expect((await runs()).filter((row) => row.dueAt === at("2026-03-30T01:30:00Z"))).toHaveLength(1);
    expect(await differences(context)).toEqual([]);
  });

  test("what ran already by the old data does not run again by the new", async () => {
    const context = contextOf(await ensure(packaged));
    await seed([{ key: "sync" }]);
    await schedule(context, "sync", daily);
    await time.set(at("2026-03-30T01:00:00Z"));
    await materialise(context);
    const before = await runs();
    await rezoned(context, noSummer);
    await time.set(at("2026-03-30T12:00:00Z"));
    await materialise(context);
    expect(await runs()).toEqual(before);
    expect(await differences(context)).toEqual([]);
    await time.set(at("2026-03-31T12:00:00Z"));
    await materialise(context);
    expect((await database.sql<{ at: number }[]>`select max(last_due_at) as at from run`)[0]?.at).toBe(at("2026-03-31T01:30:00Z"));
    expect(await differences(context)).toEqual([]);
  });

  test.each([
    ["coalesce", 1],
    ["all", 1],
    ["skip", 0],
  ] as const)("what the new data have behind them and the old had ahead is made up for: %s %i", async (catchUp, made) => {
    const context = contextOf(await ensure(packaged));
    await seed([{ key: "sync", catchUp }]);
    const now = at("2026-03-25T01:00:00Z");
    await time.set(now);
    await schedule(context, "sync", daily);
    await rezoned(context, summerFrom1March);
    expect(await runs()).toEqual(Array.from({ length: made }, () => ({ dueAt: now, local: null, trigger: "reconcile", state: "queued" })));
    await time.set(at("2026-03-26T12:00:00Z"));
    await materialise(context);
    expect(await differences(context)).toEqual([]);
  });

  test("what was due before the change but not yet written down is settled by the data of then", async () => {
    const before = await ensure(packaged);
    const context = contextOf(before);
    await seed([{ key: "sync" }]);
    await schedule(context, "sync", daily);
    const now = at("2026-03-30T12:00:00Z");
    await time.set(now);
    const after = zoneDataOf(noSummer);
    await inTransaction(context, async (tx) => {
      await switchZoneData(tx, { before: before.version, after: after.version });
      await recompileJobs(tx, { timeZones: ["Europe/Madrid"], before, after, now });
    });
    const written = await database.sql<
      { dueAt: number; lastDueAt: number }[]
    >`select due_at as "dueAt", last_due_at as "lastDueAt" from run`;
    expect([...written]).toEqual([{ dueAt: at("2026-03-21T01:30:00Z"), lastDueAt: at("2026-03-30T00:30:00Z") }]);
  });

  test("more due times than one edit settles do not keep a server from starting", async () => {
    const context = contextOf(await ensure(packaged));
    await seed([{ key: "sync" }]);
    await schedule(context, "sync", { kind: "cron", expression: "* * * * *", timeZone: "Europe/Madrid" });
    await time.advance(8 * DAY_MS);
    await rezoned(context, noSummer);
    await materialise(context);
    expect(await differences(context)).toEqual([]);
  });

  test("whatever the schedules and the moment of the change, every expected due time is accounted for once", async () => {
    const schedules: readonly JobSchedule[] = [
      daily,
      { ...daily, expression: "0,30 1,2,3 * * *" },
      { ...daily, expression: "*/30 * * * *" },
      { kind: "rrule", start: "2026-03-01T02:15", rrule: "FREQ=HOURLY;INTERVAL=3", timeZone: "Europe/Madrid" },
    ];
    await seed(
      schedules.map((_one, index) => ({ key: `job-${index}`, catchUp: (["coalesce", "all", "skip"] as const)[index % 3] ?? "all" })),
    );
    let year = 0;
    let context = contextOf(await ensure(packaged));
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: -90, max: 240 }), fc.boolean()), { minLength: 1, maxLength: 3 }),
        async (steps) => {
          // Every example is a later week, with newer data each: the database goes on.
          year += 1;
          const from = START + year * 7 * DAY_MS;
          await time.set(from);
          for (const [index, one] of schedules.entries()) await schedule(context, `job-${index}`, one);
          let step = 0;
          for (const [minutes, summer] of steps) {
            step += 1;
            await time.set(Math.max(await time.now(), from + step * DAY_MS + minutes * 60_000));
            if (minutes % 2 === 0) await materialise(context);
            const version = `${2030 + year}${"abc"[step - 1]}`;
            await ensure(otherMadrid(version, from - DAY_MS, [{ at: from - DAY_MS, offsetMs: (summer ? 2 : 1) * HOUR_MS }]));
            const refreshed = context.zones as ZoneDataInForce;
            await refreshed.refresh();
            context = contextOf(refreshed);
          }
          await time.advance(DAY_MS);
          await materialise(context);
          const ledger = await conservation(database.db, context.zones, { from: START - DAY_MS, to: await time.now() });
          expect(ledger.differences).toEqual([]);
          expect(ledger.accounted).toBe(ledger.expected);
        },
      ),
      { numRuns: 12, endOnFailure: true },
    );
  }, 300_000);
});

function noSummerLastChange(): number {
  return Math.max(...[...madrid().starts].filter((start) => start < at("2026-03-01T00:00:00Z")));
}
