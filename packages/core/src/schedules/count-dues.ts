import { DAY_MS, HOUR_MS, MINUTE_MS } from "../time/local-time.js";
import { offsetIndexAt } from "../time/resolve-local.js";
import { requireZone, type ZoneData } from "../time/zone-data.js";
import { cronMatchesDay, parseCronExpression } from "./cron-expression.js";
import { dueTimes } from "./due-times.js";
import type { JobSchedule } from "./job-schedule.js";

/** Nearer to a clock change than its size, and this, a local time may happen twice or never: there due times are computed one by one. */
const CHANGE_MARGIN_MS = 2 * HOUR_MS;

interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * How many due times of a schedule fall into each bucket [from + i * bucketMs, from + (i + 1) * bucketMs) of a range. The same due times as
 * `dueTimes` gives, without writing them out: an interval is arithmetic, and a cron expression is walked by its hours where clocks do not change.
 */
export function countDues(schedule: JobSchedule, input: Range & { readonly bucketMs: number }, zones: ZoneData): Float64Array {
  const { from, to, bucketMs } = input;
  const counts = new Float64Array(Math.max(0, Math.ceil((to - from) / bucketMs)));
  if (schedule.kind === "interval") {
    const everyMs = schedule.everySeconds * 1_000;
    const before = (instant: number): number => Math.max(0, Math.ceil((instant - schedule.startsAt) / everyMs));
    for (let index = 0; index < counts.length; index++) {
      const start = from + index * bucketMs;
      counts[index] = before(Math.min(to, start + bucketMs)) - before(start);
    }
    return counts;
  }
  const add = (instant: number): void => {
    const index = Math.floor((instant - from) / bucketMs);
    counts[index] = (counts[index] ?? 0) + 1;
  };
  const addExactly = (range: Range): void => {
    for (const due of dueTimes(schedule, { ...range, limit: Number.POSITIVE_INFINITY }, zones)) add(due.dueAt);
  };
  if (schedule.kind === "cron") visitCron(schedule, { from, to, zones, add, addExactly });
  else addExactly({ from, to });
  return counts;
}

/** Walks the stretches of one offset each: their middles by the hour, their ends exactly. */
function visitCron(
  schedule: Extract<JobSchedule, { kind: "cron" }>,
  input: Range & { readonly zones: ZoneData; readonly add: (instant: number) => void; readonly addExactly: (range: Range) => void },
): void {
  const zone = requireZone(input.zones, schedule.timeZone);
  const cron = parseCronExpression(schedule.expression);
  const marginAt = (change: number): number =>
    Math.abs((zone.offsets[change] ?? 0) - (zone.offsets[change - 1] ?? zone.offsets[change] ?? 0)) + CHANGE_MARGIN_MS;
  let from = input.from;
  for (let index = offsetIndexAt(from, zone); from < input.to; index++) {
    const changesAt = zone.starts[index + 1] ?? Number.POSITIVE_INFINITY;
    const to = Math.min(input.to, changesAt);
    const steadyFrom = Math.min(to, Math.max(from, (zone.starts[index] ?? Number.NEGATIVE_INFINITY) + marginAt(index)));
    const steadyTo = Math.max(steadyFrom, Math.min(to, changesAt - marginAt(index + 1)));
    const offsetMs = zone.offsets[index] ?? 0;
    if (from < steadyFrom) input.addExactly({ from, to: steadyFrom });
    for (let day = Math.floor((steadyFrom + offsetMs) / DAY_MS) * DAY_MS; day - offsetMs < steadyTo; day += DAY_MS) {
      if (!cronMatchesDay(cron, day)) continue;
      for (const hour of cron.hours) {
        const hourStart = day + hour * HOUR_MS - offsetMs;
        if (hourStart + HOUR_MS <= steadyFrom || hourStart >= steadyTo) continue;
        for (const minute of cron.minutes) {
          const instant = hourStart + minute * MINUTE_MS;
          if (instant >= steadyFrom && instant < steadyTo) input.add(instant);
        }
      }
    }
    if (steadyTo < to) input.addExactly({ from: steadyTo, to });
    from = to;
  }
}
