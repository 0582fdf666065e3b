import { randomBytes } from "node:crypto";
import { packagedZoneData, type WindowInput } from "@quiesce/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ControlledTime, controlTime } from "../../../../test/database/control-time.js";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { applyWorkspace, type CatalogContext } from "../catalog/commands.js";
import { masterKeyOf } from "../credentials/master-key.js";
import { type Database, openDatabase } from "../db/client.js";
import { claimRuns, peekDue } from "../runs/claim.js";
import { materialiseRuns } from "../runs/materialise.js";
import { registerWorker } from "../runs/worker-lease.js";
import { createWindow, updateWindow } from "./commands.js";
import { expandWindows } from "./expand.js";
import { previewWindow } from "./preview.js";

const start = Date.parse("2026-03-02T10:00:00Z");
const minute = 60_000;

let fresh: FreshDatabase;
let database: Database;
let time: ControlledTime;
let context: CatalogContext;

const systems = [{ key: "erp" }, { key: "billing", dependsOn: [{ system: "erp" }] }, { key: "shop" }];
const endpoints = systems.map(({ key }) => ({ key: `${key}-api`, system: key, connector: "http" }));
const integrations = [
  { key: "into-erp", source: "shop-api", target: "erp-api" },
  { key: "out-of-erp", source: "erp-api", target: "shop-api" },
  { key: "inside-erp", source: "erp-api", target: "erp-api" },
  { key: "into-billing", source: "shop-api", target: "billing-api" },
  { key: "outside-work", via: ["erp"] },
];
const jobs = integrations.map(({ key }) => ({ key: `${key}-sync`, integration: key, schedule: { every: "60s" } }));
const workspace = { quiesce: 1, systems, endpoints, integrations, jobs };
const close: WindowInput = {
  key: "close",
  title: "Quarter close",
  kind: "freeze",
  series: { start: "2026-03-02T10:00", end: "2026-03-02T12:00", timeZone: "UTC" },
  scope: { systems: ["erp"] },
  owner: "finance",
  reason: "close",
};

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 4, applicationName: "kinds-test" });
  time = await controlTime(database.sql);
  await time.set(start);
  context = {
    database,
    zones: packagedZoneData(),
    keys: { current: masterKeyOf(randomBytes(32)), previous: [] },
    actor: { kind: "token", name: "tester", role: "admin" },
  };
  await expandWindows(context);
  await applyWorkspace(context, workspace);
});

afterEach(async () => {
  await database.close();
  await fresh.drop();
});

const members = async () =>
  (
    await database.sql<{ key: string; path: string }[]>`
    select i.key, m.path from hold_member as m join integration as i on i.id = m.integration_id where m.released_at is null order by i.key`
  ).map(({ key, path }) => `${key} (${path})`);

describe("a freeze", () => {
  it("covers what writes to the system or to a hard dependent of it, and nothing that only reads", async () => {
    const preview = await previewWindow(database.db, context.zones, close);
    await createWindow(context, close);
    const covering = [
      "inside-erp (system: writes to erp)",
      "into-billing (dependency: writes to billing > erp)",
      "into-erp (system: writes to erp)",
    ];
    expect(await members()).toEqual(covering);
    expect(preview.covered.map((one) => `${one.integration} (${one.path})`).toSorted()).toEqual(covering);
  });

  it("holds the writers at the claim while the readers run", async () => {
    await createWindow(context, close);
    await time.set(start + minute);
    await materialiseRuns(context);
    const worker = await registerWorker(database, { name: "test", leaseMs: 3_600_000 });
    const { runs } = await peekDue(database.sql, { withinMs: 0, limit: 50, after: null });
    const { claimed } = await claimRuns(database.sql, { workerId: worker, runs, limit: 50 });
    expect(claimed.map((run) => run.integrationKey).toSorted()).toEqual(["out-of-erp", "outside-work"]);
  });

  it("follows the catalogue: a reader that begins to write is held from then on", async () => {
    await createWindow(context, close);
    await applyWorkspace(context, { quiesce: 1, integrations: [{ key: "out-of-erp", source: "shop-api", target: "billing-api" }] });
    expect(await members()).toContain("out-of-erp (dependency: writes to billing > erp)");
  });

  it("that becomes maintenance covers everything that ahead of it touches the system, and what has begun keeps its cover", async () => {
    await createWindow(context, { ...close, series: { ...close.series, rrule: "FREQ=DAILY;COUNT=2" } });
    await updateWindow(context, { key: "close", kind: "maintenance" });
    const byDay = await database.sql<{ coverage: string; members: number }[]>`
      select h.coverage, count(*)::int as members from hold as h join hold_member as m on m.hold_id = h.id group by h.id, h.coverage order by h.begins_at`;
    expect([...byDay]).toEqual([
      { coverage: "writes", members: 3 },
      { coverage: "everything", members: 5 },
    ]);
  });
});
