import { describe, expect, test } from "vitest";
import { parseZoneData } from "../time/zone-data.js";
import { occurrences } from "./occurrences.js";
import { windowAt } from "./window-at.js";
import { windowSeriesSchema, type WindowSeries } from "./window-series.js";

const at = (text: string): number => Date.parse(text);
const iso = (instant: number): string => new Date(instant).toISOString().replace(":00.000Z", "Z");
const YEAR = { from: at("2026-01-01T00:00Z"), to: at("2027-01-01T00:00Z") };

/** The instants of the one occurrence of a series. */
function once(series: WindowSeries): readonly string[] {
  const found = occurrences(series, { from: at("1990-01-01T00:00Z"), to: at("2100-01-01T00:00Z") });
  expect(found).toHaveLength(1);
  return found.flatMap(({ start, end }) => [iso(start), iso(end)]);
}

describe("a window on the night on which clocks change", () => {
  test.each([
    // zone, start, end, held under cover, held under rfc
    ["Europe/Madrid", "2026-03-29T02:00", "2026-03-29T06:00", "2026-03-29T01:00Z 2026-03-29T04:00Z", "2026-03-29T01:00Z 2026-03-29T04:00Z"],
    ["Europe/Madrid", "2014-03-30T02:30", "2014-03-30T03:00", "2014-03-30T01:00Z 2014-03-30T02:00Z", "2014-03-30T01:30Z 2014-03-30T02:00Z"],
    ["Europe/Madrid", "2026-03-29T01:30", "2026-03-29T02:30", "2026-03-29T00:30Z 2026-03-29T01:30Z", "2026-03-29T00:30Z 2026-03-29T01:30Z"],
    ["Europe/Madrid", "2026-10-25T02:00", "2026-10-25T06:00", "2026-10-25T00:00Z 2026-10-25T05:00Z", "2026-10-25T00:00Z 2026-10-25T05:00Z"],
    ["Europe/Madrid", "2026-10-25T01:00", "2026-10-25T02:30", "2026-10-24T23:00Z 2026-10-25T01:30Z", "2026-10-24T23:00Z 2026-10-25T00:30Z"],
    ["Europe/Madrid", "2026-10-25T02:15", "2026-10-25T02:45", "2026-10-25T00:15Z 2026-10-25T01:45Z", "2026-10-25T00:15Z 2026-10-25T00:45Z"],
    [
      "America/New_York",
      "2026-03-08T02:30",
      "2026-03-08T04:30",
      "2026-03-08T07:00Z 2026-03-08T08:30Z",
      "2026-03-08T07:30Z 2026-03-08T08:30Z",
    ],
    [
      "Australia/Lord_Howe",
      "2026-10-04T02:15",
      "2026-10-04T02:45",
      "2026-10-03T15:30Z 2026-10-03T16:15Z",
      "2026-10-03T15:45Z 2026-10-03T16:15Z",
    ],
    [
      "Australia/Sydney",
      "2026-04-05T00:00",
      "2026-04-06T00:00",
      "2026-04-04T13:00Z 2026-04-05T14:00Z",
      "2026-04-04T13:00Z 2026-04-05T14:00Z",
    ],
    ["Pacific/Apia", "2011-12-30T09:00", "2011-12-30T10:00", "2011-12-30T10:00Z 2011-12-30T20:00Z", "2011-12-30T19:00Z 2011-12-30T20:00Z"],
    [
      "America/Sao_Paulo",
      "2018-11-04T00:00",
      "2018-11-04T01:00",
      "2018-11-04T03:00Z 2018-11-04T04:00Z",
      "2018-11-04T03:00Z 2018-11-04T04:00Z",
    ],
    [
      "America/Santiago",
      "2026-09-06T00:30",
      "2026-09-06T02:00",
      "2026-09-06T04:00Z 2026-09-06T05:00Z",
      "2026-09-06T04:30Z 2026-09-06T05:00Z",
    ],
    [
      "Africa/Casablanca",
      "2019-05-05T02:00",
      "2019-05-05T03:00",
      "2019-05-05T01:00Z 2019-05-05T03:00Z",
      "2019-05-05T01:00Z 2019-05-05T03:00Z",
    ],
  ])("in %s from %s to %s is held %s, by the RFC alone %s", (timeZone, start, end, cover, rfc) => {
    expect(once({ timeZone, start, end }).join(" ")).toBe(cover);
    expect(once({ timeZone, start, end, dstPolicy: "rfc" }).join(" ")).toBe(rfc);
  });

  test.each([
    ["PT4H", "2026-03-28T23:30", "2026-03-28T22:30Z 2026-03-29T02:30Z"],
    ["P1D", "2026-03-28T12:00", "2026-03-28T11:00Z 2026-03-29T10:00Z"],
    ["P1DT1H", "2026-03-28T02:00", "2026-03-28T01:00Z 2026-03-29T02:00Z"],
    ["P1D", "2026-10-24T02:30", "2026-10-24T00:30Z 2026-10-25T00:30Z"],
    // Both readings hold: from the jump, and four hours from 03:30.
    ["PT4H", "2026-03-29T02:30", "2026-03-29T01:00Z 2026-03-29T05:30Z"],
    ["P1W", "2026-03-25T00:00", "2026-03-24T23:00Z 2026-03-31T22:00Z"],
  ])("of duration %s from %s counts days on the wall clock and hours as they pass: %s", (duration, start, expected) => {
    expect(once({ timeZone: "Europe/Madrid", start, duration }).join(" ")).toBe(expected);
  });

  test("says so in a note, and says nothing on other nights", () => {
    const series: WindowSeries = { start: "2026-01-04T02:00", end: "2026-01-04T06:00", timeZone: "Europe/Madrid", rrule: "FREQ=WEEKLY" };
    const noted = occurrences(series, YEAR).filter(({ notes }) => notes.length > 0);
    expect(noted.map(({ localStart, notes }) => [localStart, ...notes])).toEqual([
      [
        "2026-03-29T02:00",
        "starts at 03:00: 02:00 does not exist on this night, clocks go from 02:00 to 03:00",
        "lasts 3 h on this night: clocks go forward at 02:00",
      ],
      [
        "2026-10-25T02:00",
        "starts at the first of two 02:00: clocks go back at 03:00 on this night",
        "lasts 5 h on this night: clocks go back at 03:00",
      ],
    ]);
    expect(occurrences({ ...series, start: "2026-03-29T01:00", end: "2026-03-29T06:00", rrule: null }, YEAR)[0]?.notes).toEqual([
      "lasts 4 h on this night: clocks go forward at 02:00",
    ]);
  });

  test("keeps the local times that the series names", () => {
    const [held] = occurrences({ start: "2026-03-29T02:30", end: "2026-03-29T02:45:30", timeZone: "Europe/Madrid" }, YEAR);
    expect([held?.localStart, held?.localEnd]).toEqual(["2026-03-29T02:30", "2026-03-29T02:45:30"]);
    const [lasting] = occurrences({ start: "2026-03-29T01:00", duration: "PT2H", timeZone: "Europe/Madrid" }, YEAR);
    expect(lasting?.localEnd).toBe("2026-03-29T04:00");
  });
});

describe("a series", () => {
  const daily: WindowSeries = { start: "2026-01-01T09:00", end: "2026-01-01T10:00", timeZone: "UTC", rrule: "FREQ=DAILY;COUNT=4" };
  const days = (series: WindowSeries): readonly string[] => occurrences(series, YEAR).map(({ localStart }) => localStart.slice(5, 10));

  test("without a rule happens once, and on its additional dates", () => {
    expect(days({ ...daily, rrule: undefined, rdates: ["2026-02-01T09:00"] })).toEqual(["01-01", "02-01"]);
  });

  test("loses an excluded date also when it is an additional one, and COUNT counts it", () => {
    expect(days({ ...daily, exdates: ["2026-01-02T09:00", "2026-03-01T09:00"], rdates: ["2026-03-01T09:00", "2026-03-02T09:00"] })).toEqual(
      ["01-01", "01-03", "01-04", "03-02"],
    );
  });

  test("has an additional date that the rule also gives once", () => {
    expect(days({ ...daily, rdates: ["2026-01-02T09:00", "2026-01-02T09:00"] })).toEqual(["01-01", "01-02", "01-03", "01-04"]);
  });

  test("does not happen at its start unless the rule says so", () => {
    expect(days({ ...daily, rrule: "FREQ=DAILY;BYDAY=MO;COUNT=2" })).toEqual(["01-05", "01-12"]);
  });

  test("whose excluded dates leave nothing has no occurrence and no next start", () => {
    const series = { ...daily, rrule: "FREQ=DAILY;COUNT=1", exdates: ["2026-01-01T09:00"] };
    expect(days(series)).toEqual([]);
    expect(windowAt(series, 0)).toEqual({ inWindow: false, nextStart: null });
  });

  test.each([
    ["UNTIL=20260103T090000Z", ["01-01", "01-02", "01-03"]],
    ["UNTIL=20260103T085959Z", ["01-01", "01-02"]],
    ["UNTIL=20260103T090000", ["01-01", "01-02", "01-03"]],
    ["UNTIL=20260103", ["01-01", "01-02", "01-03"]],
    ["UNTIL=20260102", ["01-01", "01-02"]],
    ["UNTIL=20251231", []],
    ["COUNT=2;UNTIL=20260103", ["01-01", "01-02"]],
  ])("with %s ends there, inclusive", (end, expected) => {
    expect(days({ ...daily, rrule: `FREQ=DAILY;${end}` })).toEqual(expected);
  });

  test("compares UNTIL as an instant of its zone", () => {
    const series = { ...daily, timeZone: "Asia/Tokyo", rrule: "FREQ=DAILY;UNTIL=20260103T000000Z" };
    expect(days(series)).toEqual(["01-01", "01-02", "01-03"]);
    expect(days({ ...series, rrule: "FREQ=DAILY;UNTIL=20260102T235959Z" })).toEqual(["01-01", "01-02"]);
  });

  test("takes positions from a whole week, also from the days before its start", () => {
    // The week of Wednesday 7 January has Monday, Wednesday and Friday: the second is Wednesday itself.
    expect(
      days({ ...daily, start: "2026-01-07T09:00", end: "2026-01-07T10:00", rrule: "FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=2;COUNT=2" }),
    ).toEqual(["01-07", "01-14"]);
  });

  test("joins plain and numbered weekdays", () => {
    expect(days({ ...daily, rrule: "FREQ=MONTHLY;BYDAY=1MO,FR;COUNT=6" })).toEqual(["01-02", "01-05", "01-09", "01-16", "01-23", "01-30"]);
  });

  test("takes what the week number does not say from its start", () => {
    expect(days({ ...daily, rrule: "FREQ=YEARLY;BYWEEKNO=10" })).toEqual(["03-05"]);
  });

  test("that steps in hours over years is read from where it is asked", () => {
    const hourly: WindowSeries = {
      start: "2001-01-01T00:00",
      end: "2001-01-01T00:30",
      timeZone: "Europe/Madrid",
      rrule: "FREQ=HOURLY;INTERVAL=7",
    };
    const found = occurrences(hourly, { from: at("2026-03-28T00:00Z"), to: at("2026-03-29T12:00Z") });
    expect(found.map(({ localStart }) => localStart)).toEqual([
      "2026-03-28T06:00",
      "2026-03-28T13:00",
      "2026-03-28T20:00",
      "2026-03-29T03:00",
      "2026-03-29T10:00",
    ]);
  });

  test("that can never happen is answered, and in little time", () => {
    for (const rrule of [
      "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
      "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
      "FREQ=HOURLY;INTERVAL=24;BYHOUR=5",
      "FREQ=MINUTELY;INTERVAL=60;BYMINUTE=7",
      "FREQ=SECONDLY;INTERVAL=2;BYSECOND=7",
      "FREQ=MONTHLY;BYMONTHDAY=1;BYSETPOS=2",
    ]) {
      expect(windowAt({ ...daily, rrule }, YEAR.from), rrule).toEqual({ inWindow: false, nextStart: null });
    }
  });

  test("of starts alone reads a gap as the RFC does and gives each instant once", () => {
    const found = occurrences({ start: "2026-03-29T00:30", timeZone: "Europe/Madrid", rrule: "FREQ=HOURLY;COUNT=5" }, YEAR);
    expect(found.map(({ start, end, localStart }) => [iso(start), end - start, localStart])).toEqual([
      ["2026-03-28T23:30Z", 0, "2026-03-29T00:30"],
      ["2026-03-29T00:30Z", 0, "2026-03-29T01:30"],
      ["2026-03-29T01:30Z", 0, "2026-03-29T03:30"],
      ["2026-03-29T02:30Z", 0, "2026-03-29T04:30"],
    ]);
  });
});

describe("windowAt", () => {
  test("merges what touches and overlaps, in both directions", () => {
    const nights: WindowSeries = {
      start: "2026-01-01T00:00",
      end: "2026-01-02T00:00",
      timeZone: "Europe/Madrid",
      rrule: "FREQ=DAILY;COUNT=200",
    };
    expect(windowAt(nights, at("2026-04-01T12:00Z"))).toEqual({
      inWindow: true,
      start: at("2025-12-31T23:00Z"),
      end: at("2026-07-19T22:00Z"),
    });
    expect(windowAt(nights, at("2026-07-19T22:00Z"))).toEqual({ inWindow: false, nextStart: null });
  });

  test("follows what is always open for about twenty years", () => {
    const always = windowAt(
      { start: "2026-01-01T00:00", end: "2026-01-02T00:00", timeZone: "UTC", rrule: "FREQ=DAILY" },
      at("2027-01-01T00:00Z"),
    );
    expect(always).toMatchObject({ inWindow: true, start: at("2026-01-01T00:00Z") });
    expect(always.inWindow && always.end).toBeGreaterThan(at("2046-01-01T00:00Z"));
  });

  test("finds the earliest next start when clocks put a later local time first", () => {
    // 02:30 is read as 03:30, which is after 03:00.
    const series: WindowSeries = {
      start: "2026-03-29T02:30",
      end: "2026-03-29T02:35",
      timeZone: "Europe/Madrid",
      rdates: ["2026-03-29T03:00"],
      dstPolicy: "rfc",
    };
    expect(windowAt(series, at("2026-03-29T00:00Z"))).toEqual({ inWindow: false, nextStart: at("2026-03-29T01:00Z") });
  });

  test("finds a next start that is years away", () => {
    expect(
      windowAt({ start: "2024-02-29T00:00", end: "2024-02-29T01:00", timeZone: "UTC", rrule: "FREQ=YEARLY" }, at("2096-03-01T00:00Z")),
    ).toEqual({ inWindow: false, nextStart: at("2104-02-29T00:00Z") });
  });
});

describe("a malformed series is refused with a code and the field at fault", () => {
  const good: WindowSeries = { start: "2026-01-04T02:00", end: "2026-01-04T06:00", timeZone: "Europe/Madrid", rrule: "FREQ=DAILY" };
  test.each<[Partial<WindowSeries>, string, string]>([
    [{ start: "2026-01-04" }, "QSC_WINDOW_LOCAL_TIME_MALFORMED", "start"],
    [{ start: "2026-02-30T02:00" }, "QSC_WINDOW_LOCAL_TIME_MALFORMED", "start"],
    [{ end: "2026-01-04T06:00Z" }, "QSC_WINDOW_LOCAL_TIME_MALFORMED", "end"],
    [{ start: "2400-01-01T00:00" }, "QSC_WINDOW_LOCAL_TIME_OUT_OF_RANGE", "start"],
    [{ end: "2026-01-04T02:00" }, "QSC_WINDOW_EMPTY", "end"],
    [{ duration: "PT4H" }, "QSC_WINDOW_END_AND_DURATION", "duration"],
    [{ end: undefined, duration: "4h" }, "QSC_WINDOW_DURATION_MALFORMED", "duration"],
    [{ end: undefined, duration: "P" }, "QSC_WINDOW_DURATION_MALFORMED", "duration"],
    [{ end: undefined, duration: "P1DT" }, "QSC_WINDOW_DURATION_MALFORMED", "duration"],
    [{ end: undefined, duration: "P1M" }, "QSC_WINDOW_DURATION_MALFORMED", "duration"],
    [{ end: undefined, duration: "-PT1H" }, "QSC_WINDOW_DURATION_MALFORMED", "duration"],
    [{ end: undefined, duration: "PT0S" }, "QSC_WINDOW_EMPTY", "duration"],
    [{ timeZone: "Europe/Nowhere" }, "QSC_TIME_ZONE_UNKNOWN", "timeZone"],
    [{ exdates: ["2026-01-05T02:00", "tomorrow"] }, "QSC_WINDOW_LOCAL_TIME_MALFORMED", "exdates.1"],
    [{ rdates: ["2026-01-05"] }, "QSC_WINDOW_LOCAL_TIME_MALFORMED", "rdates.0"],
    ...[
      "",
      "DAILY",
      "FREQ=FORTNIGHTLY",
      "INTERVAL=2",
      "FREQ=DAILY;FREQ=DAILY",
      "FREQ=DAILY;INTERVAL=0",
      "FREQ=DAILY;INTERVAL=-1",
      "FREQ=DAILY;COUNT=0",
      "FREQ=DAILY;COUNT=x",
      "FREQ=DAILY;UNTIL=tomorrow",
      "FREQ=DAILY;UNTIL=20261332",
      "FREQ=DAILY;BYHOUR=24",
      "FREQ=DAILY;BYMONTH=13",
      "FREQ=DAILY;BYMONTH=-1",
      "FREQ=MONTHLY;BYMONTHDAY=0",
      "FREQ=MONTHLY;BYMONTHDAY=32",
      "FREQ=MONTHLY;BYDAY=XX",
      "FREQ=MONTHLY;BYDAY=0MO",
      "FREQ=MONTHLY;BYDAY=54MO",
      "FREQ=WEEKLY;BYDAY=1MO",
      "FREQ=MONTHLY;BYWEEKNO=1",
      "FREQ=MONTHLY;BYYEARDAY=1",
      "FREQ=WEEKLY;BYMONTHDAY=1",
      "FREQ=MONTHLY;BYSETPOS=1",
      "FREQ=DAILY;WKST=XX",
      "FREQ=DAILY;X-FOO=1",
      "FREQ=DAILY;BYHOUR=",
      "FREQ=DAILY;;",
    ].map((rrule): [Partial<WindowSeries>, string, string] => [{ rrule }, "QSC_WINDOW_RULE_MALFORMED", "rrule"]),
  ])("%j: %s at %s", (part, code, field) => {
    const series = { ...good, ...part };
    expect(() => occurrences(series, YEAR)).toThrow(expect.objectContaining({ name: "DomainError", code, field }));
    expect(() => windowAt(series, YEAR.from)).toThrow(expect.objectContaining({ code }));
  });

  test("the shape is checked at the edge", () => {
    expect(windowSeriesSchema.safeParse(good).success).toBe(true);
    expect(windowSeriesSchema.safeParse({ ...good, rrule: null }).success).toBe(true);
    for (const bad of [{ ...good, zone: "UTC" }, { ...good, dstPolicy: "skip" }, { ...good, start: 5 }, { start: good.start }])
      expect(windowSeriesSchema.safeParse(bad).success).toBe(false);
  });

  test("zone data may be given", () => {
    const none = parseZoneData({ version: "2026f", source: "test", files: {} });
    expect(() => occurrences(good, YEAR, none)).toThrow(expect.objectContaining({ code: "QSC_TIME_ZONE_UNKNOWN" }));
  });
});
