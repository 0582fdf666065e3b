import { describe, expect, it } from "vitest";
import { packagedZoneData } from "../time/packaged-zone-data.js";
import { lazyZoneData, type ZoneData } from "../time/zone-data.js";
import { zoneFromTransitions } from "../time/zone.js";
import type { JobSchedule } from "./job-schedule.js";
import { movedDues } from "./moved-dues.js";

const hour = 3_600_000;
const day = 24 * hour;
const from = Date.parse("2026-03-20T12:00:00Z");
const packaged = packagedZoneData();
/** Madrid at one offset for good. */
const madridAt = (offsetMs: number): ZoneData =>
  lazyZoneData({
    version: "2026g",
    source: "test",
    names: ["Europe/Madrid"],
    load: (name) => zoneFromTransitions({ name, firstOffsetMs: offsetMs, transitions: [] }),
  });
/** Without the summer time that begins on 29 March. */
const winter = madridAt(hour);
const cron = (expression: string): JobSchedule => ({ kind: "cron", expression, timeZone: "Europe/Madrid" });
const moved = (schedule: JobSchedule, after = winter, to = from + 10 * day) => movedDues(schedule, { before: packaged, after, from, to });

describe("the due times that other zone data move", () => {
  it("are those of times of day, under the same local time, from the change of the rules on", () => {
    expect(moved(cron("0 8 * * *")).moved).toEqual(
      [29, 30].map((date) => ({
        local: `2026-03-${date}T08:00`,
        before: Date.parse(`2026-03-${date}T06:00:00Z`),
        after: Date.parse(`2026-03-${date}T07:00:00Z`),
      })),
    );
  });

  it("are none of what counts hours, or is due at the same instants whatever they are called", () => {
    expect(moved(cron("0 * * * *")).moved).toEqual([]);
    expect(moved({ kind: "interval", everySeconds: 3_600, startsAt: 0 }).moved).toEqual([]);
    expect(movedDues(cron("0 8 * * *"), { before: packaged, after: packaged, from, to: from + 10 * day }).moved).toEqual([]);
  });

  it("count once each at the edges of the period, whichever of the two instants lies inside", () => {
    // 12:30 in Madrid is 11:30Z, and would be 12:30Z: the first comes in at 12:00Z, the last goes out.
    const { moved: found } = moved(cron("30 12 * * *"), madridAt(0), from + 2 * day);
    expect(found.map((one) => one.local)).toEqual(["2026-03-20T12:30", "2026-03-21T12:30", "2026-03-22T12:30"]);
    for (const one of found) expect(one.after).toBe((one.before ?? 0) + hour);
  });

  it("of a day of hours are those at its ends: in between it is due at the same instants", () => {
    const { moved: found } = moved(cron("0 8-20 * * *"), winter, Date.parse("2026-03-29T22:00:00Z"));
    expect(found.map((one) => one.local)).toEqual(["2026-03-29T08:00", "2026-03-29T20:00"]);
  });

  it("of a schedule that is due too often are bounds from below, and say so", () => {
    const often = movedDues(cron("* 8-20 * * *"), { before: packaged, after: winter, from, to: from + 90 * day });
    expect(often.truncated).toBe(true);
    expect(often.moved.every((one) => one.before !== null && one.after !== null)).toBe(true);
  });
});
