/** From `at` (epoch ms) on, local time is `offsetMs` ahead of UTC. */
export interface ZoneTransition {
  readonly at: number;
  readonly offsetMs: number;
}

/**
 * One IANA zone as two parallel arrays: `offsets[i]` (ms east of Greenwich) holds from `starts[i]` (epoch ms) to
 * `starts[i + 1]`; the first start is minus infinity. Neighbouring offsets always differ.
 */
export interface Zone {
  readonly name: string;
  readonly starts: Float64Array;
  readonly offsets: Float64Array;
  /** The least and the greatest offset: every local time of an instant t lies in [t + minOffsetMs, t + maxOffsetMs]. */
  readonly minOffsetMs: number;
  readonly maxOffsetMs: number;
}

/** Builds a zone from its offset changes in ascending order; changes that change nothing are dropped, and of two at the same instant the later wins. */
export function zoneFromTransitions(input: {
  readonly name: string;
  readonly firstOffsetMs: number;
  readonly transitions: readonly ZoneTransition[];
}): Zone {
  const starts = [Number.NEGATIVE_INFINITY];
  const offsets = [input.firstOffsetMs];
  for (const { at, offsetMs } of input.transitions) {
    if (starts.at(-1) === at) {
      starts.pop();
      offsets.pop();
    }
    if (offsets.at(-1) === offsetMs) continue;
    starts.push(at);
    offsets.push(offsetMs);
  }
  return {
    name: input.name,
    starts: Float64Array.from(starts),
    offsets: Float64Array.from(offsets),
    minOffsetMs: Math.min(...offsets),
    maxOffsetMs: Math.max(...offsets),
  };
}

/** Offsets are asked for at this distance; no zone has changed twice within it and back. */
const PROBE_STEP_MS = 86_400_000;

/**
 * Builds a zone from a function that knows offsets (ms east of Greenwich at an epoch ms), such as one over Intl, between two instants.
 * A poor substitute for zone files: it asks for the offset of every day and bisects to the millisecond.
 */
export function zoneFromOffsets(input: {
  readonly name: string;
  readonly offsetAt: (instant: number) => number;
  readonly from: number;
  readonly to: number;
}): Zone {
  const transitions: ZoneTransition[] = [];
  const firstOffsetMs = input.offsetAt(input.from);
  let offsetMs = firstOffsetMs;
  for (let day = input.from; day < input.to; day += PROBE_STEP_MS) {
    let late = Math.min(input.to, day + PROBE_STEP_MS);
    const lateOffsetMs = input.offsetAt(late);
    if (lateOffsetMs === offsetMs) continue;
    let early = day;
    while (late - early > 1) {
      const middle = Math.floor((early + late) / 2);
      if (input.offsetAt(middle) === offsetMs) early = middle;
      else late = middle;
    }
    offsetMs = lateOffsetMs;
    transitions.push({ at: late, offsetMs });
  }
  return zoneFromTransitions({ name: input.name, firstOffsetMs, transitions });
}
