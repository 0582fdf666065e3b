import type { ZoneData } from "../time/zone-data.js";
import { occurrences } from "./occurrences.js";
import type { WindowSeries } from "./window-series.js";

interface Span {
  readonly startsAt: number;
  readonly endsAt: number;
}

/** An occurrence that lies ahead, as it is written, with what somebody changed about it. */
export interface WrittenOccurrence extends Span {
  readonly localStart: string;
  /** Local times that it was moved to; without an end where somebody gave it an instant. */
  readonly moved: { readonly start: string; readonly end: string | null } | null;
  /** The instant that somebody ended or extended it to. */
  readonly overriddenEnd: number | null;
}

export interface MovedOccurrence {
  readonly localStart: string;
  readonly before: Span;
  readonly after: Span;
}

/** No zone data move a local time further than this. */
const LARGEST_MOVE_MS = 2 * 86_400_000;
const ALL_TIME = { from: -8.64e15, to: 8.64e15 };

/** Which of a window's written occurrences other zone data move, and where to, by start. An instant that somebody gave stays what it is. */
export function movedOccurrences(input: {
  readonly series: WindowSeries;
  readonly written: readonly WrittenOccurrence[];
  readonly after: ZoneData;
}): readonly MovedOccurrence[] {
  const { series, written, after } = input;
  if (written.length === 0) return [];
  const starts = written.map((one) => one.startsAt);
  const range = { from: Math.min(...starts) - LARGEST_MOVE_MS, to: Math.max(...starts) + LARGEST_MOVE_MS };
  const byName = new Map(occurrences(series, range, after).map((one) => [one.localStart, one]));
  return written
    .flatMap((one): readonly MovedOccurrence[] => {
      const found = one.moved === null ? byName.get(one.localStart) : instantsOfMove(series, one.moved, after);
      if (found === undefined) return [];
      const hasLocalEnd = one.moved !== null && one.moved.end !== null;
      const endsAt = hasLocalEnd ? found.end : (one.overriddenEnd ?? found.end);
      if (found.start === one.startsAt && endsAt === one.endsAt) return [];
      return [
        { localStart: one.localStart, before: { startsAt: one.startsAt, endsAt: one.endsAt }, after: { startsAt: found.start, endsAt } },
      ];
    })
    .toSorted((a, b) => a.before.startsAt - b.before.startsAt);
}

function instantsOfMove(
  { timeZone, dstPolicy }: WindowSeries,
  move: { readonly start: string; readonly end: string | null },
  zones: ZoneData,
) {
  const series = {
    start: move.start,
    timeZone,
    ...(dstPolicy === undefined ? {} : { dstPolicy }),
    ...(move.end === null ? {} : { end: move.end }),
  };
  return occurrences(series, ALL_TIME, zones)[0];
}
