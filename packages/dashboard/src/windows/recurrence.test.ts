import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  addDays,
  firstDay,
  firstTimes,
  ordinals,
  type Recurrence,
  recurrenceOf,
  repetitions,
  ruleOf,
  timingOf,
  weekdayOf,
  weekdays,
} from "./recurrence.js";

const once: Recurrence = { repeats: "once", interval: 1, days: ["SU"], ordinal: 1, weekday: "SU", dayOfMonth: 1, ends: { kind: "never" } };
const dates = fc.integer({ min: 0, max: 20_000 }).map((days) => addDays("2020-01-01", days));
const recurrences = fc.record({
  repeats: fc.constantFrom(...repetitions),
  interval: fc.integer({ min: 1, max: 24 }),
  days: fc.subarray([...weekdays], { minLength: 1 }),
  ordinal: fc.constantFrom(...ordinals),
  weekday: fc.constantFrom(...weekdays),
  dayOfMonth: fc.oneof(fc.integer({ min: 1, max: 31 }), fc.constant(-1)),
  ends: fc.oneof(
    fc.constant({ kind: "never" } as const),
    dates.map((day) => ({ kind: "day", day }) as const),
    fc.integer({ min: 1, max: 999 }).map((count) => ({ kind: "count", count }) as const),
  ),
});

describe("the recurrence of the form", () => {
  it("writes the first Sunday of every month, and finds it from any day", () => {
    const firstSunday: Recurrence = { ...once, repeats: "weekday-of-month" };
    expect(ruleOf(firstSunday)).toBe("FREQ=MONTHLY;BYDAY=1SU");
    expect(firstDay(firstSunday, "2026-11-21")).toBe("2026-12-06");
    expect(firstDay({ ...firstSunday, ordinal: -1 }, "2026-11-21")).toBe("2026-11-29");
    expect(firstDay({ ...firstSunday, ordinal: -1 }, "2026-05-20")).toBe("2026-05-31");
  });

  it.each([
    ["2026-02-01", 31, "2026-03-31"],
    ["2026-02-01", -1, "2026-02-28"],
    ["2028-02-01", -1, "2028-02-29"],
  ])("finds from %s the day %i of a month: %s", (from, dayOfMonth, found) => {
    expect(firstDay({ ...once, repeats: "day-of-month", dayOfMonth }, from)).toBe(found);
  });

  it("reads back what it writes", () => {
    fc.assert(
      fc.property(recurrences, dates, (recurrence, from) => {
        const rule = ruleOf(recurrence);
        const read = recurrenceOf(rule, `${from}T02:00`);
        expect(read?.repeats).toBe(recurrence.repeats);
        if (recurrence.repeats !== "once") expect(read?.ends).toEqual(recurrence.ends);
        if (read !== null) expect(ruleOf(read)).toBe(rule);
      }),
    );
  });

  it.each([
    ["FREQ=DAILY;UNTIL=20261231T225959Z", null],
    ["FREQ=DAILY;UNTIL=20261231;COUNT=3", null],
    ["FREQ=DAILY;COUNT=0", null],
    ["FREQ=DAILY;UNTIL=20261231T235959", { kind: "day", day: "2026-12-31" }],
    ["FREQ=DAILY;COUNT=12", { kind: "count", count: 12 }],
  ])("of %s ends %j", (rule, ends) => expect(recurrenceOf(rule, "2026-12-06T02:00")?.ends ?? null).toEqual(ends));

  it("begins on or after the wanted day, on a day that the rule names, and no sooner one fits", () => {
    fc.assert(
      fc.property(recurrences, dates, (recurrence, from) => {
        const day = firstDay(recurrence, from);
        expect(day).not.toBeNull();
        if (day === null) return;
        expect(day >= from).toBe(true);
        expect(firstDay(recurrence, day)).toBe(day);
        if (recurrence.repeats === "weekly") expect(recurrence.days).toContain(weekdayOf(day));
        if (recurrence.repeats === "weekday-of-month") expect(weekdayOf(day)).toBe(recurrence.weekday);
      }),
    );
  });

  it.each(["FREQ=YEARLY;BYMONTH=3", "FREQ=MONTHLY;BYDAY=1SU,3SU", "FREQ=WEEKLY;BYDAY=MO;WKST=SU", "FREQ=MONTHLY;BYDAY=5SU"])(
    "leaves %s as it is",
    (rule) => expect(recurrenceOf(rule, "2026-12-06T02:00")).toBeNull(),
  );

  it("ends on the next day when the end is not after the start, and later when that is said", () => {
    const timing = { ...once, from: "2026-12-06", startTime: "22:00", endTime: "06:00", daysLater: 0 };
    expect(firstTimes(timing)).toEqual({ start: "2026-12-06T22:00", end: "2026-12-07T06:00" });
    expect(firstTimes({ ...timing, daysLater: 2 })?.end).toBe("2026-12-08T06:00");
    expect(firstTimes({ ...timing, endTime: "23:00" })?.end).toBe("2026-12-06T23:00");
    expect(firstTimes({ ...timing, startTime: "" })).toBeNull();
    expect(firstTimes({ ...timing, startTime: "24:00" })).toBeNull();
    expect(firstTimes({ ...timing, repeats: "weekly", days: [] })).toBeNull();
  });

  it("shows the times of a series as they are", () => {
    expect(timingOf(once, { start: "2026-12-31T22:00", end: "2027-01-02T06:00" })).toMatchObject({ from: "2026-12-31", daysLater: 2 });
  });
});
