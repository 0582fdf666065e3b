import { DomainError } from "../domain-error.js";
import { type BusinessCalendar, businessCalendar } from "../time/business-calendar.js";
import { DAY_MS, LAST_LOCAL_MS, parseLocal, parseLocalDate, within } from "../time/local-time.js";
import { startOfDay } from "../time/recurrence-days.js";
import type { VisitLocal } from "../time/recurrence-local-times.js";
import { WEEKDAYS } from "../time/recurrence-rule.js";

export const BUSINESS_PERIODS = ["month", "quarter", "year"] as const;
type BusinessPeriod = (typeof BUSINESS_PERIODS)[number];

/** What becomes of a date of an RRULE that is no business day. */
export const HOLIDAY_SHIFTS = ["skip", "next", "previous"] as const;
export type HolidayShift = (typeof HOLIDAY_SHIFTS)[number];

/** The most that an ordinal can be: the days of a period. */
const MOST_ORDINAL = { month: 31, quarter: 92, year: 366 } as const satisfies { readonly [period in BusinessPeriod]: number };
export const MAX_ORDINALS = 31;
/** Of one series or one calendar: a century of a dozen a year. */
export const MAX_HOLIDAYS = 2_000;

/** The day on which an occurrence ends, where it depends on the calendar; the time of day is that of the series' `end`. */
export interface BusinessDayEnd {
  /** Which days are counted. */
  readonly days: "business" | "calendar";
  /** 1 is the first, -1 the last. */
  readonly ordinal: number;
  /** Of the period in which the occurrence starts, or the one after it. */
  readonly period: "same" | "next";
}

/**
 * `{ of: "quarter", ordinals: [-2, -1] }`: the last two business days of every quarter, at the time of day of the series' start. The start says from
 * when on; it need not be counted itself, for a holiday that is added later would make a window that stands invalid.
 */
export interface BusinessDayRule {
  readonly of: BusinessPeriod;
  /** 1 is the first business day of the period, -1 the last. */
  readonly ordinals: readonly number[];
  /** The last local start, inclusive; without it the rule goes on. */
  readonly until?: string | undefined;
  readonly ends?: BusinessDayEnd | undefined;
}

/** A parsed rule; local times are fake UTC ms. */
export interface CompiledBusinessDays {
  readonly of: BusinessPeriod;
  readonly ordinals: readonly number[];
  readonly untilMs: number;
  readonly ends: BusinessDayEnd | null;
  readonly calendar: BusinessCalendar;
}

function malformed(field: string, problem: string): DomainError {
  return new DomainError("QSC_WINDOW_BUSINESS_DAYS_MALFORMED", problem, { field });
}

/** The days that are worked. Throws QSC_WINDOW_BUSINESS_DAYS_MALFORMED. */
export function compileCalendar(series: {
  readonly weekend?: readonly string[] | undefined;
  readonly holidays?: readonly string[] | undefined;
}): BusinessCalendar {
  const weekend = (series.weekend ?? ["SA", "SU"]).map((name, index) => {
    const weekday = WEEKDAYS.findIndex((known) => known === name);
    if (weekday < 0) throw malformed(`weekend.${index}`, `"${name}" is no weekday; they are ${WEEKDAYS.join(", ")}.`);
    return weekday;
  });
  if (new Set(weekend).size === 7)
    throw malformed("weekend", "A week without a business day has none to count. Leave one day out of the weekend.");
  const holidays = (series.holidays ?? []).map((text, index) => {
    const day = parseLocalDate(text);
    if (day === null) throw malformed(`holidays.${index}`, `"${text}" is no date. Expected YYYY-MM-DD.`);
    return day;
  });
  return businessCalendar(new Set(weekend), new Set(holidays));
}

function requireOrdinal(ordinal: number, of: BusinessPeriod, field: string): void {
  if (Number.isInteger(ordinal) && ordinal !== 0 && Math.abs(ordinal) <= MOST_ORDINAL[of]) return;
  throw malformed(
    field,
    `${ordinal} counts no day of a ${of}: expected 1 to ${MOST_ORDINAL[of]} from its start, or -1 to -${MOST_ORDINAL[of]} from its end.`,
  );
}

/** Parses the rule. Throws QSC_WINDOW_BUSINESS_DAYS_MALFORMED. */
export function compileBusinessDays(rule: BusinessDayRule, calendar: BusinessCalendar): CompiledBusinessDays {
  if (!BUSINESS_PERIODS.includes(rule.of))
    throw malformed("businessDays.of", `Business days are counted in a ${BUSINESS_PERIODS.join(", ")}, not "${rule.of}".`);
  if (rule.ordinals.length === 0)
    throw malformed("businessDays.ordinals", "No business day is named. Expected 1 for the first, -1 for the last.");
  for (const [index, ordinal] of rule.ordinals.entries()) requireOrdinal(ordinal, rule.of, `businessDays.ordinals.${index}`);
  if (rule.ends !== undefined) requireOrdinal(rule.ends.ordinal, rule.of, "businessDays.ends.ordinal");
  const untilMs = rule.until === undefined ? Number.POSITIVE_INFINITY : parseLocal(rule.until);
  if (untilMs === null) throw malformed("businessDays.until", `"${rule.until}" is no local time. Expected YYYY-MM-DDTHH:MM.`);
  return { of: rule.of, ordinals: rule.ordinals, untilMs, ends: rule.ends ?? null, calendar };
}

const MONTHS_OF = { month: 1, quarter: 3, year: 12 } as const satisfies { readonly [period in BusinessPeriod]: number };

/** The first day of the period that holds the local time, `periodsOn` later. */
function startOfPeriod(localMs: number, of: BusinessPeriod, periodsOn = 0): number {
  const date = new Date(localMs);
  const months = MONTHS_OF[of];
  return Date.UTC(date.getUTCFullYear(), (Math.floor(date.getUTCMonth() / months) + periodsOn) * months, 1);
}

/** The nth day of a period that counts, from its start or its end; null where it has not so many. */
function nthDay(
  period: { readonly firstDay: number; readonly endDay: number },
  input: { readonly ordinal: number; readonly counts: (dayMs: number) => boolean },
): number | null {
  const stepMs = input.ordinal > 0 ? DAY_MS : -DAY_MS;
  let left = Math.abs(input.ordinal);
  for (
    let day = input.ordinal > 0 ? period.firstDay : period.endDay - DAY_MS;
    day >= period.firstDay && day < period.endDay;
    day += stepMs
  ) {
    if (input.counts(day)) left -= 1;
    if (left === 0) return day;
  }
  return null;
}

function periodAt(localMs: number, of: BusinessPeriod, periodsOn = 0) {
  return { firstDay: startOfPeriod(localMs, of, periodsOn), endDay: startOfPeriod(localMs, of, periodsOn + 1) };
}

/** Visits the local starts of a rule from `fromMs` on, ascending and each once, until the visitor answers false. `firstMs` is the series' start. */
export function visitBusinessDayStarts(
  rule: CompiledBusinessDays,
  range: { readonly firstMs: number; readonly fromMs: number },
  visit: VisitLocal,
): void {
  const timeOfDayMs = within(range.firstMs, DAY_MS);
  const fromMs = Math.max(range.firstMs, range.fromMs);
  const lastMs = Math.min(rule.untilMs, LAST_LOCAL_MS);
  for (let periodsOn = 0; ; periodsOn += 1) {
    const period = periodAt(fromMs, rule.of, periodsOn);
    if (period.firstDay > lastMs) return;
    const days = rule.ordinals.map((ordinal) => nthDay(period, { ordinal, counts: rule.calendar.isOpen })).filter((day) => day !== null);
    for (const day of [...new Set(days)].toSorted((a, b) => a - b)) {
      const localMs = day + timeOfDayMs;
      if (localMs < fromMs) continue;
      if (localMs > lastMs || !visit(localMs)) return;
    }
  }
}

/** So long an occurrence with an end by the calendar lasts at most. */
export function longestNominalMs(rule: CompiledBusinessDays): number {
  return 2 * (MOST_ORDINAL[rule.of] + 1) * DAY_MS;
}

/**
 * The local end of the occurrence that starts at this local time. A period with fewer days than are counted ends it on its last day; an end that
 * is not after the start is the end of the start's day: such a rule is refused when it is saved.
 */
export function businessDayEnd(
  rule: CompiledBusinessDays,
  ends: BusinessDayEnd,
  times: { readonly localMs: number; readonly timeOfDayMs: number },
): number {
  const period = periodAt(times.localMs, rule.of, ends.period === "next" ? 1 : 0);
  const counts = ends.days === "business" ? rule.calendar.isOpen : () => true;
  const day = nthDay(period, { ordinal: ends.ordinal, counts }) ?? period.endDay - DAY_MS;
  const endMs = day + times.timeOfDayMs;
  return endMs > times.localMs ? endMs : startOfDay(times.localMs) + DAY_MS;
}
