import { DomainError } from "../domain-error.js";
import { mergeIntervals, type Interval } from "../time/intervals.js";
import { DAY_MS, formatLocal, parseLocal } from "../time/local-time.js";
import type { ZoneData } from "../time/zone-data.js";
import { findConflicts } from "./find-conflicts.js";
import { occurrences } from "./occurrences.js";
import { windowKindEffects, type WindowKind } from "./window-kinds.js";

/** An occurrence of a plan; instants in epoch ms. */
export interface PlannedOccurrence {
  readonly localStart: string;
  readonly localEnd: string;
  readonly start: number;
  readonly end: number;
}

/** An occurrence of an approved freeze over something that the plan reaches. */
export interface FreezeOccurrence {
  readonly freeze: string;
  readonly title: string;
  readonly owner: string;
  readonly localStart: string;
  readonly start: number;
  readonly end: number;
}

/** One occurrence of a plan inside one of a freeze, and the time for which it is. */
export interface MetFreeze {
  readonly planned: PlannedOccurrence;
  readonly freeze: FreezeOccurrence;
  readonly from: number;
  readonly until: number;
}

const maxListed = 1_000;
const maxInDetails = 20;
/** So many days before and after the planned one are tried. */
const searchedDays = 100;

/**
 * Where a plan of this kind falls into freezes that block it, by time; at most 1,000. Empty for a kind that changes nothing. What only touches a freeze
 * is outside: intervals are half-open.
 */
export function freezesMet(input: {
  readonly kind: WindowKind;
  readonly planned: readonly PlannedOccurrence[];
  readonly freezes: readonly FreezeOccurrence[];
}): readonly MetFreeze[] {
  if (!windowKindEffects[input.kind].changes) return [];
  const { listed } = findConflicts({ own: input.planned, others: input.freezes, limit: 2 * maxListed });
  return listed
    .filter((one) => one.relation === "overlaps")
    .slice(0, maxListed)
    .map(({ own, other, from, until }) => ({ planned: own, freeze: other, from, until: until ?? other.end }));
}

/**
 * The local start nearest to the planned one, at the same time of day, from which the occurrence would lie ahead of `now` and meet nothing that is
 * `taken`; null when there is none within a hundred days. Of two that are as near, the later one.
 */
export function nearestFreeStart(input: {
  readonly planned: PlannedOccurrence;
  readonly timeZone: string;
  readonly taken: readonly Interval[];
  readonly now: number;
  readonly zones: ZoneData;
}): string | null {
  const { planned, timeZone, now, zones } = input;
  const startMs = parseLocal(planned.localStart);
  const endMs = parseLocal(planned.localEnd);
  if (startMs === null || endMs === null || endMs <= startMs) return null;
  const taken = mergeIntervals(input.taken);
  for (let days = 1; days <= searchedDays; days++) {
    for (const shiftMs of [days * DAY_MS, -days * DAY_MS]) {
      const start = formatLocal(startMs + shiftMs);
      const [one] = occurrences({ start, end: formatLocal(endMs + shiftMs), timeZone }, allTime, zones);
      if (one === undefined || one.start <= now) continue;
      if (!taken.some((other) => other.start < one.end && (other.end === null || other.end > one.start))) return start;
    }
  }
  return null;
}

const allTime = { from: -8.64e15, to: 8.64e15 };

/** Why a change is not planned inside a freeze: which one, who answers for it, and what to do instead. */
export function refusalInFreeze(input: {
  readonly window: string;
  readonly met: readonly [MetFreeze, ...MetFreeze[]];
  readonly nearest: string | null;
  /** The occurrence is there and would last longer. */
  readonly isLonger?: boolean;
}): DomainError {
  const { window, met, nearest, isLonger = false } = input;
  const [{ planned, freeze }] = met;
  const inFreeze = [...new Map(met.map((one) => [one.planned.localStart, one])).keys()];
  const others = inFreeze.length > 1 ? ` and ${inFreeze.length - 1} more of its occurrences` : "";
  const free = nearest === null ? "No time of that day is free within a hundred days" : `The nearest time that is free: ${nearest}`;
  const instead = isLonger
    ? `If the work cannot stop, pause what it covers until it is done, ask ${freeze.owner}`
    : `${free}. Plan it there, leave out what falls into the freeze, ask ${freeze.owner}`;
  return new DomainError(
    "QSC_WINDOW_IN_FREEZE",
    `The change "${window}" at ${planned.localStart}${others} would fall into the freeze "${freeze.freeze}" (${freeze.title}) of ${freeze.owner}, from ${iso(freeze.start)} until ${iso(freeze.end)}. ${instead}, or override the freeze with a reason.`,
    {
      field: isLonger ? "until" : "start",
      details: {
        ...(nearest === null ? {} : { nearest }),
        occurrences: inFreeze.length,
        freezes: [...new Set(met.map((one) => one.freeze.freeze))].slice(0, maxInDetails),
        met: met
          .slice(0, maxInDetails)
          .map((one) => `${one.planned.localStart}: ${one.freeze.freeze}, ${iso(one.from)} to ${iso(one.until)}`),
      },
    },
  );
}

const iso = (instant: number): string => new Date(instant).toISOString();
