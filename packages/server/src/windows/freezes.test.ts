import { randomBytes } from "node:crypto";
import { packagedZoneData, type WindowInput } from "@quiesce/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ControlledTime, controlTime } from "../../../../test/database/control-time.js";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { applyWorkspace, type CatalogContext } from "../catalog/commands.js";
import { masterKeyOf } from "../credentials/master-key.js";
import { type Database, openDatabase } from "../db/client.js";
import { approveWindow } from "./approval-commands.js";
import { cancelWindow, createWindow, updateWindow } from "./commands.js";
import { expandWindows } from "./expand.js";
import { moveOccurrence, restoreOccurrence } from "./move-occurrence.js";
import { extendWindow } from "./occurrence-commands.js";
import { previewWindow } from "./preview.js";
import { splitWindow } from "./split-window.js";

const start = Date.parse("2026-11-02T10:00:00Z");

let fresh: FreshDatabase;
let database: Database;
let time: ControlledTime;
let admin: CatalogContext;
const as = (role: string): CatalogContext => ({
  ...admin,
  actor: { kind: "token", name: role, role, overridesFreezes: role !== "operator" },
});

const freeze: WindowInput = {
  key: "year-end",
  title: "Year end",
  kind: "freeze",
  series: { start: "2026-11-10T00:00", end: "2026-11-20T00:00", timeZone: "UTC" },
  scope: { systems: ["erp"] },
  owner: "finance",
  reason: "the books close",
};
const change: WindowInput = {
  key: "upgrade",
  title: "Upgrade",
  kind: "change",
  // The shop depends hard on the ERP: what writes to it is held by the freeze.
  series: { start: "2026-11-12T22:00", end: "2026-11-12T23:00", timeZone: "UTC" },
  scope: { systems: ["shop"] },
  owner: "ops",
  reason: "version 7",
};
const outside = { ...change.series, start: "2026-11-09T22:00", end: "2026-11-09T23:00" };
const inFreeze = { code: "QSC_WINDOW_IN_FREEZE" };

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 4, applicationName: "freezes-test" });
  time = await controlTime(database.sql);
  await time.set(start);
  admin = {
    database,
    zones: packagedZoneData(),
    keys: { current: masterKeyOf(randomBytes(32)), previous: [] },
    actor: { kind: "token", name: "ana", role: "admin", overridesFreezes: true },
  };
  await expandWindows(admin);
  await applyWorkspace(admin, {
    quiesce: 1,
    systems: [{ key: "erp" }, { key: "shop", dependsOn: [{ system: "erp" }] }, { key: "mail" }],
    endpoints: [
      { key: "shop-api", system: "shop", connector: "http" },
      { key: "mail-api", system: "mail", connector: "http" },
    ],
    integrations: [
      { key: "orders", target: "shop-api" },
      { key: "letters", target: "mail-api" },
    ],
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
const windows = async () => (await database.sql<{ key: string }[]>`select key from maintenance_window order by key`).map((row) => row.key);

describe("planning a change inside an approved freeze", () => {
  it("is refused over dependencies, with the freeze, its owner and the nearest free time", async () => {
    await createWindow(admin, freeze);
    await expect(createWindow(admin, change)).rejects.toMatchObject({
      ...inFreeze,
      message: expect.stringMatching(/"year-end" \(Year end\) of finance/),
      details: { nearest: "2026-11-09T22:00", freezes: ["year-end"] },
    });
    expect(await windows()).toEqual(["year-end"]);
    const { refusals, occurrences } = await previewWindow(database.db, admin.zones, change);
    expect(refusals).toMatchObject([{ ...inFreeze, nearest: "2026-11-09T22:00" }]);
    expect(occurrences).toHaveLength(1);
    await createWindow(admin, { ...change, series: outside });
  });

  it("is no matter for maintenance, for other systems, or where the freeze only observes, waits for approval or is cancelled", async () => {
    await applyWorkspace(admin, { quiesce: 1, approvals: [{ key: "freezes", kinds: ["freeze"], by: ["ben"] }] });
    await createWindow(admin, freeze);
    await createWindow(admin, { ...freeze, key: "trial", mode: "observe" });
    await createWindow(admin, change);
    await cancelWindow(admin, { key: "upgrade", reason: "again" });
    await approveWindow({ ...admin, actor: { kind: "token", name: "ben", role: "approver" } }, { key: "year-end" });
    await expect(createWindow(admin, change)).rejects.toMatchObject(inFreeze);
    await createWindow(admin, { ...change, key: "patch", kind: "maintenance" });
    await createWindow(admin, { ...change, key: "mail", scope: { systems: ["mail"] } });
    await cancelWindow(admin, { key: "year-end", reason: "closed early" });
    await createWindow(admin, { ...change, key: "upgrade-2" });
  });

  it("is refused for one occurrence of many, also beyond what is written ahead, and free again without it", async () => {
    await createWindow(admin, { ...freeze, series: { start: "2027-09-01T00:00", end: "2027-09-08T00:00", timeZone: "UTC" } });
    const series = { start: "2026-11-04T22:00", end: "2026-11-04T23:00", timeZone: "UTC", rrule: "FREQ=WEEKLY;BYDAY=WE" };
    await expect(createWindow(admin, { ...change, series })).rejects.toMatchObject({
      ...inFreeze,
      details: { occurrences: 1, met: [expect.stringMatching(/^2027-09-01T22:00: year-end/)] },
    });
    await createWindow(admin, { ...change, series: { ...series, exdates: ["2027-09-01T22:00"] } });
  });

  it("follows what was changed about the freeze: a moved occurrence of it is where it was moved to", async () => {
    await createWindow(admin, freeze);
    await moveOccurrence(admin, {
      key: "year-end",
      localStart: "2026-11-10T00:00",
      start: "2026-11-13T00:00",
      end: "2026-11-23T00:00",
      reason: "later",
    });
    await createWindow(admin, change);
  });

  it("by an edit is refused, while an edit of its title, or a shorter one, leaves what stands in peace", async () => {
    await createWindow(admin, change);
    await createWindow(admin, { ...change, key: "later", series: outside });
    await createWindow(admin, freeze);
    await updateWindow(admin, { key: "upgrade", title: "Upgrade to 7.1", series: { ...change.series, end: "2026-11-12T22:30" } });
    await expect(updateWindow(admin, { key: "later", series: change.series })).rejects.toMatchObject(inFreeze);
    await expect(updateWindow(admin, { key: "upgrade", scope: { all: true } })).rejects.toMatchObject(inFreeze);
    await createWindow(admin, { ...change, key: "patch", kind: "maintenance" });
    await expect(updateWindow(admin, { key: "patch", kind: "change" })).rejects.toMatchObject(inFreeze);
  });

  it("by moving, restoring or lengthening one occurrence, or this and following, is refused", async () => {
    const series = { start: "2026-11-05T22:00", end: "2026-11-05T23:00", timeZone: "UTC", rrule: "FREQ=WEEKLY;COUNT=2" };
    await createWindow(admin, { ...change, series });
    const second = { key: "upgrade", localStart: "2026-11-12T22:00", reason: "r" };
    await moveOccurrence(admin, { ...second, start: "2026-11-09T22:00" });
    await createWindow(admin, freeze);
    // Moved before: it lasts as long as the first time, and not from the name of the occurrence on.
    await expect(moveOccurrence(admin, { ...second, start: "2026-11-11T22:00" })).rejects.toMatchObject(inFreeze);
    await expect(restoreOccurrence(admin, second)).rejects.toMatchObject(inFreeze);
    await expect(extendWindow(admin, { ...second, until: Date.parse("2026-11-10T00:00:01Z") })).rejects.toMatchObject({
      ...inFreeze,
      field: "until",
    });
    await extendWindow(admin, { ...second, until: Date.parse("2026-11-10T00:00:00Z") });
    await expect(splitWindow(admin, { ...second, changes: { scope: { all: true } } })).rejects.toMatchObject(inFreeze);
  });

  it("in a document that brings the freeze as well is refused whole, in whatever order they stand", async () => {
    const entry = ({ series, ...rest }: WindowInput) => ({ ...rest, ...series });
    const document = { quiesce: 1, windows: [entry({ ...change, key: "a-change" }), entry(freeze)] };
    await expect(applyWorkspace(admin, document)).rejects.toMatchObject(inFreeze);
    expect(await windows()).toEqual([]);
    await applyWorkspace(admin, document, { overrideFreeze: "the auditors want it" });
    expect(await applyWorkspace(admin, document, { prune: false })).toEqual([]);
  });
});

describe("overriding a freeze", () => {
  it("wants a role that may and a reason, tells the freeze's owner, and stays on record", async () => {
    await createWindow(admin, freeze);
    await expect(createWindow(as("operator"), change, { overrideFreeze: "security fix" })).rejects.toMatchObject({
      code: "QSC_ACCESS_DENIED",
    });
    await expect(createWindow(admin, change, { overrideFreeze: "  " })).rejects.toMatchObject(inFreeze);
    expect((await previewWindow(database.db, admin.zones, change, { overrideFreeze: "security fix" })).overriddenFreezes).toEqual([
      { freeze: "year-end", title: "Year end", owner: "finance" },
    ]);
    await createWindow(as("approver"), change, { overrideFreeze: "security fix" });
    const told = {
      owner: "finance",
      localStart: "2026-11-10T00:00",
      change: "upgrade",
      changeLocalStart: "2026-11-12T22:00",
      by: "approver",
      reason: "security fix",
    };
    expect(await eventsOf("window.freeze-overridden")).toEqual([expect.objectContaining({ key: "year-end", ...told })]);
    const audit = await database.sql`select actor, reason from audit_entry where action = 'window.override-freeze'`;
    expect([...audit]).toEqual([{ actor: "token:approver", reason: "security fix" }]);
  });

  it("lets work that is inside already last longer: a hold too short is worse", async () => {
    await createWindow(admin, freeze);
    await createWindow(admin, change, { overrideFreeze: "security fix" });
    await time.set(Date.parse("2026-11-12T22:30:00Z"));
    await extendWindow(as("operator"), { key: "upgrade", until: Date.parse("2026-11-13T01:00:00Z"), reason: "not done" });
    expect(await eventsOf("window.freeze-overridden")).toHaveLength(1);
  });
});

describe("extending an occurrence", () => {
  it("into the next one of its window is refused, and up to it is not", async () => {
    const series = { start: "2026-11-05T22:00", end: "2026-11-05T23:00", timeZone: "UTC", rrule: "FREQ=DAILY" };
    await createWindow(admin, { ...change, kind: "maintenance", series });
    const until = (text: string) => extendWindow(admin, { key: "upgrade", until: Date.parse(text), reason: "longer" });
    await expect(until("2026-11-06T22:00:01Z")).rejects.toMatchObject({ code: "QSC_OCCURRENCE_MOVE_CONFLICT", field: "until" });
    await until("2026-11-06T22:00:00Z");
  });

  it("beyond four hundred days is refused: what began earlier is not looked for any more", async () => {
    await createWindow(admin, { ...change, kind: "maintenance" });
    await expect(extendWindow(admin, { key: "upgrade", until: start + 500 * 86_400_000, reason: "r" })).rejects.toMatchObject({
      code: "QSC_WINDOW_EXTEND_TOO_LONG",
    });
  });
});
