import { type HolidayDate, holidayDates, type RefusedEvent } from "@quiesce/core";
import { readCalendar } from "./ical-text.js";

/**
 * The days of a calendar of holidays in iCalendar text, from 1 January of `fromYear` on for so many years; what is no whole day, or not understood, is
 * refused by name. Throws QSC_CALENDAR_INVALID and QSC_CALENDAR_TOO_LARGE.
 */
export function holidaysOfText(
  text: string,
  options: { readonly fromYear: number; readonly years: number },
): { readonly dates: readonly HolidayDate[]; readonly refused: readonly RefusedEvent[] } {
  return holidayDates(readCalendar(text), options);
}
