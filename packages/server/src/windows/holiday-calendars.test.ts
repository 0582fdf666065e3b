import { randomBytes } from "node:crypto";
import { packagedZoneData } from "@quiesce/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import { controlTime } from "../../../../test/database/control-time.js";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { applyWorkspace, type CatalogContext } from "../catalog/commands.js";
import { masterKeyOf } from "../credentials/master-key.js";
import { type Database, openDatabase } from "../db/client.js";
import { cancelWindow, createWindow } from "./commands.js";
import { expandWindows } from "./expand.js";
import { previewWindow } from "./preview.js";

let fresh: FreshDatabase;
let database: Database;
let context: CatalogContext;

const close = {
  key: "close",
  title: "Month close",
  kind: "freeze",
  start: "2026-03-15T18:00",
  end: "2026-03-15T23:00",
  timeZone: "Europe/Madrid",
  calendar: "es",
  businessDays: { of: "month", ordinals: [-2, -1] },
  scope: { all: true },
  owner: "finance",
  reason: "close",
};
const calendar = (dates: readonly string[]) => ({ key: "es", title: "Spain", dates });
const workspace = { quiesce: 1, holidayCalendars: [calendar(["2026-04-03", "2026-05-01"])], windows: [close] };

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 4, applicationName: "calendars-test" });
  await (await controlTime(database.sql)).set(Date.parse("2026-03-27T10:00:00Z"));
  const keys = { current: masterKeyOf(randomBytes(32)), previous: [] };
  context = { database, zones: packagedZoneData(), keys, actor: { kind: "token", name: "tester", role: "admin" } };
  await expandWindows(context);
  await applyWorkspace(context, workspace);
});

afterEach(async () => {
  await database.close();
  await fresh.drop();
});

const starts = async () =>
  (await database.sql<{ start: string }[]>`select local_start as start from occurrence where cancelled_at is null order by starts_at`).map(
    (row) => row.start.slice(5, 10),
  );

it("a calendar that changes moves what lies ahead of the windows that count by it, and overrides keep their occurrence", async () => {
  expect(await starts()).toEqual(["03-30", "03-31", "04-29", "04-30", "05-28", "05-29", "06-29", "06-30"]);
  await cancelWindow(context, { key: "close", localStart: "2026-04-29T18:00", reason: "not this month" });
  const holdsBefore =
    await database.sql`select h.id from hold as h join occurrence as o on o.id = h.occurrence_id where o.local_start < '2026-04'`;
  expect(holdsBefore).toHaveLength(2);
  await applyWorkspace(context, { quiesce: 1, holidayCalendars: [calendar(["2026-03-31", "2026-04-30"])] });
  expect(await starts()).toEqual(["03-27", "03-30", "04-28", "05-28", "05-29", "06-29", "06-30"]);
  const held = await database.sql<{ start: string }[]>`
    select o.local_start as start from hold as h join occurrence as o on o.id = h.occurrence_id order by 1`;
  expect(held.map((row) => row.start)).toEqual(["2026-03-27T18:00", "2026-03-30T18:00"]);
  expect(await database.sql`select from event_inbox where kind = 'window.recounted'`).toHaveLength(1);
});

it("a calendar in use cannot be removed, an unknown one cannot be used, and one that would leave a window without days is refused", async () => {
  await expect(applyWorkspace(context, { quiesce: 1, windows: [close] }, { prune: true })).rejects.toMatchObject({
    details: { problems: [expect.stringContaining('windows[0].calendar: Found "es", but there is no holiday-calendar')] },
  });
  const { series: _series, ...input } = { ...close, series: null };
  const { start, end, timeZone, businessDays, key, title, scope, owner, reason } = input;
  const series = { start, end, timeZone, calendar: "eo", businessDays: { of: "month" as const, ordinals: businessDays.ordinals } };
  const plan = { key: `${key}-2`, title, scope, owner, reason, series };
  await expect(createWindow(context, plan)).rejects.toMatchObject({ code: "QSC_WINDOW_CALENDAR_UNKNOWN", field: "calendar" });
  expect((await previewWindow(database.db, context.zones, plan)).refusals).toEqual([
    expect.objectContaining({ code: "QSC_WINDOW_CALENDAR_UNKNOWN", message: expect.stringContaining("Known: es") }),
  ]);
  const preview = await previewWindow(database.db, context.zones, { ...plan, series: { ...series, calendar: "es" } });
  expect(preview.occurrences.slice(0, 3).map((one) => one.localStart)).toEqual([
    "2026-03-30T18:00",
    "2026-03-31T18:00",
    "2026-04-29T18:00",
  ]);
});

it("what was applied gives an empty difference, exported or applied again", async () => {
  expect(await applyWorkspace(context, workspace, { prune: true })).toEqual([]);
});
