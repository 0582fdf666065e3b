/** When one window (or pause) holds: sorted, half-open, epoch milliseconds; an end of Infinity is open. */
export interface HoldSpans {
  readonly id: number;
  readonly starts: Float64Array;
  readonly ends: Float64Array;
}

/** The timeline of one integration: at `times[i]` the set of holds becomes `reasons[i]`; before `times[0]` nothing holds. */
export interface HoldTimeline {
  readonly times: Float64Array;
  readonly reasons: readonly (readonly number[])[];
}

const nothing: readonly number[] = [];
const empty: HoldTimeline = { times: new Float64Array(0), reasons: [] };

/**
 * Lays the spans of several windows over each other: where two overlap both are named, where they touch there is no gap. O(n log n) in the number
 * of spans, and equal neighbours are merged.
 */
export function compileTimeline(covering: readonly HoldSpans[]): HoldTimeline {
  const edges = edgesOf(covering);
  if (edges.length === 0) return empty;
  const times: number[] = [];
  const reasons: (readonly number[])[] = [];
  // The same window may be in two spans that touch or overlap: count, so that the end of one does not end the other.
  const open = new Map<number, number>();
  for (let i = 0; i < edges.length;) {
    const at = edges[i]?.at ?? 0;
    for (; edges[i]?.at === at; i += 1) {
      const edge = edges[i];
      if (edge === undefined) break;
      const count = (open.get(edge.id) ?? 0) + edge.change;
      if (count === 0) open.delete(edge.id);
      else open.set(edge.id, count);
    }
    const ids = open.size === 0 ? nothing : [...open.keys()].toSorted((a, b) => a - b);
    if (sameIds(reasons.at(-1) ?? nothing, ids)) continue;
    times.push(at);
    reasons.push(ids);
  }
  return { times: Float64Array.from(times), reasons };
}

function edgesOf(covering: readonly HoldSpans[]): readonly { readonly at: number; readonly id: number; readonly change: 1 | -1 }[] {
  const edges: { at: number; id: number; change: 1 | -1 }[] = [];
  for (const { id, starts, ends } of covering) {
    for (let i = 0; i < starts.length; i += 1) {
      const start = starts[i] ?? 0;
      const end = ends[i] ?? 0;
      if (end <= start) continue;
      edges.push({ at: start, id, change: 1 });
      if (end !== Number.POSITIVE_INFINITY) edges.push({ at: end, id, change: -1 });
    }
  }
  return edges.toSorted((a, b) => a.at - b.at);
}

function sameIds(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((id, index) => id === b[index]);
}
