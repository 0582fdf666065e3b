import { intersectIntervals, type Interval, mergeIntervals, subtractIntervals, uniteIntervals } from "../time/intervals.js";

/** What is known of a service within a period. All stretches are half-open, in epoch milliseconds, may overlap, and may reach beyond the period. */
export interface ServiceHistory {
  readonly period: { readonly start: number; readonly end: number };
  /** S: when the service is to be there. */
  readonly schedule: readonly Interval[];
  /** M: maintenance as the agreement allows. */
  readonly maintenance: readonly Interval[];
  /** U: no evidence. */
  readonly unknown: readonly Interval[];
  /** D: down by the evidence. */
  readonly down: readonly Interval[];
}

/** Where every millisecond of a period went: upMs + downMs + unknownMs + excludedMs + outOfScheduleMs = periodMs, exactly (law 7). */
export interface AvailabilityFigures {
  readonly periodMs: number;
  readonly upMs: number;
  readonly downMs: number;
  readonly unknownMs: number;
  /** Maintenance within the schedule that the agreement takes out; 0 in the gross figures. */
  readonly excludedMs: number;
  readonly outOfScheduleMs: number;
  /** E = |S \ M|: what is to be answered for. */
  readonly eligibleMs: number;
  /** K = E - |U \ M|: what of it is known. */
  readonly knownMs: number;
  /** (K - |D \ (M u U)|) / K; null when nothing is known. */
  readonly availability: number | null;
  /** K / E; null when there is nothing to answer for. */
  readonly coverage: number | null;
}

/** The same period with maintenance taken out as the agreement allows, and with none taken out. */
export interface NetAndGross {
  readonly net: AvailabilityFigures;
  readonly gross: AvailabilityFigures;
}

/** The availability of a period, net and gross. Time that is both unknown and down is unknown, what overlaps counts once. */
export function availabilityOf(history: ServiceHistory): NetAndGross {
  return { net: figuresOf(history, history.maintenance), gross: figuresOf(history, []) };
}

function figuresOf({ period, schedule, unknown, down }: ServiceHistory, maintenance: readonly Interval[]): AvailabilityFigures {
  const scheduled = intersectIntervals(schedule, [period]);
  const eligible = subtractIntervals(scheduled, maintenance);
  const unknownOnes = intersectIntervals(eligible, unknown);
  const downOnes = subtractIntervals(intersectIntervals(eligible, down), unknown);
  const up = subtractIntervals(eligible, uniteIntervals(unknown, down));
  const periodMs = Math.max(0, period.end - period.start);
  const eligibleMs = lengthOfIntervals(eligible);
  const unknownMs = lengthOfIntervals(unknownOnes);
  const downMs = lengthOfIntervals(downOnes);
  const knownMs = eligibleMs - unknownMs;
  return {
    periodMs,
    upMs: lengthOfIntervals(up),
    downMs,
    unknownMs,
    excludedMs: lengthOfIntervals(intersectIntervals(scheduled, maintenance)),
    outOfScheduleMs: periodMs - lengthOfIntervals(scheduled),
    eligibleMs,
    knownMs,
    availability: knownMs === 0 ? null : (knownMs - downMs) / knownMs,
    coverage: eligibleMs === 0 ? null : knownMs / eligibleMs,
  };
}

/** Milliseconds in any of the stretches. Throws RangeError for one without an end. */
export function lengthOfIntervals(intervals: readonly Interval[]): number {
  return mergeIntervals(intervals).reduce((sum, { start, end }) => {
    if (end === null) throw new RangeError("A stretch without an end has no length.");
    return sum + end - start;
  }, 0);
}

/** Adds the figures of several things up: the shares are those of all their time together. An empty list has no known time. */
export function sumAvailability(list: readonly AvailabilityFigures[]): AvailabilityFigures {
  const total = (of: (one: AvailabilityFigures) => number): number => list.reduce((sum, one) => sum + of(one), 0);
  const [knownMs, downMs, eligibleMs] = [total((one) => one.knownMs), total((one) => one.downMs), total((one) => one.eligibleMs)];
  return {
    periodMs: total((one) => one.periodMs),
    upMs: total((one) => one.upMs),
    downMs,
    unknownMs: total((one) => one.unknownMs),
    excludedMs: total((one) => one.excludedMs),
    outOfScheduleMs: total((one) => one.outOfScheduleMs),
    eligibleMs,
    knownMs,
    availability: knownMs === 0 ? null : (knownMs - downMs) / knownMs,
    coverage: eligibleMs === 0 ? null : knownMs / eligibleMs,
  };
}
