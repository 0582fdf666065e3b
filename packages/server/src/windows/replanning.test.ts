import { randomBytes } from "node:crypto";
import { packagedZoneData, type WindowInput } from "@quiesce/core";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ControlledTime, controlTime } from "../../../../test/database/control-time.js";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { applyWorkspace, type CatalogContext } from "../catalog/commands.js";
import { masterKeyOf } from "../credentials/master-key.js";
import { type Database, openDatabase } from "../db/client.js";
import { advanceWindows } from "./advance.js";
import { approveWindow } from "./approval-commands.js";
import { cancelWindow, createWindow, updateWindow } from "./commands.js";
import { expandWindows } from "./expand.js";
import { moveOccurrence, restoreOccurrence } from "./move-occurrence.js";
import { extendWindow } from "./occurrence-commands.js";
import { splitWindow } from "./split-window.js";

const start = Date.parse("2026-03-02T10:00:00Z");
const day = 86_400_000;

let fresh: FreshDatabase;
let database: Database;
let time: ControlledTime;
let ana: CatalogContext;
let ben: CatalogContext;

const nightly: WindowInput = {
  key: "erp",
  title: "ERP",
  // Clocks in Madrid go forward on 29 March.
  series: { start: "2026-03-02T22:00", end: "2026-03-03T02:00", timeZone: "Europe/Madrid", rrule: "FREQ=DAILY" },
  scope: { integrations: ["orders"] },
  owner: "finance",
  reason: "patches",
};

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 4, applicationName: "replanning-test" });
  time = await controlTime(database.sql);
  await time.set(start);
  const keys = { current: masterKeyOf(randomBytes(32)), previous: [] };
  const as = (name: string): CatalogContext => ({
    database,
    zones: packagedZoneData(),
    keys,
    actor: { kind: "token", name, role: "admin" },
  });
  ana = as("ana");
  ben = as("ben");
  await expandWindows(ana);
  await applyWorkspace(ana, { quiesce: 1, integrations: [{ key: "orders" }] });
  await createWindow(ana, nightly);
});

afterEach(async () => {
  await database.close();
  await fresh.drop();
});

interface Row {
  readonly key: string;
  readonly localStart: string;
  readonly at: string;
  readonly notes: string[];
  readonly held: boolean;
}
/** The occurrences of some days of March, with whether a hold with its member stands at just these times. */
const rows = async (from: string, to: string): Promise<readonly Row[]> => [
  ...(await database.sql<Row[]>`
    select w.key, o.local_start as "localStart", o.notes,
      to_char(o.starts_at at time zone 'UTC', 'DD HH24:MI') || ' to ' || to_char(o.ends_at at time zone 'UTC', 'DD HH24:MI') as at,
      exists (select from hold as h join hold_member as m on m.hold_id = h.id
        where h.occurrence_id = o.id and h.begins_at = o.starts_at and h.expires_at = o.ends_at and m.begins_at = h.begins_at) as held
    from occurrence as o join maintenance_window as w on w.id = o.window_id
    where o.cancelled_at is null and o.local_start >= ${from} and o.local_start < ${to} order by o.local_start, w.key`),
];
const one = async (localStart: string) => (await rows(localStart, `${localStart}~`))[0];

describe("one edited occurrence", () => {
  const localStart = "2026-03-04T22:00";
  const move = { key: "erp", localStart, start: "2026-03-05T03:00", end: "2026-03-05T05:00", reason: "the vendor asked" };

  it("happens and holds at its new local times, keeps its name, and the others stay", async () => {
    await moveOccurrence(ana, move);
    expect(await rows("2026-03-03", "2026-03-06")).toEqual([
      { key: "erp", localStart: "2026-03-03T22:00", at: "03 21:00 to 04 01:00", notes: [], held: true },
      { key: "erp", localStart, at: "05 02:00 to 05 04:00", notes: ["moved to 2026-03-05 03:00"], held: true },
      { key: "erp", localStart: "2026-03-05T22:00", at: "05 21:00 to 06 01:00", notes: [], held: true },
    ]);
    const [audit] = await database.sql`select actor, reason from audit_entry where action = 'occurrence.move'`;
    expect(audit).toEqual({ actor: "token:ana", reason: "the vendor asked" });
    expect(await database.sql`select from event_inbox where kind = 'window.moved'`).toHaveLength(1);
  });

  it("survives edits of the series, also one whose own time has passed, and follows the window to another zone", async () => {
    await moveOccurrence(ana, { ...move, start: "2026-03-10T12:00", end: "2026-03-10T13:00" });
    await updateWindow(ana, { key: "erp", title: "ERP 2" });
    const moved = { key: "erp", localStart, at: "10 11:00 to 10 12:00", notes: ["moved to 2026-03-10 12:00"], held: false };
    expect(await one(localStart)).toEqual(moved);
    await time.set(start + 6 * day);
    await advanceWindows(ana);
    await expandWindows(ana);
    await updateWindow(ana, { key: "erp", series: { ...nightly.series, end: "2026-03-03T01:00" } });
    expect(await one(localStart)).toEqual({ ...moved, held: true });
    await updateWindow(ana, { key: "erp", series: { ...nightly.series, timeZone: "UTC" } });
    expect(await one(localStart)).toMatchObject({ at: "10 12:00 to 10 13:00", held: true });
  });

  it("lasts as long as before when only its start is given, on the night of a clock change too", async () => {
    await moveOccurrence(ana, { key: "erp", localStart: "2026-03-28T22:00", start: "2026-03-28T23:30", reason: "later" });
    expect(await one("2026-03-28T22:00")).toMatchObject({ at: "28 22:30 to 29 01:30" });
  });

  it("moved again without an end, lasts as long as the first time, however far its name lies behind", async () => {
    const first = { key: "erp", localStart: "2026-03-28T22:00", reason: "later" };
    await moveOccurrence(ana, { ...first, start: "2026-03-27T10:00" });
    expect(await one("2026-03-28T22:00")).toMatchObject({ at: "27 09:00 to 27 13:00" });
    await moveOccurrence(ana, { ...first, start: "2026-03-27T12:00" });
    expect(await one("2026-03-28T22:00")).toMatchObject({ at: "27 11:00 to 27 15:00", notes: ["moved to 2026-03-27 12:00"] });
    await moveOccurrence(ana, { ...first, start: "2026-03-27T15:00", end: "2026-03-27T16:00" });
    await moveOccurrence(ana, { ...first, start: "2026-03-27T17:00" });
    expect(await one("2026-03-28T22:00")).toMatchObject({ at: "27 16:00 to 27 17:00" });
  });

  it("is named wrong: the refusal names the nearest one that there is", async () => {
    const wrong = { key: "erp", localStart: "2026-03-28T21:00", start: "2026-03-27T10:00", reason: "later" };
    await expect(moveOccurrence(ana, wrong)).rejects.toMatchObject({
      code: "QSC_OCCURRENCE_NOT_FOUND",
      message: expect.stringContaining("The nearest that it has: 2026-03-28T22:00."),
    });
  });

  it("is restored to the series' time, moved or cancelled", async () => {
    await moveOccurrence(ana, move);
    await restoreOccurrence(ana, { key: "erp", localStart, reason: "back" });
    const own = { key: "erp", localStart, at: "04 21:00 to 05 01:00", notes: [], held: true };
    expect(await one(localStart)).toEqual(own);
    await cancelWindow(ana, { key: "erp", localStart, reason: "no" });
    expect(await one(localStart)).toBeUndefined();
    await restoreOccurrence(ana, { key: "erp", localStart, reason: "yes" });
    expect(await one(localStart)).toEqual(own);
    await expect(restoreOccurrence(ana, { key: "erp", localStart, reason: "again" })).rejects.toMatchObject({
      code: "QSC_OCCURRENCE_NOT_CHANGED",
    });
  });

  it("extended after its move keeps the new end through an edit", async () => {
    await moveOccurrence(ana, move);
    await extendWindow(ana, { key: "erp", localStart, until: Date.parse("2026-03-05T06:30:00Z"), reason: "longer" });
    await updateWindow(ana, { key: "erp", title: "again" });
    expect(await one(localStart)).toMatchObject({ at: "05 02:00 to 05 06:30", held: true });
  });

  it("is refused when it has begun, would have begun, or would overlap another one of the window", async () => {
    await time.set(Date.parse("2026-03-03T22:00:00Z"));
    await advanceWindows(ana);
    const refused = (input: Partial<typeof move>) => expect(moveOccurrence(ana, { ...move, ...input })).rejects;
    await refused({ localStart: "2026-03-03T22:00" }).toMatchObject({ code: "QSC_WINDOW_HAS_BEGUN" });
    await refused({ start: "2026-03-03T20:00", end: "2026-03-03T21:00" }).toMatchObject({ code: "QSC_OCCURRENCE_MOVE_PAST" });
    await refused({ start: "2026-03-04T00:30", end: "2026-03-04T01:00" }).toMatchObject({
      code: "QSC_OCCURRENCE_MOVE_CONFLICT",
      message: expect.stringContaining("is open until"),
    });
    await refused({ start: "2026-03-05T23:00", end: "2026-03-05T23:30" }).toMatchObject({ code: "QSC_OCCURRENCE_MOVE_CONFLICT" });
    await refused({ localStart: "2026-03-04T21:00" }).toMatchObject({ code: "QSC_OCCURRENCE_NOT_FOUND" });
    await refused({ end: "2026-03-05T02:00" }).toMatchObject({ code: "QSC_WINDOW_END_BEFORE_START" });
  });

  it("of an approved window needs the word of somebody who may approve it, unless it stays inside what was approved", async () => {
    await applyWorkspace(ana, { quiesce: 1, approvals: [{ key: "all" }] });
    await createWindow(ana, { ...nightly, key: "ruled" });
    await approveWindow(ben, { key: "ruled" });
    const wide = { ...move, key: "ruled" };
    await expect(moveOccurrence(ana, wide)).rejects.toMatchObject({ code: "QSC_WINDOW_MOVE_UNAPPROVED" });
    await moveOccurrence(ana, { ...wide, start: "2026-03-04T23:00", end: "2026-03-05T01:00" });
    await moveOccurrence(ben, wide);
    const until = Date.parse("2026-03-04T02:00:00Z");
    const later = { key: "ruled", localStart: "2026-03-03T22:00", until, reason: "longer" };
    await expect(extendWindow(ana, later)).rejects.toMatchObject({ code: "QSC_WINDOW_MOVE_UNAPPROVED" });
    await time.set(Date.parse("2026-03-03T22:00:00Z"));
    await advanceWindows(ana);
    await extendWindow(ana, later);
    const [event] = await database.sql<{ payload: object }[]>`select payload from event_inbox where kind = 'window.extended'`;
    expect(event?.payload).toMatchObject({ beyondApproval: true });
  });
});

describe("this and following", () => {
  const localStart = "2026-03-05T22:00";

  it("ends the old window before it and goes on with a new one, whose overrides move along", async () => {
    await moveOccurrence(ana, { key: "erp", localStart: "2026-03-06T22:00", start: "2026-03-06T23:00", reason: "later" });
    await cancelWindow(ana, { key: "erp", localStart: "2026-03-07T22:00", reason: "no" });
    const before = (await rows("2026-03-02", "2026-03-12")).map(({ key: _key, ...row }) => row);
    const { newKey } = await splitWindow(ana, { key: "erp", localStart, reason: "another crew", changes: { owner: "platform" } });
    expect(newKey).toBe("erp-2026-03-05");
    const after = await rows("2026-03-02", "2026-03-12");
    expect(after.map(({ key: _key, ...row }) => row)).toEqual(before);
    expect(after.map((row) => row.key)).toEqual(["erp", "erp", "erp", ...Array.from({ length: 6 }, () => newKey)]);
    const [lineage] = await database.sql`
      select n.owner, o.key as from from maintenance_window as n join maintenance_window as o on o.id = n.split_from where n.key = ${newKey}`;
    expect(lineage).toEqual({ owner: "platform", from: "erp" });
    const [audit] = await database.sql<{ after: unknown }[]>`select after from audit_entry where action = 'window.split'`;
    expect(audit?.after).toEqual({ localStart, into: newKey });
    await restoreOccurrence(ana, { key: newKey, localStart: "2026-03-07T22:00", reason: "yes" });
    expect(await one("2026-03-07T22:00")).toMatchObject({ key: newKey, held: true });
  });

  it("with another series asks for approval for that part alone", async () => {
    await applyWorkspace(ana, { quiesce: 1, approvals: [{ key: "all" }] });
    await createWindow(ana, { ...nightly, key: "ruled" });
    await approveWindow(ben, { key: "ruled" });
    const same = await splitWindow(ana, { key: "ruled", localStart, reason: "r", changes: { title: "the same" } });
    const other = await splitWindow(ana, {
      key: same.newKey,
      localStart: "2026-03-07T22:00",
      reason: "r",
      changes: { key: "longer", series: { ...nightly.series, start: "2026-03-07T20:00", end: "2026-03-08T04:00" } },
    });
    const states = await database.sql<{ key: string; state: string }[]>`
      select key, approval ->> 'state' as state from maintenance_window where key like 'ruled%' or key = ${other.newKey} order by id`;
    expect(states.map(({ state }) => state)).toEqual(["approved", "approved", "pending"]);
    expect((await rows("2026-03-07", "2026-03-08")).filter((row) => row.key === "longer")).toEqual([
      expect.objectContaining({ localStart: "2026-03-07T20:00", held: false }),
    ]);
  });

  it("is refused at an occurrence that has begun, at the first, and at what is none", async () => {
    await time.set(Date.parse("2026-03-03T22:00:00Z"));
    const refused = (at: string) => expect(splitWindow(ana, { key: "erp", localStart: at, reason: "r" })).rejects;
    await refused("2026-03-03T22:00").toMatchObject({ code: "QSC_WINDOW_HAS_BEGUN" });
    await refused("2026-03-04T21:00").toMatchObject({ code: "QSC_WINDOW_SPLIT_IMPOSSIBLE" });
    await createWindow(ana, {
      ...nightly,
      key: "later",
      series: { ...nightly.series, start: "2026-04-01T22:00", end: "2026-04-02T02:00" },
    });
    await expect(splitWindow(ana, { key: "later", localStart: "2026-04-01T22:00", reason: "r" })).rejects.toMatchObject({
      code: "QSC_WINDOW_SPLIT_IMPOSSIBLE",
    });
  });
});
