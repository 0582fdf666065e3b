import { covered, defaultDrainPolicy, HoldIndex, type HoldSpans, occurrences, packagedZoneData, type WindowInput } from "@quiesce/core";
import { sql } from "drizzle-orm";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ControlledTime, controlTime } from "../../../../test/database/control-time.js";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import type { CommandContext } from "../command.js";
import { type Database, openDatabase } from "../db/client.js";
import { holdsNow } from "../runs/active-holds.js";
import { advanceWindows } from "./advance.js";
import { createWindow } from "./commands.js";
import { expandWindows } from "./expand.js";
import { loadCatalogFacts } from "./store.js";

// The week in which the clocks go forward in Madrid and in New York's second week of it.
const start = Date.parse("2026-03-26T00:00:00Z");
const day = 86_400_000;
const hour = 3_600_000;

let fresh: FreshDatabase;
let database: Database;
let time: ControlledTime;
let context: CommandContext;

beforeAll(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 2, applicationName: "hold-index-test" });
  time = await controlTime(database.sql);
  await time.set(start);
  context = { database, zones: packagedZoneData(), actor: { kind: "token", name: "tester", role: "admin" } };
  await seedCatalogue(database.sql, {
    systems: [
      { key: "erp" },
      { key: "shop", dependsOn: [{ system: "erp", strength: "hard" }] },
      { key: "crm", dependsOn: [{ system: "erp", strength: "soft" }] },
    ],
    integrations: Array.from({ length: 12 }, (_, n) => ({
      key: `i${n}`,
      systems: [["erp", "shop", "crm"][n % 3] ?? "erp"],
      tags: n % 2 === 0 ? ["even"] : ["odd"],
    })),
    jobs: [],
  });
});

afterAll(async () => {
  await database.close();
  await fresh.drop();
});

const windowArbitrary: fc.Arbitrary<WindowInput> = fc
  .record({
    dayOfMonth: fc.integer({ min: 26, max: 31 }),
    hour: fc.integer({ min: 0, max: 23 }),
    minutes: fc.integer({ min: 1, max: 600 }),
    timeZone: fc.constantFrom("UTC", "Europe/Madrid", "America/New_York", "Australia/Sydney"),
    rrule: fc.constantFrom(undefined, "FREQ=DAILY", "FREQ=DAILY;INTERVAL=2"),
    scope: fc.constantFrom<WindowInput["scope"]>(
      { all: true },
      { systems: ["erp"] },
      { tags: ["odd"] },
      { integrations: ["i1", "i4"] },
      { systems: ["crm"], tags: ["even"] },
    ),
    leadLimitMinutes: fc.constantFrom(0, 10, 30, 24 * 60),
  })
  .map(({ dayOfMonth, hour: hourOfDay, minutes, timeZone, rrule, scope, leadLimitMinutes }) => ({
    title: "w",
    series: {
      start: `2026-03-${dayOfMonth}T${String(hourOfDay).padStart(2, "0")}:00`,
      duration: `PT${minutes}M`,
      timeZone,
      ...(rrule === undefined ? {} : { rrule }),
    },
    scope,
    drain: { leadLimitMinutes },
    owner: "o",
    reason: "r",
  }));

const never = (): never => {
  throw new Error("There is no window.");
};

describe("the compiled index and the claim's predicate", () => {
  it("give the same verdict for every integration at every instant", { timeout: 300_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(windowArbitrary, { minLength: 1, maxLength: 5 }),
        fc.array(fc.integer({ min: 0, max: 6 * day }), { minLength: 3, maxLength: 6 }),
        // Up to an hour on either side of the windows' lead limits, and lengths that meet the edges to the millisecond.
        fc.array(fc.oneof(fc.integer({ min: 0, max: 3 * hour }), fc.constantFrom(1, hour / 2, hour / 2 + 1, 2 * hour)), {
          minLength: 2,
          maxLength: 3,
        }),
        async (inputs, offsets, leads) => {
          await database.db.execute(sql`truncate maintenance_window, occurrence, hold, hold_member cascade`);
          await database.db.execute(sql`update control set expanded_until = '-infinity'`);
          await time.set(start);
          await expandWindows(context);
          for (const [n, input] of inputs.entries()) await createWindow(context, { ...input, key: `w${n}` });
          const facts = await loadCatalogFacts(database.db);
          const index = HoldIndex.compile({
            integrations: facts.integrations.map((one) => ({
              key: one.key,
              windowIds: inputs.flatMap((input, n) =>
                covered(facts, input.scope).some((found) => found.integrationId === one.id) ? [n] : [],
              ),
            })),
            windows: inputs.map((input, n): HoldSpans => {
              const found = occurrences(input.series, { from: start - day, to: start + 8 * day }, context.zones);
              return {
                id: n,
                starts: Float64Array.from(found.map((one) => one.start)),
                ends: Float64Array.from(found.map((one) => one.end)),
                leadLimitMs: (input.drain?.leadLimitMinutes ?? defaultDrainPolicy.leadLimitMinutes) * 60_000,
              };
            }),
            horizon: start + 8 * day,
          });
          // The last instant at which a run would finish in time before the first window, and the millisecond after it.
          const first =
            occurrences(inputs[0]?.series ?? never(), { from: start + 1, to: start + 6 * day }, context.zones)[0]?.start ?? start;
          const edges = leads.flatMap((leadMs) => [first - leadMs, first - leadMs + 1]).filter((at) => at >= start);
          for (const now of [...edges, ...offsets.map((offset) => start + offset)].toSorted((a, b) => a - b)) {
            await time.set(now);
            await advanceWindows(context);
            const held = await database.db.execute<{ key: string }>(sql`
            select i.key from integration as i where exists (select from hold_member as m cross join control as c where m.integration_id = i.id and ${holdsNow})`);
            const bySql = held.map((row) => row.key).toSorted();
            const byIndex = facts.integrations
              .flatMap((one) => (index.isHeld(index.numberOf(one.key) ?? -1, now) ? [one.key] : []))
              .toSorted();
            expect(byIndex).toEqual(bySql);
            // What of the integrations that nothing holds would not finish in time, and before which window.
            for (const leadMs of leads) {
              const waiting = await database.db.execute<{ key: string; window: string; until: number }>(sql`
                select i.key, w.key as window, ahead.begins_at as until from control as c cross join integration as i
                cross join lateral (
                  select n.hold_id, n.begins_at from windows_not_finished_before(i.id, null, ${leadMs}::integer, app_now(), c.mode) as n
                  order by n.begins_at, n.hold_id limit 1) as ahead
                join hold as h on h.id = ahead.hold_id join occurrence as o on o.id = h.occurrence_id join maintenance_window as w on w.id = o.window_id
                order by i.key`);
              const expected = facts.integrations
                .map((one) => ({ key: one.key, verdict: index.verdict(index.numberOf(one.key) ?? -1, now, leadMs) }))
                .flatMap(({ key, verdict }) =>
                  verdict.kind === "postpone" ? [{ key, window: `w${verdict.by}`, until: verdict.until }] : [],
                )
                .toSorted((a, b) => (a.key < b.key ? -1 : 1));
              expect(expected).toEqual([...waiting].filter((row) => !bySql.includes(row.key)));
            }
          }
        },
      ),
      { numRuns: 25 },
    );
  });
});
