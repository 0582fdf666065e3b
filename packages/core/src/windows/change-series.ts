import { formatLocal, parseLocal } from "../time/local-time.js";
import type { WindowSeries } from "./window-series.js";

/** What to change about a series; what is left out stays, and null takes away. */
export type SeriesChanges = {
  readonly [Field in Exclude<keyof WindowSeries, "start" | "timeZone">]?: WindowSeries[Field] | null;
} & Partial<Pick<WindowSeries, "start" | "timeZone">>;

/** What takes the place of what: an end of a duration, a rule of counted business days. */
const insteadOf: { readonly [field: string]: readonly (keyof WindowSeries)[] } = {
  end: ["duration"],
  duration: ["end"],
  rrule: ["businessDays"],
  businessDays: ["rrule", "onHoliday"],
};

/** The series with these changes. One that only starts at another time ends as much later on the clock: it lasts as long as before. */
export function changeSeries(series: WindowSeries, changes: SeriesChanges): WindowSeries {
  const said = Object.entries(changes).filter(([, value]) => value !== undefined);
  const result: { [field: string]: unknown } = { ...series, ...shiftedEnd(series, changes) };
  for (const [field, value] of said) if (value !== null) for (const other of insteadOf[field] ?? []) delete result[other];
  for (const [field, value] of said) {
    if (value === null) delete result[field];
    else result[field] = value;
  }
  return result as unknown as WindowSeries;
}

function shiftedEnd(series: WindowSeries, { start }: SeriesChanges): { readonly end?: string } {
  const [from, to, end] = [parseLocal(series.start), parseLocal(start ?? ""), parseLocal(series.end ?? "")];
  return from === null || to === null || end === null ? {} : { end: formatLocal(end + to - from) };
}
