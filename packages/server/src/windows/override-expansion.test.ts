import { packagedZoneData } from "@quiesce/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ControlledTime, controlTime } from "../../../../test/database/control-time.js";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import type { CommandContext } from "../command.js";
import { type Database, openDatabase } from "../db/client.js";
import { claimRuns, peekDue } from "../runs/claim.js";
import { askGate } from "../runs/gate.js";
import { materialiseRuns } from "../runs/materialise.js";
import { registerWorker } from "../runs/worker-lease.js";
import { expandWindows } from "./expand.js";
import { pause } from "./hold-commands.js";
import { overrideExpansion } from "./override-expansion.js";

const start = Date.parse("2026-03-02T10:00:00Z");
const minute = 60_000;
const end = start + 11 * minute;

let fresh: FreshDatabase;
let database: Database;
let time: ControlledTime;
let context: CommandContext;

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 4, applicationName: "override-test" });
  time = await controlTime(database.sql);
  await time.set(start);
  context = { database, zones: packagedZoneData(), actor: { kind: "token", name: "tester", role: "admin" } };
  await expandWindows(context);
  await seedCatalogue(database.sql, {
    systems: [{ key: "erp" }],
    integrations: [
      { key: "orders", systems: ["erp"] },
      { key: "paused", systems: ["erp"] },
      { key: "later", systems: ["erp"] },
    ],
    jobs: ["orders", "paused", "later"].map((integration) => ({
      key: `${integration}-sync`,
      integration,
      schedule: { kind: "interval", everySeconds: 60, startsAt: integration === "later" ? end : start },
    })),
  });
  await pause(context, { scope: { integrations: ["paused"] }, until: null, reason: "broken" });
  await time.advance(minute);
  await materialiseRuns(context);
  await database.sql`update control set expanded_until = app_now()`;
});

afterEach(async () => {
  await database.close();
  await fresh.drop();
});

const claim = async () => {
  const worker = await registerWorker(database, { name: "test", leaseMs: 3_600_000 });
  const { runs } = await peekDue(database.sql, { withinMs: 0, limit: 10, after: null });
  return claimRuns(database.sql, { workerId: worker, runs, limit: 10 });
};
const override = (until: number, reason = "the windows are known to be none") => overrideExpansion(context, { until, reason });

describe("an operator's order to dispatch although windows are not computed", () => {
  it("starts runs until its time and not a moment longer, and holds that are written still hold", async () => {
    expect((await claim()).stale).toBe(true);
    await override(end);
    expect((await askGate(database.db, "orders")).kind).toBe("open");
    const { claimed, stale } = await claim();
    expect(stale).toBe(false);
    expect(claimed.map(({ integrationKey }) => integrationKey)).toEqual(["orders"]);
    await time.set(end);
    await materialiseRuns(context);
    expect((await claim()).stale).toBe(true);
    expect((await askGate(database.db, "orders")).kind).toBe("held");
  });

  it("leaves who, why and until when in the audit trail and in the events", async () => {
    await override(start + 5 * minute, "first");
    await override(start + 3 * minute, "shorter");
    const until = ["2026-03-02T10:05:00.000Z", "2026-03-02T10:03:00.000Z"];
    expect([
      ...(await database.sql`select actor, reason, before, after from audit_entry where action = 'control.override-expansion' order by id`),
    ]).toEqual([
      { actor: "token:tester", reason: "first", before: { until: null }, after: { until: until[0] } },
      { actor: "token:tester", reason: "shorter", before: { until: until[0] }, after: { until: until[1] } },
    ]);
    expect([...(await database.sql`select payload from event_inbox where kind = 'control.expansion-overridden' order by id`)]).toEqual([
      { payload: { until: until[0], reason: "first" } },
      { payload: { until: until[1], reason: "shorter" } },
    ]);
  });

  it("needs a reason, and a time in the next 24 hours", async () => {
    const now = start + minute;
    for (const until of [now, now - 1, now + 24 * 60 * minute + 1])
      await expect(override(until)).rejects.toMatchObject({ code: "QSC_CONTROL_OVERRIDE_UNTIL" });
    await expect(override(now + minute, " ")).rejects.toMatchObject({ code: "QSC_CONTROL_OVERRIDE_REASON" });
    expect((await claim()).stale).toBe(true);
    await override(now + 24 * 60 * minute);
  });

  it("waits for the claims that are under way, and they for it", async () => {
    await database.sql.begin(async (tx) => {
      await tx`select pg_advisory_xact_lock_shared(lock_class_dispatch_all(), 0)`;
      const ordered = override(start + 5 * minute);
      const first = await Promise.race([ordered.then(() => "ordered"), new Promise((resolve) => setTimeout(() => resolve("waits"), 300))]);
      expect(first).toBe("waits");
      void ordered.catch(() => undefined);
    });
    await expect.poll(async () => (await askGate(database.db, "orders")).kind).toBe("open");
  });
});
