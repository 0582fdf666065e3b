import { WEEKDAYS } from "../time/recurrence-rule.js";
import type { MuteRange, MuteTiming } from "./mute-timing.js";

/** Days that a mute timing names, as a rule: of its dates each is the first of so many days in a row. */
export interface DayRule {
  readonly rule: string;
  readonly days: number;
}

/** Days of the month that fit in these months; null: in all. */
interface MonthDays {
  readonly months: readonly number[] | null;
  readonly days: readonly number[];
}

const MONTHS_BY_LENGTH = [
  { length: 31, months: [1, 3, 5, 7, 8, 10, 12] },
  { length: 30, months: [4, 6, 9, 11] },
];
const FEBRUARY = { length: 28, months: [2] };
const LAST_DAY_OF_ALL_MONTHS = 28;

function between(begin: number, end: number): readonly number[] {
  return Array.from({ length: Math.max(0, end - begin + 1) }, (_, index) => begin + index);
}

function sorted(days: readonly number[]): readonly number[] {
  return [...new Set(days)].toSorted((a, b) => a - b);
}

/** The days as BYMONTHDAY has them; null when they depend on the length of the month in a way that it cannot say. */
function plainDays({ begin, end }: MuteRange): readonly number[] | null {
  if (begin > 0 === end > 0) return between(begin, end);
  if (end === -1) return between(begin, 31);
  return begin === 1 ? between(-31, end) : null;
}

/**
 * A range such as 5:-3 ends on another date in each length of month. In February it is the days up to the 26th and the third from the end, which
 * in a leap year is one more.
 */
function monthDaysOf(ranges: readonly MuteRange[]): readonly MonthDays[] {
  const plain = ranges.map(plainDays);
  if (plain.every((days) => days !== null)) return [{ months: null, days: sorted(plain.flat()) }];
  const daysIn = (length: number): readonly number[] =>
    sorted(
      ranges.flatMap(
        (range) =>
          plainDays(range) ?? [...between(range.begin, length + range.end + 1), ...(length === FEBRUARY.length ? [range.end] : [])],
      ),
    );
  return [...MONTHS_BY_LENGTH, FEBRUARY].map(({ length, months }) => ({ months, days: daysIn(length) }));
}

function intersection(a: readonly number[] | null, b: readonly number[] | null): readonly number[] | null {
  if (a === null || b === null) return a ?? b;
  return a.filter((member) => b.includes(member));
}

/** The first of each row of consecutive numbers, and how many they are. */
function rowsOf(numbers: readonly number[]): readonly { readonly first: number; readonly count: number }[] {
  return numbers.flatMap((first, index) => {
    if (numbers[index - 1] === first - 1) return [];
    const end = numbers.findIndex((number, at) => at >= index && numbers[at + 1] !== number + 1);
    return [{ first, count: end - index + 1 }];
  });
}

/** Rows of weekdays, over the end of the week too: Saturday and Sunday are one row, and so are Sunday and Monday. */
function weekdayRows(weekdays: readonly number[]): readonly { readonly first: number; readonly count: number }[] {
  const rows = rowsOf(weekdays);
  const [first, last] = [rows[0], rows.at(-1)];
  if (first === undefined || last === undefined || first === last || first.first !== 0 || last.first + last.count !== 7) return rows;
  return [...rows.slice(1, -1), { first: last.first, count: last.count + first.count }];
}

function part(name: string, values: readonly (number | string)[] | null): string {
  return values === null ? "" : `;${name}=${values.join(",")}`;
}

function weekdayPart(weekdays: readonly number[] | null): string {
  return part("BYDAY", weekdays === null ? null : weekdays.map((day) => WEEKDAYS[day] ?? ""));
}

/**
 * The days of a mute timing, years apart. Whole days in a row become one occurrence where that says the same, so that nothing is let go at midnight
 * between them: a row of weekdays unless it is cut by a month or a year, a row of dates inside every month.
 */
export function dayRules(timing: MuteTiming, { wholeDays }: { readonly wholeDays: boolean }): readonly DayRule[] {
  const { weekdays, daysOfMonth, months, years } = timing;
  if (daysOfMonth === null) {
    if (weekdays !== null && wholeDays && months === null && years === null)
      return weekdayRows(weekdays).map(({ first, count }) => ({ rule: `FREQ=WEEKLY${weekdayPart([first])}`, days: count }));
    return [{ rule: `FREQ=DAILY${part("BYMONTH", months)}${weekdayPart(weekdays)}`, days: 1 }];
  }
  return monthDaysOf(daysOfMonth).flatMap((group): readonly DayRule[] => {
    const inMonths = intersection(group.months, months);
    if (inMonths?.length === 0) return [];
    const byMonth = part("BYMONTH", inMonths);
    const inEveryMonth =
      group.days.every((day) => day > 0 && day <= LAST_DAY_OF_ALL_MONTHS) ||
      group.days.every((day) => day < 0 && day >= -LAST_DAY_OF_ALL_MONTHS);
    if (wholeDays && weekdays === null && inEveryMonth)
      return rowsOf(group.days).map(({ first, count }) => ({ rule: `FREQ=MONTHLY${byMonth};BYMONTHDAY=${first}`, days: count }));
    return [{ rule: `FREQ=DAILY${byMonth}${part("BYMONTHDAY", group.days)}${weekdayPart(weekdays)}`, days: 1 }];
  });
}
