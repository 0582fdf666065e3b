import { DAY_MS, HOUR_MS, SECOND_MS } from "./local-time.js";

/**
 * The rule in the footer of a TZif file (RFC 8536, section 3.3), a POSIX TZ string with the RFC's extension of hours to -167..167.
 * Offsets are milliseconds east of Greenwich.
 */
export interface PosixTimeZone {
  readonly standardOffsetMs: number;
  readonly daylight: { readonly offsetMs: number; readonly starts: YearlyRule; readonly ends: YearlyRule } | null;
}

/** The day of the year on which clocks change, and the local time of day at which they do (may be negative or beyond 24 h). */
interface YearlyRule {
  readonly day:
    | { readonly kind: "month-week-day"; readonly month: number; readonly week: number; readonly weekday: number }
    /** 1 to 365; 29 February is never counted. */
    | { readonly kind: "julian"; readonly day: number }
    /** 0 to 365; 29 February is counted. */
    | { readonly kind: "ordinal"; readonly day: number };
  readonly timeMs: number;
}

const NAME = "(?:[A-Za-z]{3,}|<[A-Za-z0-9+-]+>)";
const OFFSET = "([+-]?\\d{1,3}(?::\\d{2}(?::\\d{2})?)?)";
const FOOTER = new RegExp(`^${NAME}${OFFSET}(?:${NAME}${OFFSET}?,([^,]+),([^,]+))?$`);
const DEFAULT_CHANGE_TIME_MS = 2 * HOUR_MS;

function parseClock(text: string): number {
  const negative = text.startsWith("-");
  const [hours = 0, minutes = 0, seconds = 0] = text.replace(/^[+-]/, "").split(":").map(Number);
  const milliseconds = hours * HOUR_MS + minutes * 60 * SECOND_MS + seconds * SECOND_MS;
  return negative ? -milliseconds : milliseconds;
}

function parseYearlyRule(text: string): YearlyRule | null {
  const [dayText = "", timeText] = text.split("/");
  const timeMs = timeText === undefined ? DEFAULT_CHANGE_TIME_MS : parseClock(timeText);
  const monthRule = /^M(\d{1,2})\.([1-5])\.([0-6])$/.exec(dayText);
  if (monthRule !== null) {
    return {
      day: { kind: "month-week-day", month: Number(monthRule[1]), week: Number(monthRule[2]), weekday: Number(monthRule[3]) },
      timeMs,
    };
  }
  const dayRule = /^(J?)(\d{1,3})$/.exec(dayText);
  if (dayRule === null) return null;
  return { day: { kind: dayRule[1] === "J" ? "julian" : "ordinal", day: Number(dayRule[2]) }, timeMs };
}

/** Parses a footer; null when it is not a rule this module knows. */
export function parsePosixTimeZone(text: string): PosixTimeZone | null {
  const match = FOOTER.exec(text);
  if (match === null) return null;
  const [, standard = "", daylight, startText, endText] = match;
  // POSIX counts offsets west of Greenwich as positive.
  const standardOffsetMs = 0 - parseClock(standard);
  if (startText === undefined || endText === undefined) return { standardOffsetMs, daylight: null };
  const starts = parseYearlyRule(startText);
  const ends = parseYearlyRule(endText);
  if (starts === null || ends === null) return null;
  const offsetMs = daylight === undefined ? standardOffsetMs + HOUR_MS : 0 - parseClock(daylight);
  return { standardOffsetMs, daylight: { offsetMs, starts, ends } };
}

function isLeapYear(year: number): boolean {
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
}

function changeLocalMs(rule: YearlyRule, year: number): number {
  const { day } = rule;
  if (day.kind === "ordinal") return Date.UTC(year, 0, 1) + day.day * DAY_MS + rule.timeMs;
  if (day.kind === "julian") {
    const skipsLeapDay = isLeapYear(year) && day.day >= 60;
    return Date.UTC(year, 0, day.day) + (skipsLeapDay ? DAY_MS : 0) + rule.timeMs;
  }
  const firstOfMonth = Date.UTC(year, day.month - 1, 1);
  const firstWeekday = new Date(firstOfMonth).getUTCDay();
  const firstMatch = firstOfMonth + ((day.weekday - firstWeekday + 7) % 7) * DAY_MS;
  const nextMonth = Date.UTC(year, day.month, 1);
  let match = firstMatch + (day.week - 1) * 7 * DAY_MS;
  // Week 5 means the last such weekday of the month.
  while (match >= nextMonth) match -= 7 * DAY_MS;
  return match + rule.timeMs;
}

/** The two changes of one year, in order of time: the instant (epoch ms) and the offset from then on. Empty without daylight saving. */
export function posixChangesOfYear(zone: PosixTimeZone, year: number): readonly { readonly at: number; readonly offsetMs: number }[] {
  if (zone.daylight === null) return [];
  const start = { at: changeLocalMs(zone.daylight.starts, year) - zone.standardOffsetMs, offsetMs: zone.daylight.offsetMs };
  const end = { at: changeLocalMs(zone.daylight.ends, year) - zone.daylight.offsetMs, offsetMs: zone.standardOffsetMs };
  return start.at < end.at ? [start, end] : [end, start];
}
