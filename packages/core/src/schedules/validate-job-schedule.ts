import { DomainError } from "../domain-error.js";
import { packagedZoneData } from "../time/packaged-zone-data.js";
import { refuseRuleText, refuseStartOffRule, type Refusal } from "../time/recurrence-refusals.js";
import type { ZoneData } from "../time/zone-data.js";
import { compileSeries } from "../windows/window-series.js";
import { nextDueAt } from "./due-times.js";
import { MAX_INTERVAL_SECONDS, type JobSchedule } from "./job-schedule.js";

/** From here on a cron expression is asked for its first due time; every expression that fires at all fires within forty years. */
const ANY_INSTANT = 0;

function refuseRecurrence(schedule: Extract<JobSchedule, { kind: "rrule" }>, zones: ZoneData): readonly Refusal[] {
  const textRefusals = refuseRuleText(schedule.rrule, "SCHEDULE");
  if (textRefusals.length > 0) return textRefusals;
  const { start, rrule, timeZone, exdates, rdates } = schedule;
  const series = compileSeries({ start, rrule, timeZone, exdates, rdates }, zones);
  const offRule = series.rule === null ? null : refuseStartOffRule(series.rule, series.startMs, "SCHEDULE");
  if (offRule !== null) return [offRule];
  if (nextDueAt(schedule, Number.NEGATIVE_INFINITY, zones) !== null) return [];
  return [
    { code: "QSC_SCHEDULE_NEVER", field: "rrule", message: "The schedule is never due. Check the rule, its end and the excluded dates." },
  ];
}

function refuse(schedule: JobSchedule, zones: ZoneData): readonly Refusal[] {
  switch (schedule.kind) {
    case "cron":
      if (nextDueAt(schedule, ANY_INSTANT, zones) !== null) return [];
      return [
        {
          code: "QSC_SCHEDULE_NEVER",
          field: "expression",
          message: `The cron expression "${schedule.expression}" is never due. Check the day of the month against the month.`,
        },
      ];
    case "interval": {
      const { everySeconds, startsAt } = schedule;
      if (Number.isInteger(everySeconds) && everySeconds >= 1 && everySeconds <= MAX_INTERVAL_SECONDS && Number.isFinite(startsAt))
        return [];
      const nearest = String(Math.min(MAX_INTERVAL_SECONDS, Math.max(1, Math.round(everySeconds) || 1)));
      return [
        {
          code: "QSC_SCHEDULE_INTERVAL_OUT_OF_RANGE",
          field: "everySeconds",
          message: `The interval is ${everySeconds} s; expected whole seconds from 1 to ${MAX_INTERVAL_SECONDS}.`,
          nearest,
        },
      ];
    }
    case "rrule":
      return refuseRecurrence(schedule, zones);
  }
}

/** Why a job schedule is not saved as it stands, with the nearest valid form; empty when it is fine. Never throws a DomainError. */
export function validateJobSchedule(schedule: JobSchedule, zones: ZoneData = packagedZoneData()): readonly Refusal[] {
  try {
    return refuse(schedule, zones);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    // The recurrence engine speaks of windows; here it was asked for a schedule.
    return [{ code: error.code.replace("QSC_WINDOW_", "QSC_SCHEDULE_"), field: error.field ?? "schedule", message: error.message }];
  }
}
