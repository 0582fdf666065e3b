import { intersectIntervals, type Interval, mergeIntervals, subtractIntervals } from "../time/intervals.js";
import { formatLocal, parseLocal } from "../time/local-time.js";
import { localAt, rfcInstant } from "../time/resolve-local.js";
import type { Zone } from "../time/zone.js";
import { windowKindEffects, type WindowKind } from "./window-kinds.js";

/** A calendar month on the wall clock of a zone, as instants [start, end). */
export interface CalendarMonth {
  /** `2026-03` */
  readonly month: string;
  readonly start: number;
  readonly end: number;
}

/** Time for which something is planned to be down, and by which kind of window. */
export interface PlannedDowntime {
  readonly start: number;
  readonly end: number;
  readonly kind: WindowKind;
}

/** What a month holds for one system or integration, in milliseconds: upMs + countedMs + excludedMs = lengthMs, exactly. */
export interface PlannedAvailability {
  readonly lengthMs: number;
  /** What the plan brings beyond what others have planned already. */
  readonly addedMs: number;
  readonly upMs: number;
  /** Planned downtime that counts. */
  readonly countedMs: number;
  /** Planned downtime of kinds that leave the net availability. */
  readonly excludedMs: number;
  /** upMs of lengthMs. */
  readonly gross: number;
  /** The same without the plan. */
  readonly grossBefore: number;
  /** upMs of what is not excluded; null when all of the month is. */
  readonly net: number | null;
}

/** The calendar months that a stretch of time touches, at most so many. */
export function monthsOf(span: { readonly start: number; readonly end: number }, zone: Zone, limit: number): readonly CalendarMonth[] {
  const months: CalendarMonth[] = [];
  let month = formatLocal(localAt(span.start, zone)).slice(0, 7);
  while (months.length < limit) {
    const next = following(month);
    const [start, end] = [firstInstant(month, zone), firstInstant(next, zone)];
    if (start >= span.end) break;
    months.push({ month, start, end });
    month = next;
  }
  return months;
}

const firstInstant = (month: string, zone: Zone): number => rfcInstant(parseLocal(`${month}-01T00:00`) ?? 0, zone);

function following(month: string): string {
  const [year = 0, number = 0] = month.split("-").map(Number);
  return number === 12 ? `${String(year + 1).padStart(4, "0")}-01` : `${month.slice(0, 4)}-${String(number + 1).padStart(2, "0")}`;
}

/**
 * What is left of a month by what is planned: by the plan and by others. Stretches that overlap count once; what any window takes out of the net
 * availability is out of it. Only kinds that hold everything take their systems down.
 */
export function plannedAvailability(input: {
  readonly month: CalendarMonth;
  readonly own: readonly PlannedDowntime[];
  readonly others: readonly PlannedDowntime[];
}): PlannedAvailability {
  const { month } = input;
  const within = (list: readonly PlannedDowntime[]): readonly Interval[] =>
    intersectIntervals(
      list.filter((one) => windowKindEffects[one.kind].holds === "everything"),
      [{ start: month.start, end: month.end }],
    );
  const all = [...input.own, ...input.others];
  const lengthMs = month.end - month.start;
  const downMs = lengthOf(within(all));
  const before = lengthOf(within(input.others));
  const excluded = within(all.filter((one) => windowKindEffects[one.kind].leavesNetSla));
  const excludedMs = lengthOf(excluded);
  const upMs = lengthMs - downMs;
  return {
    lengthMs,
    addedMs: downMs - before,
    upMs,
    countedMs: lengthOf(subtractIntervals(within(all), excluded)),
    excludedMs,
    gross: upMs / lengthMs,
    grossBefore: (lengthMs - before) / lengthMs,
    net: excludedMs === lengthMs ? null : upMs / (lengthMs - excludedMs),
  };
}

const lengthOf = (intervals: readonly Interval[]): number =>
  mergeIntervals(intervals).reduce((sum, one) => sum + ((one.end ?? one.start) - one.start), 0);
