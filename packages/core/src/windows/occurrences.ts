import { formatLocal } from "../time/local-time.js";
import { localAt, resolveLocal, rfcInstant, type ResolvedLocal } from "../time/resolve-local.js";
import type { ZoneData } from "../time/zone-data.js";
import type { Zone } from "../time/zone.js";
import { occurrenceNotes } from "./occurrence-notes.js";
import {
  compileSeries,
  nominalLengthOf,
  visitSeriesStarts,
  type CompiledSeries,
  type OccurrenceLength,
  type WindowSeries,
} from "./window-series.js";

/** One occurrence of a series, half-open [start, end). */
export interface Occurrence {
  /** Epoch ms. */
  readonly start: number;
  /** Epoch ms; equal to `start` in a series of starts alone. */
  readonly end: number;
  /** The local start that the series names. It is the identity of the occurrence (RECURRENCE-ID), also when clocks jump over it. */
  readonly localStart: string;
  /** The local end that the series names; of a duration, the local time at the end. */
  readonly localEnd: string;
  /** What a clock change does to this occurrence, for people. Usually empty. */
  readonly notes: readonly string[];
}

/** An occurrence before it is written out. */
export interface OccurrenceInstants {
  readonly localMs: number;
  readonly start: number;
  readonly end: number;
}

/** The start under the wall-clock reading: clocks that jump over it start it at the jump, clocks that repeat it at the first. */
function wallClockStart(resolved: ResolvedLocal): number {
  return resolved.kind === "unique" ? resolved.instant : resolved.kind === "overlap" ? resolved.first : resolved.jump;
}

function rfcStart(resolved: ResolvedLocal): number {
  return resolved.kind === "unique" ? resolved.instant : resolved.kind === "overlap" ? resolved.first : resolved.shifted;
}

/** The end under the wall-clock reading: the later of two, and as far behind a gap as it lies behind the gap's start. */
function wallClockEnd(resolved: ResolvedLocal): number {
  return resolved.kind === "unique" ? resolved.instant : resolved.kind === "overlap" ? resolved.second : resolved.shifted;
}

function endAfter(start: number, end: number, nominalMs: number): number {
  return end > start ? end : start + nominalMs;
}

/** The end of a duration: nominal days are counted on the wall clock and resolved as the RFC does, the rest is elapsed time. */
function durationEnd(start: number, localMs: number, length: Extract<OccurrenceLength, { kind: "duration" }>, zone: Zone): number {
  const { days, exactMs } = length.duration;
  const base = days === 0 ? start : rfcInstant(localMs + (length.nominalMs - exactMs), zone);
  return endAfter(start, base + exactMs, length.nominalMs);
}

/**
 * The instants of the occurrence that starts at this local time. Under `cover` the hull of the wall-clock and the RFC
 * reading: holding an hour too long once a year is cheap, dispatching into a system that is down is not.
 */
export function occurrenceInstants(series: CompiledSeries, localMs: number): OccurrenceInstants {
  const { zone, length } = series;
  const startResolved = resolveLocal(localMs, zone);
  const rfc = rfcStart(startResolved);
  if (length.kind === "none") return { localMs, start: rfc, end: rfc };
  const wall = wallClockStart(startResolved);
  if (length.kind === "duration") {
    const rfcEnd = durationEnd(rfc, localMs, length, zone);
    if (series.dstPolicy === "rfc" || wall === rfc) return { localMs, start: rfc, end: rfcEnd };
    return { localMs, start: Math.min(wall, rfc), end: Math.max(rfcEnd, durationEnd(wall, localMs, length, zone)) };
  }
  const nominalMs = nominalLengthOf(length, localMs);
  const endResolved = resolveLocal(localMs + nominalMs, zone);
  const rfcEnd = endAfter(rfc, rfcStart(endResolved), nominalMs);
  if (series.dstPolicy === "rfc") return { localMs, start: rfc, end: rfcEnd };
  const wallEnd = endAfter(wall, wallClockEnd(endResolved), nominalMs);
  return { localMs, start: Math.min(wall, rfc), end: Math.max(wallEnd, rfcEnd) };
}

/** Writes an occurrence out, with its notes. */
export function describeOccurrence(series: CompiledSeries, instants: OccurrenceInstants): Occurrence {
  const { localMs, start, end } = instants;
  const { length, zone } = series;
  const localEndMs = length.kind === "duration" ? localAt(end, zone) : localMs + nominalLengthOf(length, localMs);
  return { start, end, localStart: formatLocal(localMs), localEnd: formatLocal(localEndMs), notes: occurrenceNotes(series, instants) };
}

/** Of two starts at one instant (clocks jump over the earlier) the one that the wall clock shows is kept: it is one start, not two. */
function withoutRepeatedInstants(sorted: readonly OccurrenceInstants[], zone: Zone): readonly OccurrenceInstants[] {
  const kept: OccurrenceInstants[] = [];
  for (const occurrence of sorted) {
    const last = kept.at(-1);
    if (last === undefined || last.start !== occurrence.start) kept.push(occurrence);
    else if (localAt(occurrence.start, zone) === occurrence.localMs) kept[kept.length - 1] = occurrence;
  }
  return kept;
}

/** The occurrences of a compiled series with from <= start < to, by start and then local start. */
export function occurrenceInstantsBetween(
  series: CompiledSeries,
  range: { readonly from: number; readonly to: number },
): readonly OccurrenceInstants[] {
  const { zone } = series;
  const found: OccurrenceInstants[] = [];
  if (range.from >= range.to) return found;
  // A start is its local time less an offset of the zone, whichever reading: nothing outside these two can be in range.
  const lastLocalMs = range.to + zone.maxOffsetMs;
  visitSeriesStarts(series, range.from + zone.minOffsetMs, (localMs) => {
    if (localMs >= lastLocalMs) return false;
    const instants = occurrenceInstants(series, localMs);
    if (instants.start >= range.from && instants.start < range.to) found.push(instants);
    return true;
  });
  found.sort((a, b) => a.start - b.start || a.localMs - b.localMs);
  return series.length.kind === "none" ? withoutRepeatedInstants(found, zone) : found;
}

/**
 * The occurrences of a series with from <= start < to (epoch ms), ascending.
 *
 * The end is a wall-clock end: 02:00-06:00 lasts three hours on the night on which clocks go forward. What clocks jump
 * over happens nevertheless. Under `cover` (the default) an occurrence is the hull of two readings of its local times:
 * by the wall clock (start in a gap: the jump; end in an overlap: the later) and by RFC 5545 (the offset before the
 * gap, the first of an overlap). Under `rfc` the second alone. A series without end and duration yields starts by the
 * RFC reading whatever the policy, each instant once.
 *
 * Any well-formed series is evaluated, up to the year 2399; what is unwise is refused by `validateWindowSeries` when saved.
 * Throws DomainError (QSC_WINDOW_..., QSC_TIME_ZONE_UNKNOWN) for a malformed one.
 *
 * @example occurrences({ start: "2026-01-04T02:00", end: "2026-01-04T06:00", timeZone: "Europe/Madrid", rrule: "FREQ=MONTHLY;BYDAY=1SU" },
 *   { from: Date.parse("2026-01-01T00:00Z"), to: Date.parse("2026-02-01T00:00Z") })
 */
export function occurrences(
  series: WindowSeries,
  range: { readonly from: number; readonly to: number },
  zones?: ZoneData,
): readonly Occurrence[] {
  const compiled = compileSeries(series, zones);
  return occurrenceInstantsBetween(compiled, range).map((instants) => describeOccurrence(compiled, instants));
}
