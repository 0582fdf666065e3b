import { DAY_MS, LAST_LOCAL_MS } from "../time/local-time.js";
import type { ZoneData } from "../time/zone-data.js";
import { occurrenceInstants, type OccurrenceInstants } from "./occurrences.js";
import { compileSeries, visitSeriesStarts, type CompiledSeries, type WindowSeries } from "./window-series.js";

/**
 * Whether an instant lies in a window. In it: the whole stretch, touching and overlapping occurrences merged, epoch ms.
 * Out of it: when the next occurrence starts, or null when there is none any more.
 */
export type WindowAt =
  | { readonly inWindow: true; readonly start: number; readonly end: number }
  | { readonly inWindow: false; readonly nextStart: number | null };

/** A stretch without a break is followed this far beyond the instant: a window that is always open has no end to find. */
const LONGEST_STRETCH_AHEAD_MS = 20 * 366 * DAY_MS;

/** All occurrences that can cover or touch an instant in [from, to], unsorted. */
function occurrencesAround(series: CompiledSeries, from: number, to: number): OccurrenceInstants[] {
  const { zone, length } = series;
  const found: OccurrenceInstants[] = [];
  // In every reading an occurrence ends by its local start plus its nominal length, less the least offset.
  visitSeriesStarts(series, from - length.nominalMs + zone.minOffsetMs, (localMs) => {
    if (localMs > to + zone.maxOffsetMs) return false;
    const instants = occurrenceInstants(series, localMs);
    if (instants.end >= from && instants.start <= to) found.push(instants);
    return true;
  });
  return found;
}

/** The merged stretch of the given occurrences around the instant, or null. */
function stretchAround(found: readonly OccurrenceInstants[], instant: number): { start: number; end: number } | null {
  const sorted = found.toSorted((a, b) => a.start - b.start);
  let stretch: { start: number; end: number } | null = null;
  for (const { start, end } of sorted) {
    if (stretch !== null && start <= stretch.end) stretch.end = Math.max(stretch.end, end);
    else if (start > instant) break;
    else stretch = { start, end };
  }
  return stretch !== null && instant < stretch.end ? stretch : null;
}

/** The least start after the instant. */
function nextStartAfter(series: CompiledSeries, instant: number): number | null {
  const { zone } = series;
  let next: number | null = null;
  visitSeriesStarts(series, instant + zone.minOffsetMs, (localMs) => {
    // Near a clock change a later local time may start earlier, but never by more than the offsets allow.
    if (next !== null && localMs - zone.maxOffsetMs > next) return false;
    const { start } = occurrenceInstants(series, localMs);
    if (start > instant && (next === null || start < next)) next = start;
    return true;
  });
  return next;
}

/** `windowAt` on a compiled series. */
export function compiledWindowAt(series: CompiledSeries, instant: number): WindowAt {
  let from = instant;
  let to = instant;
  let reachMs = 0;
  let stretch = stretchAround(occurrencesAround(series, from, to), instant);
  if (stretch === null) return { inWindow: false, nextStart: nextStartAfter(series, instant) };
  // Look further on each side until the stretch ends inside what was looked at.
  const lastInstant = Math.min(instant + LONGEST_STRETCH_AHEAD_MS, LAST_LOCAL_MS);
  const firstInstant = series.earliestMs - series.zone.maxOffsetMs - 1;
  const stepMs = Math.max(series.length.nominalMs, DAY_MS);
  for (;;) {
    const openBefore = stretch.start <= from && from > firstInstant;
    const openAfter = stretch.end >= to && to < lastInstant;
    if (!openBefore && !openAfter) return { inWindow: true, ...stretch };
    reachMs = reachMs === 0 ? stepMs : reachMs * 4;
    if (openBefore) from = Math.max(firstInstant, Math.min(from, stretch.start) - reachMs);
    if (openAfter) to = Math.min(lastInstant, Math.max(to, stretch.end) + reachMs);
    stretch = stretchAround(occurrencesAround(series, from, to), instant) ?? stretch;
  }
}

/**
 * Whether `instant` (epoch ms) lies in a window of the series, half-open: at the end it does not. Reads clock changes as
 * `occurrences` does. A stretch is followed for at most 20 years ahead. Throws DomainError for a malformed series.
 *
 * @example windowAt({ start: "2026-01-04T02:00", end: "2026-01-04T06:00", timeZone: "Europe/Madrid" }, Date.parse("2026-01-04T05:00Z"))
 *   // { inWindow: false, nextStart: null }
 */
export function windowAt(series: WindowSeries, instant: number, zones?: ZoneData): WindowAt {
  return compiledWindowAt(compileSeries(series, zones), instant);
}
