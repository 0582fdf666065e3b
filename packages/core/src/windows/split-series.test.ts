import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DAY_MS } from "../time/local-time.js";
import { occurrences } from "./occurrences.js";
import { splitSeries } from "./split-series.js";
import { validateWindowSeries } from "./validate-series.js";
import type { WindowSeries } from "./window-series.js";

const sundays: WindowSeries = {
  start: "2026-01-04T02:00",
  end: "2026-01-04T06:00",
  timeZone: "Europe/Madrid",
  rrule: "FREQ=MONTHLY;BYDAY=1SU",
};
const range = { from: Date.parse("2025-12-01T00:00Z"), to: Date.parse("2028-02-01T00:00Z") };
const shape = (series: WindowSeries) => occurrences(series, range).map(({ start, end, localStart }) => ({ start, end, localStart }));

function expectWhole(series: WindowSeries, localStart: string): void {
  const { first, second } = splitSeries(series, localStart);
  const all = shape(series);
  const at = all.findIndex((one) => one.localStart === localStart);
  expect(shape(first)).toEqual(all.slice(0, at));
  expect(shape(second)).toEqual(all.slice(at));
}

describe("a series taken apart", () => {
  test("the old one ends by UNTIL before, the new one begins at the start and goes on as before", () => {
    expect(splitSeries(sundays, "2026-04-05T02:00")).toEqual({
      first: { ...sundays, rrule: "FREQ=MONTHLY;BYDAY=1SU;UNTIL=20260301T010000Z" },
      second: { ...sundays, start: "2026-04-05T02:00", end: "2026-04-05T06:00" },
    });
  });

  test("a count is shared between them", () => {
    const { first, second } = splitSeries({ ...sundays, rrule: "FREQ=MONTHLY;BYDAY=1SU;COUNT=5" }, "2026-04-05T02:00");
    expect([first.rrule, second.rrule]).toEqual(["FREQ=MONTHLY;BYDAY=1SU;COUNT=3", "FREQ=MONTHLY;BYDAY=1SU;COUNT=2"]);
  });

  test("on the night when 02:30 and 03:00 are near one instant it counts instead", () => {
    const hourly: WindowSeries = {
      start: "2026-03-28T00:30",
      duration: "PT5M",
      timeZone: "Europe/Madrid",
      rrule: "FREQ=DAILY;BYHOUR=2,3;BYMINUTE=0,30",
    };
    const series = { ...hourly, start: "2026-03-28T02:00" };
    expect(splitSeries(series, "2026-03-29T03:00").first.rrule).toContain("COUNT=6");
    expectWhole(series, "2026-03-29T03:00");
  });

  test.each<[string, WindowSeries, string]>([
    ["additional dates alone", { ...sundays, rrule: null, rdates: ["2026-02-10T02:00", "2026-03-10T02:00"] }, "2026-02-10T02:00"],
    ["an additional date between two of the rule", { ...sundays, rdates: ["2026-01-20T02:00", "2026-03-10T02:00"] }, "2026-01-20T02:00"],
    ["an additional date before the start", { ...sundays, rdates: ["2025-12-20T02:00"] }, "2026-01-04T02:00"],
    [
      "an additional date after the rule has ended",
      { ...sundays, rrule: "FREQ=DAILY;COUNT=3", rdates: ["2026-03-10T02:00"] },
      "2026-03-10T02:00",
    ],
    [
      "exceptions on both sides",
      { ...sundays, rrule: "FREQ=WEEKLY", exdates: ["2026-01-11T02:00", "2026-02-01T02:00"] },
      "2026-01-25T02:00",
    ],
    [
      "every second week from the middle of one",
      { ...sundays, start: "2026-01-07T02:00", end: "2026-01-07T03:00", rrule: "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE;WKST=SU" },
      "2026-02-02T02:00",
    ],
    [
      "business days with an end by the calendar",
      {
        timeZone: "Europe/Madrid",
        holidays: ["2026-12-31", "2026-04-30"],
        start: "2026-01-29T18:00",
        end: "2026-02-01T06:00",
        businessDays: { of: "month", ordinals: [-2], ends: { days: "calendar", ordinal: 1, period: "next" } },
      },
      "2026-04-28T18:00",
    ],
    [
      "dates that are moved off holidays",
      {
        ...sundays,
        start: "2026-01-01T02:00",
        end: "2026-01-01T06:00",
        rrule: "FREQ=MONTHLY",
        onHoliday: "next",
        holidays: ["2026-05-01"],
      },
      "2026-05-04T02:00",
    ],
  ])("%s", (_, series, localStart) => {
    expectWhole(series, localStart);
  });

  test.each([
    ["what is no occurrence", "2026-04-06T02:00"],
    ["what is no local time", "soon"],
    ["the first occurrence", "2026-01-04T02:00"],
  ])("%s is refused", (_, localStart) => {
    expect(() => splitSeries(sundays, localStart)).toThrow(expect.objectContaining({ code: "QSC_WINDOW_SPLIT_IMPOSSIBLE" }));
  });

  test("both halves together are the whole, in every zone and at every start, and both can be saved", () => {
    const arbitrary: fc.Arbitrary<WindowSeries> = fc.record({
      start: fc.constantFrom("2026-03-01T02:30", "2026-03-29T02:30", "2026-10-25T02:15", "2026-01-31T23:00"),
      duration: fc.constantFrom("PT1H", "PT3H"),
      timeZone: fc.constantFrom("UTC", "Europe/Madrid", "America/Chicago", "Australia/Sydney", "Australia/Lord_Howe"),
      rrule: fc
        .tuple(
          fc.constantFrom(
            "FREQ=DAILY",
            "FREQ=DAILY;INTERVAL=3",
            "FREQ=WEEKLY",
            "FREQ=MONTHLY",
            "FREQ=HOURLY;INTERVAL=7",
            "FREQ=MONTHLY;BYMONTHDAY=-1,1",
          ),
          fc.constantFrom("", ";COUNT=9", ";UNTIL=20270101T000000Z"),
        )
        .map((parts) => parts.join("")),
      rdates: fc.subarray(["2026-02-01T02:30", "2026-03-29T02:00", "2026-10-25T02:45", "2026-11-30T12:00"]),
      exdates: fc.subarray(["2026-03-29T02:30", "2026-03-30T02:30", "2026-10-25T02:15"]),
      onHoliday: fc.constantFrom(undefined, "next" as const, "skip" as const, "previous" as const),
      holidays: fc.subarray(["2026-03-30", "2026-03-31", "2026-11-02"]),
    });
    fc.assert(
      fc.property(arbitrary, fc.nat(60), (series, place) => {
        const ahead = { from: range.from, to: Date.parse("2026-12-31T00:00Z") };
        const all = occurrences(series, ahead).map(({ localStart }) => localStart);
        const at = all.toSorted()[1 + (place % Math.max(1, all.length - 1))];
        fc.pre(at !== undefined);
        let halves;
        try {
          halves = splitSeries(series, at);
        } catch (error) {
          // Hours that are moved off a holiday may pass each other, and exceptions may leave nothing on one side; nothing else is refused.
          expect(error).toMatchObject({ code: "QSC_WINDOW_SPLIT_IMPOSSIBLE" });
          expect(series.onHoliday !== undefined || (series.exdates ?? []).length > 0).toBe(true);
          return;
        }
        const starts = (one: WindowSeries) =>
          occurrences(one, { ...ahead, from: ahead.from - 9 * DAY_MS }).map(({ localStart }) => localStart);
        const first = starts(halves.first);
        const second = starts(halves.second);
        expect([...first, ...second].toSorted()).toEqual(starts(series).toSorted());
        expect(first.every((one) => one < at)).toBe(true);
        expect(second.every((one) => one >= at)).toBe(true);
        const codes = [halves.first, halves.second].flatMap((one) => validateWindowSeries(one)).map(({ code }) => code);
        expect(
          codes.filter(
            (code) =>
              code === "QSC_WINDOW_RULE_MALFORMED" || code === "QSC_WINDOW_UNTIL_WITH_COUNT" || code === "QSC_WINDOW_START_OFF_RULE",
          ),
        ).toEqual(validateWindowSeries(series).some(({ code }) => code === "QSC_WINDOW_START_OFF_RULE") ? expect.anything() : []);
      }),
      { numRuns: 300 },
    );
  });
});
