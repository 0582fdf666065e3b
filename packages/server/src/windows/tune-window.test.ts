import { packagedZoneData } from "@quiesce/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ControlledTime, controlTime } from "../../../../test/database/control-time.js";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import type { CommandContext } from "../command.js";
import { type Database, openDatabase } from "../db/client.js";
import { advanceWindows } from "./advance.js";
import { createWindow } from "./commands.js";
import { expandWindows } from "./expand.js";
import { endWindowEarly, extendWindow } from "./occurrence-commands.js";
import { tunedWindow } from "./tune-window.js";

const minute = 60_000;
const day = 24 * 60 * minute;
const start = Date.parse("2026-03-02T10:00:00Z");
let fresh: FreshDatabase;
let database: Database;
let time: ControlledTime;
let context: CommandContext;

beforeAll(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 4, applicationName: "tune-test" });
  time = await controlTime(database.sql);
  await time.set(start - minute);
  context = { database, zones: packagedZoneData(), actor: { kind: "token", name: "tester", role: "admin" } };
  await expandWindows(context);
  await seedCatalogue(database.sql, { systems: [{ key: "erp" }], integrations: [{ key: "orders", systems: ["erp"] }], jobs: [] });
  await createWindow(context, {
    key: "patch",
    title: "Monthly patches",
    series: { start: "2026-03-02T11:00", end: "2026-03-02T15:00", timeZone: "Europe/Madrid", rrule: "FREQ=DAILY" },
    scope: { systems: ["erp"] },
    resume: { readiness: { check: false } },
    owner: "ops",
    reason: "patches",
  });
});
afterAll(async () => {
  await database.close();
  await fresh.drop();
});

const tuned = () => tunedWindow(database.db, context.zones, "patch");
const advanceTo = async (at: number): Promise<void> => {
  await time.set(at);
  await expandWindows(context);
  await advanceWindows(context);
};

it("compares the booked end, not the one that an operator gave, with the release, from three occurrences on", async () => {
  for (const [index, used] of [70, 60, 80].entries()) {
    await advanceTo(start + index * day + 10 * minute);
    await time.set(start + index * day + used * minute);
    await endWindowEarly(context, { key: "patch", reason: "done" });
    if (index < 2) expect(await tuned()).toMatchObject({ occurrences: index + 1, tuning: null, change: null });
  }
  expect(await tuned()).toMatchObject({
    occurrences: 3,
    tuning: { bookedMs: 240 * minute, usedMs: 70 * minute, usedP95Ms: 80 * minute, drainMs: 10 * minute, overruns: 0 },
    change: "shorten",
    suggestedMs: 90 * minute,
    advice: ["Book 1 h 30 min instead of 4 h: 95 of 100 took at most 1 h 20 min."],
  });
});

it("counts an extension as an overrun", async () => {
  await advanceTo(start + 3 * day + 10 * minute);
  await extendWindow(context, { key: "patch", until: start + 3 * day + 300 * minute, reason: "longer" });
  await advanceTo(start + 3 * day + 300 * minute);
  expect(await tuned()).toMatchObject({ occurrences: 4, tuning: { overruns: 1, longestOverrunMs: 60 * minute }, change: "lengthen" });
});

it("knows no window by another key", async () => {
  await expect(tunedWindow(database.db, context.zones, "nothing")).rejects.toMatchObject({ code: "QSC_WINDOW_NOT_FOUND" });
});
