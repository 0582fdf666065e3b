import { type IntlShape, useIntl } from "react-intl";
import { type Recurrence, recurrenceOf, type Weekday, weekdays } from "./recurrence.js";

/** A series as the API shows it. */
export interface ShownSeries {
  readonly start: string;
  readonly end: string | null;
  readonly duration: string | null;
  readonly rrule: string | null;
  readonly timeZone: string;
  readonly businessDays: { readonly of: "MONTH" | "QUARTER" | "YEAR"; readonly ordinals: readonly number[] } | null;
}

type Words = Pick<IntlShape, "formatMessage" | "formatList" | "formatDate" | "locale">;

export function useSeriesSentence(series: ShownSeries): string {
  return seriesSentence(series, useIntl());
}

/** "First Sunday of every month, 02:00–06:00 Europe/Madrid" */
export function seriesSentence(series: ShownSeries, intl: Words): string {
  const { start, end, duration, timeZone } = series;
  const when = patternOf(series, intl);
  const startTime = start.slice(11, 16);
  if (end === null)
    return intl.formatMessage({ id: "windows.series.for" }, { when, start: startTime, duration: duration ?? "", zone: timeZone });
  const days = Math.round((Date.parse(`${end.slice(0, 10)}T00:00Z`) - Date.parse(`${start.slice(0, 10)}T00:00Z`)) / 86_400_000);
  return intl.formatMessage({ id: "windows.series" }, { when, start: startTime, end: end.slice(11, 16), days, zone: timeZone });
}

function patternOf(series: ShownSeries, intl: Words): string {
  const { businessDays, rrule, start } = series;
  if (businessDays !== null)
    return intl.formatMessage(
      { id: "windows.rule.business" },
      { ordinals: intl.formatList(businessDays.ordinals.map(String), { type: "conjunction" }), of: businessDays.of },
    );
  const recurrence = recurrenceOf(rrule, start);
  if (recurrence === null) return intl.formatMessage({ id: "windows.rule.special" }, { rule: rrule ?? "" });
  return recurrencePhrase(recurrence, start, intl);
}

/** "Every day until 31 December 2026" */
export function recurrencePhrase(recurrence: Recurrence, start: string, intl: Words): string {
  const when = patternPhrase(recurrence, start, intl);
  const { repeats, ends } = recurrence;
  if (repeats === "once" || ends.kind === "never" || (ends.kind === "day" && ends.day === "")) return when;
  if (ends.kind === "count") return intl.formatMessage({ id: "windows.rule.count" }, { when, count: ends.count });
  const day = intl.formatDate(`${ends.day}T00:00Z`, { timeZone: "UTC", dateStyle: "long" });
  return intl.formatMessage({ id: "windows.rule.until" }, { when, day });
}

function patternPhrase(recurrence: Recurrence, start: string, intl: Words): string {
  const { repeats, interval, days, ordinal, weekday, dayOfMonth } = recurrence;
  switch (repeats) {
    case "once":
      return intl.formatDate(`${start.slice(0, 10)}T00:00Z`, { timeZone: "UTC", dateStyle: "full" });
    case "daily":
      return intl.formatMessage({ id: "windows.rule.daily" }, { interval });
    case "weekly": {
      const named = intl.formatList(
        weekdays.filter((day) => days.includes(day)).map((day) => weekdayName(day, intl.locale)),
        { type: "conjunction" },
      );
      return intl.formatMessage({ id: "windows.rule.weekly" }, { interval, days: named });
    }
    case "weekday-of-month":
      return intl.formatMessage(
        { id: "windows.rule.weekday-of-month" },
        { interval, ordinal: String(ordinal), weekday: weekdayName(weekday, intl.locale) },
      );
    case "day-of-month":
      return intl.formatMessage({ id: "windows.rule.day-of-month" }, { interval, day: dayOfMonth });
  }
}

/** Sunday, domingo. */
export function weekdayName(day: Weekday, locale: string, width: "long" | "short" = "long"): string {
  // 1 January 2024 was a Monday.
  const date = Date.UTC(2024, 0, 1 + weekdays.indexOf(day));
  return new Intl.DateTimeFormat(locale, { timeZone: "UTC", weekday: width }).format(date);
}
