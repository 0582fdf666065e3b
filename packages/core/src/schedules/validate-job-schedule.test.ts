import { describe, expect, test } from "vitest";
import type { JobSchedule } from "./job-schedule.js";
import { validateJobSchedule } from "./validate-job-schedule.js";

const cron = (expression: string, timeZone = "UTC"): JobSchedule => ({ kind: "cron", expression, timeZone });
const rrule = (text: string, start = "2026-01-05T02:00"): JobSchedule => ({ kind: "rrule", start, rrule: text, timeZone: "Europe/Madrid" });

describe("a job schedule", () => {
  test.each([
    cron("* * * * *"),
    cron("0 2 29 2 *"),
    cron("*/15 8-18 * JAN,FEB MON-FRI"),
    cron("  0  2 * * * "),
    { kind: "interval", everySeconds: 30, startsAt: 0 } as const,
    rrule("FREQ=WEEKLY;BYDAY=MO"),
    rrule("FREQ=HOURLY"),
  ])("%j is accepted", (schedule) => {
    expect(validateJobSchedule(schedule)).toEqual([]);
  });

  test.each<[JobSchedule, string, string, string | undefined]>([
    ...[
      "",
      "* * * *",
      "0 * * * * *",
      "@daily",
      "60 * * * *",
      "* 24 * * *",
      "* * 0 * *",
      "* * 32 * *",
      "* * * 13 *",
      "* * * * 8",
      "a * * * *",
      "* * L * *",
      "* * * * 5L",
      "* * 15W * *",
      "* * * * 1#2",
      "? * * * *",
      "* * * * ?",
      "H * * * *",
      "*/0 * * * *",
      "5-1 * * * *",
      "5/15 * * * *",
      "* * * foo *",
      "1,,2 * * * *",
      "0 0 30 2 *",
      "0 0 31 4,6,9,11 *",
    ].map((expression): [JobSchedule, string, string, undefined] => [
      cron(expression),
      "QSC_SCHEDULE_CRON_MALFORMED",
      "expression",
      undefined,
    ]),
    [cron("0 2 * * *", "Madrid"), "QSC_TIME_ZONE_UNKNOWN", "timeZone", undefined],
    [{ kind: "interval", everySeconds: 0, startsAt: 0 }, "QSC_SCHEDULE_INTERVAL_OUT_OF_RANGE", "everySeconds", "1"],
    [{ kind: "interval", everySeconds: 90.4, startsAt: 0 }, "QSC_SCHEDULE_INTERVAL_OUT_OF_RANGE", "everySeconds", "90"],
    [rrule("FREQ=WEEKLY;BYDAY=TU"), "QSC_SCHEDULE_START_OFF_RULE", "start", "2026-01-06T02:00"],
    [rrule("RRULE:FREQ=MINUTELY;INTERVAL=5"), "QSC_SCHEDULE_FREQUENCY_TOO_HIGH", "rrule", "FREQ=HOURLY;INTERVAL=1"],
    [rrule("FREQ=DAILY;COUNT=1;UNTIL=20270101"), "QSC_SCHEDULE_UNTIL_WITH_COUNT", "rrule", "FREQ=DAILY;UNTIL=20270101"],
    [rrule("FREQ=DAILY;UNTIL=20200101"), "QSC_SCHEDULE_NEVER", "rrule", undefined],
    [rrule("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"), "QSC_SCHEDULE_NEVER", "rrule", undefined],
    [rrule("FREQ=SOMETIMES"), "QSC_SCHEDULE_RULE_MALFORMED", "rrule", undefined],
    [rrule("FREQ=DAILY", "soon"), "QSC_SCHEDULE_LOCAL_TIME_MALFORMED", "start", undefined],
  ])("%j is refused with %s", (schedule, code, field, nearest) => {
    const [refusal, ...others] = validateJobSchedule(schedule);
    expect(others).toEqual([]);
    expect(refusal).toMatchObject({ code, field });
    expect(refusal?.nearest).toBe(nearest);
  });
});
