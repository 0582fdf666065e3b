import { DAY_MS, HOUR_MS, LAST_LOCAL_MS, MINUTE_MS, SECOND_MS, within } from "./local-time.js";
import type { RecurrenceRule } from "./recurrence-rule.js";

const WEEK_MS = 7 * DAY_MS;
/** 1 January 1970 was a Thursday, and Monday is 0. */
const EPOCH_WEEKDAY = 3;

/** Midnight of the day of a local time. */
export function startOfDay(localMs: number): number {
  return localMs - within(localMs, DAY_MS);
}

/** 0 = Monday. */
export function weekdayOf(localMs: number): number {
  return (((Math.floor(localMs / DAY_MS) + EPOCH_WEEKDAY) % 7) + 7) % 7;
}

/** Midnight of the first day of the week, which begins on `weekStart` (0 = Monday). */
export function startOfWeek(localMs: number, weekStart: number): number {
  return startOfDay(localMs) - ((weekdayOf(localMs) - weekStart + 7) % 7) * DAY_MS;
}

/** A test of one day (its midnight) by the parts that limit days. */
export function dayFilter(rule: RecurrenceRule): (dayMs: number) => boolean {
  const { byMonth, byMonthDay, byYearDay, byDay } = rule;
  const weekdays = byDay === null ? null : new Set(byDay.map((day) => day.weekday));
  const readsDate = byMonth !== null || byMonthDay !== null || byYearDay !== null;
  return (dayMs) => {
    if (weekdays !== null && !weekdays.has(weekdayOf(dayMs))) return false;
    if (!readsDate) return true;
    const date = new Date(dayMs);
    const year = date.getUTCFullYear();
    const month = date.getUTCMonth();
    if (byMonth !== null && !byMonth.includes(month + 1)) return false;
    if (byMonthDay !== null) {
      const fromEnd = date.getUTCDate() - new Date(Date.UTC(year, month + 1, 0)).getUTCDate() - 1;
      if (!byMonthDay.includes(date.getUTCDate()) && !byMonthDay.includes(fromEnd)) return false;
    }
    if (byYearDay !== null) {
      const fromStart = (dayMs - Date.UTC(year, 0, 1)) / DAY_MS + 1;
      const fromEnd = (dayMs - Date.UTC(year + 1, 0, 1)) / DAY_MS;
      if (!byYearDay.includes(fromStart) && !byYearDay.includes(fromEnd)) return false;
    }
    return true;
  };
}

/** The times of day at which a DAILY or WEEKLY rule happens, ascending. */
function timesOfDay(rule: RecurrenceRule, firstMs: number): readonly number[] {
  const hours = rule.byHour ?? [Math.floor(within(firstMs, DAY_MS) / HOUR_MS)];
  const minutes = rule.byMinute ?? [Math.floor(within(firstMs, HOUR_MS) / MINUTE_MS)];
  const seconds = rule.bySecond ?? [Math.floor(within(firstMs, MINUTE_MS) / SECOND_MS)];
  return hours.flatMap((hour) =>
    minutes.flatMap((minute) => seconds.map((second) => hour * HOUR_MS + minute * MINUTE_MS + second * SECOND_MS)),
  );
}

/** The chosen positions of an ascending list, ascending; all of it when the rule does not choose. */
export function choosePositions(times: readonly number[], positions: readonly number[] | null): readonly number[] {
  if (positions === null) return times;
  const chosen = new Set(positions.map((position) => times.at(position > 0 ? position - 1 : position)));
  return times.filter((time) => chosen.has(time));
}

/**
 * DAILY and WEEKLY rules, by arithmetic: the library takes 2.8 µs a day where this takes 0.1, and for a rule that never
 * matches it walks for a second. Ascending from `fromMs` or a little before.
 */
export function visitDayTimes(input: {
  readonly rule: RecurrenceRule;
  readonly firstMs: number;
  readonly fromMs: number;
  readonly visit: (localMs: number) => boolean;
}): void {
  const { rule, firstMs, visit } = input;
  const isWeekly = rule.frequency === "WEEKLY";
  const times = timesOfDay(rule, firstMs);
  const matches = dayFilter(rule);
  const weekdays = rule.byDay?.map((day) => day.weekday) ?? [weekdayOf(firstMs)];
  const daysOfPeriod = isWeekly
    ? [...new Set(weekdays.map((weekday) => (weekday - rule.weekStart + 7) % 7))].toSorted((a, b) => a - b)
    : [0];

  const originMs = isWeekly ? startOfWeek(firstMs, rule.weekStart) : startOfDay(firstMs);
  const stepMs = rule.interval * (isWeekly ? WEEK_MS : DAY_MS);
  const steps = Math.max(0, Math.floor((input.fromMs - originMs) / stepMs));
  for (let period = originMs + steps * stepMs; period <= LAST_LOCAL_MS; period += stepMs) {
    if (rule.bySetPosition !== null) {
      const days = daysOfPeriod.map((day) => period + day * DAY_MS).filter(matches);
      const inPeriod = days.flatMap((day) => times.map((time) => day + time));
      for (const localMs of choosePositions(inPeriod, rule.bySetPosition)) if (localMs >= firstMs && !visit(localMs)) return;
      continue;
    }
    for (const dayOfPeriod of daysOfPeriod) {
      const day = period + dayOfPeriod * DAY_MS;
      if (!matches(day)) continue;
      for (const time of times) if (day + time >= firstMs && !visit(day + time)) return;
    }
  }
}
