/** When one window (or pause) holds: sorted, half-open, epoch milliseconds; an end of Infinity is open. */
export interface HoldSpans {
  readonly id: number;
  readonly starts: Float64Array;
  readonly ends: Float64Array;
  /** So long before each start nothing begins that would not finish, in milliseconds; left out: no run is kept back. */
  readonly leadLimitMs?: number;
}

/** The timeline of one integration: at `times[i]` the set of holds becomes `reasons[i]`; before `times[0]` nothing holds. */
export interface HoldTimeline {
  readonly times: Float64Array;
  readonly reasons: readonly (readonly number[])[];
}

const empty: HoldTimeline = { times: new Float64Array(0), reasons: [] };
/** Sets of so many windows fit a bit mask, and each set that occurs is made once. */
const maxMasked = 30;

/**
 * Lays the spans of several windows over each other: where two overlap both are named, where they touch there is no gap. A merge of sorted lists,
 * each read once: a change of one window recompiles every integration it covers, so this is the price of saving it.
 */
export function compileTimeline(covering: readonly HoldSpans[]): HoldTimeline {
  const walks = covering.map((spans) => new SpanWalk(spans));
  const edges = covering.reduce((total, spans) => total + 2 * spans.starts.length, 0);
  if (edges === 0) return empty;
  const times = new Float64Array(edges);
  const reasons: (readonly number[])[] = [];
  const sets = new Map<number, readonly number[]>();
  let last = "";
  let lastMask = 0;
  for (;;) {
    let at = Number.POSITIVE_INFINITY;
    for (const walk of walks) if (walk.nextEdge < at) at = walk.nextEdge;
    if (at === Number.POSITIVE_INFINITY) break;
    let mask = 0;
    for (const [place, walk] of walks.entries()) {
      if (walk.nextEdge === at) walk.pass();
      if (walk.isOpen && place < maxMasked) mask |= 1 << place;
    }
    if (walks.length <= maxMasked && mask === lastMask) continue;
    const ids = walks.length <= maxMasked ? idsOfMask(mask, walks, sets) : openIds(walks);
    const name = walks.length <= maxMasked ? "" : ids.join(",");
    if (walks.length > maxMasked && name === last) continue;
    lastMask = mask;
    last = name;
    times[reasons.length] = at;
    reasons.push(ids);
  }
  return { times: times.slice(0, reasons.length), reasons };
}

/** Walks over the edges of one window's spans; those that touch or overlap are one. */
class SpanWalk {
  readonly id: number;
  readonly #starts: Float64Array;
  readonly #ends: Float64Array;
  #next = 0;
  isOpen = false;
  /** The next instant at which it opens or closes; Infinity when there is none. */
  nextEdge = Number.POSITIVE_INFINITY;

  constructor(spans: HoldSpans) {
    this.id = spans.id;
    this.#starts = spans.starts;
    this.#ends = spans.ends;
    this.#seekStart();
  }

  /** Goes over the edge that `nextEdge` named. */
  pass(): void {
    if (this.isOpen) {
      this.isOpen = false;
      this.#seekStart();
      return;
    }
    this.isOpen = true;
    let end = this.#ends[this.#next] ?? 0;
    for (this.#next += 1; this.#next < this.#starts.length && (this.#starts[this.#next] ?? 0) <= end; this.#next += 1) {
      end = Math.max(end, this.#ends[this.#next] ?? 0);
    }
    this.nextEdge = end;
  }

  #seekStart(): void {
    while (this.#next < this.#starts.length && (this.#ends[this.#next] ?? 0) <= (this.#starts[this.#next] ?? 0)) this.#next += 1;
    this.nextEdge = this.#starts[this.#next] ?? Number.POSITIVE_INFINITY;
  }
}

function openIds(walks: readonly SpanWalk[]): readonly number[] {
  const ids: number[] = [];
  for (const walk of walks) if (walk.isOpen) ids.push(walk.id);
  return ids.toSorted((a, b) => a - b);
}

function idsOfMask(mask: number, walks: readonly SpanWalk[], sets: Map<number, readonly number[]>): readonly number[] {
  let ids = sets.get(mask);
  if (ids === undefined) {
    ids = openIds(walks);
    sets.set(mask, ids);
  }
  return ids;
}
