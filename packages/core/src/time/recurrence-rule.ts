import { DomainError } from "../domain-error.js";
import { DAY_MS, localFromFields, parseLocalDate } from "./local-time.js";

export const FREQUENCIES = ["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY", "MINUTELY", "SECONDLY"] as const;
export type Frequency = (typeof FREQUENCIES)[number];

/** Monday is 0, as in ISO 8601 less one. */
export const WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"] as const;

/** A weekday (0 = Monday), all of them or the nth of the period (negative from its end). */
export interface RuleWeekday {
  readonly weekday: number;
  readonly nth: number | null;
}

/** UNTIL: an instant, a local time, or a local date whose whole day is meant. All inclusive. */
export type RuleUntil = { readonly kind: "instant"; readonly instant: number } | { readonly kind: "local"; readonly localMs: number };

/** A parsed RRULE (RFC 5545, 3.3.10). Lists are sorted and without repetition; null means that the part is absent. */
export interface RecurrenceRule {
  readonly frequency: Frequency;
  readonly interval: number;
  readonly count: number | null;
  readonly until: RuleUntil | null;
  readonly weekStart: number;
  readonly bySetPosition: readonly number[] | null;
  readonly byMonth: readonly number[] | null;
  readonly byMonthDay: readonly number[] | null;
  readonly byYearDay: readonly number[] | null;
  readonly byWeekNumber: readonly number[] | null;
  readonly byDay: readonly RuleWeekday[] | null;
  readonly byHour: readonly number[] | null;
  readonly byMinute: readonly number[] | null;
  readonly bySecond: readonly number[] | null;
}

/** Of a rule; longer ones are refused when a window is saved. */
export const MAX_RULE_CHARACTERS = 512;
const MAX_INTERVAL = 1_000_000;
const MAX_COUNT = 1_000_000;

function malformed(field: string, problem: string): DomainError {
  return new DomainError(
    "QSC_WINDOW_RULE_MALFORMED",
    `The recurrence rule cannot be read: ${problem}. Expected parts such as FREQ=WEEKLY;BYDAY=SA,SU (RFC 5545, section 3.3.10).`,
    { field },
  );
}

function splitParts(text: string, field: string): ReadonlyMap<string, string> {
  const parts = new Map<string, string>();
  for (const part of text.replace(/^RRULE:/i, "").split(";")) {
    const [key = "", value = "", ...more] = part.toUpperCase().split("=");
    if (key === "" || value === "" || more.length > 0) throw malformed(field, `"${part}" is not NAME=VALUE`);
    if (parts.has(key)) throw malformed(field, `${key} is given twice`);
    if (!PART_NAMES.has(key)) throw malformed(field, `${key} is no part of a rule`);
    parts.set(key, value);
  }
  return parts;
}

const PART_NAMES: ReadonlySet<string> = new Set([
  "FREQ",
  "INTERVAL",
  "COUNT",
  "UNTIL",
  "WKST",
  "BYSETPOS",
  "BYMONTH",
  "BYMONTHDAY",
  "BYYEARDAY",
  "BYWEEKNO",
  "BYDAY",
  "BYHOUR",
  "BYMINUTE",
  "BYSECOND",
]);

/** What each list of numbers may hold; `signed` ones count from the end when negative and exclude 0. */
const NUMBER_LISTS = {
  BYSETPOS: { least: 1, most: 366, signed: true },
  BYMONTH: { least: 1, most: 12, signed: false },
  BYMONTHDAY: { least: 1, most: 31, signed: true },
  BYYEARDAY: { least: 1, most: 366, signed: true },
  BYWEEKNO: { least: 1, most: 53, signed: true },
  BYHOUR: { least: 0, most: 23, signed: false },
  BYMINUTE: { least: 0, most: 59, signed: false },
  BYSECOND: { least: 0, most: 59, signed: false },
} as const;

function numberList(parts: ReadonlyMap<string, string>, name: keyof typeof NUMBER_LISTS, field: string): readonly number[] | null {
  const text = parts.get(name);
  if (text === undefined) return null;
  const { least, most, signed } = NUMBER_LISTS[name];
  const numbers = new Set<number>();
  for (const item of text.split(",")) {
    const value = /^[+-]?\d{1,3}$/.test(item) ? Number(item) : Number.NaN;
    const size = signed ? Math.abs(value) : value;
    if (!(size >= least && size <= most)) {
      throw malformed(
        field,
        `${name} holds "${item}", which is not ${signed ? `${least} to ${most} or -${most} to -${least}` : `${least} to ${most}`}`,
      );
    }
    numbers.add(value);
  }
  return [...numbers].toSorted((a, b) => a - b);
}

function positiveNumber(parts: ReadonlyMap<string, string>, name: string, most: number, field: string): number | null {
  const text = parts.get(name);
  if (text === undefined) return null;
  const value = /^\d{1,7}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= 1 && value <= most)) throw malformed(field, `${name}=${text} is not a whole number from 1 to ${most}`);
  return value;
}

function parseWeekday(text: string, field: string): number {
  const weekday = WEEKDAYS.findIndex((name) => name === text);
  if (weekday < 0) throw malformed(field, `"${text}" is no weekday; they are ${WEEKDAYS.join(", ")}`);
  return weekday;
}

function parseByDay(parts: ReadonlyMap<string, string>, field: string): readonly RuleWeekday[] | null {
  const text = parts.get("BYDAY");
  if (text === undefined) return null;
  const days = new Map<string, RuleWeekday>();
  for (const item of text.split(",")) {
    const match = /^([+-]?\d{1,2})?([A-Z]{2})$/.exec(item);
    const nth = match?.[1] === undefined ? null : Number(match[1]);
    if (match === null || nth === 0 || Math.abs(nth ?? 1) > 53)
      throw malformed(field, `BYDAY holds "${item}", which is no weekday such as SU, 1SU or -1FR`);
    const weekday = parseWeekday(match[2] ?? "", field);
    days.set(`${nth}/${weekday}`, { weekday, nth });
  }
  return [...days.values()];
}

function parseUntil(text: string | undefined, field: string): RuleUntil | null {
  if (text === undefined) return null;
  const match = /^(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})(Z?))?$/.exec(text);
  if (match === null) throw malformed(field, `UNTIL=${text} is neither 20261231T235959Z nor 20261231T235959 nor 20261231`);
  const [, year, month, day, hour, minute, second, utc] = match;
  if (hour === undefined) {
    const date = parseLocalDate(`${year}-${month}-${day}`);
    if (date === null) throw malformed(field, `UNTIL=${text} is no date`);
    // An inclusive date bounds the whole of its local day.
    return { kind: "local", localMs: date + DAY_MS - 1 };
  }
  // A leap second has no place in epoch time: it is the last of its minute.
  const localMs = localFromFields(
    Number(year),
    Number(month),
    Number(day),
    Number(hour),
    Number(minute),
    Math.min(Number(second), Number(second) === 60 ? 59 : 99),
  );
  if (localMs === null) throw malformed(field, `UNTIL=${text} is no date and time`);
  return utc === "Z" ? { kind: "instant", instant: localMs } : { kind: "local", localMs };
}

/** What RFC 5545 says must not stand together; it has no meaning that two readers would share. */
function refuseForbidden(rule: RecurrenceRule, field: string): void {
  const { frequency } = rule;
  const numbered = rule.byDay?.some((day) => day.nth !== null) ?? false;
  if (numbered && frequency !== "MONTHLY" && frequency !== "YEARLY")
    throw malformed(field, `a numbered weekday in BYDAY needs FREQ=MONTHLY or YEARLY, not ${frequency}`);
  if (numbered && rule.byWeekNumber !== null) throw malformed(field, "a numbered weekday in BYDAY cannot stand beside BYWEEKNO");
  if (rule.byWeekNumber !== null && frequency !== "YEARLY") throw malformed(field, `BYWEEKNO needs FREQ=YEARLY, not ${frequency}`);
  if (rule.byYearDay !== null && (frequency === "DAILY" || frequency === "WEEKLY" || frequency === "MONTHLY"))
    throw malformed(field, `BYYEARDAY cannot stand in a ${frequency} rule`);
  if (rule.byMonthDay !== null && frequency === "WEEKLY") throw malformed(field, "BYMONTHDAY cannot stand in a WEEKLY rule");
  const others = [rule.byMonth, rule.byMonthDay, rule.byYearDay, rule.byWeekNumber, rule.byDay, rule.byHour, rule.byMinute, rule.bySecond];
  if (rule.bySetPosition !== null && others.every((part) => part === null))
    throw malformed(field, "BYSETPOS needs another BY part to choose from");
}

/**
 * Parses an RRULE strictly, with or without the leading `RRULE:`. COUNT beside UNTIL is read (both then bound the rule);
 * it is refused only when a window is saved. Throws DomainError QSC_WINDOW_RULE_MALFORMED.
 */
export function parseRecurrenceRule(text: string, field = "rrule"): RecurrenceRule {
  const parts = splitParts(text, field);
  const frequency = FREQUENCIES.find((name) => name === parts.get("FREQ"));
  if (frequency === undefined) throw malformed(field, `FREQ is ${parts.get("FREQ") ?? "missing"}; it is one of ${FREQUENCIES.join(", ")}`);
  const weekStart = parts.get("WKST");
  const rule: RecurrenceRule = {
    frequency,
    interval: positiveNumber(parts, "INTERVAL", MAX_INTERVAL, field) ?? 1,
    count: positiveNumber(parts, "COUNT", MAX_COUNT, field),
    until: parseUntil(parts.get("UNTIL"), field),
    weekStart: weekStart === undefined ? 0 : parseWeekday(weekStart, field),
    bySetPosition: numberList(parts, "BYSETPOS", field),
    byMonth: numberList(parts, "BYMONTH", field),
    byMonthDay: numberList(parts, "BYMONTHDAY", field),
    byYearDay: numberList(parts, "BYYEARDAY", field),
    byWeekNumber: numberList(parts, "BYWEEKNO", field),
    byDay: parseByDay(parts, field),
    byHour: numberList(parts, "BYHOUR", field),
    byMinute: numberList(parts, "BYMINUTE", field),
    bySecond: numberList(parts, "BYSECOND", field),
  };
  refuseForbidden(rule, field);
  return rule;
}
