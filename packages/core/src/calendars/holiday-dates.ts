import { DAY_MS, formatLocal } from "../time/local-time.js";
import { packagedZoneData } from "../time/packaged-zone-data.js";
import { occurrences } from "../windows/occurrences.js";
import type { JCalComponent } from "./jcal.js";
import { readEvents, type RefusedEvent } from "./read-events.js";

/** A day of a calendar, `YYYY-MM-DD`. */
export interface HolidayDate {
  readonly date: string;
  readonly title: string;
}

/** Of one calendar of holidays. */
const MAX_DATES = 20_000;

/**
 * The days of a calendar of holidays from 1 January of `fromYear` on, for so many years, ascending: its all-day events, rules unrolled, an event of
 * several days on each of them. Events with times of day, and what cannot be understood, are refused by name.
 */
export function holidayDates(
  calendar: JCalComponent,
  options: { readonly fromYear: number; readonly years: number },
): { readonly dates: readonly HolidayDate[]; readonly refused: readonly RefusedEvent[] } {
  const zones = packagedZoneData();
  const from = Date.UTC(options.fromYear, 0, 1);
  const to = Date.UTC(options.fromYear + options.years, 0, 1);
  // Days have no zone: counted in UTC, each has 24 hours.
  const read = readEvents(calendar, { timeZone: "UTC", zoneMap: {}, wants: () => true, now: from }, zones);
  const timed = read.events.filter((event) => !event.isAllDay);
  const found = new Map<string, HolidayDate>();
  for (const { title, series } of read.events.filter((event) => event.isAllDay)) {
    for (const { start, end } of occurrences(series, { from: from - MAX_EVENT_MS, to }, zones)) {
      for (let day = Math.max(start, from); day < Math.min(end, to) && found.size < MAX_DATES; day += DAY_MS) {
        const date = formatLocal(day).slice(0, 10);
        found.set(`${date} ${title}`, { date, title });
      }
    }
  }
  return {
    dates: [...found.values()].toSorted((a, b) => (a.date === b.date ? compare(a.title, b.title) : compare(a.date, b.date))),
    refused: [
      ...read.refused,
      ...timed.map(({ uid, recurrenceId, title }) => ({
        uid,
        recurrenceId,
        title,
        code: "QSC_CALENDAR_NOT_ALL_DAY",
        message: "The event has times of day; a holiday is a whole day (VALUE=DATE). Ask for it as an all-day event.",
      })),
    ],
  };
}

/** Events that began earlier do not reach into the first year. */
const MAX_EVENT_MS = 31 * DAY_MS;
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
