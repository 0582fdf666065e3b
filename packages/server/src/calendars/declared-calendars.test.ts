import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { packagedZoneData } from "@quiesce/core";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type ControlledTime, controlTime } from "../../../../test/database/control-time.js";
import { freshDatabase, type FreshDatabase } from "../../../../test/database/fresh-database.js";
import { applyWorkspace, exportWorkspace } from "../catalog/commands.js";
import { masterKeyOf } from "../credentials/master-key.js";
import { rewrapSecrets } from "../credentials/rewrap-secrets.js";
import { type Database, openDatabase } from "../db/client.js";
import { expandWindows } from "../windows/expand.js";
import { type CalendarContext, importCalendar, syncCalendarImport, takeDueImport } from "./import-commands.js";
import { importByKey } from "./queries.js";

const start = Date.parse("2026-11-20T12:00:00Z");

let fresh: FreshDatabase;
let database: Database;
let time: ControlledTime;
let context: CalendarContext;
let vendor: { readonly url: string; readonly stop: () => Promise<void> };

const calendar = (summary: string): string =>
  ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//V//EN", "BEGIN:VEVENT", "UID:a", "DTSTAMP:20260101T000000Z", `SUMMARY:${summary}`]
    .concat(["DTSTART:20261121T220000Z", "DTEND:20261122T020000Z", "END:VEVENT", "END:VCALENDAR", ""])
    .join("\r\n");

beforeEach(async () => {
  fresh = await freshDatabase();
  database = openDatabase(fresh.url, { max: 4, applicationName: "declared-calendars-test" });
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
  const server = createServer((_request, response) => response.writeHead(200, { "content-type": "text/calendar" }).end(calendar("Patch")));
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  vendor = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/s3cr3t/a.ics`,
    stop: () => new Promise<void>((resolve) => void server.close(() => resolve())),
  };
});
afterEach(async () => {
  await vendor.stop();
  await database.close();
  await fresh.drop();
});

const declared = (more: object = {}) => ({
  key: "vendor",
  url: { env: "VENDOR_CALENDAR", value: vendor.url },
  scope: { systems: ["erp"] },
  owner: "ops",
  reason: "the vendor's own maintenance",
  ...more,
});
const document = (...calendars: readonly object[]) => ({ quiesce: 1, systems: [{ key: "erp" }], calendars });
const windows = () =>
  database.sql<{ title: string; cancelled: boolean }[]>`
    select title, cancelled_at is not null as cancelled from maintenance_window order by id`.then((rows) =>
    rows.map((row) => ({ ...row })),
  );
async function follow(): Promise<void> {
  for (let key = await takeDueImport(context, 300_000); key !== null; key = await takeDueImport(context, 300_000))
    expect(await syncCalendarImport(context, { key })).toMatchObject({ problem: null });
}

test("a calendar of the workspace is read soon after it is applied, exported without its address, and applying the export changes nothing", async () => {
  const steps = await applyWorkspace(context, document(declared({ every: "90m" })));
  expect(steps.map((one) => `${one.action} ${one.kind} ${one.key}`)).toEqual(["create system erp", "create calendar vendor"]);
  expect(JSON.stringify(steps)).not.toContain("s3cr3t");
  expect(await windows()).toEqual([]);
  await follow();
  expect(await windows()).toEqual([{ title: "Patch", cancelled: false }]);

  const exported = await exportWorkspace(database.db, context.zones);
  expect(exported.calendars).toMatchObject([{ key: "vendor", url: { env: "VENDOR_CALENDAR" }, every: "90m", scope: { systems: ["erp"] } }]);
  expect(JSON.stringify(exported)).not.toContain("s3cr3t");
  // Its windows follow it: they are no part of the document, and a prune leaves them.
  expect(exported.windows).toEqual([]);
  expect(await applyWorkspace(context, exported, { prune: true })).toEqual([]);
  expect(await applyWorkspace(context, document(declared({ every: "90m" })), { prune: true })).toEqual([]);
});

test("a changed calendar is read again whole, with another address or another scope, and a rotated key changes nothing", async () => {
  await applyWorkspace(context, document(declared()));
  await follow();
  await time.advance(60_000);
  const [step] = await applyWorkspace(context, document(declared({ mode: "observe", url: { value: `${vendor.url}?v=2` } })));
  expect(step).toMatchObject({ action: "update", kind: "calendar", key: "vendor" });
  expect(step?.changes.map((one) => one.path).toSorted()).toEqual(["mode", "url.fingerprint", "url.source"]);
  await follow();
  expect([...(await database.sql`select mode from maintenance_window where cancelled_at is null`)]).toEqual([{ mode: "observe" }]);
  const exported = await exportWorkspace(database.db, context.zones);
  expect(exported.calendars[0]?.url).toEqual({ sealed: expect.stringMatching(/^hmac-/) });

  const next = { current: masterKeyOf(randomBytes(32)), previous: [context.keys.current] };
  await rewrapSecrets(database, next);
  expect(await applyWorkspace({ ...context, keys: { current: next.current, previous: [] } }, exported, { prune: true })).toEqual([]);
});

test("a calendar that the workspace does not say any more goes with its windows, by a prune alone; one handed in as a document stays", async () => {
  await applyWorkspace(context, document(declared()));
  await follow();
  await importCalendar(context, {
    import: { key: "paper", scope: { systems: ["erp"] }, owner: "ops", reason: "r" },
    source: { document: calendar("By hand") },
    dryRun: false,
  });
  expect(await applyWorkspace(context, document())).toEqual([]);
  const steps = await applyWorkspace(context, document(), { prune: true });
  expect(steps.map((one) => `${one.action} ${one.kind} ${one.key}`)).toEqual(["delete calendar vendor"]);
  expect(await windows()).toEqual([
    { title: "Patch", cancelled: true },
    { title: "By hand", cancelled: false },
  ]);
  expect(await importByKey(database, "vendor")).toBeNull();
  expect(await importByKey(database, "paper")).not.toBeNull();
});

test("a calendar that cannot be is refused with all that is wrong, and its address is not repeated", async () => {
  const wrong = declared({
    url: { value: "ftp://s3cr3t" },
    scope: { systems: ["erb"] },
    timeZone: "Mars",
    zoneMap: { X: "Europe/Madird" },
  });
  const refusal = await applyWorkspace(context, document(wrong)).catch((error: unknown) => error);
  expect(refusal).toMatchObject({
    code: "QSC_CATALOGUE_INVALID",
    details: {
      paths: expect.arrayContaining([
        "calendars[0].url",
        "calendars[0].scope.systems[0]",
        "calendars[0].timeZone",
        "calendars[0].zoneMap.X",
      ]),
    },
  });
  expect(JSON.stringify(refusal)).not.toContain("s3cr3t");
});

test("a calendar that was imported by hand is in the export, and what the workspace says takes its place", async () => {
  const by = { key: "vendor", scope: { systems: ["erp"] }, owner: "ops", reason: "by hand" };
  await applyWorkspace(context, document());
  await importCalendar(context, { import: by, source: { url: vendor.url }, dryRun: false });
  expect((await exportWorkspace(database.db, context.zones)).calendars).toMatchObject([
    { key: "vendor", url: { sealed: expect.any(String) } },
  ]);
  const [step] = await applyWorkspace(context, document(declared()));
  expect(step?.changes.map((one) => one.path).toSorted()).toEqual(["reason", "url.source"]);
  await follow();
  expect(await windows()).toEqual([{ title: "Patch", cancelled: false }]);
});
