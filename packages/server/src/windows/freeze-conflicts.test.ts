import { randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { packagedZoneData, type WindowInput, zoneFromTransitions } from "@quiesce/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ControlledTime, controlTime } from "../../../../test/database/control-time.js";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import { silentLog } from "../../../../test/database/silent-log.js";
import { importCalendar, syncCalendarImport } from "../calendars/import-commands.js";
import type { ImportInput } from "../calendars/import-input.js";
import { applyWorkspace, type CatalogContext } from "../catalog/commands.js";
import { masterKeyOf } from "../credentials/master-key.js";
import { type Database, openDatabase } from "../db/client.js";
import { explainJob } from "../runs/explain.js";
import { packagedZoneDataFiles } from "../zone-data/load-zone-data.js";
import { writeTzif } from "../zone-data/write-tzif.js";
import { ensureZoneData } from "../zone-data/zone-data-in-force.js";
import { advanceWindows } from "./advance.js";
import { approveWindow } from "./approval-commands.js";
import { cancelWindow, createWindow, updateWindow } from "./commands.js";
import { expandWindows } from "./expand.js";
import { overrideFreeze } from "./freeze-conflicts.js";
import { openFreezeConflicts } from "./freeze-store.js";
import { moveOccurrence } from "./move-occurrence.js";
import { extendWindow } from "./occurrence-commands.js";
import type { FallsIntoFreeze } from "./refuse-in-freeze.js";
import { splitWindow } from "./split-window.js";

const at = (text: string): number => Date.parse(text);
const inFreeze = { code: "QSC_WINDOW_IN_FREEZE" };

let fresh: FreshDatabase;
let database: Database;
let time: ControlledTime;
let admin: CatalogContext;
const as = (role: string): CatalogContext => ({
  ...admin,
  actor: { kind: "token", name: role, role, overridesFreezes: role !== "operator" },
});

const freeze = (from: string, to: string, more: Partial<WindowInput> = {}): WindowInput => ({
  key: "close",
  title: "Books close",
  kind: "freeze",
  series: { start: from, end: to, timeZone: "UTC" },
  scope: { systems: ["erp"] },
  owner: "finance",
  reason: "the books close",
  ...more,
});
const change = (start: string, end: string, more: Partial<WindowInput> = {}): WindowInput => ({
  key: "upgrade",
  title: "Upgrade",
  kind: "change",
  series: { start, end, timeZone: "UTC" },
  scope: { systems: ["erp"] },
  owner: "ops",
  reason: "version 7",
  ...more,
});

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 4, applicationName: "freeze-conflicts-test", statementTimeoutMs: 20_000 });
  time = await controlTime(database.sql);
  await time.set(at("2026-03-20T12:00:00Z"));
  admin = {
    database,
    zones: packagedZoneData(),
    keys: { current: masterKeyOf(randomBytes(32)), previous: [] },
    actor: { kind: "token", name: "ana", role: "admin", overridesFreezes: true },
  };
  await expandWindows(admin);
  await seedCatalogue(database.sql, {
    systems: [{ key: "erp" }],
    integrations: [{ key: "orders", systems: ["erp"] }],
    jobs: [{ key: "sync", integration: "orders" }],
  });
});

afterEach(async () => {
  await database.close();
  await fresh.drop();
});

const eventsOf = async (kind: string) =>
  (
    await database.sql<{ key: string; payload: Record<string, unknown> }[]>`
    select subject_key as key, payload from event_inbox where kind = ${kind} order by id`
  ).map(({ key, payload }) => ({ key, ...payload }));
const open = async () =>
  (await openFreezeConflicts(database.db)).map(({ window, localStart, freeze: of, cause }) => ({ window, localStart, freeze: of, cause }));
const startsOf = async (key: string) =>
  (
    await database.sql<{ start: string }[]>`
    select o.local_start as start from occurrence as o join maintenance_window as w on w.id = o.window_id where w.key = ${key} order by o.starts_at`
  ).map(({ start }) => start);

describe("a calendar of holidays that is changed", () => {
  const holidays = (dates: readonly string[]) => ({ quiesce: 1, holidayCalendars: [{ key: "es", title: "Spain", dates }] });
  const counted = { ordinals: [-1], of: "month" } as const;
  const monthly = change("2026-03-15T20:00", "2026-03-15T21:00", {
    series: { start: "2026-03-15T20:00", end: "2026-03-15T21:00", timeZone: "UTC", calendar: "es", businessDays: counted },
  });

  beforeEach(async () => {
    await applyWorkspace(admin, holidays([]));
    await createWindow(admin, monthly);
    // The last business day of April is the 30th, until the 30th is a holiday.
    await createWindow(admin, freeze("2026-04-29T00:00", "2026-04-30T00:00"));
  });

  it("does not move a change into a freeze: it is refused, and what it names is what a dry run names", async () => {
    const before = await startsOf("upgrade");
    expect(before.slice(0, 2)).toEqual(["2026-03-31T20:00", "2026-04-30T20:00"]);
    const found: FallsIntoFreeze[] = [];
    const listFreezes = (one: FallsIntoFreeze): void => void found.push(one);
    const steps = await applyWorkspace(admin, holidays(["2026-04-30"]), { dryRun: true, listFreezes });
    expect(steps).toHaveLength(1);
    expect(found).toMatchObject([
      { window: "upgrade", met: [{ planned: { localStart: "2026-04-29T20:00" }, freeze: { freeze: "close" } }] },
    ]);
    expect(await startsOf("upgrade")).toEqual(before);
    await expect(applyWorkspace(admin, holidays(["2026-04-30"]))).rejects.toMatchObject({ ...inFreeze, details: { freezes: ["close"] } });
    expect(await startsOf("upgrade")).toEqual(before);
    await applyWorkspace(admin, holidays(["2026-03-31"]));
    expect(await startsOf("upgrade")).toContain("2026-03-30T20:00");
  });

  it("moves it there by somebody's word, which is asked once", async () => {
    await applyWorkspace(admin, holidays(["2026-04-30"]), { overrideFreeze: "the auditors want it" });
    expect(await startsOf("upgrade")).toContain("2026-04-29T20:00");
    expect(await eventsOf("window.freeze-overridden")).toMatchObject([{ key: "close", change: "upgrade", reason: "the auditors want it" }]);
    expect(await open()).toEqual([]);
    await applyWorkspace(admin, holidays(["2026-04-30", "2026-06-30"]));
    expect(await eventsOf("window.freeze-overridden")).toHaveLength(1);
  });

  it("leaves alone what stood there before the freeze came", async () => {
    await createWindow(admin, freeze("2026-05-29T00:00", "2026-05-30T00:00", { key: "later" }));
    await applyWorkspace(admin, holidays(["2026-06-30"]));
    expect(await startsOf("upgrade")).toContain("2026-05-29T20:00");
  });
});

describe("an approval that comes late", () => {
  beforeEach(async () => {
    await applyWorkspace(admin, { quiesce: 1, approvals: [{ key: "changes", kinds: ["change"], by: ["approver"] }] });
  });
  const plan = change("2026-04-10T20:00", "2026-04-10T21:00");
  const books = freeze("2026-04-10T00:00", "2026-04-11T00:00");

  it("is refused where a freeze came meanwhile, unless a reason overrides it", async () => {
    await createWindow(admin, plan);
    await createWindow(admin, books);
    await expect(approveWindow(as("approver"), { key: "upgrade" })).rejects.toMatchObject({ ...inFreeze, details: { freezes: ["close"] } });
    const [waiting] = await database.sql<
      { state: string }[]
    >`select approval ->> 'state' as state from maintenance_window where key = 'upgrade'`;
    expect(waiting?.state).toBe("pending");
    await approveWindow(as("approver"), { key: "upgrade", overrideFreeze: "security fix" });
    expect(await eventsOf("window.freeze-overridden")).toMatchObject([{ key: "close", by: "approver" }]);
    expect(await open()).toEqual([]);
  });

  it("does not ask again about the freeze that was overridden when the change was planned", async () => {
    await createWindow(admin, books);
    await createWindow(admin, plan, { overrideFreeze: "security fix" });
    await approveWindow(as("approver"), { key: "upgrade" });
    expect(await eventsOf("window.freeze-overridden")).toHaveLength(1);
  });
});

/** Madrid stays at +01:00 for good: what lies after 29 March 2026 comes an hour later. */
function noSummer() {
  const zone = packagedZoneData().zone("Europe/Madrid");
  if (zone === undefined) throw new Error("Europe/Madrid is not packaged.");
  const transitions = [...zone.starts].flatMap((instant, index) =>
    index > 0 && instant < at("2026-03-01T00:00:00Z") ? [{ at: instant, offsetMs: zone.offsets[index] ?? 0 }] : [],
  );
  const changed = zoneFromTransitions({ name: "Europe/Madrid", firstOffsetMs: zone.offsets[0] ?? 0, transitions });
  return { version: "2026z", source: "test", files: new Map([...packagedZoneDataFiles().files, ["Europe/Madrid", writeTzif(changed)]]) };
}

describe("newer data of time zones", () => {
  const zone = "Europe/Madrid";
  beforeEach(async () => {
    admin = { ...admin, zones: await ensureZoneData(database, packagedZoneDataFiles(), silentLog) };
    // 20:00 to 21:00 UTC, an hour later without summer time.
    await createWindow(
      admin,
      change("2026-04-10T22:00", "2026-04-10T23:00", { series: { start: "2026-04-10T22:00", end: "2026-04-10T23:00", timeZone: zone } }),
    );
    await createWindow(admin, freeze("2026-04-10T21:00", "2026-04-11T00:00"));
    expect(await open()).toEqual([]);
    admin = { ...admin, zones: await ensureZoneData(database, noSummer(), silentLog) };
  });
  const one = { window: "upgrade", localStart: "2026-04-10T22:00", freeze: "close", cause: "zone-data" };

  it("leave the change where they moved it, tell both owners, and show it until somebody has decided", async () => {
    expect(await open()).toEqual([one]);
    const told = {
      change: "upgrade",
      freeze: "close",
      from: "2026-04-10T21:00:00.000Z",
      until: "2026-04-10T22:00:00.000Z",
      cause: "zone-data",
    };
    expect(await eventsOf("window.freeze-entered")).toMatchObject([
      { key: "upgrade", localStart: "2026-04-10T22:00", owner: "ops", ...told },
      { key: "close", localStart: "2026-04-10T21:00", owner: "finance", ...told },
    ]);
    await time.set(at("2026-04-10T21:30:00Z"));
    await expandWindows(admin);
    await advanceWindows(admin);
    expect((await explainJob(database.db, "sync")).sentence).toContain('lies in the freeze "close" of finance without anybody\'s decision');
    await expect(overrideFreeze(admin, { key: "upgrade", reason: " " })).rejects.toMatchObject({ code: "QSC_WINDOW_INVALID" });
    await overrideFreeze(admin, { key: "upgrade", reason: "it may go on" });
    expect(await open()).toEqual([]);
    expect(await eventsOf("window.freeze-overridden")).toMatchObject([
      { key: "close", change: "upgrade", by: "ana", reason: "it may go on" },
    ]);
    await expect(overrideFreeze(admin, { key: "upgrade", reason: "again" })).rejects.toMatchObject({ code: "QSC_WINDOW_NOT_IN_FREEZE" });
    expect((await explainJob(database.db, "sync")).sentence).not.toContain("decision");
  });

  it.each([
    [
      "the change is moved away",
      () => moveOccurrence(admin, { key: "upgrade", localStart: "2026-04-10T22:00", start: "2026-04-12T22:00", reason: "r" }),
    ],
    ["the change is cancelled", () => cancelWindow(admin, { key: "upgrade", reason: "r" })],
    ["one occurrence of it is", () => cancelWindow(admin, { key: "upgrade", localStart: "2026-04-10T22:00", reason: "r" })],
    ["it is another kind of window now", () => updateWindow(admin, { key: "upgrade", kind: "maintenance" })],
    ["the freeze is cancelled", () => cancelWindow(admin, { key: "close", reason: "r" })],
    [
      "the freeze ends earlier",
      () => updateWindow(admin, { key: "close", series: { start: "2026-04-10T10:00", end: "2026-04-10T12:00", timeZone: "UTC" } }),
    ],
    ["they reach nothing in common any more", () => updateWindow(admin, { key: "close", scope: { tags: ["none"] } })],
    ["it is over", () => time.set(at("2026-04-10T22:00:00Z"))],
  ] as const)("need nobody's decision any more when %s", async (_, act) => {
    await act();
    expect(await open()).toEqual([]);
  });
});

describe("a calendar that is followed", () => {
  let vendor: Server;
  let text = "";
  const calendarOf = (from: string, to: string): string =>
    `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//CAB//EN\r\nBEGIN:VEVENT\r\nUID:cab-7\r\nDTSTAMP:20260101T000000Z\r\nSUMMARY:CAB 7\r\nDTSTART:${from}\r\nDTEND:${to}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n`;
  const input: ImportInput = { key: "cab", kind: "change", scope: { systems: ["erp"] }, owner: "ops", reason: "the board's calendar" };
  const calendars = () => ({ ...admin, signal: new AbortController().signal });

  beforeEach(async () => {
    vendor = createServer((_request, response) => response.writeHead(200, { "content-type": "text/calendar" }).end(text));
    await new Promise<void>((resolve) => vendor.listen(0, "127.0.0.1", resolve));
    await createWindow(admin, freeze("2026-04-10T00:00", "2026-04-11T00:00"));
  });
  afterEach(() => new Promise<void>((resolve) => void vendor.close(() => resolve())));

  it("is refused by hand where a change of it falls into a freeze, and taken with a reason", async () => {
    const document = calendarOf("20260410T200000Z", "20260410T210000Z");
    const load = (more = {}) => importCalendar(calendars(), { import: input, source: { document }, dryRun: false, ...more });
    await expect(load()).rejects.toMatchObject(inFreeze);
    await load({ overrideFreeze: "security fix" });
    const [made] = await database.sql<{ kind: string }[]>`select kind from maintenance_window where key like 'cab-%'`;
    expect(made?.kind).toBe("change");
    expect(await open()).toEqual([]);
  });

  it("keeps a change that it moves into a freeze, also a longer end of an open one, and somebody has to decide", async () => {
    text = calendarOf("20260409T200000Z", "20260409T210000Z");
    const url = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}/cab.ics`;
    await importCalendar(calendars(), { import: input, source: { url }, dryRun: false });
    text = calendarOf("20260410T200000Z", "20260410T210000Z");
    expect(await syncCalendarImport(calendars(), { key: "cab" })).toMatchObject({ problem: null });
    const [conflict] = await open();
    expect(conflict).toMatchObject({ localStart: "2026-04-10T20:00", freeze: "close", cause: "calendar" });
    const key = conflict?.window ?? "";
    // The next text moves it out again, and the one after that begins before the freeze and ends in it.
    text = calendarOf("20260409T200000Z", "20260409T210000Z");
    await syncCalendarImport(calendars(), { key: "cab" });
    expect(await open()).toEqual([]);
    await time.set(at("2026-04-09T20:30:00Z"));
    await expandWindows(admin);
    await advanceWindows(admin);
    text = calendarOf("20260409T200000Z", "20260410T010000Z");
    await syncCalendarImport(calendars(), { key: "cab" });
    expect(await open()).toMatchObject([{ window: key, localStart: "2026-04-09T20:00", freeze: "close", cause: "calendar" }]);
    const [hold] = await database.sql<{ expiresAt: number }[]>`
      select h.expires_at as "expiresAt" from hold as h join occurrence as o on o.id = h.occurrence_id where o.local_start = '2026-04-09T20:00'`;
    expect(hold?.expiresAt).toBe(at("2026-04-10T01:00:00Z"));
  });
});

it("the word on a freeze goes along when the window is split, and holds when the occurrence is made longer there", async () => {
  await applyWorkspace(admin, { quiesce: 1, approvals: [{ key: "changes", kinds: ["change"], by: ["approver"] }] });
  await createWindow(admin, freeze("2026-04-10T00:00", "2026-04-11T00:00"));
  const series = { start: "2026-04-08T20:00", end: "2026-04-08T21:00", timeZone: "UTC", rrule: "FREQ=DAILY;COUNT=4" };
  await createWindow(admin, { ...change("", ""), series }, { overrideFreeze: "security fix" });
  await extendWindow(admin, { key: "upgrade", localStart: "2026-04-10T20:00", until: at("2026-04-10T21:30:00Z"), reason: "r" });
  const { newKey } = await splitWindow(admin, { key: "upgrade", localStart: "2026-04-10T20:00", reason: "r" });
  await approveWindow(as("approver"), { key: newKey });
  expect(await eventsOf("window.freeze-overridden")).toHaveLength(1);
});
