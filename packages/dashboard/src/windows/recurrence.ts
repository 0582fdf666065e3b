/** Weekdays as RFC 5545 writes them, from Monday. */
export const weekdays = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"] as const;
export type Weekday = (typeof weekdays)[number];

export const repetitions = ["once", "daily", "weekly", "weekday-of-month", "day-of-month"] as const;
export type Repetition = (typeof repetitions)[number];

/** Which one of its weekday in a month; -1 is the last. */
export const ordinals = [1, 2, 3, 4, -1] as const;
export type Ordinal = (typeof ordinals)[number];

export const endings = ["never", "day", "count"] as const;

/** A series ends never, with a day (the last on which it may happen), or after so many times. */
export type Ending =
  | { readonly kind: "never" }
  | { readonly kind: "day"; readonly day: string }
  | { readonly kind: "count"; readonly count: number };

/** When a window happens, in the words of the form. Dates are 2026-12-06, times 02:00. */
export interface Recurrence {
  readonly repeats: Repetition;
  /** Every so many days, weeks or months; 1 for each. */
  readonly interval: number;
  /** Of a weekly one. */
  readonly days: readonly Weekday[];
  /** Of "first Sunday". */
  readonly ordinal: Ordinal;
  readonly weekday: Weekday;
  /** 1 to 31; -1 is the last day of the month. */
  readonly dayOfMonth: number;
  /** What ends it; of one that happens once nothing does. */
  readonly ends: Ending;
}

/** The recurrence and the clock times of a form. */
export interface Timing extends Recurrence {
  /** It happens on this day or the first one after it that fits. */
  readonly from: string;
  readonly startTime: string;
  readonly endTime: string;
  /** How many days later it ends; an end at or before the start is on the next day anyway. */
  readonly daysLater: number;
}

const DAY_MS = 86_400_000;
/** A 31st or a fifth of something comes within two months; a leap day does not occur here. */
const SEARCHED_DAYS = 400;

/** The rule of RFC 5545 without DTSTART; null: once. */
export function ruleOf({ repeats, interval, days, ordinal, weekday, dayOfMonth, ends }: Recurrence): string | null {
  const every = interval > 1 ? `;INTERVAL=${interval}` : "";
  const end = endOf(ends);
  switch (repeats) {
    case "once":
      return null;
    case "daily":
      return `FREQ=DAILY${every}${end}`;
    case "weekly":
      return `FREQ=WEEKLY${every};BYDAY=${weekdays.filter((day) => days.includes(day)).join(",")}${end}`;
    case "weekday-of-month":
      return `FREQ=MONTHLY${every};BYDAY=${ordinal}${weekday}${end}`;
    case "day-of-month":
      return `FREQ=MONTHLY${every};BYMONTHDAY=${dayOfMonth}${end}`;
  }
}

function endOf(ends: Ending): string {
  if (ends.kind === "count") return `;COUNT=${ends.count}`;
  // A date alone is the whole of that day in the window's zone.
  return ends.kind === "day" && ends.day !== "" ? `;UNTIL=${ends.day.replaceAll("-", "")}` : "";
}

/** Null for an end that the form cannot show: an instant, or both ways of ending. */
function endingOf(until: string | undefined, count: string | undefined): Ending | null {
  if (until === undefined && count === undefined) return { kind: "never" };
  if (until === undefined) return /^[1-9]\d{0,4}$/.test(count ?? "") ? { kind: "count", count: Number(count) } : null;
  const [, year, month, day] = /^(\d{4})(\d\d)(\d\d)(?:T235959)?$/.exec(until) ?? [];
  return count !== undefined || day === undefined ? null : { kind: "day", day: `${year}-${month}-${day}` };
}

/** Of a rule that the form can show; null for any other, which is left as it is. */
export function recurrenceOf(rule: string | null, start: string): Recurrence | null {
  const day = weekdayOf(start.slice(0, 10));
  const dayOfMonth = Number(start.slice(8, 10));
  const usual: Recurrence = { repeats: "once", interval: 1, days: [day], ordinal: 1, weekday: day, dayOfMonth, ends: { kind: "never" } };
  if (rule === null) return usual;
  const parts = new Map(rule.split(";").map((part) => [part.slice(0, part.indexOf("=")), part.slice(part.indexOf("=") + 1)]));
  if ([...parts.keys()].some((name) => !["FREQ", "INTERVAL", "BYDAY", "BYMONTHDAY", "UNTIL", "COUNT"].includes(name))) return null;
  const ends = endingOf(parts.get("UNTIL"), parts.get("COUNT"));
  if (ends === null) return null;
  const base = { ...usual, interval: Number(parts.get("INTERVAL") ?? 1), ends };
  const [byDay, byMonthDay] = [parts.get("BYDAY"), parts.get("BYMONTHDAY")];
  switch (parts.get("FREQ")) {
    case "DAILY":
      return byDay === undefined && byMonthDay === undefined ? { ...base, repeats: "daily" } : null;
    case "WEEKLY":
      return byMonthDay === undefined ? weeklyOf(base, byDay) : null;
    case "MONTHLY":
      return monthlyOf(base, { byDay, byMonthDay });
    default:
      return null;
  }
}

function weeklyOf(base: Recurrence, byDay: string | undefined): Recurrence | null {
  const named = byDay?.split(",") ?? base.days;
  const days = weekdays.filter((day) => named.includes(day));
  return days.length === named.length ? { ...base, repeats: "weekly", days } : null;
}

function monthlyOf(
  base: Recurrence,
  by: { readonly byDay: string | undefined; readonly byMonthDay: string | undefined },
): Recurrence | null {
  if (by.byDay === undefined) {
    const dayOfMonth = Number(by.byMonthDay ?? base.dayOfMonth);
    const fits = Number.isInteger(dayOfMonth) && (dayOfMonth === -1 || (dayOfMonth >= 1 && dayOfMonth <= 31));
    return fits ? { ...base, repeats: "day-of-month", dayOfMonth } : null;
  }
  const [, number, name] = /^\+?(-?\d)([A-Z]{2})$/.exec(by.byDay) ?? [];
  const ordinal = ordinals.find((one) => one === Number(number));
  const weekday = weekdays.find((one) => one === name);
  if (by.byMonthDay !== undefined || ordinal === undefined || weekday === undefined) return null;
  return { ...base, repeats: "weekday-of-month", ordinal, weekday };
}

/** The first day from `from` on that the recurrence names; null when there is none, as with no weekday chosen. */
export function firstDay(recurrence: Recurrence, from: string): string | null {
  const first = Date.parse(`${from}T00:00Z`);
  if (Number.isNaN(first)) return null;
  for (let days = 0; days < SEARCHED_DAYS; days++) {
    const date = new Date(first + days * DAY_MS).toISOString().slice(0, 10);
    if (isNamed(recurrence, date)) return date;
  }
  return null;
}

function isNamed({ repeats, days, ordinal, weekday, dayOfMonth }: Recurrence, date: string): boolean {
  const day = Number(date.slice(8, 10));
  const daysInMonth = new Date(Date.UTC(Number(date.slice(0, 4)), Number(date.slice(5, 7)), 0)).getUTCDate();
  switch (repeats) {
    case "once":
    case "daily":
      return true;
    case "weekly":
      return days.includes(weekdayOf(date));
    case "weekday-of-month":
      return weekdayOf(date) === weekday && (ordinal === -1 ? day > daysInMonth - 7 : Math.ceil(day / 7) === ordinal);
    case "day-of-month":
      return day === (dayOfMonth === -1 ? daysInMonth : dayOfMonth);
  }
}

/** Local start and end of the first occurrence, as 2026-12-06T02:00; null while the form cannot say. */
export function firstTimes(timing: Timing): { readonly start: string; readonly end: string } | null {
  const day = firstDay(timing, timing.from);
  if (day === null || !isTime(timing.startTime) || !isTime(timing.endTime)) return null;
  const least = timing.endTime <= timing.startTime ? 1 : 0;
  return { start: `${day}T${timing.startTime}`, end: `${addDays(day, Math.max(least, timing.daysLater))}T${timing.endTime}` };
}

/** The form of a first occurrence between local times. */
export function timingOf(recurrence: Recurrence, { start, end }: { readonly start: string; readonly end: string }): Timing {
  const from = start.slice(0, 10);
  const daysLater = Math.round((Date.parse(`${end.slice(0, 10)}T00:00Z`) - Date.parse(`${from}T00:00Z`)) / DAY_MS);
  return { ...recurrence, from, startTime: start.slice(11, 16), endTime: end.slice(11, 16), daysLater };
}

/** SU of 2026-12-06. */
export function weekdayOf(date: string): Weekday {
  return weekdays[(new Date(`${date}T00:00Z`).getUTCDay() + 6) % 7] ?? "MO";
}

export function addDays(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/** 02:00, of 24 hours. */
export function isTime(text: string): boolean {
  return /^(?:[01]\d|2[0-3]):[0-5]\d$/.test(text);
}
