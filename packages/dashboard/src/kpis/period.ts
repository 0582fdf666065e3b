import { instantOf, localAt } from "../windows/clock-change.js";

/** Periods by name; `dates` are two days of the reader's choice. */
export const periods = ["day", "week", "thirty-days", "month", "last-month", "dates"] as const;
export type PeriodName = (typeof periods)[number];

/** From an instant to another, epoch milliseconds; the end is not in it. */
export interface Period {
  readonly from: number;
  readonly to: number;
}

/** How long a step of a series is. */
export type Step = "MINUTE" | "HOUR" | "DAY";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** The API answers 1,500 points at most. */
const MOST_HOURS = 1_440;

export const stepMs: { readonly [step in Step]: number } = { MINUTE: MINUTE_MS, HOUR: HOUR_MS, DAY: DAY_MS };

/**
 * The period of a name at an instant, in a zone whose days and months count; it ends with the minute that runs. Of `dates` the second day is in it,
 * and null is answered for what are no two days in their order.
 */
export function periodOf(
  name: PeriodName,
  input: { readonly now: number; readonly zone: string; readonly first?: string | undefined; readonly last?: string | undefined },
): Period | null {
  const { now, zone, first, last } = input;
  const end = Math.ceil(now / MINUTE_MS) * MINUTE_MS;
  switch (name) {
    case "day":
      return { from: end - DAY_MS, to: end };
    case "week":
      return { from: end - 7 * DAY_MS, to: end };
    case "thirty-days":
      return { from: end - 30 * DAY_MS, to: end };
    case "month":
      return between(startOfMonth(now, zone, 0), end);
    case "last-month":
      return between(startOfMonth(now, zone, -1), startOfMonth(now, zone, 0));
    case "dates":
      return between(startOfDay(first ?? "", zone, 0), startOfDay(last ?? "", zone, 1));
  }
}

function between(from: number | null, to: number | null): Period | null {
  return from === null || to === null || to <= from ? null : { from, to };
}

/** The midnight at which a day begins, so many days later. */
function startOfDay(day: string, zone: string, daysLater: number): number | null {
  const at = Date.parse(`${day}T00:00:00Z`);
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day) || Number.isNaN(at)) return null;
  return inZone(new Date(at + daysLater * DAY_MS).toISOString().slice(0, 10), zone);
}

function startOfMonth(now: number, zone: string, monthsLater: number): number | null {
  const [year = 0, month = 1] = localAt(now, zone).split("-").map(Number);
  return inZone(new Date(Date.UTC(year, month - 1 + monthsLater, 1)).toISOString().slice(0, 10), zone);
}

function inZone(day: string, zone: string): number | null {
  const at = instantOf(`${day}T00:00`, zone);
  return at === null ? null : Date.parse(at);
}

/** The finest step whose points can be seen apart and fit into one answer. */
export function stepOf({ from, to }: Period): Step {
  const length = to - from;
  if (length <= 6 * HOUR_MS) return "MINUTE";
  return length <= MOST_HOURS * HOUR_MS ? "HOUR" : "DAY";
}
