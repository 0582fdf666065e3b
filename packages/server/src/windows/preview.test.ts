import { packagedZoneData, type WindowInput } from "@quiesce/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ControlledTime, controlTime } from "../../../../test/database/control-time.js";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import type { CommandContext } from "../command.js";
import { type Database, openDatabase } from "../db/client.js";
import { createWindow } from "./commands.js";
import { expandWindows } from "./expand.js";
import { pause } from "./hold-commands.js";
import { extendWindow } from "./occurrence-commands.js";
import { previewResume } from "./preview-resume.js";
import { previewWindow } from "./preview.js";
import { previewStandingWindow } from "./preview-standing.js";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const start = Date.parse("2026-03-02T10:00:00Z");

let fresh: FreshDatabase;
let database: Database;
let time: ControlledTime;
let context: CommandContext;

const systems = [
  { key: "erp", resumeSpacingMs: 30_000 },
  { key: "crm", dependsOn: [{ system: "erp", strength: "hard" as const }], maxConcurrentRuns: 1 },
  { key: "mail" },
];
const integrations = [
  { key: "into-erp", systems: ["erp"] },
  { key: "into-crm", systems: ["crm"] },
  { key: "into-mail", systems: ["mail"] },
];
const every = (everySeconds: number) => ({ kind: "interval" as const, everySeconds, startsAt: start });
const jobs = [
  { key: "fast", integration: "into-erp", schedule: every(360) },
  { key: "hourly", integration: "into-crm", schedule: every(3_600), catchUp: "all" as const },
  { key: "lost", integration: "into-erp", schedule: every(3_600), catchUp: "skip" as const },
  { key: "post", integration: "into-mail", schedule: every(60) },
];
const plan: WindowInput = {
  key: "patch",
  title: "Monthly patches",
  series: { start: "2026-03-03T10:00", end: "2026-03-03T14:00", timeZone: "UTC" },
  scope: { systems: ["erp"] },
  owner: "ops",
  reason: "patches",
};
const other = (key: string, from: string, to: string, more: Partial<WindowInput> = {}): WindowInput => ({
  ...plan,
  key,
  title: key,
  series: { start: `2026-03-03T${from}`, end: `2026-03-03T${to}`, timeZone: "UTC" },
  ...more,
});

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 4, applicationName: "preview-test" });
  time = await controlTime(database.sql);
  await time.set(start);
  context = { database, zones: packagedZoneData(), actor: { kind: "token", name: "tester", role: "admin" } };
  await expandWindows(context);
  await seedCatalogue(database.sql, { systems, integrations, jobs });
});
afterEach(async () => {
  await database.close();
  await fresh.drop();
});

const preview = (input: WindowInput = plan) => previewWindow(database.db, context.zones, input);
/** Past runs of a job, which took so long and read so many records. */
async function seedRuns(job: string, runs: readonly { readonly ms: number; readonly read: number }[]): Promise<void> {
  await database.sql`select ensure_run_partitions(app_now() - interval '2 days', app_now())`;
  for (const [index, one] of runs.entries()) {
    const due = start - (index + 1) * hour;
    await database.sql`
      insert into run (id, due_at, last_due_at, job_id, integration_id, bucket, trigger, state, ready_at, started_at, finished_at, figures)
      select new_run_id(${due}::timestamptz), ${due}::timestamptz, ${due}::timestamptz, j.id, j.integration_id, i.bucket, 'schedule', 'succeeded', ${due}::timestamptz,
        ${due}::timestamptz, ${due + one.ms}::timestamptz, ${JSON.stringify({ read: one.read })}::text::jsonb
      from job as j join integration as i on i.id = j.integration_id where j.key = ${job}`;
  }
}

describe("the preview's backlog", () => {
  it("says what each job misses and what its catch-up makes of it", async () => {
    const { backlog } = await preview();
    expect(backlog.heldJobs.map((one) => [one.job, one.dueTimes, one.runsAfter, one.skipped])).toEqual([
      ["fast", 40, 1, 0],
      ["hourly", 4, 4, 0],
      ["lost", 4, 0, 4],
    ]);
    expect(backlog.forecast).toMatchObject({ dueTimes: 44, runs: 5, skipped: 4 });
  });

  it("is unknown without a measured run, and a forecast from medians, p95, the ramp and the cap with them", async () => {
    expect((await preview()).backlog.forecast).toMatchObject({ expectedMs: null, records: null, unknownJobs: ["fast", "hourly"] });
    await seedRuns(
      "fast",
      [20_000, 20_000, 40_000].map((ms) => ({ ms, read: 10 })),
    );
    await seedRuns("hourly", [{ ms: 5 * minute, read: 7 }]);
    const { forecast } = (await preview()).backlog;
    // Four runs of one job, one after the other.
    expect(forecast).toMatchObject({ expectedMs: 20 * minute, atWorstMs: 20 * minute, unknownJobs: [], records: 10 + 4 * 7 });
    expect(forecast?.systems.map((one) => [one.system, one.runs, one.expectedMs, one.atWorstMs])).toEqual([
      ["crm", 4, 20 * minute, 20 * minute],
      ["erp", 1, 20_000, 40_000],
    ]);
    // The first of the hourly ones waited the four hours of the window.
    expect(forecast?.longestDelayMs).toBe(4 * hour);
  });

  it("names the run that will be in flight at the start, unless it is kept back", async () => {
    await seedRuns("hourly", [{ ms: 70 * minute, read: 1 }]);
    const first = Date.parse("2026-03-03T10:00:00Z");
    expect((await preview()).backlog.inFlight).toEqual([
      { job: "hourly", integration: "into-crm", dueAt: first - hour, expectedEndAt: first + 10 * minute },
    ]);
    await database.sql`update job set finish_lead_ms = ${75 * minute}, p95_ms = ${70 * minute}, duration_samples = 20 where key = 'hourly'`;
    expect((await preview({ ...plan, drain: { leadLimitMinutes: 120 } })).backlog.inFlight).toEqual([]);
  });

  it("compares what is planned inside with a typical week", async () => {
    const { load } = (await preview()).backlog;
    expect(load).toMatchObject([{ localStart: "2026-03-03T10:00", runs: 48, records: null }]);
    expect(load[0]?.typicalRuns).toBeCloseTo(48, 0);
  });
});

describe("the preview's availability", () => {
  it("is what the month would hold for each system and integration it takes down, gross and net, with what others have planned", async () => {
    await createWindow(context, other("crm-upgrade", "13:00", "16:00", { scope: { systems: ["crm"] }, kind: "change" }));
    await createWindow(context, other("trial", "18:00", "20:00", { scope: { systems: ["crm"] }, mode: "observe" }));
    const [march, ...more] = (await preview()).availability;
    expect(more).toEqual([]);
    expect(march).toMatchObject({ month: "2026-03", timeZone: "UTC", systems: 2, integrations: 2 });
    expect(march?.listed.map((one) => [one.kind, one.key, one.addedMs / hour, one.excludedMs / hour, one.countedMs / hour])).toEqual([
      ["system", "crm", 3, 4, 2],
      ["integration", "into-crm", 3, 4, 2],
      ["system", "erp", 4, 4, 0],
      ["integration", "into-erp", 4, 4, 0],
    ]);
    const [crm] = march?.listed ?? [];
    expect(crm).toMatchObject({ upMs: (744 - 6) * hour, gross: 738 / 744, grossBefore: 741 / 744, net: 738 / 740 });
    expect((await preview({ ...plan, kind: "freeze" })).availability).toEqual([]);
  });
});

describe("the preview's conflicts", () => {
  it("are windows, freezes and pauses on the same system or on what depends on it, each with its path", async () => {
    await createWindow(context, other("crm-upgrade", "13:00", "16:00", { scope: { systems: ["crm"] } }));
    await createWindow(context, other("mail-move", "10:00", "14:00", { scope: { systems: ["mail"] } }));
    await createWindow(context, other("close", "14:00", "15:00", { kind: "freeze" }));
    await pause(context, { scope: { integrations: ["into-erp"] }, until: null, reason: "data is wrong" });
    const { conflicts } = await preview();
    expect(conflicts).toMatchObject({ overlaps: 2, touches: 1 });
    const at = (clock: string) => Date.parse(`2026-03-03T${clock}:00Z`);
    expect(conflicts.listed).toMatchObject([
      { kind: "manual", relation: "overlaps", from: at("10:00"), until: at("14:00"), heldUntil: null, integrations: 1 },
      {
        kind: "maintenance",
        with: "crm-upgrade",
        relation: "overlaps",
        from: at("13:00"),
        until: at("14:00"),
        heldFrom: at("10:00"),
        heldUntil: at("16:00"),
        systems: ["crm"],
        paths: [{ integration: "into-crm", ownPath: "dependency: crm > erp", otherPath: "system: crm" }],
      },
      { kind: "freeze", with: "close", relation: "touches", from: at("14:00"), until: at("14:00"), heldUntil: at("15:00") },
    ]);
  });

  it("are counted over all occurrences of the next hundred days, and a cancelled window is none", async () => {
    const daily = { start: "2026-03-03T12:00", end: "2026-03-03T13:00", timeZone: "UTC", rrule: "FREQ=DAILY" };
    await createWindow(context, other("daily", "12:00", "13:00", { series: daily }));
    const weekly = { ...plan, series: { ...plan.series, rrule: "FREQ=WEEKLY" } };
    expect((await preview(weekly)).conflicts).toMatchObject({ overlaps: 15, touches: 0 });
    await database.sql`update maintenance_window set cancelled_at = app_now()`;
    expect((await preview(weekly)).conflicts.overlaps).toBe(0);
  });

  it("of an edited window are not those with itself; a change inside a freeze is blocked", async () => {
    await createWindow(context, plan);
    expect((await preview()).conflicts.overlaps).toBe(0);
    await createWindow(context, other("close", "12:00", "15:00", { kind: "freeze" }));
    expect((await preview()).conflicts.listed).toMatchObject([{ with: "close", blocks: false }]);
    expect((await preview({ ...plan, kind: "change" })).conflicts.listed).toMatchObject([{ with: "close", blocks: true }]);
  });

  it("of a window that stands follow its overrides", async () => {
    await createWindow(context, plan);
    await createWindow(context, other("later", "15:00", "16:00"));
    expect((await previewStandingWindow(database.db, context.zones, "patch")).conflicts.overlaps).toBe(0);
    await extendWindow(context, { key: "patch", until: Date.parse("2026-03-03T15:30:00Z"), reason: "it takes longer" });
    const standing = await previewStandingWindow(database.db, context.zones, "patch");
    expect(standing.conflicts.listed).toMatchObject([{ with: "later", until: start + day + 5.5 * hour }]);
    await expect(previewStandingWindow(database.db, context.zones, "nothing")).rejects.toMatchObject({ code: "QSC_WINDOW_NOT_FOUND" });
  });
});

describe("the preview of one resume", () => {
  it("says what waits, what catch-up makes of it, and what another hold would keep", async () => {
    await createWindow(context, { ...plan, series: { start: "2026-03-02T09:00", end: "2026-03-02T14:00", timeZone: "UTC" } });
    await pause(context, { scope: { integrations: ["into-crm"] }, until: null, reason: "data is wrong" });
    await database.sql`select ensure_run_partitions(app_now(), app_now())`;
    await database.sql`
      insert into run (id, due_at, last_due_at, due_count, job_id, integration_id, bucket, trigger, state, ready_at)
      select new_run_id(app_now()), app_now(), app_now(), case j.key when 'fast' then 37 else 2 end, j.id, i.id, i.bucket, 'schedule', 'held', app_now()
      from job as j join integration as i on i.id = j.integration_id where j.key in ('fast', 'hourly', 'lost')`;
    const waiting = await previewResume(database.db, { key: "patch" });
    expect(waiting.map((one) => [one.job, one.dueTimes, one.runsAfter, one.skipped, one.keptByOthers])).toEqual([
      ["fast", 37, 1, 0, 0],
      ["hourly", 0, 0, 0, 2],
      ["lost", 2, 0, 2, 0],
    ]);
    expect((await previewResume(database.db, { key: "patch", catchUp: "skip" }))[0]).toMatchObject({ runsAfter: 0, skipped: 37 });
    await expect(previewResume(database.db, { key: "nothing" })).rejects.toMatchObject({ code: "QSC_OCCURRENCE_NOT_FOUND" });
  });
});
