import { visitLocalTimes } from "../time/recurrence-local-times.js";
import { type RecurrenceRule, WEEKDAYS } from "../time/recurrence-rule.js";
import type { CompiledSeries } from "../windows/window-series.js";
import { jcalTime } from "./jcal.js";

/** Days that every month has: readers differ about what a rule does in a month without the day. */
const LAST_DAY_OF_EVERY_MONTH = 28;

/**
 * The rule of a series as an RRULE that every calendar program reads as we do, or null when that is not known of it: then its occurrences are
 * written one by one. Hourly steps, week numbers, days of the year and several times a day are read in different ways, and so are days that some
 * months do not have, and a start that the rule itself does not generate.
 */
export function readableRule(series: CompiledSeries): string | null {
  const { rule, startMs } = series;
  if (rule === null || !isReadable(rule, startMs) || !generates(rule, startMs)) return null;
  const parts = [`FREQ=${rule.frequency}`];
  if (rule.interval > 1) parts.push(`INTERVAL=${rule.interval}`);
  if (rule.count !== null) parts.push(`COUNT=${rule.count}`);
  // In UTC, as RFC 5545 wants it beside a start with a zone.
  else if (rule.until !== null) parts.push(`UNTIL=${jcalTime(series.untilInstant).replaceAll(/[-:]/g, "")}Z`);
  if (rule.byMonth !== null) parts.push(`BYMONTH=${rule.byMonth.join(",")}`);
  if (rule.byMonthDay !== null) parts.push(`BYMONTHDAY=${rule.byMonthDay.join(",")}`);
  if (rule.byDay !== null) parts.push(`BYDAY=${rule.byDay.map(({ nth, weekday }) => `${nth ?? ""}${WEEKDAYS[weekday] ?? ""}`).join(",")}`);
  if (rule.bySetPosition !== null) parts.push(`BYSETPOS=${rule.bySetPosition.join(",")}`);
  if (rule.frequency === "WEEKLY" && rule.interval > 1) parts.push(`WKST=${WEEKDAYS[rule.weekStart] ?? "MO"}`);
  return parts.join(";");
}

function isReadable(rule: RecurrenceRule, startMs: number): boolean {
  const { frequency, byDay, byMonth, byMonthDay, bySetPosition } = rule;
  if (rule.byYearDay !== null || rule.byWeekNumber !== null || rule.byHour !== null || rule.byMinute !== null || rule.bySecond !== null)
    return false;
  if (rule.count !== null && rule.until !== null) return false;
  if (bySetPosition !== null && (frequency !== "MONTHLY" || byDay === null || byMonthDay !== null || byDay.some(({ nth }) => nth !== null)))
    return false;
  if (byMonthDay?.some((day) => Math.abs(day) > LAST_DAY_OF_EVERY_MONTH)) return false;
  const isDayGiven = byDay !== null || byMonthDay !== null;
  const isDayCommon = new Date(startMs).getUTCDate() <= LAST_DAY_OF_EVERY_MONTH;
  switch (frequency) {
    case "DAILY":
      return byMonth === null && byMonthDay === null && byDay === null;
    case "WEEKLY":
      return byMonth === null;
    case "MONTHLY":
      return byMonth === null && !(byDay !== null && byMonthDay !== null) && (isDayGiven || isDayCommon);
    case "YEARLY":
      // Without a month a weekday is one of the year to some readers and of the month to others.
      return isDayGiven ? byMonth !== null && !(byDay !== null && byMonthDay !== null) : byMonth === null && isDayCommon;
    case "HOURLY":
    case "MINUTELY":
    case "SECONDLY":
      return false;
  }
}

function generates(rule: RecurrenceRule, startMs: number): boolean {
  let first = Number.NaN;
  visitLocalTimes({ ...rule, count: null }, startMs, startMs, (localMs) => {
    first = localMs;
    return false;
  });
  return first === startMs;
}
