import fc from "fast-check";
import { expect, test } from "vitest";
import { packagedZoneData } from "../time/packaged-zone-data.js";
import { countDues } from "./count-dues.js";
import { dueTimes } from "./due-times.js";
import type { JobSchedule } from "./job-schedule.js";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const zones = packagedZoneData();

const cron = fc
  .record({
    expression: fc.constantFrom("*/7 * * * *", "0 2 * * *", "30 2 * * 1-5", "15 1,3 1 * *", "0 */3 * * *", "*/20 22-23 * * 0"),
    timeZone: fc.constantFrom("Europe/Madrid", "America/Chicago", "Australia/Lord_Howe", "Pacific/Apia", "UTC"),
  })
  .map((one): JobSchedule => ({ kind: "cron", ...one }));
const interval = fc
  .record({ everySeconds: fc.integer({ min: 300, max: 90_000 }), startsAt: fc.integer({ min: 0, max: 2e12 }) })
  .map((one): JobSchedule => ({ kind: "interval", ...one }));
const rule = fc
  .constantFrom("FREQ=DAILY", "FREQ=MONTHLY;BYDAY=-1SU")
  .map((rrule): JobSchedule => ({ kind: "rrule", start: "2011-01-02T02:30", rrule, timeZone: "Europe/Madrid" }));

test("counts by bucket are those of the due times one by one, over clock changes, leap days and the day that Samoa left out", () => {
  const from = fc.oneof(
    fc.integer({ min: Date.UTC(2011, 11, 20), max: Date.UTC(2012, 3, 20) }),
    fc.integer({ min: Date.UTC(2026, 8, 1), max: Date.UTC(2027, 5, 1) }),
  );
  fc.assert(
    fc.property(
      fc.oneof({ arbitrary: cron, weight: 4 }, interval, rule),
      from,
      fc.integer({ min: 0, max: 40 * DAY_MS }),
      fc.integer({ min: HOUR_MS / 4, max: 50 * HOUR_MS }),
      (schedule, start, length, bucketMs) => {
        const to = start + length;
        const expected = new Float64Array(Math.ceil(length / bucketMs));
        for (const due of dueTimes(schedule, { from: start, to, limit: 1e6 }, zones)) {
          const index = Math.floor((due.dueAt - start) / bucketMs);
          expected[index] = (expected[index] ?? 0) + 1;
        }
        expect([...countDues(schedule, { from: start, to, bucketMs }, zones)]).toEqual([...expected]);
      },
    ),
    { numRuns: 300 },
  );
});
