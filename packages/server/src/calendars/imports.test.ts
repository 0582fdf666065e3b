import { createHash, randomBytes } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { packagedZoneData } from "@quiesce/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type ControlledTime, controlTime } from "../../../../test/database/control-time.js";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { silentLog } from "../../../../test/database/silent-log.js";
import { seedCatalogue } from "../../../../test/database/seed-catalogue.js";
import { applyWorkspace } from "../catalog/commands.js";
import { masterKeyOf } from "../credentials/master-key.js";
import { rewrapSecrets } from "../credentials/rewrap-secrets.js";
import { type Database, openDatabase } from "../db/client.js";
import { askGate } from "../runs/gate.js";
import { advanceWindows } from "../windows/advance.js";
import { expandWindows } from "../windows/expand.js";
import { createCalendarFeed } from "./feed-commands.js";
import { buildFeed } from "./build-feed.js";
import { followImports } from "./follow-imports.js";
import { type CalendarContext, importCalendar, removeCalendarImport, syncCalendarImport, takeDueImport } from "./import-commands.js";
import type { ImportInput } from "./import-input.js";
import { importByKey } from "./queries.js";

const start = Date.parse("2026-11-20T12:00:00Z");
const minute = 60_000;
const hour = 60 * minute;

let fresh: FreshDatabase;
let database: Database;
let time: ControlledTime;
let context: CalendarContext;
let vendor: Vendor;

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 4, applicationName: "imports-test" });
  time = await controlTime(database.sql);
  await time.set(start);
  context = {
    database,
    zones: packagedZoneData(),
    actor: { kind: "token", name: "tester", role: "admin" },
    keys: { current: masterKeyOf(randomBytes(32)), previous: [] },
    signal: new AbortController().signal,
  };
  await expandWindows(context);
  await seedCatalogue(database.sql, { systems: [{ key: "erp" }], integrations: [{ key: "orders", systems: ["erp"] }], jobs: [] });
  vendor = await startVendor();
});

afterEach(async () => {
  await vendor.stop();
  await database.close();
  await fresh.drop();
});

/** A vendor's server with one calendar, which a test changes. */
interface Vendor {
  events: readonly string[];
  status: number;
  /** Every request, by the answer it got. */
  readonly answers: number[];
  readonly url: string;
  stop(): Promise<void>;
}

const calendarOf = (events: readonly string[]): string =>
  [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//Vendor//EN",
    ...events.flatMap((event) => event.trim().split("\n")),
    "END:VCALENDAR",
    "",
  ].join("\r\n");

async function startVendor(): Promise<Vendor> {
  const state = { events: [] as readonly string[], status: 200, answers: [] as number[] };
  const server: Server = createServer((request, response) => {
    const text = calendarOf(state.events);
    const etag = `"${createHash("sha256").update(text).digest("hex")}"`;
    const status = state.status !== 200 ? state.status : request.headers["if-none-match"] === etag ? 304 : 200;
    state.answers.push(status);
    response.writeHead(status, { "content-type": "text/calendar", etag }).end(status === 200 ? text : undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(state, {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/private/s3cr3t-token/maintenance.ics`,
    stop: () => new Promise<void>((resolve) => void server.close(() => resolve())),
  });
}

const event = (uid: string, lines: string): string =>
  `BEGIN:VEVENT\nUID:${uid}\nDTSTAMP:20260101T000000Z\nSUMMARY:Maintenance ${uid}\n${lines.trim()}\nEND:VEVENT`;
const tonight = (uid: string, from = "20261120T220000", to = "20261121T020000"): string =>
  event(uid, `DTSTART;TZID=Europe/Madrid:${from}\nDTEND;TZID=Europe/Madrid:${to}`);

const input = (more: Partial<ImportInput> = {}): ImportInput => ({
  key: "vendor",
  scope: { systems: ["erp"] },
  owner: "erp-team",
  reason: "The vendor's own maintenance",
  ...more,
});

const load = (more: Partial<ImportInput> = {}, dryRun = false) =>
  importCalendar(context, { import: input(more), source: { url: vendor.url }, dryRun });
const sync = () => syncCalendarImport(context, { key: "vendor" });

const windows = async () => {
  const rows = await database.sql<{ title: string; start: string; zone: string; cancelled: boolean }[]>`
    select title, series ->> 'start' as start, series ->> 'timeZone' as zone, cancelled_at is not null as cancelled from maintenance_window order by title, id`;
  return rows.map((row) => `${row.title} ${row.start} ${row.zone}${row.cancelled ? " cancelled" : ""}`);
};
const eventsOf = async (kind: string) => {
  const rows = await database.sql<{ payload: Record<string, unknown> }[]>`select payload from event_inbox where kind = ${kind} order by id`;
  return rows.map((row) => row.payload);
};
const isHeld = async () => (await askGate(database.db, "orders")).kind === "held";

describe("an imported calendar", () => {
  test("becomes windows that hold what the import covers, and says what it did", async () => {
    vendor.events = [tonight("a"), event("b", "DTSTART:20261201T010000Z\nDURATION:PT3H\nRRULE:FREQ=MONTHLY;COUNT=4")];
    const { report } = await load();
    expect(report).toMatchObject({ addedCount: 2, refusedCount: 0, unchangedCount: 0 });
    expect(await windows()).toEqual(["Maintenance a 2026-11-20T22:00 Europe/Madrid", "Maintenance b 2026-12-01T01:00 UTC"]);
    expect(await eventsOf("calendar.imported")).toEqual([{ added: 2, changed: 0, removed: 0, refused: 0 }]);
    expect(await isHeld()).toBe(false);
    await time.set(Date.parse("2026-11-20T21:00:00Z"));
    expect(await isHeld()).toBe(true);
  });

  test("is kept in step: what moves here moves, what is new comes, what is gone is cancelled", async () => {
    vendor.events = [tonight("a"), tonight("b"), tonight("c")];
    await load();
    vendor.events = [tonight("a"), tonight("b", "20261122T220000", "20261123T020000"), tonight("d")];
    expect(await sync()).toEqual({ key: "vendor", problem: null });
    expect(await windows()).toEqual([
      "Maintenance a 2026-11-20T22:00 Europe/Madrid",
      "Maintenance b 2026-11-22T22:00 Europe/Madrid",
      "Maintenance c 2026-11-20T22:00 Europe/Madrid cancelled",
      "Maintenance d 2026-11-20T22:00 Europe/Madrid",
    ]);
    expect((await importByKey(database, "vendor"))?.report).toMatchObject({
      addedCount: 1,
      changedCount: 1,
      removedCount: 1,
      unchangedCount: 1,
    });
  });

  test("loses an event whose STATUS becomes CANCELLED, and one whose title no longer fits the filter", async () => {
    vendor.events = [tonight("a"), tonight("b")];
    await load({ titleContains: "MAINTENANCE" });
    vendor.events = [tonight("a").replace("DTSTART", "STATUS:CANCELLED\nDTSTART"), tonight("b").replace("Maintenance b", "Party")];
    await sync();
    expect((await windows()).filter((one) => !one.endsWith("cancelled"))).toEqual([]);
  });

  test("refuses by name what it does not understand; the others go on, and what was understood before stays", async () => {
    vendor.events = [tonight("a"), tonight("b")];
    await load();
    vendor.events = [
      tonight("a").replaceAll("Europe/Madrid", "Vendor Standard Time"),
      tonight("b", "20261121T220000", "20261122T020000"),
      event("c", "DTSTART:20261201T010000Z\nDTEND:20261201T020000Z\nRRULE:FREQ=SECONDLY"),
    ];
    await sync();
    expect(await windows()).toEqual(["Maintenance a 2026-11-20T22:00 Europe/Madrid", "Maintenance b 2026-11-21T22:00 Europe/Madrid"]);
    const { report } = (await importByKey(database, "vendor")) ?? {};
    expect(report?.refused.map(({ uid, code }) => `${uid} ${code}`).toSorted()).toEqual([
      "a QSC_CALENDAR_ZONE_UNKNOWN",
      "c QSC_WINDOW_FREQUENCY_TOO_HIGH",
    ]);
    await load({ zoneMap: { "Vendor Standard Time": "Europe/Lisbon" } });
    expect((await windows())[0]).toBe("Maintenance a 2026-11-20T22:00 Europe/Lisbon");
  });

  test("moves one occurrence of a series and leaves the others", async () => {
    const series = event(
      "a",
      "DTSTART;TZID=Europe/Madrid:20261122T020000\nDTEND;TZID=Europe/Madrid:20261122T060000\nRRULE:FREQ=WEEKLY;COUNT=3",
    );
    vendor.events = [
      series,
      event("a", "RECURRENCE-ID;TZID=Europe/Madrid:20261129T020000\nDTSTART:20261130T020000Z\nDTEND:20261130T030000Z"),
    ];
    await load();
    const rows = await database.sql<{ at: string }[]>`
      select to_char(starts_at at time zone 'UTC', 'MM-DD HH24:MI') as at from occurrence where cancelled_at is null order by starts_at`;
    expect(rows.map((row) => row.at)).toEqual(["11-22 01:00", "11-30 02:00", "12-06 01:00"]);
  });

  test("does not cut off what is open when its event goes: it ends as planned, and nothing follows", async () => {
    vendor.events = [event("a", "DTSTART:20261120T120500Z\nDTEND:20261120T140000Z\nRRULE:FREQ=DAILY")];
    await load();
    await time.set(start + 10 * minute);
    await advanceWindows({ database });
    expect(await isHeld()).toBe(true);
    vendor.events = [];
    await sync();
    expect(await isHeld()).toBe(true);
    expect((await importByKey(database, "vendor"))?.report).toMatchObject({ removedCount: 0, running: [{ title: "Maintenance a" }] });
    await sync();
    expect(await isHeld()).toBe(true);
    await time.set(Date.parse("2026-11-20T14:00:00Z"));
    await advanceWindows({ database });
    expect(await isHeld()).toBe(false);
    await sync();
    expect(await windows()).toEqual(["Maintenance a 2026-11-20T12:05 UTC cancelled"]);
    await time.set(Date.parse("2026-11-21T12:30:00Z"));
    expect(await isHeld()).toBe(false);
  });

  test("holds on when the vendor moves the end of what is open", async () => {
    const of = (end: string) => event("a", `DTSTART:20261120T120500Z\nDTEND:${end}`);
    vendor.events = [of("20261120T140000Z")];
    await load();
    await time.set(start + 10 * minute);
    await advanceWindows({ database });
    vendor.events = [of("20261120T160000Z")];
    await sync();
    await time.set(Date.parse("2026-11-20T15:59:00Z"));
    await advanceWindows({ database });
    expect(await isHeld()).toBe(true);
    await time.set(Date.parse("2026-11-20T16:00:00Z"));
    await advanceWindows({ database });
    expect(await isHeld()).toBe(false);
  });

  test("that cannot be fetched keeps its windows, says so once, tries again soon and then less often, and recovers", async () => {
    vendor.events = [tonight("a")];
    await load({ everySeconds: 3_600 });
    vendor.status = 503;
    await time.advance(hour);
    const waits: number[] = [];
    for (let attempt = 0; attempt < 8; attempt += 1) {
      expect((await sync()).problem).toMatch(/HTTP 503/);
      const { nextAt } = (await importByKey(database, "vendor")) ?? {};
      waits.push(((nextAt ?? 0) - (await time.now())) / minute);
    }
    expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
    expect(await windows()).toEqual(["Maintenance a 2026-11-20T22:00 Europe/Madrid"]);
    expect(await eventsOf("calendar.import-failed")).toHaveLength(1);
    expect(await importByKey(database, "vendor")).toMatchObject({ failures: 8, problem: expect.stringContaining("503") });
    vendor.status = 200;
    await sync();
    expect(await importByKey(database, "vendor")).toMatchObject({ failures: 0, problem: null });
  });

  test("that is suddenly no calendar changes nothing", async () => {
    vendor.events = [tonight("a")];
    await load();
    vendor.events = ["END:VCALENDAR\nBEGIN:VCALENDAR\nBEGIN:VEVENT"];
    expect((await sync()).problem).toMatch(/no iCalendar text/);
    expect(await windows()).toEqual(["Maintenance a 2026-11-20T22:00 Europe/Madrid"]);
  });

  test("is not read again when its server says that it has not changed, for a day", async () => {
    vendor.events = [tonight("a")];
    await load();
    await sync();
    expect(vendor.answers).toEqual([200, 304]);
    await time.advance(23 * hour);
    await sync();
    expect(vendor.answers).toEqual([200, 304, 304]);
    await time.advance(2 * hour);
    await sync();
    expect(vendor.answers).toEqual([200, 304, 304, 200]);
  });

  test("is shown before it is done: a dry run reports and writes nothing", async () => {
    vendor.events = [tonight("a")];
    const { report } = await load({}, true);
    expect(report).toMatchObject({ addedCount: 1, added: [{ title: "Maintenance a" }] });
    expect(await windows()).toEqual([]);
    expect(await importByKey(database, "vendor")).toBeNull();
  });

  test("never shows its address: it is sealed, and rewrapped with the other secrets", async () => {
    vendor.events = [tonight("a")];
    await load();
    vendor.status = 404;
    await sync();
    const dump = await database.sql<{ text: string }[]>`
      select (select string_agg(i::text, ' ') from calendar_import as i) || (select string_agg(a::text, ' ') from audit_entry as a)
        || (select string_agg(e::text, ' ') from event_inbox as e) as text`;
    expect(dump[0]?.text).not.toContain("s3cr3t");
    expect(dump[0]?.text).toContain("127.0.0.1");
    const next = { current: masterKeyOf(randomBytes(32)), previous: [context.keys.current] };
    expect(await rewrapSecrets(database, next)).toBe(1);
    vendor.status = 200;
    expect(await syncCalendarImport({ ...context, keys: { current: next.current, previous: [] } }, { key: "vendor" })).toMatchObject({
      problem: null,
    });
  });

  test("is fetched by the rules of every outgoing request: no addresses of the cloud's metadata", async () => {
    const fetch = (url: string) => importCalendar(context, { import: input(), source: { url }, dryRun: true });
    await expect(fetch("http://169.254.169.254/latest/meta-data")).rejects.toMatchObject({ code: "QSC_CALENDAR_FETCH_FAILED" });
    await expect(fetch("file:///etc/passwd")).rejects.toMatchObject({ code: "QSC_CALENDAR_URL" });
  });

  test("of this very deployment is refused: its windows would come back for ever", async () => {
    vendor.events = [tonight("a")];
    await load();
    await createCalendarFeed(context, { title: "All", scope: { kind: "all" } });
    const document = await buildFeed(context, { title: "All", scope: { kind: "all" } });
    const { report } = await importCalendar(context, { import: input({ key: "own" }), source: { document }, dryRun: false });
    expect(report).toMatchObject({ addedCount: 0, refused: [{ code: "QSC_CALENDAR_OWN_EVENT" }] });
  });

  test("has windows that are no part of the workspace: applying one that names the calendar and not them leaves them", async () => {
    vendor.events = [tonight("a")];
    await load();
    const calendars = [{ ...input(), url: { value: vendor.url } }];
    await applyWorkspace(context, { quiesce: 1, systems: [{ key: "erp" }], integrations: [{ key: "orders" }], calendars }, { prune: true });
    expect(await windows()).toEqual(["Maintenance a 2026-11-20T22:00 Europe/Madrid"]);
  });

  test("is forgotten with its windows, or without them", async () => {
    vendor.events = [tonight("a")];
    await load();
    await removeCalendarImport(context, { key: "vendor", reason: "sold", keepWindows: true });
    expect(await windows()).toEqual(["Maintenance a 2026-11-20T22:00 Europe/Madrid"]);
    await load({ key: "again" });
    await removeCalendarImport(context, { key: "again", reason: "sold", keepWindows: false });
    expect(await windows()).toEqual([
      "Maintenance a 2026-11-20T22:00 Europe/Madrid",
      "Maintenance a 2026-11-20T22:00 Europe/Madrid cancelled",
    ]);
    await expect(syncCalendarImport(context, { key: "again" })).rejects.toMatchObject({ code: "QSC_CALENDAR_IMPORT_NOT_FOUND" });
  });

  test("that is due is taken by one of several servers, and read by itself", async () => {
    vendor.events = [tonight("a")];
    await load({ everySeconds: 600 });
    expect(await takeDueImport(context, hour)).toBeNull();
    await time.advance(600_000);
    expect(await Promise.all([takeDueImport(context, hour), takeDueImport(context, hour)])).toContain("vendor");
    expect(await takeDueImport(context, hour)).toBeNull();
    await time.advance(hour);
    vendor.events = [tonight("a"), tonight("b")];
    const arrived = new Promise<void>((resolve) => {
      const stop = followImports({ ...context, log: silentLog }, { everyMs: 20, afterWrite: () => void stop().then(resolve) });
    });
    await arrived;
    expect(await windows()).toHaveLength(2);
  });
});
