import type { ZoneData } from "../time/zone-data.js";
import { validateWindowSeries } from "../windows/validate-series.js";
import type { WindowInput } from "../windows/window-input.js";
import { withHolidays, type WindowSeries } from "../windows/window-series.js";
import { windowSchema, type WindowEntry } from "./workspace-schema.js";

/** The series of a window as it is written in a workspace. */
export function windowSeriesOf(entry: WindowEntry): WindowSeries {
  return {
    start: entry.start,
    ...(entry.end === null ? {} : { end: entry.end }),
    ...(entry.duration === null ? {} : { duration: entry.duration }),
    timeZone: entry.timeZone,
    ...(entry.rrule === null ? {} : { rrule: entry.rrule }),
    ...(entry.exdates.length === 0 ? {} : { exdates: entry.exdates }),
    ...(entry.rdates.length === 0 ? {} : { rdates: entry.rdates }),
    ...(entry.dstPolicy === "cover" ? {} : { dstPolicy: entry.dstPolicy }),
    ...(entry.businessDays === null ? {} : { businessDays: entry.businessDays }),
    ...(entry.onHoliday === null ? {} : { onHoliday: entry.onHoliday }),
    ...(entry.weekend.join() === "SA,SU" ? {} : { weekend: entry.weekend }),
    ...(entry.holidays.length === 0 ? {} : { holidays: entry.holidays }),
    ...(entry.calendar === null ? {} : { calendar: entry.calendar }),
  };
}

/** What the commands of the windows room take. */
export function windowInputOf(entry: WindowEntry): WindowInput & { readonly key: string } {
  const { key, title, kind, mode, scope, drain, resume, owner, reason, confirmLong } = entry;
  return { key, title, kind, mode, series: windowSeriesOf(entry), scope, drain, resume, owner, reason, confirmLong };
}

/** The dates of each holiday calendar by its key. */
export type HolidayCalendars = ReadonlyMap<string, readonly string[]>;

/** How a stored window is written in a workspace. One that was confirmed to be long says so, or it could not be applied again. */
export function windowEntryOf(
  input: WindowInput & { readonly key: string },
  facts: { readonly zones?: ZoneData; readonly calendars?: HolidayCalendars } = {},
): WindowEntry {
  const { series } = input;
  const isLong = validateWindowSeries(withHolidays(series, facts.calendars ?? new Map()), {}, facts.zones).some(
    (refusal) => refusal.code === "QSC_WINDOW_LONG",
  );
  return windowSchema.parse({
    key: input.key,
    title: input.title,
    kind: input.kind,
    start: series.start,
    end: series.end,
    duration: series.duration,
    timeZone: series.timeZone,
    rrule: series.rrule,
    exdates: series.exdates,
    rdates: series.rdates,
    dstPolicy: series.dstPolicy,
    businessDays: series.businessDays,
    onHoliday: series.onHoliday,
    weekend: series.weekend,
    holidays: series.holidays,
    calendar: series.calendar,
    scope: input.scope,
    mode: input.mode,
    drain: input.drain,
    resume: input.resume,
    owner: input.owner,
    reason: input.reason,
    confirmLong: isLong,
  });
}
