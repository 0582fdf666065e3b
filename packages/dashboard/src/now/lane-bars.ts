import type { LanesQuery } from "./now.generated.js";

export type LaneOccurrence = LanesQuery["occurrences"]["nodes"][number];

export const HOUR_MS = 3_600_000;
/** A window of a minute should be seen, and where it is now. */
const LEAST_PERCENT = 0.6;

/** A piece of an occurrence as it is drawn, in percent of the range. */
export interface Bar {
  readonly kind: "planned" | "drain" | "open" | "late" | "resume" | "unapproved";
  readonly left: number;
  readonly width: number;
}

interface Drawing {
  readonly range: { readonly from: number; readonly to: number };
  readonly now: number;
}

/** The pieces of an occurrence within a range: drain until it was quiet, open until its end, late while systems are not ready, resume until it was over. */
export function barsOf(occurrence: LaneOccurrence, { range, now }: Drawing): readonly Bar[] {
  const { state } = occurrence;
  const [startsAt, endsAt] = [Date.parse(occurrence.startsAt), Date.parse(occurrence.endsAt)];
  const at = (text: string | null) => (text === null ? null : Date.parse(text));
  const releasedAt = at(occurrence.releasedAt);
  const closedAt = at(occurrence.closedAt);
  const pieces: (readonly [Bar["kind"], number, number])[] = [];
  if (state === "SCHEDULED") pieces.push(["planned", startsAt, endsAt]);
  else if (state === "UNAPPROVED" || state === "OBSERVING") pieces.push(["unapproved", startsAt, endsAt]);
  else {
    const end = releasedAt ?? Math.max(endsAt, state === "OVERRUN" || state === "VERIFYING" ? now : endsAt);
    const quietAt = Math.min(at(occurrence.quiescedAt) ?? (releasedAt === null ? Math.min(now, end) : startsAt), end);
    pieces.push(
      ["drain", startsAt, quietAt],
      ["open", quietAt, Math.min(end, Math.max(endsAt, quietAt))],
      ["late", Math.max(endsAt, quietAt), end],
    );
    if (releasedAt !== null) pieces.push(["resume", releasedAt, closedAt ?? now]);
  }
  const bars = pieces.flatMap(([kind, from, to]) => {
    const bar = drawn(kind, { from, to, range });
    return bar === null ? [] : [bar];
  });
  // Two seconds of asking the systems are no five minutes in red: only the longest piece is made wider than it is, and the one that still goes on.
  const widest = Math.max(...bars.map(({ width }) => width));
  const present = closedAt === null ? bars.at(-1) : undefined;
  return bars.map((bar) => (bar.width === widest || bar === present ? { ...bar, width: Math.max(LEAST_PERCENT, bar.width) } : bar));
}

function drawn(kind: Bar["kind"], input: { readonly from: number; readonly to: number; readonly range: Drawing["range"] }): Bar | null {
  const { range } = input;
  const from = Math.max(input.from, range.from);
  const to = Math.min(input.to, range.to);
  if (to <= from) return null;
  const whole = range.to - range.from;
  return { kind, left: ((from - range.from) / whole) * 100, width: ((to - from) / whole) * 100 };
}

/** One lane a window, in the order of what comes first; occurrences that the range does not touch are left out. */
export function lanesOf(
  occurrences: readonly LaneOccurrence[],
  range: Drawing["range"],
): readonly { readonly window: LaneOccurrence["window"]; readonly occurrences: readonly LaneOccurrence[] }[] {
  const lanes = new Map<string, LaneOccurrence[]>();
  const touching = occurrences.filter(({ startsAt, endsAt, closedAt, state }) => {
    const isOpen = !["CLOSED", "SCHEDULED", "UNAPPROVED", "OBSERVING"].includes(state);
    const until = Math.max(Date.parse(endsAt), closedAt === null ? 0 : Date.parse(closedAt));
    return Date.parse(startsAt) < range.to && (isOpen || until > range.from);
  });
  for (const occurrence of touching.toSorted((a, b) => Date.parse(a.startsAt) - Date.parse(b.startsAt))) {
    const lane = lanes.get(occurrence.window.id) ?? [];
    lanes.set(occurrence.window.id, [...lane, occurrence]);
  }
  return [...lanes.values()].flatMap((lane) => (lane[0] === undefined ? [] : [{ window: lane[0].window, occurrences: lane }]));
}
