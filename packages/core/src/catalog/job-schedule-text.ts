import type { JobSchedule } from "../schedules/job-schedule.js";
import { formatLocal, parseLocal } from "../time/local-time.js";
import { formatDuration, parseDurationMs } from "./duration-text.js";
import type { ScheduleText } from "./workspace-schema.js";

/** The schedule that the engine evaluates. `every` without a start counts from the beginning of 1970, so that its text says all there is. */
export function jobScheduleOf(text: ScheduleText): JobSchedule {
  if (text.cron !== undefined) return { kind: "cron", expression: text.cron, timeZone: text.timeZone };
  if (text.every !== undefined) {
    const startsAt = text.start === undefined ? 0 : (parseLocal(text.start) ?? Number.NaN);
    return { kind: "interval", everySeconds: (parseDurationMs(text.every) ?? 0) / 1_000, startsAt };
  }
  return {
    kind: "rrule",
    start: text.start ?? "",
    rrule: text.rrule ?? "",
    timeZone: text.timeZone,
    ...(text.exdates.length > 0 ? { exdates: text.exdates } : {}),
    ...(text.rdates.length > 0 ? { rdates: text.rdates } : {}),
  };
}

/** The way back: how a person would write a stored schedule. */
export function scheduleTextOf(schedule: JobSchedule): ScheduleText {
  const none = { exdates: [], rdates: [] };
  switch (schedule.kind) {
    case "cron":
      return { cron: schedule.expression, timeZone: schedule.timeZone, ...none };
    case "interval":
      return {
        every: formatDuration(schedule.everySeconds * 1_000),
        ...(schedule.startsAt === 0 ? {} : { start: formatLocal(schedule.startsAt) }),
        timeZone: "UTC",
        ...none,
      };
    case "rrule":
      return {
        rrule: schedule.rrule,
        start: schedule.start,
        timeZone: schedule.timeZone,
        exdates: [...(schedule.exdates ?? [])],
        rdates: [...(schedule.rdates ?? [])],
      };
  }
}
