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
export function zoneFromTransitions(input: { readonly name: string; readonly firstOffsetMs: number; readonly transitions: readonly ZoneTransition[] }): Zone {
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
