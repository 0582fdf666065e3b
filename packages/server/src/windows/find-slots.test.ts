import { packagedZoneData } from "@quiesce/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { controlTime } from "../../../../test/database/control-time.js";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import type { CommandContext } from "../command.js";
import { type Database, openDatabase } from "../db/client.js";
import { createWindow } from "./commands.js";
import { expandWindows } from "./expand.js";
import { findSlots } from "./find-slots.js";

const start = Date.parse("2026-03-02T10:10:00Z");
let fresh: FreshDatabase;
let database: Database;
let context: CommandContext;

const cron = (expression: string) => ({ kind: "cron" as const, expression, timeZone: "UTC" });

beforeAll(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 4, applicationName: "slots-test" });
  await (await controlTime(database.sql)).set(start);
  context = { database, zones: packagedZoneData(), actor: { kind: "token", name: "tester", role: "admin" } };
  await expandWindows(context);
  await seedCatalogue(database.sql, {
    systems: [{ key: "erp" }, { key: "crm", dependsOn: [{ system: "erp", strength: "hard" }] }, { key: "mail" }],
    integrations: [
      { key: "orders", systems: ["erp"] },
      { key: "leads", systems: ["crm"] },
      { key: "post", systems: ["mail"] },
    ],
    jobs: [
      // Every five minutes, but not between 03:00 and 05:00; once an hour at night.
      { key: "fast", integration: "orders", schedule: cron("*/5 0-2,5-23 * * *") },
      { key: "night", integration: "leads", schedule: cron("30 4 * * *") },
      { key: "mails", integration: "post", schedule: cron("15 3 * * *") },
    ],
  });
});
afterAll(async () => {
  await database.close();
  await fresh.drop();
});

const base = { scope: { systems: ["erp"] }, durationMinutes: 60, timeZone: "UTC", withinDays: 30, stepMinutes: 30, limit: 5 };
const find = (over: Partial<typeof base> & { readonly between?: string; readonly days?: readonly string[] } = {}) =>
  findSlots(database.db, context.zones, { ...base, ...over });

describe("the window finder", () => {
  it("finds the hour in which nothing is planned, also on what depends on the system", async () => {
    const { slots, candidates, jobs } = await find();
    expect(slots.map((one) => one.localStart)).toEqual(["03", "04", "05", "06", "07"].map((day) => `2026-03-${day}T03:00`));
    expect(slots[0]).toMatchObject({ runs: 0, score: 0, localEnd: "2026-03-03T04:00" });
    expect(slots[0]?.reasons[0]).toContain("0 planned runs");
    expect({ jobs, candidates }).toEqual({ jobs: 2, candidates: 30 * 48 - 1 });
  });

  it("keeps to hours and days", async () => {
    const { slots } = await find({ between: "22:00-02:00", days: ["SA"], limit: 50 });
    expect(new Set(slots.map((one) => one.localStart.slice(0, 10)))).toEqual(
      new Set(["2026-03-07", "2026-03-14", "2026-03-21", "2026-03-28"]),
    );
    for (const one of slots) expect(one.localStart).toMatch(/T(?:22|23|00|01):/);
  });

  it("leaves out freezes and windows on what it reaches, and no others", async () => {
    const daily = (key: string, scope: object, kind: "freeze" | "maintenance", from: string, to: string) =>
      createWindow(context, {
        key,
        title: key,
        kind,
        series: { start: `2026-03-03T${from}`, end: `2026-03-03T${to}`, timeZone: "UTC", rrule: "FREQ=DAILY" },
        scope,
        owner: "ops",
        reason: "test",
      });
    await daily("mail-work", { systems: ["mail"] }, "maintenance", "03:00", "04:00");
    expect((await find()).slots[0]?.localStart).toBe("2026-03-03T03:00");
    await daily("close", { systems: ["crm"] }, "freeze", "02:30", "03:30");
    const found = await find({ limit: 50 });
    expect(found.taken).toBeGreaterThan(80);
    for (const one of found.slots) expect(one.localStart.slice(11) >= "03:30" || one.localEnd.slice(11) <= "02:30").toBe(true);
    expect(found.slots[0]).toMatchObject({ localStart: "2026-03-03T03:30", runs: 0 });
  });

  it("weighs what is critical", async () => {
    const before = (await find({ between: "04:00-05:00" })).slots[0]?.score ?? 0;
    await database.sql`update integration set criticality = 'critical' where key = 'leads'`;
    expect((await find({ between: "04:00-05:00" })).slots[0]?.score).toBe(before * 4);
  });

  it("refuses a search that makes no sense, with the field", async () => {
    await expect(find({ durationMinutes: 7 })).rejects.toMatchObject({ code: "QSC_WINDOW_SLOT_SEARCH", field: "durationMinutes" });
    await expect(find({ between: "late" })).rejects.toMatchObject({ field: "between" });
    await expect(find({ days: ["XX"] })).rejects.toMatchObject({ field: "days" });
    await expect(find({ withinDays: 1_000 })).rejects.toMatchObject({ field: "withinDays" });
  });

  it("looks through thirty days of a thousand jobs in about a second", async () => {
    await database.sql`
      insert into job (key, name, integration_id, schedule)
      select 'many-' || n, 'many', (select id from integration where key = 'orders'),
        jsonb_build_object('kind', 'cron', 'expression', (n % 60) || ',' || ((n + 20) % 60) || ' ' || (n % 24) || '-23 * * *', 'timeZone', 'Europe/Madrid')
      from generate_series(1, 998) as n`;
    const begun = performance.now();
    const { jobs } = await find({ timeZone: "Europe/Madrid" });
    const tookMs = performance.now() - begun;
    expect(jobs).toBe(1_000);
    // The figure is one second on a quiet machine; this one is shared.
    expect(tookMs).toBeLessThan(45_000);
  });
});
