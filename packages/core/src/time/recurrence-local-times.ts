import rrule, { type Options } from "rrule";
import { DAY_MS, LAST_LOCAL_MS } from "./local-time.js";
import { choosePositions, visitDayTimes, weekdayOf } from "./recurrence-days.js";
import type { RecurrenceRule, RuleWeekday } from "./recurrence-rule.js";
import { visitSubDailyTimes } from "./recurrence-sub-daily.js";

// The package is CommonJS: the named imports pass the compiler and crash plain Node.
const { RRule, Weekday } = rrule;

/** Answers whether to go on. */
export type VisitLocal = (localMs: number) => boolean;

/**
 * The library walks on to the year 9999 when a rule never matches, and cannot be told to stop. The Gregorian calendar
 * repeats, weekdays included, every 400 years, so rules are walked 7,600 years later and end with LAST_YEAR.
 */
const CALENDAR_SHIFT_MS = 19 * 146_097 * DAY_MS;
/** A weekday of every week of a year, or of a month. */
const ALL_NUMBERS_IN_YEAR = 53;

/** Where the walk may begin: the start of the month or year that holds `fromMs`, a whole number of intervals after the one that holds `firstMs`. */
function anchorOf(rule: RecurrenceRule, firstMs: number, fromMs: number): number {
  const first = new Date(firstMs);
  const from = new Date(Math.max(firstMs, fromMs));
  const whole = (units: number): number => Math.floor(units / rule.interval) * rule.interval;
  const years = from.getUTCFullYear() - first.getUTCFullYear();
  if (rule.frequency === "YEARLY") return Date.UTC(first.getUTCFullYear() + whole(years), 0, 1);
  return Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + whole(years * 12 + from.getUTCMonth() - first.getUTCMonth()), 1);
}

/** Plain and numbered weekdays in one list: the library would ask for both at once, so a plain one becomes all its numbers. */
function libraryWeekdays(days: readonly RuleWeekday[]): InstanceType<typeof Weekday>[] {
  if (days.every((day) => day.nth === null)) return days.map((day) => new Weekday(day.weekday));
  return days.flatMap((day) =>
    day.nth === null
      ? Array.from({ length: ALL_NUMBERS_IN_YEAR }, (_, index) => new Weekday(day.weekday, index + 1))
      : [new Weekday(day.weekday, day.nth)],
  );
}

/**
 * The rule for the library with everything explicit that it would take from DTSTART, so that DTSTART can be the start of
 * any period. COUNT, UNTIL, BYSETPOS and the zone stay with us.
 */
function libraryOptions(rule: RecurrenceRule, firstMs: number, anchorMs: number): Partial<Options> {
  const first = new Date(firstMs);
  const options: Partial<Options> = {
    freq: RRule[rule.frequency],
    dtstart: new Date(anchorMs + CALENDAR_SHIFT_MS),
    interval: rule.interval,
    wkst: rule.weekStart,
    byhour: [...(rule.byHour ?? [first.getUTCHours()])],
    byminute: [...(rule.byMinute ?? [first.getUTCMinutes()])],
    bysecond: [...(rule.bySecond ?? [first.getUTCSeconds()])],
  };
  if (rule.byMonth !== null) options.bymonth = [...rule.byMonth];
  if (rule.byMonthDay !== null) options.bymonthday = [...rule.byMonthDay];
  if (rule.byYearDay !== null) options.byyearday = [...rule.byYearDay];
  if (rule.byWeekNumber !== null) options.byweekno = [...rule.byWeekNumber];
  if (rule.byDay !== null) options.byweekday = libraryWeekdays(rule.byDay);
  if (rule.byDay === null && rule.byMonthDay === null && rule.byYearDay === null) {
    if (rule.byWeekNumber !== null) options.byweekday = [new Weekday(weekdayOf(firstMs))];
    else {
      options.bymonthday = [first.getUTCDate()];
      if (rule.frequency === "YEARLY" && rule.byMonth === null) options.bymonth = [first.getUTCMonth() + 1];
    }
  }
  return options;
}

/** All times of the library's walk, without BYSETPOS. */
function visitLibraryTimes(options: Partial<Options>, visit: VisitLocal): void {
  // Its cache grows without bound: noCache.
  new RRule(options, true).all((date) => visit(date.getTime() - CALENDAR_SHIFT_MS));
}

/** MONTHLY and YEARLY rules. BYSETPOS is ours: the library takes the last of two for the third from the end. */
function visitMonthlyAndYearlyTimes(rule: RecurrenceRule, firstMs: number, fromMs: number, visit: VisitLocal): void {
  const options = libraryOptions(rule, firstMs, anchorOf(rule, firstMs, fromMs));
  const visitFromFirst: VisitLocal = (localMs) => localMs < firstMs || visit(localMs);
  if (rule.bySetPosition === null) {
    visitLibraryTimes(options, visitFromFirst);
    return;
  }
  const periodOf = (localMs: number): number => {
    const date = new Date(localMs);
    return date.getUTCFullYear() * 12 + (rule.frequency === "MONTHLY" ? date.getUTCMonth() : 0);
  };
  let period = Number.NaN;
  let times: number[] = [];
  let going = true;
  const visitChosen = (): boolean => {
    going &&= choosePositions(times, rule.bySetPosition).every(visitFromFirst);
    times = [];
    return going;
  };
  visitLibraryTimes(options, (localMs) => {
    if (periodOf(localMs) !== period && !visitChosen()) return false;
    period = periodOf(localMs);
    times.push(localMs);
    return true;
  });
  visitChosen();
}

function visitRuleTimes(rule: RecurrenceRule, firstMs: number, fromMs: number, visit: VisitLocal): void {
  const { frequency } = rule;
  switch (frequency) {
    case "YEARLY":
    case "MONTHLY":
      visitMonthlyAndYearlyTimes(rule, firstMs, fromMs, visit);
      return;
    case "WEEKLY":
    case "DAILY":
      visitDayTimes({ rule, firstMs, fromMs, visit });
      return;
    case "HOURLY":
    case "MINUTELY":
    case "SECONDLY":
      visitSubDailyTimes({ rule, frequency, firstMs, fromMs, visit });
  }
}

/**
 * Visits the local times (fake UTC ms) of a rule from `fromMs` on, ascending and each once, until the visitor answers
 * false, COUNT is used up or LAST_YEAR ends. UNTIL is the caller's: it is an instant and needs a zone. `firstMs` is
 * DTSTART; it is visited only when the rule generates it.
 */
export function visitLocalTimes(rule: RecurrenceRule, firstMs: number, fromMs: number, visit: VisitLocal): void {
  if (fromMs > LAST_LOCAL_MS) return;
  if (rule.count === null) {
    visitRuleTimes(rule, firstMs, fromMs, (localMs) => localMs < fromMs || visit(localMs));
    return;
  }
  let left = rule.count;
  visitRuleTimes(rule, firstMs, firstMs, (localMs) => {
    left -= 1;
    return (localMs < fromMs || visit(localMs)) && left > 0;
  });
}
