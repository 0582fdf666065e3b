import { describe, expect, test } from "vitest";
import { endOnNextDay, validateWindowSeries } from "./validate-series.js";
import type { WindowSeries } from "./window-series.js";

const good: WindowSeries = {
  start: "2026-01-04T02:00",
  end: "2026-01-04T06:00",
  timeZone: "Europe/Madrid",
  rrule: "FREQ=MONTHLY;BYDAY=1SU",
};

describe("what is saved", () => {
  test.each<[string, Partial<WindowSeries>]>([
    ["the first Sunday of the month", {}],
    ["a single night", { rrule: null }],
    ["a duration", { end: undefined, duration: "PT4H" }],
    ["exactly 31 days", { rrule: null, end: "2026-02-04T02:00" }],
    ["a date that is excluded", { exdates: ["2026-02-01T02:00"] }],
    ["every third hour", { rrule: "FREQ=HOURLY;INTERVAL=3", start: "2026-01-01T00:00", end: "2026-01-01T01:00" }],
    ["weekdays that leave a pause", { rrule: "FREQ=WEEKLY;BYDAY=MO,TU", start: "2026-01-05T00:00", end: "2026-01-06T00:00" }],
    ["29 February", { rrule: "FREQ=YEARLY", start: "2024-02-29T00:00", end: "2024-02-29T02:00" }],
    ["a rule of exactly 512 characters", { rrule: "FREQ=MONTHLY;BYDAY=1SU;BYHOUR=02".padEnd(512, ",02") }],
    ["touching days that end", { rrule: "FREQ=DAILY;COUNT=20", start: "2026-01-05T00:00", end: "2026-01-06T00:00" }],
  ])("%s is accepted", (_, part) => {
    expect(validateWindowSeries({ ...good, ...part })).toEqual([]);
  });

  test.each<[string, Partial<WindowSeries>, string, string, string | undefined]>([
    [
      "a start that the rule does not give",
      { start: "2026-01-05T02:00", end: "2026-01-05T06:00" },
      "QSC_WINDOW_START_OFF_RULE",
      "start",
      "2026-02-01T02:00",
    ],
    ["an end before the start", { end: "2026-01-03T23:00" }, "QSC_WINDOW_END_BEFORE_START", "end", "2026-01-04T23:00"],
    [
      "22:00 to 02:00 on one day",
      { start: "2026-01-04T22:00", end: "2026-01-04T02:00" },
      "QSC_WINDOW_END_BEFORE_START",
      "end",
      "2026-01-05T02:00",
    ],
    ["zero length", { end: "2026-01-04T02:00" }, "QSC_WINDOW_EMPTY", "end", undefined],
    ["a duration of nothing", { end: undefined, duration: "PT0S" }, "QSC_WINDOW_EMPTY", "duration", undefined],
    ["a negative interval", { rrule: "FREQ=DAILY;INTERVAL=-2" }, "QSC_WINDOW_INTERVAL_BELOW_ONE", "rrule", "FREQ=DAILY"],
    [
      "a rule whose first eleven years are excluded",
      { rrule: "FREQ=YEARLY", exdates: Array.from({ length: 11 }, (_, index) => `${2026 + index}-01-04T02:00`) },
      "QSC_WINDOW_NEVER",
      "rrule",
      undefined,
    ],
    [
      "a rule of 513 characters",
      { rrule: "FREQ=MONTHLY;BYDAY=1SU;BYHOUR=02".padEnd(513, ",02") },
      "QSC_WINDOW_RULE_TOO_LONG",
      "rrule",
      undefined,
    ],
    ["no end", { end: undefined }, "QSC_WINDOW_ENDLESS", "end", undefined],
    ["minutes", { rrule: "FREQ=MINUTELY;INTERVAL=90" }, "QSC_WINDOW_FREQUENCY_TOO_HIGH", "rrule", "FREQ=HOURLY;INTERVAL=3"],
    ["seconds", { rrule: "FREQ=SECONDLY;COUNT=3" }, "QSC_WINDOW_FREQUENCY_TOO_HIGH", "rrule", "COUNT=3;FREQ=HOURLY;INTERVAL=3"],
    ["an interval of nothing", { rrule: "FREQ=DAILY;INTERVAL=0" }, "QSC_WINDOW_INTERVAL_BELOW_ONE", "rrule", "FREQ=DAILY"],
    [
      "two ends of the rule",
      { rrule: "FREQ=DAILY;COUNT=3;UNTIL=20270101T000000Z" },
      "QSC_WINDOW_UNTIL_WITH_COUNT",
      "rrule",
      "FREQ=DAILY;UNTIL=20270101T000000Z",
    ],
    ["30 February", { rrule: "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30" }, "QSC_WINDOW_NEVER", "rrule", undefined],
    [
      "a rule that ended before its start",
      { rrule: "FREQ=MONTHLY;BYDAY=1SU;UNTIL=20250101T000000Z" },
      "QSC_WINDOW_NEVER",
      "rrule",
      undefined,
    ],
    [
      "a rule of which every date is excluded",
      { rrule: "FREQ=DAILY;COUNT=1", exdates: ["2026-01-04T02:00"] },
      "QSC_WINDOW_NEVER",
      "rrule",
      undefined,
    ],
    ["every hour", { rrule: "FREQ=HOURLY", end: "2026-01-04T02:30" }, "QSC_WINDOW_TOO_MANY", "rrule", undefined],
    [
      "every hour of one month",
      {
        rrule: "FREQ=DAILY;BYMONTH=12;BYHOUR=0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23;BYMINUTE=0,30",
        start: "2026-12-01T00:00",
        end: "2026-12-01T00:10",
      },
      "QSC_WINDOW_TOO_MANY",
      "rrule",
      undefined,
    ],
    ["a rule of 600 characters", { rrule: `FREQ=DAILY;BYHOUR=2${",2".repeat(300)}` }, "QSC_WINDOW_RULE_TOO_LONG", "rrule", undefined],
    ["days without a pause", { rrule: "FREQ=DAILY", end: "2026-01-05T02:00" }, "QSC_WINDOW_NEVER_ENDS", "end", undefined],
    ["weeks that overlap", { rrule: "FREQ=WEEKLY", end: undefined, duration: "P8D" }, "QSC_WINDOW_NEVER_ENDS", "duration", undefined],
    ["five weeks", { rrule: null, end: "2026-02-04T02:01" }, "QSC_WINDOW_LONG", "end", undefined],
    ["touching days that last five weeks", { rrule: "FREQ=DAILY;COUNT=35", end: "2026-01-05T02:00" }, "QSC_WINDOW_LONG", "end", undefined],
    ["an unknown zone", { timeZone: "Madrid" }, "QSC_TIME_ZONE_UNKNOWN", "timeZone", "Europe/Madrid"],
    ["a zone that is like no other", { timeZone: "Mars/Olympus" }, "QSC_TIME_ZONE_UNKNOWN", "timeZone", undefined],
    ["an unknown part", { rrule: "FREQ=DAILY;BYNIGHT=1" }, "QSC_WINDOW_RULE_MALFORMED", "rrule", undefined],
  ])("%s is refused", (_, part, code, field, nearest) => {
    const [refusal, ...others] = validateWindowSeries({ ...good, ...part });
    expect(others).toEqual([]);
    expect(refusal).toMatchObject({ code, field });
    expect(refusal?.nearest).toBe(nearest);
  });

  test("every fault of the rule's text is named at once", () => {
    expect(validateWindowSeries({ ...good, rrule: "FREQ=SECONDLY;INTERVAL=0;COUNT=2;UNTIL=20270101" }).map(({ code }) => code)).toEqual([
      "QSC_WINDOW_INTERVAL_BELOW_ONE",
      "QSC_WINDOW_FREQUENCY_TOO_HIGH",
      "QSC_WINDOW_UNTIL_WITH_COUNT",
    ]);
  });

  test("a long window can be confirmed, an endless one cannot", () => {
    const long: WindowSeries = { ...good, rrule: null, end: "2026-03-04T02:00" };
    expect(validateWindowSeries(long)[0]?.confirmable).toBe(true);
    expect(validateWindowSeries(long, { confirmLong: true })).toEqual([]);
    expect(validateWindowSeries({ ...good, rrule: "FREQ=DAILY", end: "2026-01-05T02:00" }, { confirmLong: true })).toHaveLength(1);
  });

  test("the nearest form that is offered is itself accepted", () => {
    const [refusal] = validateWindowSeries({ ...good, start: "2026-01-05T02:00", end: "2026-01-05T06:00" });
    expect(validateWindowSeries({ ...good, start: refusal?.nearest ?? "", end: "2026-02-01T06:00" })).toEqual([]);
    expect(endOnNextDay("2026-12-31T22:00", "2026-12-31T02:00")).toBe("2027-01-01T02:00");
    expect(endOnNextDay("2026-12-31T22:00", "2026-12-31T23:00")).toBe("2026-12-31T23:00");
    expect(endOnNextDay("2026-12-31T22:00", "2026-12-31T22:00")).toBe("2027-01-01T22:00");
  });
});
