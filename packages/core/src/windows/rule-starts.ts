import { DAY_MS, within } from "../time/local-time.js";
import { visitLocalTimes, type VisitLocal } from "../time/recurrence-local-times.js";
import type { RecurrenceRule } from "../time/recurrence-rule.js";
import { rfcInstant } from "../time/resolve-local.js";
import { visitBusinessDayStarts } from "./business-days.js";
import type { CompiledSeries } from "./window-series.js";

/** Visits the dates of the RRULE itself up to UNTIL (compared as an instant, inclusive), before any is moved off a holiday. */
export function visitNominalStarts(series: CompiledSeries & { readonly rule: RecurrenceRule }, fromMs: number, visit: VisitLocal): void {
  const { zone, untilInstant } = series;
  // No local time after this one can be an instant up to UNTIL.
  const lastUntilMs = untilInstant + zone.maxOffsetMs;
  visitLocalTimes(series.rule, series.startMs, fromMs, (localMs) => {
    if (localMs > lastUntilMs) return false;
    if (untilInstant !== Number.POSITIVE_INFINITY && rfcInstant(localMs, zone) > untilInstant) return true;
    return visit(localMs);
  });
}

/** Where a date of the rule really happens; null when it does not. */
export function movedOffHoliday(series: CompiledSeries, localMs: number): number | null {
  const { shift } = series;
  if (shift === null) return localMs;
  const timeOfDayMs = within(localMs, DAY_MS);
  const day = localMs - timeOfDayMs;
  switch (shift.policy) {
    case "skip":
      return shift.calendar.isOpen(day) ? localMs : null;
    case "next":
      return shift.calendar.nextOpen(day) + timeOfDayMs;
    case "previous":
      return shift.calendar.previousOpen(day) + timeOfDayMs;
  }
}

/** Several dates may be moved to one day, in any order of their times: a day is told when the next one begins. */
function visitMovedStarts(series: CompiledSeries & { readonly rule: RecurrenceRule }, fromMs: number, visit: VisitLocal): void {
  const lookBackMs = series.shift?.policy === "next" ? series.shift.calendar.longestClosedMs : 0;
  let times: number[] = [];
  let going = true;
  const visitDay = (): boolean => {
    const starts = [...new Set(times)].toSorted((a, b) => a - b);
    going &&= starts.every((localMs) => localMs < fromMs || visit(localMs));
    times = [];
    return going;
  };
  const dayOf = (localMs: number) => localMs - within(localMs, DAY_MS);
  visitNominalStarts(series, fromMs - lookBackMs, (nominalMs) => {
    const localMs = movedOffHoliday(series, nominalMs);
    if (localMs === null) return true;
    const last = times[0];
    if (last !== undefined && dayOf(last) !== dayOf(localMs) && !visitDay()) return false;
    times.push(localMs);
    return true;
  });
  visitDay();
}

/** Visits the local starts of a series' rule from `fromMs` on, ascending and each once, without RDATEs and EXDATEs. Nothing when it has no rule. */
export function visitRuleStarts(series: CompiledSeries, fromMs: number, visit: VisitLocal): void {
  const { rule, businessDays } = series;
  if (businessDays !== null) visitBusinessDayStarts(businessDays, { firstMs: series.startMs, fromMs }, visit);
  else if (rule !== null && series.shift === null) visitNominalStarts({ ...series, rule }, fromMs, visit);
  else if (rule !== null) visitMovedStarts({ ...series, rule }, fromMs, visit);
}
