import { DomainError } from "../domain-error.js";
import { mergeIntervals } from "../time/intervals.js";
import { DAY_MS, formatLocal, parseLocal } from "../time/local-time.js";
import { refuseRuleText, refuseStartOffRule, type Refusal } from "../time/recurrence-refusals.js";
import type { ZoneData } from "../time/zone-data.js";
import { occurrenceInstants, type OccurrenceInstants } from "./occurrences.js";
import { compileSeries, visitSeriesStarts, type CompiledSeries, type WindowSeries } from "./window-series.js";

/** A window, or windows that touch, longer than this want a confirmation. */
export const LONG_WINDOW_DAYS = 31;
/** In any 90 days; see MAX_OCCURRENCES. */
export const OCCURRENCES_PERIOD_DAYS = 90;
export const MAX_OCCURRENCES = 1_000;
/** A series must happen within this time of its start. */
export const FIRST_OCCURRENCE_YEARS = 10;
/** So far the series is looked through for crowded or unbroken stretches; it holds every month and a leap day's year round. */
const LOOKED_THROUGH_DAYS = 800;
const TEN_YEARS_MS = FIRST_OCCURRENCE_YEARS * 365.25 * DAY_MS;

/** The nearest end for a form on which the end lies before the start: the same time on the first day on which it is later. */
export function endOnNextDay(start: string, end: string): string | null {
  const startMs = parseLocal(start);
  const endMs = parseLocal(end);
  if (startMs === null || endMs === null) return null;
  const daysBehind = Math.floor((startMs - endMs) / DAY_MS) + 1;
  return formatLocal(endMs + Math.max(0, daysBehind) * DAY_MS);
}

function refuseOrder(series: WindowSeries): Refusal | null {
  if (series.end === undefined) return null;
  const startMs = parseLocal(series.start);
  const endMs = parseLocal(series.end);
  if (startMs === null || endMs === null || endMs > startMs) return null;
  if (endMs === startMs) {
    return {
      code: "QSC_WINDOW_EMPTY",
      field: "end",
      message: `The window ends when it starts, at ${series.start}, and would hold nothing. Choose a later end.`,
    };
  }
  const nearest = endOnNextDay(series.start, series.end);
  return {
    code: "QSC_WINDOW_END_BEFORE_START",
    field: "end",
    message: `The window ends at ${series.end}, before it starts at ${series.start}. If it crosses midnight, it ends on the next day${nearest === null ? "" : `: ${nearest}`}.`,
    ...(nearest === null ? {} : { nearest }),
  };
}

/** The occurrences from the first within ten years on, as far as is looked through or until there are too many in a period. */
function lookThrough(series: CompiledSeries): { readonly found: readonly OccurrenceInstants[]; readonly crowded: boolean } {
  const found: OccurrenceInstants[] = [];
  let crowded = false;
  const latestFirstMs = Math.max(series.startMs, series.rdates[0] ?? series.startMs) + TEN_YEARS_MS;
  visitSeriesStarts(series, series.earliestMs, (localMs) => {
    const first = found[0];
    if (first === undefined ? localMs > latestFirstMs : localMs > first.localMs + LOOKED_THROUGH_DAYS * DAY_MS) return false;
    found.push(occurrenceInstants(series, localMs));
    const earliest = found.at(-MAX_OCCURRENCES - 1);
    crowded = earliest !== undefined && localMs - earliest.localMs < OCCURRENCES_PERIOD_DAYS * DAY_MS;
    return !crowded;
  });
  return { found, crowded };
}

function refuseCoverage(series: CompiledSeries, found: readonly OccurrenceInstants[], confirmLong: boolean): readonly Refusal[] {
  const field = series.length.kind === "duration" ? "duration" : "end";
  const longestMs = Math.max(...mergeIntervals(found).map((stretch) => (stretch.end ?? 0) - stretch.start));
  const last = found.at(-1);
  const { rule, businessDays } = series;
  const goesOn = rule === null ? businessDays?.untilMs === Number.POSITIVE_INFINITY : rule.count === null && rule.until === null;
  const isUnbroken =
    goesOn &&
    last !== undefined &&
    found.length > 1 &&
    longestMs >= Math.max(...found.map(({ end }) => end)) - Math.min(...found.map(({ start }) => start));
  if (isUnbroken) {
    return [
      {
        code: "QSC_WINDOW_NEVER_ENDS",
        field,
        message:
          "The occurrences follow each other without a pause, so the window would never end. Shorten them, or pause the integration instead.",
      },
    ];
  }
  if (longestMs <= LONG_WINDOW_DAYS * DAY_MS || confirmLong) return [];
  const days = Math.round(longestMs / DAY_MS);
  return [
    {
      code: "QSC_WINDOW_LONG",
      field,
      message: `The window holds for ${days} days without a pause, more than ${LONG_WINDOW_DAYS}. Shorten it, or confirm that it is meant.`,
      confirmable: true,
    },
  ];
}

/**
 * Why a series is not saved as it stands, with the nearest valid form; empty when it is fine. Judges the series alone,
 * without the time of asking. `confirmLong` is the person's word that a window over 31 days is meant. Never throws a DomainError.
 */
export function validateWindowSeries(
  series: WindowSeries,
  options: { readonly confirmLong?: boolean | undefined } = {},
  zones?: ZoneData,
): readonly Refusal[] {
  const refusals: Refusal[] = [];
  const order = refuseOrder(series);
  if (order !== null) refusals.push(order);
  if (series.end === undefined && series.duration === undefined) {
    refusals.push({
      code: "QSC_WINDOW_ENDLESS",
      field: "end",
      message: "The window has neither an end nor a duration. Give it one of them.",
    });
  }
  if (typeof series.rrule === "string") refusals.push(...refuseRuleText(series.rrule, "WINDOW"));
  if (refusals.length > 0) return refusals;

  let compiled: CompiledSeries;
  try {
    compiled = compileSeries(series, zones);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const nearest = error.details["nearest"];
    const { code, field = "series", message } = error;
    return [{ code, field, message, ...(typeof nearest === "string" ? { nearest } : {}) }];
  }
  const offRule = compiled.rule === null ? null : refuseStartOffRule(compiled.rule, compiled.startMs, "WINDOW");
  if (offRule !== null) return [offRule];
  const { found, crowded } = lookThrough(compiled);
  if (found.length === 0) {
    return [
      {
        code: "QSC_WINDOW_NEVER",
        field: "rrule",
        message: `The window does not happen within ${FIRST_OCCURRENCE_YEARS} years of its start. Check the rule, its end and the excluded dates.`,
      },
    ];
  }
  if (crowded) {
    return [
      {
        code: "QSC_WINDOW_TOO_MANY",
        field: "rrule",
        message: `The window happens more than ${MAX_OCCURRENCES} times in ${OCCURRENCES_PERIOD_DAYS} days. Use fewer and longer occurrences.`,
      },
    ];
  }
  return refuseCoverage(compiled, found, options.confirmLong ?? false);
}
