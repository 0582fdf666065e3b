import { DomainError } from "../domain-error.js";
import { type Interval, intersectIntervals } from "../time/intervals.js";
import { DAY_MS, formatLocal, parseLocal } from "../time/local-time.js";
import { localAt, rfcInstant } from "../time/resolve-local.js";
import type { Zone } from "../time/zone.js";

/** Hours of the week in which a service is to be there, on the wall clock of a zone. */
export interface ServiceHours {
  /** 1 is Monday, 7 Sunday. */
  readonly days: readonly number[];
  /** `08:00` */
  readonly from: string;
  /** `18:00`; `24:00` is the end of the day. */
  readonly to: string;
}

const TIME = /^(?:[01]\d|2[0-3]):[0-5]\d$/;

/** Throws QSC_KPI_SERVICE_HOURS for hours that are none. */
export function checkServiceHours({ days, from, to }: ServiceHours): void {
  const isDay = (day: number) => Number.isInteger(day) && day >= 1 && day <= 7;
  if (days.length > 0 && days.every(isDay) && TIME.test(from) && (TIME.test(to) || to === "24:00") && from < to) return;
  throw new DomainError(
    "QSC_KPI_SERVICE_HOURS",
    `Service hours are days 1 (Monday) to 7 and times as 08:00 to 18:00 of one day, found ${days.join(",")} from "${from.slice(0, 10)}" to "${to.slice(0, 10)}".`,
    { field: "serviceHours" },
  );
}

/** The stretches of a period in which a service is to be there (S); without hours that is all of it. Throws QSC_KPI_SERVICE_HOURS. */
export function serviceSchedule(
  hours: readonly ServiceHours[],
  period: { readonly start: number; readonly end: number },
  zone: Zone,
): readonly Interval[] {
  if (hours.length === 0) return [period];
  for (const one of hours) checkServiceHours(one);
  const stretches: Interval[] = [];
  const firstDay = Math.floor(localAt(period.start, zone) / DAY_MS) * DAY_MS;
  for (let day = firstDay; rfcInstant(day, zone) < period.end; day += DAY_MS) {
    const weekday = ((Math.floor(day / DAY_MS) + 3) % 7) + 1;
    const date = formatLocal(day).slice(0, 10);
    for (const { days, from, to } of hours) {
      if (!days.includes(weekday)) continue;
      const end = to === "24:00" ? day + DAY_MS : (parseLocal(`${date}T${to}`) ?? day);
      stretches.push({ start: rfcInstant(parseLocal(`${date}T${from}`) ?? day, zone), end: rfcInstant(end, zone) });
    }
  }
  return intersectIntervals(stretches, [period]);
}

/** The calendar days of a zone that a period touches, cut to the period. A day may have 23 or 25 hours. */
export function daysOf(
  period: { readonly start: number; readonly end: number },
  zone: Zone,
): readonly { readonly start: number; readonly end: number }[] {
  const days: { readonly start: number; readonly end: number }[] = [];
  let { start } = period;
  for (let day = Math.floor(localAt(start, zone) / DAY_MS) * DAY_MS + DAY_MS; start < period.end; day += DAY_MS) {
    const end = Math.min(rfcInstant(day, zone), period.end);
    if (end > start) days.push({ start, end });
    start = Math.max(start, end);
  }
  return days;
}
