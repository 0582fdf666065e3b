import type { ZoneData } from "../time/zone-data.js";
import { validateWindowSeries } from "../windows/validate-series.js";
import type { WindowInput } from "../windows/window-input.js";
import type { WindowSeries } from "../windows/window-series.js";
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
  };
}

/** What the commands of the windows room take. */
export function windowInputOf(entry: WindowEntry): WindowInput & { readonly key: string } {
  const { key, title, mode, scope, owner, reason, confirmLong } = entry;
  return { key, title, mode, series: windowSeriesOf(entry), scope, owner, reason, confirmLong };
}

/** How a stored window is written in a workspace. One that was confirmed to be long says so, or it could not be applied again. */
export function windowEntryOf(input: WindowInput & { readonly key: string }, zones?: ZoneData): WindowEntry {
  const { series } = input;
  const isLong = validateWindowSeries(series, {}, zones).some((refusal) => refusal.code === "QSC_WINDOW_LONG");
  return windowSchema.parse({
    key: input.key,
    title: input.title,
    start: series.start,
    end: series.end,
    duration: series.duration,
    timeZone: series.timeZone,
    rrule: series.rrule,
    exdates: series.exdates,
    rdates: series.rdates,
    dstPolicy: series.dstPolicy,
    scope: input.scope,
    mode: input.mode,
    owner: input.owner,
    reason: input.reason,
    confirmLong: isLong,
  });
}
