import { type Zone, type JobSchedule, packagedZoneData, zoneFromTransitions } from "@quiesce/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ControlledTime, controlTime } from "../../../../test/database/control-time.js";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import { silentLog } from "../../../../test/database/silent-log.js";
import { editJobSchedules } from "../catalog/store/edit-job-schedule.js";
import { type CommandContext, inTransaction } from "../command.js";
import { type Database, openDatabase } from "../db/client.js";
import { advanceWindows } from "../windows/advance.js";
import { cancelWindow, createWindow } from "../windows/commands.js";
import { moveOccurrence } from "../windows/move-occurrence.js";
import { extendWindow } from "../windows/occurrence-commands.js";
import { candidateZoneData } from "./candidate-zone-data.js";
import { lastZoneChange } from "./last-zone-change.js";
import { packagedZoneDataFiles } from "./load-zone-data.js";
import { previewZoneChange } from "./preview-zone-change.js";
import { writeTzif } from "./write-tzif.js";
import { ensureZoneData, type ZoneDataInForce } from "./zone-data-in-force.js";
import { packZoneFiles, type ZoneDataFiles, zoneDataOf } from "./zone-data-files.js";

const at = (text: string): number => Date.parse(text);
const start = at("2026-03-20T12:00:00Z");
const hour = 3_600_000;

/** Madrid stays at +01:00 for good: no clock change on 29 March 2026. */
function noSummer(version: string): ZoneDataFiles {
  const { starts, offsets } = madrid();
  const transitions = [...starts].flatMap((instant, index) =>
    index > 0 && instant < at("2026-03-01T00:00:00Z") ? [{ at: instant, offsetMs: offsets[index] ?? 0 }] : [],
  );
  const zone = zoneFromTransitions({ name: "Europe/Madrid", firstOffsetMs: offsets[0] ?? 0, transitions });
  return { version, source: "test", files: new Map([...packagedZoneDataFiles().files, ["Europe/Madrid", writeTzif(zone)]]) };
}

function madrid(): Zone {
  const zone = packagedZoneData().zone("Europe/Madrid");
  if (zone === undefined) throw new Error("Europe/Madrid is not packaged.");
  return zone;
}

let fresh: FreshDatabase;
let database: Database;
let time: ControlledTime;
let zones: ZoneDataInForce;
let context: CommandContext;

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 6, applicationName: "zone-diff-test", statementTimeoutMs: 20_000 });
  time = await controlTime(database.sql);
  await time.set(start);
  zones = await ensureZoneData(database, packagedZoneDataFiles(), silentLog);
  context = { database, zones, actor: { kind: "token", name: "ada", role: "admin" } };
  await seedCatalogue(database.sql, {
    systems: [{ key: "erp" }],
    integrations: [{ key: "orders", systems: ["erp"] }],
    jobs: ["daily", "hourly", "daily-too"].map((key) => ({ key, integration: "orders" })),
  });
  await schedule("daily", "0 8 * * *");
  await schedule("daily-too", "0 8 * * *");
  await schedule("hourly", "0 * * * *");
  const series = { start: "2026-03-21T02:00", end: "2026-03-21T04:00", timeZone: "Europe/Madrid", rrule: "FREQ=DAILY;COUNT=14" };
  const window = { title: "Night", series, scope: { systems: ["erp"] }, owner: "ops", reason: "patch" };
  await createWindow(context, { ...window, key: "night" });
  await createWindow(context, { ...window, key: "utc", series: { ...series, timeZone: "UTC" } });
  await createWindow(context, {
    ...window,
    key: "now",
    series: { start: "2026-03-20T12:30", end: "2026-03-31T15:00", timeZone: "Europe/Madrid" },
  });
});
afterEach(async () => {
  await database.close();
  await fresh.drop();
});

async function schedule(key: string, expression: string): Promise<void> {
  const [row] = await database.sql<{ id: number }[]>`select id from job where key = ${key}`;
  const wanted: JobSchedule = { kind: "cron", expression, timeZone: "Europe/Madrid" };
  await inTransaction(context, (tx) =>
    editJobSchedules(tx, { edits: new Map([[row?.id ?? 0, { schedule: wanted, enabled: true }]]), zones }),
  );
}
const preview = (files: ZoneDataFiles) => previewZoneChange(database.db, { before: zones, after: zoneDataOf(files) });
const everything = async () => [
  ...(await database.sql`select o.*, v.starts_at as moved from occurrence as o left join occurrence_override as v using (window_id, local_start) order by o.id`),
  ...(await database.sql`select * from job_schedule order by job_id, version`),
  ...(await database.sql`select zone_data_version from control`),
  ...(await database.sql`select version from zone_data`),
];

describe("what other zone data would move", () => {
  it("is told before they are in force, changes nothing, and is exactly what moves when they come into force", async () => {
    const which = (localStart: string) => ({ key: "night", localStart, reason: "r" });
    await cancelWindow(context, which("2026-03-30T02:00"));
    await moveOccurrence(context, { ...which("2026-03-31T02:00"), start: "2026-03-31T10:00" });
    await extendWindow(context, { ...which("2026-04-01T02:00"), until: at("2026-04-01T09:00:00Z") });
    await advanceWindows(context);
    const before = await everything();

    const diff = await preview(noSummer("2026g"));
    expect(await everything()).toEqual(before);
    expect(diff).toMatchObject({
      before: "2026f",
      version: "2026g",
      isNewer: true,
      missing: [],
      zones: ["Europe/Madrid"],
      truncated: false,
    });
    expect(diff.kept).toMatchObject([{ window: "now", startsAt: at("2026-03-20T11:30:00Z"), endsAt: at("2026-03-31T13:00:00Z") }]);
    const moves = new Map(diff.occurrences.map((one) => [one.localStart, one]));
    expect([...moves.keys()]).toEqual(["2026-03-29T02:00", "2026-03-31T02:00", "2026-04-01T02:00", "2026-04-02T02:00", "2026-04-03T02:00"]);
    expect(moves.get("2026-03-31T02:00")).toMatchObject({
      before: { startsAt: at("2026-03-31T08:00:00Z") },
      after: { startsAt: at("2026-03-31T09:00:00Z"), endsAt: at("2026-03-31T11:00:00Z") },
    });
    // Somebody gave this end as an instant: it stays.
    expect(moves.get("2026-04-01T02:00")?.after).toEqual({ startsAt: at("2026-04-01T01:00:00Z"), endsAt: at("2026-04-01T09:00:00Z") });
    expect(diff.jobs.map(({ job, local, before: was, after: is }) => [job, local, (is ?? 0) - (was ?? 0)])).toEqual([
      ["daily", "2026-03-29T08:00", hour],
      ["daily-too", "2026-03-29T08:00", hour],
    ]);
    expect(diff.dueTimesMoved).toBe(2 * (diff.jobs[0]?.dueTimes ?? 0));

    await ensureZoneData(database, noSummer("2026g"), silentLog);
    const recorded = await lastZoneChange(database.db);
    const iso = ({ startsAt, endsAt }: { readonly startsAt: number; readonly endsAt: number }) => ({
      startsAt: new Date(startsAt).toISOString(),
      endsAt: new Date(endsAt).toISOString(),
    });
    const byName = (a: { readonly localStart: string }, b: { readonly localStart: string }) => (a.localStart < b.localStart ? -1 : 1);
    expect(recorded).toMatchObject({
      before: "2026f",
      version: "2026g",
      occurrencesMoved: diff.occurrencesMoved,
      jobsMoved: diff.jobsMoved,
    });
    expect(recorded?.occurrences.toSorted(byName)).toEqual(
      diff.occurrences.map((one) => ({ ...one, before: iso(one.before), after: iso(one.after) })).toSorted(byName),
    );
    expect((await preview(noSummer("2026g"))).occurrencesMoved).toBe(0);
  });

  it("of data that are no newer, or lack a zone in use, is told all the same, with that they would be left out", async () => {
    expect(await preview(noSummer("2025a"))).toMatchObject({ isNewer: false, occurrencesMoved: 6 });
    const { version, source, files } = packagedZoneDataFiles();
    const lacking = new Map([...files].filter(([name]) => name !== "Europe/Madrid"));
    expect(await preview({ version, source, files: lacking })).toMatchObject({
      missing: ["Europe/Madrid"],
      zones: [],
      occurrencesMoved: 0,
    });
    expect(await lastZoneChange(database.db)).toBeNull();
  });
});

describe("zone data to compare with", () => {
  const folders = { folder: undefined, systemFolder: "/nowhere" };
  const sent = (files: { readonly version: string; readonly packed: string } | undefined) =>
    candidateZoneData({ source: "files", folders, files: files === undefined ? undefined : { ...files, source: "here" }, log: silentLog });

  it("can be sent along, and what is no zone data is refused", async () => {
    const packed = packZoneFiles(packagedZoneDataFiles().files).toString("base64");
    expect((await sent({ version: "2026z", packed })).files.size).toBe(packagedZoneDataFiles().files.size);
    const unusable = { code: "QSC_ZONE_DATA_FILES_UNUSABLE" };
    await expect(sent(undefined)).rejects.toMatchObject(unusable);
    await expect(sent({ version: "latest", packed })).rejects.toMatchObject(unusable);
    await expect(sent({ version: "2026z", packed: "H4sIAAAA" })).rejects.toMatchObject(unusable);
  });

  it("are otherwise those that travel with the server, those of its machine, or what a restart would find", async () => {
    const of = (source: "restart" | "packaged" | "system") => candidateZoneData({ source, folders, log: silentLog });
    expect((await of("packaged")).source).toBe("packaged");
    expect((await of("restart")).source).toBe("packaged");
    await expect(of("system")).rejects.toMatchObject({ code: "QSC_ZONE_DATA_FOLDER_UNUSABLE" });
  });
});
