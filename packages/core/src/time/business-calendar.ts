import { DAY_MS } from "./local-time.js";
import { weekdayOf } from "./recurrence-days.js";

/** Which days are worked: all but the weekend and the holidays. Days are midnights in fake UTC. */
export interface BusinessCalendar {
  readonly isOpen: (dayMs: number) => boolean;
  /** The day itself where it is open, else the nearest open one after it. */
  readonly nextOpen: (dayMs: number) => number;
  readonly previousOpen: (dayMs: number) => number;
  /** No unbroken run of closed days is longer. */
  readonly longestClosedMs: number;
}

/** `weekend` holds weekdays (0 = Monday), at most six; `holidays` midnights in fake UTC. */
export function businessCalendar(weekend: ReadonlySet<number>, holidays: ReadonlySet<number>): BusinessCalendar {
  const isOpen = (dayMs: number): boolean => !weekend.has(weekdayOf(dayMs)) && !holidays.has(dayMs);
  // Holidays are finite and a weekday is always left, so both walks end.
  const nextOpen = (dayMs: number): number => {
    let day = dayMs;
    while (!isOpen(day)) day += DAY_MS;
    return day;
  };
  const previousOpen = (dayMs: number): number => {
    let day = dayMs;
    while (!isOpen(day)) day -= DAY_MS;
    return day;
  };
  let longestClosedMs = 7 * DAY_MS;
  let countedTo = Number.NEGATIVE_INFINITY;
  for (const holiday of [...holidays].toSorted((a, b) => a - b)) {
    if (holiday < countedTo) continue;
    countedTo = nextOpen(holiday);
    longestClosedMs = Math.max(longestClosedMs, countedTo - previousOpen(holiday));
  }
  return { isOpen, nextOpen, previousOpen, longestClosedMs };
}
