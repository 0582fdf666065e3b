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
import { advanceWindows } from "./advance.js";
import { approveWindow, rejectWindow } from "./approval-commands.js";
import { createWindow, updateWindow } from "./commands.js";
import { expandWindows } from "./expand.js";
import { previewWindow } from "./preview.js";
import { tellUnapproved } from "./tell-unapproved.js";

const start = Date.parse("2026-03-02T10:00:00Z");
const minute = 60_000;
const hour = 60 * minute;

let fresh: FreshDatabase;
let database: Database;
let time: ControlledTime;
let ana: CatalogContext;
let ben: CatalogContext;

const window: WindowInput = {
  key: "erp",
  title: "ERP",
  series: { start: "2026-03-02T12:00", end: "2026-03-02T14:00", timeZone: "UTC", rrule: "FREQ=DAILY" },
  scope: { systems: ["erp"] },
  owner: "finance",
  reason: "patches",
};
const workspace = {
  quiesce: 1,
  systems: [{ key: "erp", criticality: "critical", ownerTeam: "finance" }, { key: "shop" }],
  endpoints: [{ key: "erp-api", system: "erp", connector: "http" }],
  integrations: [{ key: "orders", target: "erp-api" }],
  jobs: [{ key: "orders-sync", integration: "orders", schedule: { every: "60s" } }],
  approvals: [{ key: "critical-systems", kinds: ["maintenance"], minimumCriticality: "critical", by: ["ana", "ben"] }],
};

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 4, applicationName: "approvals-test" });
  time = await controlTime(database.sql);
  await time.set(start);
  const as = (name: string): CatalogContext => ({
    database,
    zones: packagedZoneData(),
    keys: { current: masterKeyOf(randomBytes(32)), previous: [] },
    actor: { kind: "token", name, role: "admin" },
  });
  ana = as("ana");
  ben = as("ben");
  await expandWindows(ana);
  await applyWorkspace(ana, workspace);
});

afterEach(async () => {
  await database.close();
  await fresh.drop();
});

const holds = async () => (await database.sql<{ n: number }[]>`select count(*)::int as n from hold where released_at is null`)[0]?.n;
const members = async () =>
  (await database.sql<{ n: number }[]>`select count(*)::int as n from hold_member where released_at is null`)[0]?.n;
const eventsOf = async (kind: string) =>
  (await database.sql<{ payload: Record<string, unknown> }[]>`select payload from event_inbox where kind = ${kind} order by id`).map(
    (row) => row.payload,
  );

async function claimed(): Promise<number> {
  await materialiseRuns(ana);
  const worker = await registerWorker(database, { name: "test", leaseMs: hour });
  const { runs } = await peekDue(database.sql, { withinMs: 0, limit: 50, after: null });
  return (await claimRuns(database.sql, { workerId: worker, runs, limit: 50 })).claimed.length;
}

describe("a window that a policy wants approved", () => {
  it("holds nothing until it is approved, and from then on everything that it covers", async () => {
    await createWindow(ana, window);
    expect(await holds()).toBe(0);
    expect(await eventsOf("window.approval-requested")).toEqual([
      expect.objectContaining({ requestedBy: "ana", needed: [{ policy: "critical-systems", by: ["ana", "ben"] }] }),
    ]);
    await approveWindow(ben, { key: "erp", comment: "go" });
    expect(await holds()).toBe(7);
    expect(await members()).toBe(7);
    expect(await eventsOf("window.approved")).toEqual([expect.objectContaining({ by: "ben", state: "approved", open: [], comment: "go" })]);
    const [audit] = await database.sql<{ actor: string; reason: string; after: unknown }[]>`
      select actor, reason, after from audit_entry where action = 'window.approve'`;
    expect(audit).toMatchObject({ actor: "token:ben", reason: "go", after: { state: "approved" } });
  });

  it("lets runs start while it is open and not approved, and holds the next ones at once when it is", async () => {
    await createWindow(ana, window);
    await time.set(start + 2 * hour);
    await advanceWindows(ana);
    expect(await claimed()).toBe(1);
    await database.sql`update run set state = 'succeeded', finished_at = app_now() where state = 'running'`;
    await database.sql`update job set running_run_id = null`;
    await approveWindow(ben, { key: "erp" });
    await time.advance(minute);
    expect(await claimed()).toBe(0);
    expect(await eventsOf("window.opened")).toHaveLength(0);
    await advanceWindows(ana);
    expect(await eventsOf("window.opened")).toHaveLength(1);
  });

  it("cannot be approved by who asked for it, nor twice, nor when none is needed", async () => {
    await createWindow(ana, window);
    await expect(approveWindow(ana, { key: "erp" })).rejects.toMatchObject({ code: "QSC_WINDOW_OWN_APPROVAL" });
    await approveWindow(ben, { key: "erp" });
    await expect(approveWindow(ben, { key: "erp" })).rejects.toMatchObject({ code: "QSC_WINDOW_NOT_PENDING" });
    await createWindow(ana, { ...window, key: "shop", scope: { systems: ["shop"] } });
    await expect(approveWindow(ben, { key: "shop" })).rejects.toMatchObject({ code: "QSC_WINDOW_NOT_PENDING" });
  });

  it("wants approval again after a wider edit, keeps it after a narrower one, and what has begun stays held", async () => {
    await createWindow(ana, window);
    await approveWindow(ben, { key: "erp" });
    await time.set(start + 3 * hour);
    await advanceWindows(ana);
    await updateWindow(ana, { key: "erp", title: "ERP patches", series: { ...window.series, end: "2026-03-02T13:30" } });
    expect(await holds()).toBe(8);
    await updateWindow(ana, { key: "erp", series: { ...window.series, end: "2026-03-02T15:00" } });
    const open = await database.sql<{ beginsAt: number }[]>`select begins_at as "beginsAt" from hold where released_at is null`;
    expect(open.map((row) => row.beginsAt)).toEqual([start + 2 * hour]);
    expect(await claimed()).toBe(0);
    await expect(approveWindow(ana, { key: "erp" })).rejects.toMatchObject({ code: "QSC_WINDOW_OWN_APPROVAL" });
    await approveWindow(ben, { key: "erp" });
    expect(await holds()).toBe(8);
  });

  it("that is refused holds nothing, and asks again when it is changed", async () => {
    await createWindow(ana, window);
    await rejectWindow(ben, { key: "erp", comment: "not in the close" });
    expect(await holds()).toBe(0);
    expect(await eventsOf("window.rejected")).toEqual([expect.objectContaining({ by: "ben", comment: "not in the close" })]);
    await updateWindow(ana, { key: "erp", reason: "really needed" });
    await approveWindow(ben, { key: "erp" });
    expect(await holds()).toBe(7);
  });

  it("applied in a workspace is pending too, and applying it again changes nothing", async () => {
    const { series, ...rest } = window;
    const document = { ...workspace, windows: [{ ...rest, ...series }] };
    await applyWorkspace(ana, document);
    expect(await holds()).toBe(0);
    expect(await applyWorkspace(ana, document, { prune: true })).toEqual([]);
    await approveWindow(ben, { key: "erp" });
    expect(await applyWorkspace(ana, document, { prune: true })).toEqual([]);
    expect(await holds()).toBe(7);
  });
});

describe("telling that a window is not approved", () => {
  it("happens a day before its start, an hour before and at it, once each, whoever tells", async () => {
    await createWindow(ana, { ...window, series: { start: "2026-03-04T12:00", end: "2026-03-04T14:00", timeZone: "UTC" } });
    const startsAt = Date.parse("2026-03-04T12:00:00Z");
    const told = async () => (await eventsOf("window.unapproved")).map((payload) => payload["when"]);
    const turn = async (at: number) => {
      await time.set(at);
      await Promise.all([tellUnapproved(ana), tellUnapproved(ben)]);
      return told();
    };
    expect(await turn(startsAt - 24 * hour - 1)).toEqual([]);
    expect(await turn(startsAt - 24 * hour)).toEqual(["a-day-before"]);
    expect(await turn(startsAt - hour - 1)).toEqual(["a-day-before"]);
    expect(await turn(startsAt - hour)).toEqual(["a-day-before", "an-hour-before"]);
    expect(await turn(startsAt)).toEqual(["a-day-before", "an-hour-before", "at-its-start"]);
    expect(await turn(startsAt + hour)).toHaveLength(3);
    await turn(startsAt + 2 * hour);
    const [row] = await database.sql<{ closed: boolean }[]>`select closed_at is not null as closed from occurrence`;
    expect(row?.closed).toBe(true);
  });

  it("says only the latest when nobody was there, and nothing of what is approved", async () => {
    await createWindow(ana, { ...window, series: { start: "2026-03-04T12:00", end: "2026-03-04T14:00", timeZone: "UTC" } });
    await createWindow(ana, { ...window, key: "shop", scope: { systems: ["shop"] } });
    await time.set(Date.parse("2026-03-04T11:30:00Z"));
    await tellUnapproved(ana);
    expect(await eventsOf("window.unapproved")).toEqual([
      {
        title: "ERP",
        owner: "finance",
        localStart: "2026-03-04T12:00",
        startsAt: "2026-03-04T12:00:00.000Z",
        when: "an-hour-before",
        state: "pending",
      },
    ]);
    await approveWindow(ben, { key: "erp" });
    await time.set(Date.parse("2026-03-04T12:00:00Z"));
    await tellUnapproved(ana);
    expect(await eventsOf("window.unapproved")).toHaveLength(1);
  });
});

it("a preview says which approval it would need, and that nobody knows its owner", async () => {
  const preview = await previewWindow(database.db, ana.zones, { ...window, owner: "fnance" });
  expect(preview.approvals).toEqual([{ policy: "critical-systems", by: ["ana", "ben"] }]);
  expect(preview.unknownOwner).toEqual({ owner: "fnance", known: ["finance"] });
  expect((await previewWindow(database.db, ana.zones, { ...window, kind: "freeze" })).approvals).toEqual([]);
  expect((await previewWindow(database.db, ana.zones, window)).unknownOwner).toBeNull();
});
