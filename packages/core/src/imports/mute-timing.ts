import { z } from "zod";
import { pathText } from "../catalog/workspace-problem.js";

/** Inclusive, as its ends are written: of days of the month, a negative one counts from the month's end. */
export interface MuteRange {
  readonly begin: number;
  readonly end: number;
}

/**
 * One entry of a list of muted times, as monitors have it: a moment is in it when it fits every field that is given, and a field when it fits one of
 * its ranges. Null: the field is not given. https://prometheus.io/docs/alerting/latest/configuration/#time_interval
 */
export interface MuteTiming {
  /** Minutes of the local day, half-open; 1440 is its end. */
  readonly times: readonly MuteRange[] | null;
  /** Monday is 0. */
  readonly weekdays: readonly number[] | null;
  readonly daysOfMonth: readonly MuteRange[] | null;
  readonly months: readonly number[] | null;
  readonly years: readonly MuteRange[] | null;
  readonly timeZone: string;
}

export type MuteTimingRead = { readonly ok: true; readonly timing: MuteTiming } | { readonly ok: false; readonly problem: string };

const MAX_RANGES = 100;
/** In the vendor's order: a range of weekdays does not cross from Saturday to Sunday. */
const DAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const MONTHS = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];
const TIME_OF_DAY = /^(?:([01]\d|2[0-3]):([0-5]\d)|24:00)$/;
/** No month is shorter. */
const LEAST_DAYS_OF_MONTH = 28;

function numberOf(text: string): number | null {
  return /^-?\d{1,4}$/.test(text) ? Number(text) : null;
}

function positionIn(names: readonly string[], first: number): (text: string) => number | null {
  return (text) => (names.includes(text) ? names.indexOf(text) + first : null);
}

/** The minute of the day; 24:00 is its end. */
function minuteOf(text: string): number | null {
  const match = TIME_OF_DAY.exec(text);
  if (match === null) return null;
  return match[1] === undefined ? 1_440 : Number(match[1]) * 60 + Number(match[2]);
}

/** `a` or `a:b`; what does not fit is a sentence. */
function rangesOf(expected: string, member: (text: string) => number | null, fits: (range: MuteRange) => string | null) {
  return z
    .array(z.union([z.string(), z.number()]))
    .max(MAX_RANGES)
    .transform((items, context): readonly MuteRange[] =>
      items.flatMap((item, index) => {
        const parts = String(item).toLowerCase().split(":");
        const [begin = null, end = begin] = parts.map(member);
        const range = begin === null || end === null || parts.length > 2 ? null : { begin, end };
        const problem = range === null ? "it is neither one nor a range of them" : fits(range);
        if (range !== null && problem === null) return [range];
        context.addIssue({ code: "custom", path: [index], message: `found "${String(item)}", expected ${expected}; ${problem ?? ""}` });
        return [];
      }),
    )
    .nullish()
    .transform((ranges) => ranges ?? null);
}

const inOrder = ({ begin, end }: MuteRange): string | null => (begin > end ? "the range ends before it begins" : null);

function dayOfMonthProblem({ begin, end }: MuteRange): string | null {
  if ([begin, end].some((day) => day === 0 || Math.abs(day) > 31)) return "a day is 1 to 31, or -31 to -1 from the month's end";
  if (begin < 0 && end > 0) return "a range that begins at the month's end ends there too";
  const placeOf = (day: number) => (day < 0 ? LEAST_DAYS_OF_MONTH + day : day);
  return placeOf(begin) > placeOf(end) ? "the range ends before it begins" : null;
}

const timeRange = z
  .strictObject({ start_time: z.string(), end_time: z.string() })
  .transform(({ start_time: from, end_time: to }, context): MuteRange => {
    const begin = minuteOf(from);
    const end = minuteOf(to);
    if (begin !== null && end !== null && begin < end) return { begin, end };
    context.addIssue({
      code: "custom",
      message: `found ${from} to ${to}, expected times from 00:00 to 24:00 with the earlier one first; one that crosses midnight is two`,
    });
    return z.NEVER;
  });

const muteTimingSchema = z.strictObject({
  times: z.array(timeRange).max(MAX_RANGES).nullish(),
  weekdays: rangesOf("a weekday such as monday", positionIn(DAYS, 0), inOrder),
  days_of_month: rangesOf("a day of the month", numberOf, dayOfMonthProblem),
  months: rangesOf(
    "a month from 1 to 12 or its name",
    (text) => positionIn(MONTHS, 1)(text) ?? numberOf(text),
    (range) => (range.begin < 1 || range.end > 12 ? "there is no such month" : inOrder(range)),
  ),
  years: rangesOf("a year", numberOf, inOrder),
  location: z.string().nullish(),
});

function membersOf(ranges: readonly MuteRange[] | null): readonly number[] | null {
  if (ranges === null) return null;
  const members = ranges.flatMap(({ begin, end }) => Array.from({ length: end - begin + 1 }, (_, index) => begin + index));
  return [...new Set(members)].toSorted((a, b) => a - b);
}

/** Reads one entry of `time_intervals`. Whatever is not documented there is a problem: nothing of it is passed over. */
export function readMuteTiming(value: unknown): MuteTimingRead {
  const parsed = muteTimingSchema.safeParse(value);
  if (!parsed.success) {
    const problem = parsed.error.issues.map(
      ({ path, message }) => `${pathText(path.map((part) => (typeof part === "number" ? part : String(part))))}: ${message}`,
    );
    return { ok: false, problem: problem.join(" ") };
  }
  const { times, weekdays, days_of_month: daysOfMonth, months, years, location } = parsed.data;
  if (location === "Local")
    return { ok: false, problem: `location: "Local" is the zone of whichever machine reads it. Name the zone, such as Europe/Madrid.` };
  const sundayFirst = membersOf(weekdays);
  return {
    ok: true,
    timing: {
      times: times ?? null,
      weekdays: sundayFirst === null ? null : sundayFirst.map((day) => (day + 6) % 7).toSorted((a, b) => a - b),
      daysOfMonth,
      months: membersOf(months),
      years,
      // As the vendors read it: UTC unless said otherwise.
      timeZone: location === undefined || location === null || location === "" ? "UTC" : location,
    },
  };
}
