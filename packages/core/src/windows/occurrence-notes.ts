import { DAY_MS, formatTimeOfDay, HOUR_MS, MINUTE_MS, SECOND_MS } from "../time/local-time.js";
import { offsetIndexAt } from "../time/resolve-local.js";
import type { Zone } from "../time/zone.js";
import { type CompiledSeries, nominalLengthOf } from "./window-series.js";

/** A clock change: when (epoch ms), and what the clock shows just before and from then on (fake UTC ms). */
interface ClockChange {
  readonly fromLocalMs: number;
  readonly toLocalMs: number;
}

/** Clock changes near an occurrence that could matter to it are at most these many; a window of weeks would list more to no use. */
const MAX_CHANGES = 3;
const NIGHT_ENDS_AT_HOUR = 6;
const NIGHT_BEGINS_AT_HOUR = 21;

function changesBetween(zone: Zone, from: number, to: number): readonly ClockChange[] {
  const changes: ClockChange[] = [];
  for (let index = offsetIndexAt(from, zone) + 1; index < zone.starts.length && changes.length < MAX_CHANGES; index++) {
    const at = zone.starts[index] ?? 0;
    if (at > to) break;
    changes.push({ fromLocalMs: at + (zone.offsets[index - 1] ?? 0), toLocalMs: at + (zone.offsets[index] ?? 0) });
  }
  return changes;
}

function writeLength(lengthMs: number): string {
  const parts = [
    [Math.floor(lengthMs / DAY_MS), "d"],
    [Math.floor((lengthMs % DAY_MS) / HOUR_MS), "h"],
    [Math.floor((lengthMs % HOUR_MS) / MINUTE_MS), "min"],
    [Math.floor((lengthMs % MINUTE_MS) / SECOND_MS), "s"],
  ] as const;
  return parts
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(" ");
}

function writeChange(change: ClockChange): string {
  return `clocks go ${change.toLocalMs > change.fromLocalMs ? "forward" : "back"} at ${formatTimeOfDay(change.fromLocalMs)}`;
}

function partOfDay(change: ClockChange): string {
  const hour = new Date(change.fromLocalMs).getUTCHours();
  return hour < NIGHT_ENDS_AT_HOUR || hour >= NIGHT_BEGINS_AT_HOUR ? "night" : "day";
}

/** What a clock change does to an occurrence, as sentences for people: "lasts 3 h on this night: clocks go forward at 02:00". */
export function occurrenceNotes(
  series: CompiledSeries,
  occurrence: { readonly localMs: number; readonly start: number; readonly end: number },
): readonly string[] {
  const { zone, length } = series;
  const { localMs, start, end } = occurrence;
  const nominalMs = nominalLengthOf(length, localMs);
  // The changes that this occurrence can feel are those its local times or its instants touch.
  const changes = changesBetween(zone, Math.min(start, localMs - zone.maxOffsetMs), Math.max(end, localMs + nominalMs - zone.minOffsetMs));
  if (changes.length === 0) return [];
  const notes: string[] = [];
  const skipped = changes.find((change) => change.fromLocalMs <= localMs && localMs < change.toLocalMs);
  if (skipped !== undefined) {
    const startsAt = formatTimeOfDay(start + (zone.offsets[offsetIndexAt(start, zone)] ?? 0));
    notes.push(
      `starts at ${startsAt}: ${formatTimeOfDay(localMs)} does not exist on this ${partOfDay(skipped)}, clocks go from ${formatTimeOfDay(skipped.fromLocalMs)} to ${formatTimeOfDay(skipped.toLocalMs)}`,
    );
  }
  const repeated = changes.find((change) => change.toLocalMs <= localMs && localMs < change.fromLocalMs);
  if (repeated !== undefined) {
    notes.push(
      `starts at the first of two ${formatTimeOfDay(localMs)}: clocks go back at ${formatTimeOfDay(repeated.fromLocalMs)} on this ${partOfDay(repeated)}`,
    );
  }
  if (length.kind !== "none" && end - start !== nominalMs) {
    const [change] = changesBetween(zone, start - 1, end);
    const cause = change ?? skipped ?? repeated ?? changes[0];
    if (cause !== undefined) notes.push(`lasts ${writeLength(end - start)} on this ${partOfDay(cause)}: ${writeChange(cause)}`);
  }
  return notes;
}
