import { compileTimeline, type HoldSpans, type HoldTimeline } from "./compile-holds.js";
import { dispatchVerdict, type Verdict } from "./verdict.js";

/** Which windows cover an integration. */
export interface IndexedIntegration {
  readonly key: string;
  readonly windowIds: readonly number[];
}

/**
 * A compiled answer to "does anything hold this integration now", for previews, gates and lists. It is a snapshot: a change makes a new one that
 * shares what did not change, and replaces the old in one assignment. The claim itself asks the database; a property test equates the two.
 *
 * The last answer for each integration is kept with the stretch for which it stays true, so the usual question costs two comparisons.
 */
export class HoldIndex {
  /** Epoch ms. From here on nobody knows: the answer is "hold", never "not held" from ignorance. */
  readonly horizon: number;
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #covering: readonly (readonly number[])[];
  readonly #windows: ReadonlyMap<number, HoldSpans>;
  readonly #timelines: readonly HoldTimeline[];
  // The cached stretch [from, until) of each integration, and the place in its timeline (-1: before its first edge).
  readonly #from: Float64Array;
  readonly #until: Float64Array;
  readonly #held: Uint8Array;

  private constructor(parts: {
    readonly horizon: number;
    readonly numbers: ReadonlyMap<string, number>;
    readonly covering: readonly (readonly number[])[];
    readonly windows: ReadonlyMap<number, HoldSpans>;
    readonly timelines: readonly HoldTimeline[];
  }) {
    this.horizon = parts.horizon;
    this.#numbers = parts.numbers;
    this.#covering = parts.covering;
    this.#windows = parts.windows;
    this.#timelines = parts.timelines;
    this.#from = new Float64Array(parts.timelines.length).fill(Number.POSITIVE_INFINITY);
    this.#until = new Float64Array(parts.timelines.length).fill(Number.NEGATIVE_INFINITY);
    this.#held = new Uint8Array(parts.timelines.length);
  }

  /** Compiles everything. `windows` are already expanded to `horizon`. */
  static compile(input: {
    readonly integrations: readonly IndexedIntegration[];
    readonly windows: readonly HoldSpans[];
    readonly horizon: number;
  }): HoldIndex {
    const windows = new Map(input.windows.map((window) => [window.id, window]));
    const covering = input.integrations.map((one) => one.windowIds);
    const timelines = timelinesOf(covering, windows);
    return new HoldIndex({
      horizon: input.horizon,
      numbers: new Map(input.integrations.map((one, number) => [one.key, number])),
      covering,
      windows,
      timelines,
    });
  }

  /** The number under which an integration is asked; undefined when it is not in the index. Ask once, keep it. */
  numberOf(key: string): number | undefined {
    return this.#numbers.get(key);
  }

  /** The hot question. An unknown number is held: the index answers only for what it has compiled. */
  isHeld(integration: number, now: number): boolean {
    if (now >= (this.#from[integration] ?? Number.POSITIVE_INFINITY) && now < (this.#until[integration] ?? Number.NEGATIVE_INFINITY)) {
      return this.#held[integration] === 1;
    }
    return this.#seek(integration, now);
  }

  /**
   * The full answer with every reason. With `finishLeadMs`, what the run would take with its margin, also whether it would not finish before a
   * coming window; null when that is not known, or does not matter.
   */
  verdict(integration: number, now: number, finishLeadMs: number | null = null): Verdict {
    const timeline = this.#timelines[integration];
    if (timeline === undefined || now >= this.horizon) return { kind: "hold", by: [], until: null };
    const place = placeAt(timeline.times, now);
    const by = timeline.reasons[place] ?? [];
    if (by.length === 0) return finishLeadMs === null ? dispatchVerdict : this.#finishVerdict(integration, now, finishLeadMs);
    let end = place + 1;
    while (end < timeline.times.length && (timeline.reasons[end]?.length ?? 0) > 0) end += 1;
    return { kind: "hold", by, until: timeline.times[end] ?? null };
  }

  /** A new index in which one window is replaced, added or (without spans) removed, for the integrations it covers now. */
  withWindow(window: HoldSpans, coveredNumbers: readonly number[]): HoldIndex {
    const windows = new Map(this.#windows);
    if (window.starts.length === 0) windows.delete(window.id);
    else windows.set(window.id, window);
    const covers = new Set(window.starts.length === 0 ? [] : coveredNumbers);
    const covering = [...this.#covering];
    const timelines = [...this.#timelines];
    const shared = new Map<string, HoldTimeline>();
    for (let number = 0; number < covering.length; number += 1) {
      const before = covering[number] ?? [];
      const had = before.includes(window.id);
      if (!had && !covers.has(number)) continue;
      const without = had ? before.filter((id) => id !== window.id) : before;
      const after = covers.has(number) ? [...without, window.id] : without;
      covering[number] = after;
      timelines[number] = timelineOf(after, windows, shared);
    }
    return new HoldIndex({ horizon: this.horizon, numbers: this.#numbers, covering, windows, timelines });
  }

  /** The first window whose start the run would pass. To end exactly at the start is in time, and no window looks further ahead than its limit. */
  #finishVerdict(integration: number, now: number, finishLeadMs: number): Verdict {
    let first: { readonly by: number; readonly until: number } | null = null;
    for (const id of this.#covering[integration] ?? []) {
      const spans = this.#windows.get(id);
      const until = spans === undefined ? undefined : spans.starts[placeAt(spans.starts, now) + 1];
      if (spans === undefined || until === undefined || until >= now + Math.min(finishLeadMs, spans.leadLimitMs ?? 0)) continue;
      if (first === null || until < first.until || (until === first.until && id < first.by)) first = { by: id, until };
    }
    return first === null ? dispatchVerdict : { kind: "postpone", reason: "would-not-finish", ...first };
  }

  #seek(integration: number, now: number): boolean {
    const timeline = this.#timelines[integration];
    if (timeline === undefined || now >= this.horizon) return true;
    const place = placeAt(timeline.times, now);
    const held = (timeline.reasons[place]?.length ?? 0) > 0;
    this.#from[integration] = timeline.times[place] ?? Number.NEGATIVE_INFINITY;
    this.#until[integration] = Math.min(timeline.times[place + 1] ?? Number.POSITIVE_INFINITY, this.horizon);
    this.#held[integration] = held ? 1 : 0;
    return held;
  }
}

/** The last edge at or before an instant; -1 before the first. */
function placeAt(times: Float64Array, now: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle] ?? 0) <= now) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** Integrations that the same windows cover share one timeline. */
function timelinesOf(covering: readonly (readonly number[])[], windows: ReadonlyMap<number, HoldSpans>): readonly HoldTimeline[] {
  const shared = new Map<string, HoldTimeline>();
  return covering.map((ids) => timelineOf(ids, windows, shared));
}

function timelineOf(ids: readonly number[], windows: ReadonlyMap<number, HoldSpans>, shared: Map<string, HoldTimeline>): HoldTimeline {
  const name = ids.join(",");
  const known = shared.get(name);
  if (known !== undefined) return known;
  const timeline = compileTimeline(ids.flatMap((id) => windows.get(id) ?? []));
  shared.set(name, timeline);
  return timeline;
}
