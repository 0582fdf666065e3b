import { packagedZoneData } from "@quiesce/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { controlTime } from "../../../../test/database/control-time.js";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import { type CommandContext, systemActor } from "../command.js";
import { type Database, openDatabase } from "../db/client.js";
import { createWindow } from "../windows/commands.js";
import { expandWindows } from "../windows/expand.js";
import { buildFeed } from "./build-feed.js";

const start = Date.parse("2026-11-20T12:00:00Z");
let fresh: FreshDatabase;
let database: Database;
let context: CommandContext;

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 4, applicationName: "build-feed-test" });
  await (await controlTime(database.sql)).set(start);
  context = { database, zones: packagedZoneData(), actor: systemActor };
  await expandWindows(context);
  await seedCatalogue(database.sql, {
    systems: [{ key: "erp" }, { key: "payroll" }],
    integrations: [
      { key: "orders", systems: ["erp"] },
      { key: "secret-salaries", systems: ["payroll"] },
    ],
    jobs: [],
  });
});
afterEach(async () => {
  await database.close();
  await fresh.drop();
});

const plan = (key: string, systems: readonly string[], series: object) =>
  createWindow(context, {
    key,
    title: `Title of ${key}`,
    series: { timeZone: "Europe/Madrid", duration: "PT1H", ...series } as Parameters<typeof createWindow>[1]["series"],
    scope: { systems: [...systems] },
    owner: "somebody",
    reason: "because",
  });
const unfolded = async (scope: Parameters<typeof buildFeed>[1]["scope"]) =>
  (await buildFeed(context, { title: "Feed", scope })).replaceAll("\r\n ", "");

describe("a feed", () => {
  it("shows what is planned after years of windows that happened once", async () => {
    await plan("every-sunday", ["erp"], { start: "2016-01-03T02:00", rrule: "FREQ=WEEKLY;BYDAY=SU" });
    await database.sql`
      insert into maintenance_window (key, title, series, scope, drain, resume, owner, reason, expanded_until, created_by)
      select 'once-' || n, 'Once', jsonb_build_object('start', '2020-01-01T02:00', 'duration', 'PT1H', 'timeZone', 'Europe/Madrid'), w.scope, w.drain, w.resume, 'o', 'r',
        app_now() + interval '100 days', 'o'
      from generate_series(1, 5001) as n cross join (select * from maintenance_window where key = 'every-sunday') as w`;
    await plan("next-week", ["erp"], { start: "2026-11-27T02:00" });
    await plan("next-year", ["erp"], { start: "2027-11-27T02:00" });
    await plan("last-week", ["erp"], { start: "2026-11-20T13:30" });
    await database.sql`update maintenance_window set series = series || '{"start": "2026-11-13T02:00"}' where key = 'last-week'`;
    const text = await unfolded({ kind: "system", name: "erp" });
    expect([...text.matchAll(/^SUMMARY.*:(.*)$/gmu)].map(([, title]) => title?.trim())).toEqual(
      expect.arrayContaining(
        ["every-sunday", "next-week", "next-year", "last-week"].map((key) => expect.stringContaining(`Title of ${key}`) as unknown),
      ),
    );
    expect(text).not.toContain("Once");
  });

  it("names to the readers of a system what belongs to it, and of everything else how much there is", async () => {
    await plan("both", ["erp", "payroll"], { start: "2026-11-27T02:00" });
    const own = await unfolded({ kind: "system", name: "erp" });
    expect(own).toContain("Scope: systems erp and 1 more\\nCovers: orders and 1 more");
    expect(own).not.toMatch(/payroll|salaries/);
    expect(await unfolded({ kind: "all" })).toContain("Scope: systems erp\\, payroll\\nCovers: orders\\, secret-salaries");
  });
});
