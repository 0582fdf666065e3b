import {
  calendarFeed,
  type CalendarWindow,
  DomainError,
  occurrences,
  packagedZoneData,
  planImport,
  validateWindowSeries,
  type WindowSeries,
} from "@quiesce/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { holidaysOfText } from "./holiday-text.js";
import { readCalendar, writeCalendar } from "./ical-text.js";

const zones = packagedZoneData();
const now = Date.parse("2026-11-20T12:00:00Z");
const day = 86_400_000;
const range = { from: now - 31 * day, to: now + 731 * day };

/** Zones whose clocks change by an hour, by half an hour, at midnight, by no rule; and two whose clocks do not. */
const timeZones = [
  "America/New_York",
  "Europe/Madrid",
  "Australia/Sydney",
  "Australia/Lord_Howe",
  "Africa/Casablanca",
  "America/Santiago",
  "Asia/Kolkata",
  "UTC",
];

const two = (value: number): string => String(value).padStart(2, "0");
const rules = fc.oneof(
  fc.constant(null),
  fc.tuple(
    fc.constantFrom(
      "FREQ=DAILY",
      "FREQ=WEEKLY;BYDAY=SU",
      "FREQ=WEEKLY;BYDAY=SA,SU,WE",
      "FREQ=MONTHLY;BYDAY=1SU",
      "FREQ=MONTHLY;BYDAY=-1SU",
      "FREQ=MONTHLY;BYMONTHDAY=1,15,-1",
      "FREQ=MONTHLY;BYMONTHDAY=31",
      "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
      "FREQ=MONTHLY",
      "FREQ=YEARLY",
      "FREQ=YEARLY;BYMONTH=3,10;BYDAY=-1SU",
      "FREQ=YEARLY;BYWEEKNO=13,44;BYDAY=SU",
      "FREQ=DAILY;BYHOUR=1,3;BYMINUTE=30",
      "FREQ=HOURLY;INTERVAL=7",
    ),
    fc.constantFrom("", "", ";INTERVAL=2", ";INTERVAL=3;WKST=SU"),
    fc.constantFrom("", "", ";COUNT=9", ";UNTIL=20270328T013000Z", ";UNTIL=20280101"),
  ),
);

/** Nights of clock changes of the zones above, and others. */
const dates = fc.constantFrom(
  "2026-10-25",
  "2027-03-14",
  "2027-03-28",
  "2026-04-05",
  "2026-09-06",
  "2026-01-04",
  "2026-03-01",
  "2026-11-01",
  "2024-02-29",
  "2026-08-31",
  "2026-12-06",
);

/** Series that may be saved: a start off its rule is moved to the rule's first time. */
const savedSeries: fc.Arbitrary<WindowSeries> = fc
  .record({
    date: dates,
    hour: fc.integer({ min: 0, max: 23 }),
    minute: fc.constantFrom(0, 0, 30, 15),
    hours: fc.constantFrom(1, 2, 4, 5, 26),
    nominal: fc.boolean(),
    timeZone: fc.constantFrom(...timeZones),
    rule: rules,
    dstPolicy: fc.constantFrom("cover" as const, "cover" as const, "rfc" as const),
    extra: fc.boolean(),
  })
  .map(({ date, hour, minute, hours, nominal, timeZone, rule, dstPolicy, extra }): WindowSeries => {
    const start = `${date}T${two(hour)}:${two(minute)}`;
    const at = (local: string): WindowSeries => {
      const end = new Date(Date.parse(`${local.slice(0, 16)}Z`) + hours * 3_600_000).toISOString().slice(0, 16);
      const rrule = rule === null ? {} : { rrule: rule.join("") };
      const more = extra
        ? { exdates: [`2027-03-28T${local.slice(11)}`, `2027-01-03T${local.slice(11)}`], rdates: [`2027-10-31T${local.slice(11)}`] }
        : {};
      return { start: local, ...(nominal ? { duration: `PT${hours}H` } : { end }), timeZone, ...rrule, ...more, dstPolicy };
    };
    const nearest = validateWindowSeries(at(start), { confirmLong: true }, zones).find(
      (refusal) => refusal.code === "QSC_WINDOW_START_OFF_RULE",
    )?.nearest;
    return at(nearest ?? start);
  })
  .filter((series) => validateWindowSeries(series, {}, zones).length === 0);

const windowOf = (series: WindowSeries, more: Partial<CalendarWindow> = {}): CalendarWindow => ({
  uid: "window-1@here",
  title: "ERP; patches, monthly",
  kind: "maintenance",
  holding: "held",
  series,
  owner: "erp-team",
  reason: "Patches",
  covers: [],
  version: 1,
  createdAt: now,
  updatedAt: now,
  changes: [],
  ...more,
});

const settings = {
  scope: { all: true },
  mode: "enforce",
  owner: "o",
  reason: "r",
  timeZone: null,
  zoneMap: {},
  titleContains: null,
} as const;

/** What comes back of a feed by our own import: every start and end between the two instants. */
function readBack(text: string, until: number): readonly string[] {
  const plan = planImport(readCalendar(text), { settings, now, ownDomain: "elsewhere" }, zones);
  expect(plan.refused).toEqual([]);
  return plan.windows
    .flatMap(({ input }) => occurrences(input.series, { from: now, to: until }, zones))
    .map(({ start, end }) => `${new Date(start).toISOString()} ${new Date(end).toISOString()}`)
    .toSorted();
}

describe("a feed that is read back by our own import", () => {
  it("gives a window of business days occurrence by occurrence", () => {
    const series: WindowSeries = {
      start: "2026-03-30T18:00",
      end: "2026-03-30T23:00",
      timeZone: "Europe/Madrid",
      businessDays: { of: "quarter", ordinals: [-2, -1] },
    };
    const { calendar, completeUntil } = calendarFeed({ title: "All", windows: [windowOf(series)], ...range }, zones);
    const expected = occurrences(series, { from: now, to: completeUntil }, zones).map(
      ({ start, end }) => `${new Date(start).toISOString()} ${new Date(end).toISOString()}`,
    );
    expect(expected.length).toBeGreaterThan(12);
    expect(readBack(writeCalendar(calendar), completeUntil)).toEqual(expected);
    expect(writeCalendar(calendar)).not.toContain("RRULE:FREQ=MONTHLY");
  });

  it("gives the occurrences of the window, whatever its series, for two years", () => {
    fc.assert(
      fc.property(savedSeries, (series) => {
        const { calendar, completeUntil } = calendarFeed({ title: "All", windows: [windowOf(series)], ...range }, zones);
        const expected = occurrences(series, { from: now, to: completeUntil }, zones).map(
          ({ start, end }) => `${new Date(start).toISOString()} ${new Date(end).toISOString()}`,
        );
        expect(readBack(writeCalendar(calendar), completeUntil)).toEqual(expected.toSorted());
      }),
      { numRuns: 200 },
    );
  });
});

describe("a text that is read as a calendar", () => {
  const text = writeCalendar(
    calendarFeed(
      {
        title: "All",
        windows: [windowOf({ start: "2026-12-06T02:00", end: "2026-12-06T06:00", timeZone: "Europe/Madrid", rrule: "FREQ=WEEKLY" })],
        ...range,
      },
      zones,
    ).calendar,
  );

  it("is a calendar, or is refused with a reason, whatever was done to it", () => {
    const damage = fc.record({
      at: fc.nat(text.length),
      length: fc.nat(40),
      put: fc.oneof(fc.string(), fc.constantFrom("\r\n", ":", ";", "BEGIN:VEVENT\r\n", "=", "\u0000")),
    });
    fc.assert(
      fc.property(fc.array(damage, { minLength: 1, maxLength: 4 }), (damages) => {
        const broken = damages.reduce((before, { at, length, put }) => before.slice(0, at) + put + before.slice(at + length), text);
        try {
          planImport(readCalendar(broken), { settings, now, ownDomain: "elsewhere" }, zones);
        } catch (error) {
          expect(error).toBeInstanceOf(DomainError);
        }
      }),
      { numRuns: 500 },
    );
  });

  it("gives its holidays, a rule unrolled", () => {
    const holiday = "BEGIN:VEVENT\r\nUID:x\r\nSUMMARY:Navidad\\, fiesta\r\nDTSTART;VALUE=DATE:20201225\r\nRRULE:FREQ=YEARLY\r\nEND:VEVENT";
    expect(holidaysOfText(`BEGIN:VCALENDAR\r\n${holiday}\r\nEND:VCALENDAR\r\n`, { fromYear: 2027, years: 2 })).toEqual({
      dates: [
        { date: "2027-12-25", title: "Navidad, fiesta" },
        { date: "2028-12-25", title: "Navidad, fiesta" },
      ],
      refused: [],
    });
  });

  it("spoils one event with a line that cannot be read, and no other", () => {
    const event = (uid: string, line: string) =>
      `BEGIN:VEVENT\nUID:${uid}\n${line}\nDTSTART:20261206T020000Z\nDTEND:20261206T030000Z\nEND:VEVENT`;
    const calendar = ["BEGIN:VCALENDAR", event("a", "SUMMARY;X=1"), event("b", "SUMMARY:Fine"), "END:VCALENDAR"].join("\n");
    const plan = planImport(readCalendar(calendar), { settings, now, ownDomain: "elsewhere" }, zones);
    expect(plan.refused).toMatchObject([{ uid: "a", code: "QSC_CALENDAR_EVENT_UNREADABLE" }]);
    expect(plan.windows.map(({ uid }) => uid)).toEqual(["b"]);
  });
});
