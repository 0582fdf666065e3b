import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dueTimes, nextDueAt } from "./due-times.js";
import { jobScheduleSchema, type JobSchedule } from "./job-schedule.js";

const at = (text: string): number => Date.parse(text);
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
const cron = (expression: string, timeZone = "Europe/Madrid"): JobSchedule => ({ kind: "cron", expression, timeZone });

/** "instant local pass" of every due time in the hours from an instant on. */
function dues(schedule: JobSchedule, from: string, hours: number): readonly string[] {
  return dueTimes(schedule, { from: at(from), to: at(from) + hours * HOUR_MS, limit: 100 }).map(
    ({ dueAt, local, pass }) => `${new Date(dueAt).toISOString().slice(11, 16)} ${local.slice(5)} ${pass}`,
  );
}

describe("a cron schedule on the night on which clocks go forward", () => {
  const NIGHT = "2026-03-28T23:00Z";

  test("with a fixed hour in the gap is due once, shifted", () => {
    expect(dues(cron("30 2 * * *"), NIGHT, 5)).toEqual(["01:30 03-29T02:30 1"]);
  });

  test("with two fixed hours that fall together is due once", () => {
    expect(dues(cron("0 2,3 * * *"), NIGHT, 5)).toEqual(["01:00 03-29T03:00 1"]);
  });

  test("with a wildcard or step hour is not due in the gap", () => {
    expect(dues(cron("30 * * * *"), NIGHT, 4)).toEqual([
      "23:30 03-29T00:30 1",
      "00:30 03-29T01:30 1",
      "01:30 03-29T03:30 1",
      "02:30 03-29T04:30 1",
    ]);
    expect(dues(cron("30 */2 * * *"), NIGHT, 4)).toEqual(["23:30 03-29T00:30 1", "02:30 03-29T04:30 1"]);
  });
});

describe("a limit on the night on which clocks go forward", () => {
  const first = (schedule: JobSchedule) => dueTimes(schedule, { from: at("2026-03-29T00:45Z"), to: at("2026-03-30T00:00Z"), limit: 1 });

  test("takes the earliest due time although its local time is later", () => {
    // 02:30 is read as 03:30, which is after 03:00.
    expect(
      first({
        kind: "rrule",
        start: "2026-03-29T02:30",
        rrule: "FREQ=DAILY;COUNT=1",
        timeZone: "Europe/Madrid",
        rdates: ["2026-03-29T03:00"],
      }),
    ).toEqual([{ dueAt: at("2026-03-29T01:00Z"), local: "2026-03-29T03:00", pass: 1 }]);
  });

  test("names the local time that the clock shows", () => {
    expect(first(cron("30 2,3 * * *"))).toEqual([{ dueAt: at("2026-03-29T01:30Z"), local: "2026-03-29T03:30", pass: 1 }]);
  });
});

describe("a cron schedule on the night on which clocks go back", () => {
  const NIGHT = "2026-10-24T23:00Z";

  test("with a fixed hour is due in the first pass alone", () => {
    expect(dues(cron("*/30 2 * * *"), NIGHT, 5)).toEqual(["00:00 10-25T02:00 1", "00:30 10-25T02:30 1"]);
  });

  test("with a wildcard or step hour is due in both passes, in order of time", () => {
    expect(dues(cron("0,30 * * * *"), NIGHT, 4)).toEqual([
      "23:00 10-25T01:00 1",
      "23:30 10-25T01:30 1",
      "00:00 10-25T02:00 1",
      "00:30 10-25T02:30 1",
      "01:00 10-25T02:00 2",
      "01:30 10-25T02:30 2",
      "02:00 10-25T03:00 1",
      "02:30 10-25T03:30 1",
    ]);
    expect(dues(cron("15 0-23/2 * * *"), NIGHT, 4)).toEqual(["00:15 10-25T02:15 1", "01:15 10-25T02:15 2"]);
  });

  test("of half an hour keeps that order too", () => {
    expect(dues(cron("*/20 * * * *", "Australia/Lord_Howe"), "2026-04-04T14:20Z", 2)).toEqual([
      "14:20 04-05T01:20 1",
      "14:40 04-05T01:40 1",
      "15:10 04-05T01:40 2",
      "15:30 04-05T02:00 1",
      "15:50 04-05T02:20 1",
      "16:10 04-05T02:40 1",
    ]);
  });
});

describe("a cron schedule elsewhere", () => {
  test("skips the day that Samoa skipped when it counts hours, and runs once when it names one", () => {
    expect(dues(cron("0 */12 * * *", "Pacific/Apia"), "2011-12-29T09:00Z", 48)).toEqual([
      "10:00 12-29T00:00 1",
      "22:00 12-29T12:00 1",
      "10:00 12-31T00:00 1",
      "22:00 12-31T12:00 1",
    ]);
    expect(dues(cron("0 12 * * *", "Pacific/Apia"), "2011-12-29T09:00Z", 48)).toEqual(["22:00 12-29T12:00 1", "22:00 12-31T12:00 1"]);
  });

  test("at a midnight that does not exist is due when the day begins", () => {
    expect(dues(cron("0 0 * * *", "America/Santiago"), "2026-09-06T00:00Z", 24)).toEqual(["04:00 09-06T00:00 1"]);
  });

  test.each([
    // Both day fields restricted: either.
    ["0 0 13 * 5", ["02-06", "02-13", "02-20", "02-27", "03-06", "03-13", "03-20", "03-27", "04-03"]],
    // A field that begins with * restricts nothing by itself: both must match.
    ["0 0 */2 2 5", ["02-13", "02-27"]],
    ["0 0 1-7 * */7", ["02-01", "03-01"]],
    ["0 0 29-31 * *", ["03-29", "03-30", "03-31"]],
    ["0 0 * 3 sun", ["03-01", "03-08", "03-15", "03-22", "03-29"]],
    ["0 0 * mar 7", ["03-01", "03-08", "03-15", "03-22", "03-29"]],
    ["0 0 * 2 5-7", ["02-01", "02-06", "02-07", "02-08", "02-13", "02-14", "02-15", "02-20", "02-21", "02-22", "02-27", "02-28"]],
  ])("%s is due on %j", (expression, expected) => {
    const found = dueTimes(cron(expression, "UTC"), { from: at("2026-02-01T00:00Z"), to: at("2026-04-04T00:00Z"), limit: 1_000 });
    expect(found.map(({ local }) => local.slice(5, 10))).toEqual(expected);
  });

  test("finds a leap day across a century that has none", () => {
    expect(nextDueAt(cron("0 0 29 2 *", "UTC"), at("2096-03-01T00:00Z"))).toBe(at("2104-02-29T00:00Z"));
  });
});

describe("an interval schedule", () => {
  const every: JobSchedule = { kind: "interval", everySeconds: 3_600 * 7, startsAt: at("2026-01-01T00:30Z") };

  test("is due at its start and every interval of elapsed time after it", () => {
    expect(dues(every, "2025-12-31T00:00Z", 48)).toEqual([
      "00:30 01-01T00:30 1",
      "07:30 01-01T07:30 1",
      "14:30 01-01T14:30 1",
      "21:30 01-01T21:30 1",
    ]);
    expect(nextDueAt(every, at("2026-01-01T00:30Z"))).toBe(at("2026-01-01T07:30Z"));
    expect(nextDueAt(every, at("2026-01-01T00:30Z") - 1)).toBe(at("2026-01-01T00:30Z"));
  });
});

describe("a recurrence schedule", () => {
  test("reads local times as RFC 5545 does", () => {
    const nightly: JobSchedule = {
      kind: "rrule",
      start: "2026-03-28T02:30",
      rrule: "FREQ=DAILY;COUNT=3",
      timeZone: "Europe/Madrid",
      exdates: ["2026-03-30T02:30"],
      rdates: ["2026-10-25T02:30"],
    };
    expect(dues(nightly, "2026-03-28T00:00Z", 72)).toEqual(["01:30 03-28T02:30 1", "01:30 03-29T02:30 1"]);
    expect(nextDueAt(nightly, at("2026-03-29T01:30Z"))).toBe(at("2026-10-25T00:30Z"));
    expect(nextDueAt(nightly, at("2026-10-25T00:30Z"))).toBeNull();
  });
});

describe("laws of every schedule", () => {
  const zones = fc.constantFrom(
    "UTC",
    "Europe/Madrid",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/Santiago",
    "Africa/Casablanca",
  );
  const minute = fc.constantFrom("0", "*/15", "7,37", "0-10/5");
  const hour = fc.constantFrom("*", "*/2", "2", "0-4", "1,2,3", "23", "0-23/3");
  const cronSchedule = fc
    .tuple(minute, hour, fc.constantFrom("*", "1-15", "*/2"), fc.constantFrom("*", "0", "1-5"), zones)
    .map(([m, h, dayOfMonth, dayOfWeek, timeZone]): JobSchedule => cron(`${m} ${h} ${dayOfMonth} * ${dayOfWeek}`, timeZone));
  const interval = fc
    .record({
      everySeconds: fc.integer({ min: 60, max: 90_000 }),
      startsAt: fc.integer({ min: at("2011-01-01T00:00Z") / 1_000, max: at("2020-01-01T00:00Z") / 1_000 }),
    })
    .map(({ everySeconds, startsAt }): JobSchedule => ({ kind: "interval", everySeconds, startsAt: startsAt * 1_000 }));
  const recurrence = fc
    .tuple(fc.constantFrom("FREQ=HOURLY", "FREQ=DAILY;BYHOUR=1,2,3", "FREQ=WEEKLY;BYDAY=SU"), zones)
    .map(([rrule, timeZone]): JobSchedule => ({ kind: "rrule", start: "2011-11-27T02:15", rrule, timeZone }));
  const schedule = fc.oneof(cronSchedule, interval, recurrence);
  const instant = fc
    .integer({ min: at("2011-12-20T00:00Z") / 60_000, max: at("2026-12-01T00:00Z") / 60_000 })
    .map((minutes) => minutes * 60_000);
  const change = fc
    .constantFrom(
      "2011-12-30T10:00Z",
      "2026-03-29T01:00Z",
      "2026-10-25T01:00Z",
      "2026-03-08T07:00Z",
      "2026-11-01T06:00Z",
      "2026-04-04T15:00Z",
      "2026-10-03T15:30Z",
      "2019-06-09T02:00Z",
      "2026-09-06T04:00Z",
    )
    .map((text) => at(text) - 12 * HOUR_MS);
  const from = fc.oneof(instant, change);

  test("due times ascend, none twice, all in range, and a limit takes the first of them", () => {
    fc.assert(
      fc.property(schedule, from, fc.integer({ min: 0, max: 30 }), (anySchedule, start, limit) => {
        const range = { from: start, to: start + 3 * DAY_MS };
        const all = dueTimes(anySchedule, { ...range, limit: 10_000 });
        for (const [index, { dueAt }] of all.entries()) {
          expect(dueAt >= range.from && dueAt < range.to).toBe(true);
          expect(dueAt).toBeGreaterThan(all[index - 1]?.dueAt ?? 0);
        }
        expect(new Set(all.map(({ local, pass }) => `${local} ${pass}`)).size).toBe(all.length);
        expect(dueTimes(anySchedule, { ...range, limit })).toEqual(all.slice(0, limit));
      }),
      { numRuns: 600 },
    );
  });

  test("stepping from due time to due time finds the same as one range", () => {
    fc.assert(
      fc.property(schedule, from, (anySchedule, start) => {
        const to = start + 2 * DAY_MS;
        const stepped: number[] = [];
        for (let due = nextDueAt(anySchedule, start - 1); due !== null && due < to; due = nextDueAt(anySchedule, due)) stepped.push(due);
        expect(stepped).toEqual(dueTimes(anySchedule, { from: start, to, limit: 10_000 }).map(({ dueAt }) => dueAt));
      }),
      { numRuns: 200 },
    );
  });

  test("ranges that meet give together what one range gives", () => {
    fc.assert(
      fc.property(schedule, from, fc.integer({ min: 0, max: 3 * 1_440 }), (anySchedule, start, minutes) => {
        const limit = 10_000;
        const middle = start + minutes * 60_000;
        const to = start + 3 * DAY_MS;
        expect([
          ...dueTimes(anySchedule, { from: start, to: middle, limit }),
          ...dueTimes(anySchedule, { from: middle, to, limit }),
        ]).toEqual(dueTimes(anySchedule, { from: start, to, limit }));
      }),
      { numRuns: 600 },
    );
  });
});

describe("the shape of a schedule", () => {
  test("is checked at the edge", () => {
    const good: readonly JobSchedule[] = [
      cron("* * * * *"),
      { kind: "interval", everySeconds: 60, startsAt: 0 },
      { kind: "rrule", start: "2026-01-01T00:00", rrule: "FREQ=DAILY", timeZone: "UTC" },
    ];
    for (const schedule of good) expect(jobScheduleSchema.parse(schedule)).toEqual(schedule);
    for (const bad of [
      { kind: "cron", expression: "* * * * *" },
      { kind: "interval", everySeconds: 0, startsAt: 0 },
      { kind: "interval", everySeconds: 1.5, startsAt: 0 },
      { kind: "daily" },
      { ...cron("* * * * *"), tz: "UTC" },
    ]) {
      expect(jobScheduleSchema.safeParse(bad).success).toBe(false);
    }
  });
});
