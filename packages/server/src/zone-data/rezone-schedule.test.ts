import { packagedZoneData, parseZoneData, zoneFromTransitions, type JobSchedule } from "@quiesce/core";
import { describe, expect, test } from "vitest";
import { rezoneSchedule } from "./rezone-schedule.js";
import { writeTzif } from "./write-tzif.js";

const HOUR_MS = 3_600_000;
const at = (text: string): number => Date.parse(text);
const madridAt = (hours: number) =>
  parseZoneData({
    version: "x",
    source: "test",
    files: { "Europe/Madrid": writeTzif(zoneFromTransitions({ name: "Europe/Madrid", firstOffsetMs: hours * HOUR_MS, transitions: [] })) },
  });
const cron = (expression: string): JobSchedule => ({ kind: "cron", expression, timeZone: "Europe/Madrid" });
const forward = { before: madridAt(1), after: madridAt(2), validFrom: 0 };
const back = { before: madridAt(2), after: madridAt(1), validFrom: 0 };

describe("a schedule under other zone data", () => {
  test("a time of day that the new data have behind them is passed over", () => {
    expect(rezoneSchedule(cron("30 2 * * *"), { ...forward, at: at("2026-06-01T01:15:00Z") })).toEqual({
      opensAt: at("2026-06-01T01:15:00Z"),
      passedOver: ["2026-06-01T02:30"],
    });
  });

  test.each(["2026-06-01T00:15:00Z", "2026-06-01T01:30:00.001Z"])("nothing is passed over at %s, a moment outside the jump", (moment) => {
    expect(rezoneSchedule(cron("30 2 * * *"), { ...forward, at: at(moment) })).toEqual({ opensAt: at(moment), passedOver: [] });
  });

  test("a time of day that was due already is not due again", () => {
    const moment = at("2026-06-01T01:15:00Z");
    expect(rezoneSchedule(cron("30 2 * * *"), { ...back, at: moment })).toEqual({
      opensAt: at("2026-06-01T01:30:00Z") + 1,
      passedOver: [],
    });
    // Before the schedule was valid it was not due.
    expect(rezoneSchedule(cron("30 2 * * *"), { ...back, at: moment, validFrom: moment - 1 }).opensAt).toBe(moment);
  });

  test.each<JobSchedule>([cron("*/15 * * * *"), cron("30 */2 * * *"), { kind: "interval", everySeconds: 60, startsAt: 0 }])(
    "what counts elapsed hours just goes on: %o",
    (schedule) => {
      for (const zones of [forward, back]) {
        expect(rezoneSchedule(schedule, { ...zones, at: at("2026-06-01T01:15:00Z") })).toEqual({
          opensAt: at("2026-06-01T01:15:00Z"),
          passedOver: [],
        });
      }
    },
  );

  test("rules are read as times of day", () => {
    const rule: JobSchedule = { kind: "rrule", start: "2026-01-01T02:30", rrule: "FREQ=DAILY", timeZone: "Europe/Madrid" };
    expect(rezoneSchedule(rule, { ...forward, at: at("2026-06-01T01:15:00Z") }).passedOver).toEqual(["2026-06-01T02:30"]);
  });

  test("equal data change nothing", () => {
    const zones = packagedZoneData();
    const moment = at("2026-10-25T00:45:00Z");
    expect(rezoneSchedule(cron("30 2 * * *"), { before: zones, after: zones, at: moment, validFrom: 0 })).toEqual({
      opensAt: moment,
      passedOver: [],
    });
  });
});
