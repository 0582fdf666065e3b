import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type StartedApi, startApi } from "../../../../test/server/start-api.js";
import { createToken } from "../access/tokens.js";

let api: StartedApi;
const tokens: Record<string, string> = {};

beforeAll(async () => {
  api = await startApi();
  for (const name of ["erp", "shop"]) {
    const grants = [{ role: "operator", scope: { kind: "system", name } }] as const;
    tokens[name] = (await createToken(api.context, { name, grants })).secret;
  }
});
afterAll(() => api.stop());

const calendarOf = (...events: readonly string[]) =>
  [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//V//EN",
    ...events.flatMap((uid) => [
      `BEGIN:VEVENT`,
      `UID:${uid}`,
      "DTSTAMP:20260101T000000Z",
      "DTSTART:20990105T020000Z",
      "DTEND:20990105T030000Z",
      "SUMMARY:Patch",
      "END:VEVENT",
    ]),
    "END:VCALENDAR",
    "",
  ].join("\r\n");
const importAs = async (name: string, input: object) =>
  api.ask(
    "mutation I($input: ImportCalendarInput!) { importCalendar(input: $input) { report { addedCount removedCount } } }",
    { input: { owner: "o", reason: "r", timeZone: "UTC", ...input } },
    tokens[name],
  );
const windowsNow = async () =>
  (await api.database.sql<{ title: string }[]>`select title from maintenance_window where cancelled_at is null`).map(({ title }) => title);

describe("the key of an import that is somebody else's", () => {
  it("takes nobody into its windows: who may not change them changes no import", async () => {
    const theirs = { key: "vendor", scope: { systems: ["shop"] }, document: calendarOf("a", "b") };
    expect(await importAs("shop", theirs)).toMatchObject({ data: { importCalendar: { report: { addedCount: 2 } } } });
    for (const dryRun of [true, false]) {
      const taken = await importAs("erp", { key: "vendor", scope: { systems: ["erp"] }, document: calendarOf("c"), dryRun });
      expect(taken.errors?.map(({ extensions }) => extensions.code)).toEqual(["QSC_ACCESS_DENIED"]);
    }
    expect(await windowsNow()).toEqual(["Patch", "Patch"]);
    expect(await importAs("shop", { ...theirs, document: calendarOf("a") })).toMatchObject({
      data: { importCalendar: { report: { removedCount: 1 } } },
    });
    expect(await importAs("erp", { key: "own", scope: { systems: ["erp"] }, document: calendarOf("c") })).toMatchObject({
      data: { importCalendar: { report: { addedCount: 1 } } },
    });
  });
});

describe("the key of a feed", () => {
  it("that is larger than any is the key of no feed", async () => {
    const revoke = 'mutation { revokeCalendarFeed(input: { key: "99999999999" }) { key } }';
    for (const token of [api.tokens.admin, tokens["erp"]]) {
      const { errors } = await api.ask(revoke, {}, token);
      expect(errors?.map(({ extensions }) => extensions.code)).toEqual(["QSC_CALENDAR_FEED_NOT_FOUND"]);
    }
  });
});
