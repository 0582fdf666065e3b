import { describe, expect, it } from "vitest";
import { packagedZoneData } from "../time/packaged-zone-data.js";
import { holidayDates } from "./holiday-dates.js";
import type { JCalComponent, JCalProperty } from "./jcal.js";
import { type ImportSettings, planImport } from "./plan-import.js";
import { timeZoneComponent } from "./vtimezone.js";

const zones = packagedZoneData();
const now = Date.parse("2026-11-20T12:00:00Z");
const settings: ImportSettings = {
  scope: { all: true },
  mode: "enforce",
  owner: "erp-team",
  reason: "Vendor",
  timeZone: null,
  zoneMap: {},
  titleContains: null,
};

const at = (name: string, value: string, tzid?: string): JCalProperty => [name, tzid === undefined ? {} : { tzid }, "date-time", value];
const day = (name: string, value: string): JCalProperty => [name, {}, "date", value];
const text = (name: string, value: string): JCalProperty => [name, {}, "text", value];
const rule = (value: string): JCalProperty => ["rrule", {}, "recur", value];
const event = (uid: string, ...properties: readonly JCalProperty[]): JCalComponent => [
  "vevent",
  [text("uid", uid), text("summary", `Event ${uid}`), ...properties],
  [],
];
const madrid = [at("dtstart", "2026-12-06T02:00:00", "Europe/Madrid"), at("dtend", "2026-12-06T06:00:00", "Europe/Madrid")];

const plan = (parts: readonly JCalComponent[], more: Partial<ImportSettings> = {}, calendar: readonly JCalProperty[] = []) =>
  planImport(["vcalendar", calendar, parts], { settings: { ...settings, ...more }, now, ownDomain: "here" }, zones);
const seriesOf = (parts: readonly JCalComponent[], more: Partial<ImportSettings> = {}, calendar: readonly JCalProperty[] = []) => {
  const made = plan(parts, more, calendar);
  expect(made.refused).toEqual([]);
  return made.windows.map(({ input }) => input.series);
};

describe("an event of a calendar", () => {
  it.each<[string, readonly JCalProperty[], object]>([
    [
      "local times beside a zone stay what they are",
      madrid,
      { start: "2026-12-06T02:00", end: "2026-12-06T06:00", timeZone: "Europe/Madrid" },
    ],
    [
      "times in UTC are in UTC",
      [at("dtstart", "2026-12-06T02:00:00Z"), at("dtend", "2026-12-06T06:00:00Z")],
      { start: "2026-12-06T02:00", end: "2026-12-06T06:00", timeZone: "UTC" },
    ],
    [
      "a duration stays a duration",
      [madrid[0] ?? at("", ""), ["duration", {}, "duration", "P1DT2H"]],
      { start: "2026-12-06T02:00", duration: "P1DT2H", timeZone: "Europe/Madrid" },
    ],
    [
      "a name of Windows is its IANA zone",
      [at("dtstart", "2026-12-06T02:00:00", "Pacific Standard Time"), at("dtend", "2026-12-06T06:00:00", "Pacific Standard Time")],
      { start: "2026-12-06T02:00", end: "2026-12-06T06:00", timeZone: "America/Los_Angeles" },
    ],
    [
      "a path that ends with a zone is that zone",
      [
        at("dtstart", "2026-12-06T02:00:00", "/citadel.org/20260101_1/Europe/Madrid"),
        at("dtend", "2026-12-06T06:00:00", "/citadel.org/20260101_1/Europe/Madrid"),
      ],
      { start: "2026-12-06T02:00", end: "2026-12-06T06:00", timeZone: "Europe/Madrid" },
    ],
    [
      "an end in another zone is the same instant in the start's",
      [at("dtstart", "2026-12-06T02:00:00", "Europe/Madrid"), at("dtend", "2026-12-06T06:00:00", "Europe/London")],
      { start: "2026-12-06T02:00", end: "2026-12-06T07:00", timeZone: "Europe/Madrid" },
    ],
    [
      "an end that its zone says twice is said in UTC",
      [at("dtstart", "2027-10-31T00:00:00", "Europe/Madrid"), at("dtend", "2027-10-31T01:30:00Z")],
      { start: "2027-10-30T22:00", end: "2027-10-31T01:30", timeZone: "UTC" },
    ],
    [
      "excluded and further times come into its zone",
      [...madrid, rule("FREQ=WEEKLY"), at("exdate", "2026-12-13T01:00:00Z"), at("rdate", "2026-12-24T02:00:00", "Europe/Madrid")],
      {
        start: "2026-12-06T02:00",
        end: "2026-12-06T06:00",
        timeZone: "Europe/Madrid",
        rrule: "FREQ=WEEKLY",
        exdates: ["2026-12-13T02:00"],
        rdates: ["2026-12-24T02:00"],
      },
    ],
  ])("%s", (_name, properties, expected) => {
    expect(seriesOf([event("a", ...properties)])).toEqual([expected]);
  });

  it("of whole days is from midnight to midnight in the import's zone, or in the calendar's", () => {
    const days = [event("a", day("dtstart", "2026-12-24"), day("dtend", "2026-12-27")), event("b", day("dtstart", "2026-12-31"))];
    const expected = (timeZone: string) => [
      { start: "2026-12-24T00:00", end: "2026-12-27T00:00", timeZone },
      { start: "2026-12-31T00:00", end: "2027-01-01T00:00", timeZone },
    ];
    expect(seriesOf(days, { timeZone: "America/Santiago" })).toEqual(expected("America/Santiago"));
    expect(seriesOf(days, {}, [text("x-wr-timezone", "Europe/Madrid")])).toEqual(expected("Europe/Madrid"));
  });

  it.each<[string, string, readonly JCalProperty[]]>([
    [
      "a TZID that nobody knows",
      "QSC_CALENDAR_ZONE_UNKNOWN",
      [at("dtstart", "2026-12-06T02:00:00", "Vendor Time"), at("dtend", "2026-12-06T06:00:00", "Vendor Time")],
    ],
    ["times without any zone", "QSC_CALENDAR_ZONE_MISSING", [at("dtstart", "2026-12-06T02:00:00"), at("dtend", "2026-12-06T06:00:00")]],
    ["whole days of nobody's zone", "QSC_CALENDAR_ZONE_MISSING", [day("dtstart", "2026-12-24")]],
    ["every second", "QSC_WINDOW_FREQUENCY_TOO_HIGH", [...madrid, rule("FREQ=SECONDLY")]],
    ["Easter", "QSC_WINDOW_RULE_MALFORMED", [...madrid, rule("FREQ=YEARLY;BYEASTER=0")]],
    ["two rules", "QSC_CALENDAR_RULE_UNSUPPORTED", [...madrid, rule("FREQ=DAILY"), rule("FREQ=WEEKLY")]],
    ["an EXRULE", "QSC_CALENDAR_RULE_UNSUPPORTED", [...madrid, rule("FREQ=DAILY"), ["exrule", {}, "recur", "FREQ=WEEKLY"]]],
    ["a PERIOD", "QSC_CALENDAR_PERIOD", [...madrid, ["rdate", {}, "period", ["2026-12-24T02:00:00Z", "PT1H"]]]],
    ["no start", "QSC_CALENDAR_NO_START", [at("dtend", "2026-12-06T06:00:00Z")]],
    ["no end", "QSC_CALENDAR_NO_END", [at("dtstart", "2026-12-06T06:00:00Z")]],
    [
      "an end before the start",
      "QSC_WINDOW_END_BEFORE_START",
      [at("dtstart", "2026-12-06T06:00:00Z"), at("dtend", "2026-12-06T02:00:00Z")],
    ],
    ["30 February", "QSC_CALENDAR_TIME_MALFORMED", [at("dtstart", "2027-02-30T06:00:00Z"), at("dtend", "2027-03-01T02:00:00Z")]],
    ["a time and a day", "QSC_CALENDAR_TIME_MALFORMED", [at("dtstart", "2026-12-06T02:00:00Z"), day("dtend", "2026-12-07")]],
    ["a start that its rule does not make", "QSC_WINDOW_START_OFF_RULE", [...madrid, rule("FREQ=WEEKLY;BYDAY=MO")]],
    [
      "an end in another zone than its start's, time and again",
      "QSC_CALENDAR_ZONES_DIFFER",
      [at("dtstart", "2026-12-06T02:00:00", "Europe/Madrid"), at("dtend", "2026-12-06T06:00:00", "Europe/London"), rule("FREQ=DAILY")],
    ],
    ["forty days", "QSC_WINDOW_LONG", [at("dtstart", "2026-12-01T00:00:00Z"), at("dtend", "2027-01-10T00:00:00Z")]],
    ["a line that could not be read", "QSC_CALENDAR_EVENT_UNREADABLE", [...madrid, text("x-quiesce-unreadable", "DTSTART;;;")]],
  ])("with %s is refused by its name, and the next one goes on", (_what, code, properties) => {
    const made = plan([event("bad", ...properties), event("good", ...madrid)]);
    expect(made.refused.map((one) => [one.uid, one.title, one.code])).toEqual([["bad", "Event bad", code]]);
    expect(made.windows.map(({ uid }) => uid)).toEqual(["good"]);
  });

  it("that lies behind is over, unless something of it lies ahead", () => {
    const past = [at("dtstart", "2026-11-01T00:00:00Z"), at("dtend", "2026-11-01T01:00:00Z")];
    const open = [at("dtstart", "2026-11-20T11:00:00Z"), at("dtend", "2026-11-20T13:00:00Z")];
    const made = plan([event("past", ...past), event("open", ...open), event("goes on", ...past, rule("FREQ=DAILY"))]);
    expect(made.over.map(({ uid }) => uid)).toEqual(["past"]);
    expect(made.windows.map(({ uid }) => uid)).toEqual(["open", "goes on"]);
  });

  it("counts in its newest version", () => {
    const other = [at("dtstart", "2026-12-07T02:00:00Z"), at("dtend", "2026-12-07T06:00:00Z")];
    const version = (sequence: number): JCalProperty => ["sequence", {}, "integer", sequence];
    expect(seriesOf([event("a", ...other, version(2)), event("a", ...madrid, version(1))])).toMatchObject([{ timeZone: "UTC" }]);
  });
});

describe("an occurrence that the calendar moved", () => {
  const weekly = event("a", ...madrid, rule("FREQ=WEEKLY;COUNT=3"));
  const moved = (...properties: readonly JCalProperty[]) =>
    event("a", at("recurrence-id", "2026-12-13T02:00:00", "Europe/Madrid"), ...properties);

  it("leaves its series and is a window of its own", () => {
    const made = plan([weekly, moved(at("dtstart", "2026-12-14T00:00:00Z"), at("dtend", "2026-12-14T01:00:00Z"))]);
    expect(made.windows.map(({ recurrenceId, input }) => [recurrenceId, input.series.start, input.series.exdates])).toEqual([
      ["2026-12-13T02:00:00", "2026-12-14T00:00", undefined],
      [null, "2026-12-06T02:00", ["2026-12-13T02:00"]],
    ]);
  });

  it("is gone when it is cancelled", () => {
    expect(seriesOf([weekly, moved(text("status", "CANCELLED"))])).toMatchObject([{ exdates: ["2026-12-13T02:00"] }]);
  });

  it("stays where it was when it is not understood: a hole would be worse", () => {
    const made = plan([
      weekly,
      moved(at("dtstart", "2026-12-14T00:00:00", "Vendor Time"), at("dtend", "2026-12-14T01:00:00", "Vendor Time")),
    ]);
    expect(made.refused).toMatchObject([{ recurrenceId: "2026-12-13T02:00:00", code: "QSC_CALENDAR_ZONE_UNKNOWN" }]);
    expect(made.windows.map(({ input }) => input.series.exdates)).toEqual([undefined]);
  });

  it("stays where it was when it could not be saved as a window", () => {
    const made = plan([weekly, moved(at("dtstart", "2026-12-14T00:00:00Z"), at("dtend", "2027-02-14T00:00:00Z"))]);
    expect(made.refused).toMatchObject([{ recurrenceId: "2026-12-13T02:00:00", code: "QSC_WINDOW_LONG" }]);
    expect(made.windows.map(({ input }) => input.series.exdates)).toEqual([undefined]);
  });

  it("stays where it was when all that follow are meant as well", () => {
    const range = event(
      "a",
      ["recurrence-id", { tzid: "Europe/Madrid", range: "THISANDFUTURE" }, "date-time", "2026-12-13T02:00:00"],
      ...madrid,
    );
    expect(plan([weekly, range]).refused).toMatchObject([{ code: "QSC_CALENDAR_RANGE" }]);
  });

  it("takes the series with it when nothing else is left of it", () => {
    const once = event("a", ...madrid, rule("FREQ=WEEKLY;COUNT=1"));
    const away = event(
      "a",
      at("recurrence-id", "2026-12-06T02:00:00", "Europe/Madrid"),
      at("dtstart", "2026-12-14T00:00:00Z"),
      at("dtend", "2026-12-14T01:00:00Z"),
    );
    expect(seriesOf([once, away])).toMatchObject([{ start: "2026-12-14T00:00" }]);
  });
});

describe("a zone of the calendar's own", () => {
  const inside = (zone: string, tzid = "Custom") => {
    const data = zones.zone(zone);
    if (data === undefined) throw new Error(zone);
    const [name, , parts] = timeZoneComponent(data, { from: now, to: now + 3 * 366 * 86_400_000 });
    const definition: JCalComponent = [name, [text("tzid", tzid)], parts];
    return [
      definition,
      event("a", at("dtstart", "2026-12-06T02:00:00", tzid), at("dtend", "2026-12-06T06:00:00", tzid), rule("FREQ=WEEKLY")),
    ];
  };

  it("is the import's zone when both say the same of every occurrence", () => {
    expect(seriesOf(inside("Europe/Berlin"), { timeZone: "Europe/Madrid" })).toMatchObject([{ timeZone: "Europe/Madrid" }]);
  });

  it("is refused when one occurrence differs, and when there is nothing to compare it with", () => {
    expect(plan(inside("Europe/London"), { timeZone: "Europe/Madrid" }).refused).toMatchObject([{ code: "QSC_CALENDAR_ZONE_DISAGREES" }]);
    expect(plan(inside("Europe/London")).refused).toMatchObject([{ code: "QSC_CALENDAR_ZONE_UNKNOWN" }]);
  });

  it("under a name of Windows must be what Windows means by it", () => {
    expect(seriesOf(inside("Europe/Madrid", "Romance Standard Time"))).toMatchObject([{ timeZone: "Europe/Paris" }]);
    expect(plan(inside("Europe/London", "Romance Standard Time")).refused).toMatchObject([{ code: "QSC_CALENDAR_ZONE_DISAGREES" }]);
  });

  it("is what the operator says, whatever the calendar says", () => {
    expect(seriesOf(inside("Europe/London"), { zoneMap: { Custom: "Asia/Kolkata" } })).toMatchObject([{ timeZone: "Asia/Kolkata" }]);
  });
});

describe("the days of a calendar of holidays", () => {
  it("are its all-day events, unrolled, day by day; what has times is refused by name", () => {
    const calendar: JCalComponent = [
      "vcalendar",
      [],
      [
        event("xmas", day("dtstart", "2020-12-25"), day("dtend", "2020-12-27"), rule("FREQ=YEARLY")),
        event("leap", day("dtstart", "2024-02-29"), rule("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29")),
        event("once", day("dtstart", "2027-06-01")),
        event("new year", day("dtstart", "2026-12-31"), day("dtend", "2027-01-02")),
        event("party", at("dtstart", "2027-06-01T18:00:00Z"), at("dtend", "2027-06-01T20:00:00Z")),
      ],
    ];
    const { dates, refused } = holidayDates(calendar, { fromYear: 2027, years: 2 });
    expect(dates.map(({ date, title }) => `${date} ${title}`)).toEqual([
      "2027-01-01 Event new year",
      "2027-06-01 Event once",
      "2027-12-25 Event xmas",
      "2027-12-26 Event xmas",
      "2028-02-29 Event leap",
      "2028-12-25 Event xmas",
      "2028-12-26 Event xmas",
    ]);
    expect(refused).toMatchObject([{ uid: "party", code: "QSC_CALENDAR_NOT_ALL_DAY" }]);
  });
});
