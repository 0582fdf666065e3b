import { type Occurrence, occurrences, parseLocal, type WindowSeries, type ZoneData } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import type { WindowRow } from "./table.js";

const dayMs = 86_400_000;
/** An occurrence lies within a day of its local start read as UTC, whatever the zone and the clocks. */
const zonesReachMs = 2 * dayMs;
const allTime = { from: -8.64e15, to: 8.64e15 };

/** The instants of one occurrence that is planned at local times of its own. */
export function instantsOfMove(
  window: Pick<WindowRow, "series">,
  move: { readonly start: string; readonly end: string | null },
  zones: ZoneData,
): { readonly start: number; readonly end: number } {
  const { timeZone, dstPolicy } = window.series;
  const [one] = occurrences({ start: move.start, timeZone, dstPolicy, ...(move.end === null ? {} : { end: move.end }) }, allTime, zones);
  if (one === undefined) throw new Error(`${move.start} gives no occurrence.`);
  return one;
}

/** The occurrence of a series that its local start names, wherever it lies; undefined when the series does not name it any more. */
export function occurrenceNamed(series: WindowSeries, localStart: string, zones: ZoneData): Occurrence | undefined {
  const nearMs = parseLocal(localStart) ?? 0;
  const near = occurrences(series, { from: nearMs - zonesReachMs, to: nearMs + zonesReachMs }, zones);
  return near.find((one) => one.localStart === localStart);
}

/** The occurrences of a window that somebody has cancelled, by their local starts. */
export async function cancelledStarts(tx: Tx, windowId: number): Promise<ReadonlySet<string>> {
  const rows = await tx.execute<{ localStart: string }>(sql`
    select local_start as "localStart" from occurrence_override where window_id = ${windowId} and cancelled`);
  return new Set(rows.map((row) => row.localStart));
}

/**
 * What a series gives in a range, and those occurrences of it that somebody has moved, wherever they lay: with the instants at which they really
 * happen. Their instants are written anew, for the zone or its data may have changed since they were moved.
 */
export async function withMovedOccurrences(
  tx: Tx,
  input: { readonly window: WindowRow; readonly series: WindowSeries; readonly found: readonly Occurrence[]; readonly zones: ZoneData },
): Promise<readonly { readonly one: Occurrence; readonly startsAt: number; readonly endsAt: number }[]> {
  const { window, zones } = input;
  const moves = await tx.execute<{ localStart: string; start: string; end: string | null; endsAt: number | null }>(sql`
    select local_start as "localStart", moved_start as start, moved_end as "end", ends_at as "endsAt" from occurrence_override
    where window_id = ${window.id} and moved_start is not null and not cancelled`);
  const plain = input.found.map((one) => ({ one, startsAt: one.start, endsAt: one.end }));
  if (moves.length === 0) return plain;
  const movedStarts = new Set(moves.map(({ localStart }) => localStart));
  const result = plain.filter(({ one }) => !movedStarts.has(one.localStart));
  for (const move of moves) {
    const one = occurrenceNamed(input.series, move.localStart, zones);
    if (one === undefined) continue;
    const { start, end } = instantsOfMove(window, move, zones);
    // Without a local end somebody has ended or extended it since: that instant stays.
    const endsAt = move.end === null ? (move.endsAt ?? end) : end;
    await tx.execute(sql`
      update occurrence_override set starts_at = ${start}::timestamptz, ends_at = ${endsAt}::timestamptz
      where window_id = ${window.id} and local_start = ${move.localStart}`);
    result.push({ one, startsAt: start, endsAt });
  }
  return result;
}
