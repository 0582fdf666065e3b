import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DAY_MS } from "../time/local-time.js";
import { occurrences } from "./occurrences.js";
import { validateWindowSeries } from "./validate-series.js";
import { windowAt } from "./window-at.js";
import { withHolidays, type WindowSeries } from "./window-series.js";

const madrid = { timeZone: "Europe/Madrid", holidays: ["2026-01-01", "2026-01-06", "2026-04-03", "2026-12-25", "2026-12-31"] } as const;
const quarterClose: WindowSeries = {
  ...madrid,
  start: "2026-03-30T18:00",
  end: "2026-03-30T23:00",
  businessDays: { of: "quarter", ordinals: [-2, -1] },
};
const from = Date.parse("2026-01-01T00:00Z");
const year = { from, to: Date.parse("2027-01-01T00:00Z") };
const startsOf = (series: WindowSeries, range = year) => occurrences(series, range).map((one) => one.localStart);

describe("business days of a period", () => {
  test("the last two business days of every quarter leave weekends and holidays out", () => {
    // 25 and 31 December are holidays, so the year ends on the 29th and 30th; March and June end on a Tuesday, September on a Wednesday.
    expect(startsOf(quarterClose)).toEqual([
      "2026-03-30T18:00",
      "2026-03-31T18:00",
      "2026-06-29T18:00",
      "2026-06-30T18:00",
      "2026-09-29T18:00",
      "2026-09-30T18:00",
      "2026-12-29T18:00",
      "2026-12-30T18:00",
    ]);
  });

  test("the first business day of every month steps over the New Year and weekends", () => {
    const monthly: WindowSeries = { ...madrid, start: "2026-01-02T06:00", duration: "PT2H", businessDays: { of: "month", ordinals: [1] } };
    expect(startsOf(monthly).map((start) => start.slice(5, 10))).toEqual([
      "01-02",
      "02-02",
      "03-02",
      "04-01",
      "05-01",
      "06-01",
      "07-01",
      "08-03",
      "09-01",
      "10-01",
      "11-02",
      "12-01",
    ]);
  });

  test("the start says from when on: a holiday that is added later makes nothing invalid", () => {
    const before: WindowSeries = { ...quarterClose, start: "2026-03-15T18:00", end: "2026-03-15T23:00" };
    expect(validateWindowSeries(before)).toEqual([]);
    expect(startsOf(before)).toEqual(startsOf(quarterClose));
    const later: WindowSeries = { ...quarterClose, holidays: ["2026-03-31"] };
    expect(validateWindowSeries(later)).toEqual([]);
    expect(startsOf(later)[0]).toBe("2026-03-30T18:00");
  });

  test("a weekend of its own, and an end of the rule", () => {
    const gulf: WindowSeries = {
      timeZone: "Asia/Riyadh",
      weekend: ["FR", "SA"],
      start: "2026-01-29T20:00",
      end: "2026-01-29T22:00",
      businessDays: { of: "month", ordinals: [-1], until: "2026-05-31T20:00" },
    };
    expect(startsOf(gulf)).toEqual(["2026-01-29T20:00", "2026-02-26T20:00", "2026-03-31T20:00", "2026-04-30T20:00", "2026-05-31T20:00"]);
  });

  test("a close lasts from the second-last business day to the first of the next month, however long that is", () => {
    const close: WindowSeries = {
      ...madrid,
      start: "2026-01-29T18:00",
      end: "2026-02-01T06:00",
      businessDays: { of: "month", ordinals: [-2], ends: { days: "calendar", ordinal: 1, period: "next" } },
    };
    expect(validateWindowSeries(close)).toEqual([]);
    const spans = occurrences(close, year).map((one) => `${one.localStart} ${one.localEnd}`);
    expect(spans.slice(0, 3)).toEqual([
      "2026-01-29T18:00 2026-02-01T06:00",
      "2026-02-26T18:00 2026-03-01T06:00",
      "2026-03-30T18:00 2026-04-01T06:00",
    ]);
    expect(spans.at(-1)).toBe("2026-12-29T18:00 2027-01-01T06:00");
    // Clocks in Madrid go back on 25 October: that is inside none of them, and no note speaks of a length.
    expect(occurrences(close, year).flatMap((one) => one.notes)).toEqual([]);
    const inside = Date.parse("2026-12-31T12:00Z");
    expect(windowAt(close, inside)).toEqual({
      inWindow: true,
      start: Date.parse("2026-12-29T17:00Z"),
      end: Date.parse("2027-01-01T05:00Z"),
    });
    expect(windowAt(close, Date.parse("2027-01-01T05:00Z"))).toMatchObject({ inWindow: false });
  });

  test("it may end on a business day, and a clock change inside it is told", () => {
    const close: WindowSeries = {
      timeZone: "Europe/Madrid",
      start: "2026-03-27T18:00",
      end: "2026-03-30T06:00",
      businessDays: { of: "month", ordinals: [-3], ends: { days: "business", ordinal: -2, period: "same" } },
    };
    expect(validateWindowSeries(close)).toEqual([]);
    const [march] = occurrences(close, year);
    expect(march).toMatchObject({ localEnd: "2026-03-30T06:00", end: Date.parse("2026-03-30T04:00Z") });
    expect(march?.notes).toEqual([expect.stringContaining("lasts 2 d 11 h")]);
  });
});

describe("dates of a rule that are holidays", () => {
  const first = (onHoliday: "skip" | "next" | "previous" | undefined): WindowSeries => ({
    timeZone: "Europe/Madrid",
    holidays: ["2026-05-01", "2026-10-12"],
    start: "2026-01-01T06:00",
    duration: "PT2H",
    rrule: "FREQ=MONTHLY",
    onHoliday,
  });
  const days = (series: WindowSeries) => startsOf(series, { ...year, from: from - 3 * DAY_MS }).map((start) => start.slice(5, 10));
  test.each<["skip" | "next" | "previous", readonly string[]]>([
    ["skip", ["01-01", "04-01", "06-01", "07-01", "09-01", "10-01", "12-01"]],
    ["next", ["01-01", "02-02", "03-02", "04-01", "05-04", "06-01", "07-01", "08-03", "09-01", "10-01", "11-02", "12-01"]],
    ["previous", ["01-01", "01-30", "02-27", "04-01", "04-30", "06-01", "07-01", "07-31", "09-01", "10-01", "10-30", "12-01"]],
  ])("%s", (onHoliday, expected) => {
    expect(days(first(onHoliday))).toEqual(expected);
    expect(validateWindowSeries(first(onHoliday))).toEqual([]);
  });

  test("several dates that move to one day are one occurrence each time of day, in order", () => {
    const daily: WindowSeries = { ...first("next"), start: "2026-05-01T02:00", rrule: "FREQ=DAILY;BYHOUR=2,20;COUNT=8" };
    expect(startsOf(daily)).toEqual(["2026-05-04T02:00", "2026-05-04T20:00"]);
  });

  test("the first may move before the series' own start, and is found there", () => {
    const back: WindowSeries = { ...first("previous"), start: "2026-05-01T06:00", rrule: "FREQ=YEARLY" };
    expect(startsOf(back)).toEqual(["2026-04-30T06:00"]);
    expect(windowAt(back, Date.parse("2026-04-30T05:00Z"))).toMatchObject({ inWindow: true });
  });

  test("exceptions name the start as it happens; UNTIL and COUNT are those of the rule", () => {
    expect(days({ ...first("next"), exdates: ["2026-05-04T06:00"] })).not.toContain("05-04");
    expect(days({ ...first("next"), rrule: "FREQ=MONTHLY;UNTIL=20260501T060000" }).at(-1)).toBe("05-04");
    expect(days({ ...first("skip"), rrule: "FREQ=MONTHLY;COUNT=5" })).toEqual(["01-01", "04-01"]);
  });
});

describe("business days as a property", () => {
  const zones = ["UTC", "Europe/Madrid", "America/Chicago", "Australia/Sydney"];
  const holidays = fc.uniqueArray(
    fc.integer({ min: 0, max: 730 }).map((day) => new Date(from + day * DAY_MS).toISOString().slice(0, 10)),
    { maxLength: 40 },
  );
  const seriesArbitrary = fc.record({
    timeZone: fc.constantFrom(...zones),
    holidays,
    weekend: fc.constantFrom<string[]>(["SA", "SU"], ["FR", "SA"], ["SU"], []),
    hour: fc.integer({ min: 0, max: 23 }),
    of: fc.constantFrom("month" as const, "quarter" as const, "year" as const),
    ordinals: fc.uniqueArray(
      fc.integer({ min: -20, max: 20 }).filter((one) => one !== 0),
      { minLength: 1, maxLength: 4 },
    ),
  });

  test("they are the days that a reading day by day counts, in every zone", () => {
    fc.assert(
      fc.property(seriesArbitrary, ({ hour, of, ordinals, ...rest }) => {
        const time = `T${String(hour).padStart(2, "0")}:00`;
        const series: WindowSeries = { ...rest, start: `2026-01-01${time}`, duration: "PT1H", businessDays: { of, ordinals } };
        const names = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];
        const periods = new Map<string, string[]>();
        for (let day = from; day < Date.parse("2028-01-01T00:00Z"); day += DAY_MS) {
          const date = new Date(day).toISOString().slice(0, 10);
          if (rest.holidays.includes(date) || rest.weekend.includes(names[new Date(day).getUTCDay()] ?? "")) continue;
          const month = Number(date.slice(5, 7));
          const name = `${date.slice(0, 4)} ${of === "month" ? month : of === "quarter" ? Math.ceil(month / 3) : ""}`;
          periods.set(name, [...(periods.get(name) ?? []), date]);
        }
        const expected = [...periods.values()]
          .flatMap((days) => ordinals.map((one) => days.at(one > 0 ? one - 1 : one)))
          .filter((day) => day !== undefined);
        const range = { from: from - 2 * DAY_MS, to: Date.parse("2028-01-01T00:00Z") + 2 * DAY_MS };
        const found = startsOf(series, range).filter((start) => start < "2028");
        expect(found).toEqual([...new Set(expected)].toSorted().map((day) => `${day}${time}`));
      }),
      { numRuns: 150 },
    );
  });

  test("a rule that is moved off holidays happens on business days only, in order, and split ranges equal the whole", () => {
    const shifts = fc.record({
      timeZone: fc.constantFrom(...zones),
      holidays,
      weekend: fc.constantFrom<string[]>(["SA", "SU"], ["FR", "SA"]),
      onHoliday: fc.constantFrom("skip" as const, "next" as const, "previous" as const),
      rrule: fc.constantFrom(
        "FREQ=DAILY;BYHOUR=3,21",
        "FREQ=MONTHLY;BYMONTHDAY=1,15,-1",
        "FREQ=WEEKLY;BYDAY=SA,SU,MO",
        "FREQ=DAILY;COUNT=40",
      ),
    });
    fc.assert(
      fc.property(shifts, fc.integer({ min: 1, max: 360 }), (rest, cut) => {
        const series: WindowSeries = { ...rest, start: "2026-01-01T03:00", duration: "PT1H" };
        const range = { from: from - 60 * DAY_MS, to: from + 370 * DAY_MS };
        const all = startsOf(series, range);
        expect(all).toEqual([...new Set(all)].toSorted());
        const names = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];
        const closed = all.filter((start) => {
          const date = start.slice(0, 10);
          return rest.holidays.includes(date) || rest.weekend.includes(names[new Date(`${date}T00:00Z`).getUTCDay()] ?? "");
        });
        expect(closed).toEqual([]);
        const at = from + cut * DAY_MS;
        expect([...startsOf(series, { ...range, to: at }), ...startsOf(series, { ...range, from: at })]).toEqual(all);
      }),
      { numRuns: 60 },
    );
  });
});

describe("what is refused", () => {
  test.each<[string, Partial<WindowSeries>, string, string, string | undefined]>([
    ["an rrule as well", { rrule: "FREQ=DAILY" }, "QSC_WINDOW_BUSINESS_DAYS_MALFORMED", "businessDays", undefined],
    [
      "ordinal 0",
      { businessDays: { of: "month", ordinals: [1, 0] } },
      "QSC_WINDOW_BUSINESS_DAYS_MALFORMED",
      "businessDays.ordinals.1",
      undefined,
    ],
    [
      "no ordinal",
      { businessDays: { of: "month", ordinals: [] } },
      "QSC_WINDOW_BUSINESS_DAYS_MALFORMED",
      "businessDays.ordinals",
      undefined,
    ],
    [
      "the 32nd of a month",
      { businessDays: { of: "month", ordinals: [32] } },
      "QSC_WINDOW_BUSINESS_DAYS_MALFORMED",
      "businessDays.ordinals.0",
      undefined,
    ],
    ["a 31st business day of a month", { businessDays: { of: "month", ordinals: [31] } }, "QSC_WINDOW_NEVER", "rrule", undefined],
    [
      "a week without a business day",
      { weekend: ["MO", "TU", "WE", "TH", "FR", "SA", "SU"] },
      "QSC_WINDOW_BUSINESS_DAYS_MALFORMED",
      "weekend",
      undefined,
    ],
    ["a holiday that is no date", { holidays: ["2026-02-30"] }, "QSC_WINDOW_BUSINESS_DAYS_MALFORMED", "holidays.0", undefined],
    ["moving off holidays without a rule", { onHoliday: "next" }, "QSC_WINDOW_BUSINESS_DAYS_MALFORMED", "onHoliday", undefined],
    ["a calendar that nobody looked up", { calendar: "es" }, "QSC_WINDOW_CALENDAR_UNKNOWN", "calendar", undefined],
    [
      "a duration beside an end by the calendar",
      {
        end: undefined,
        duration: "P2D",
        businessDays: { of: "quarter", ordinals: [-2], ends: { days: "calendar", ordinal: 1, period: "next" } },
      },
      "QSC_WINDOW_BUSINESS_DAYS_MALFORMED",
      "end",
      undefined,
    ],
  ])("%s", (_, part, code, field, nearest) => {
    const [refusal, ...others] = validateWindowSeries({ ...quarterClose, ...part });
    expect(others).toEqual([]);
    expect(refusal).toMatchObject({ code, field });
    expect(refusal?.nearest).toBe(nearest);
  });

  test("a calendar is looked up among those given, and the unknown one is told with the known", () => {
    const { holidays, ...series } = quarterClose;
    const named = { ...series, calendar: "es" };
    expect(startsOf(withHolidays(named, new Map([["es", holidays ?? []]])))).toEqual(startsOf(quarterClose));
    expect(() => withHolidays(named, new Map([["fr", []]]))).toThrow(/no holiday calendar "es". Known: fr/);
  });
});
