import { addDays, weekdayOf, weekdays } from "./recurrence.js";
import type { CalendarView } from "./calendar-views.js";

/** The days that a view names, both included, as 2026-12-06. */
export interface Range {
  readonly first: string;
  readonly last: string;
}

const MONTHS_OF_QUARTER = 3;

/** The day, the week from Monday, the month, or the quarter of a year that a date lies in. */
export function rangeOf(view: CalendarView, date: string): Range {
  switch (view) {
    case "day":
      return { first: date, last: date };
    case "week": {
      const first = addDays(date, -weekdays.indexOf(weekdayOf(date)));
      return { first, last: addDays(first, 6) };
    }
    case "month":
      return months(date, 1);
    case "quarter": {
      const month = Number(date.slice(5, 7)) - 1;
      return months(monthLater(date, -(month % MONTHS_OF_QUARTER)), MONTHS_OF_QUARTER);
    }
  }
}

/** A date in the view before or behind. */
export function stepped(view: CalendarView, date: string, steps: 1 | -1): string {
  switch (view) {
    case "day":
      return addDays(date, steps);
    case "week":
      return addDays(date, 7 * steps);
    case "month":
      return monthLater(date, steps);
    case "quarter":
      return monthLater(date, MONTHS_OF_QUARTER * steps);
  }
}

function months(date: string, count: number): Range {
  const first = monthLater(date, 0);
  return { first, last: addDays(monthLater(first, count), -1) };
}

/** The first day of the month so many months later. */
function monthLater(date: string, count: number): string {
  return new Date(Date.UTC(Number(date.slice(0, 4)), Number(date.slice(5, 7)) - 1 + count, 1)).toISOString().slice(0, 10);
}
