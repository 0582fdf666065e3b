import { occurrences, type WindowMode, type WindowScope, type WindowSeries } from "@quiesce/core";
import { day, scopeCovers, type World } from "./world.js";

interface ModelOccurrence {
  readonly localStart: string;
  readonly start: number;
  end: number;
  readonly mode: WindowMode;
  readonly scope: WindowScope;
  /** Whether the product may hold it or not: an edit in the moment between an end and its release. */
  readonly uncertain: boolean;
  /** Somebody ended it: it holds nothing more, whatever its end says. */
  over: boolean;
}

interface ModelWindow {
  series: WindowSeries;
  scope: WindowScope;
  mode: WindowMode;
  live: boolean;
  readonly occurrences: Map<string, ModelOccurrence>;
  /** What operators did to single occurrences; it survives edits of the series. */
  readonly cancelled: Set<string>;
  readonly movedEnds: Map<string, number>;
}

interface ModelPause {
  readonly scope: WindowScope;
  readonly from: number;
  readonly until: number | null;
}

/** One reason for which an integration is held, by the story's own reckoning. */
export interface Cover {
  /** `window/localStart`, or the number of a pause. */
  readonly name: string;
  /** It must be held now. Otherwise it may be: its end has passed, and the pass that releases it may not have come yet. */
  readonly certain: boolean;
}

const horizonMs = 120 * day;

/**
 * What is held, reckoned from the windows' series and the log of what operators did. It shares with the product the evaluation of a series
 * (whose cases are checked apart) and nothing else: no table, no predicate, no membership.
 */
export class HoldsModel {
  readonly windows = new Map<string, ModelWindow>();
  readonly pauses = new Map<number, ModelPause>();
  mode: WindowMode = "enforce";
  /** Since this instant every expired hold has been released by a complete pass. */
  releasedUpTo = 0;
  /** When something was last changed by a command: set back before it, the clock tells of a time at which that was not so. */
  #changedAt = 0;
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  /** Something is being changed now. */
  changes(now: number): void {
    this.#changedAt = Math.max(this.#changedAt, now);
  }

  saveWindow(
    key: string,
    input: { readonly series: WindowSeries; readonly scope: WindowScope; readonly mode: WindowMode },
    now: number,
  ): void {
    // A cancelled window gives its key free: the next one of that name begins anew.
    const named = this.windows.get(key);
    const before = named?.live === true ? named : undefined;
    const begun = [...(before?.occurrences.values() ?? [])].filter((one) => one.start <= now);
    const isOpen = begun.some((one) => one.end > now);
    const wasJustOpen = begun.some((one) => one.end > this.releasedUpTo);
    const window: ModelWindow = {
      ...input,
      live: true,
      occurrences: new Map(begun.map((one) => [one.localStart, one])),
      cancelled: before?.cancelled ?? new Set(),
      movedEnds: before?.movedEnds ?? new Map(),
    };
    for (const one of occurrences(input.series, { from: now - 60 * day, to: now + horizonMs })) {
      if (one.end <= now || window.occurrences.has(one.localStart) || window.cancelled.has(one.localStart)) continue;
      // An edit changes what lies ahead; while an occurrence is open it does not open a second one beside it.
      if (one.start <= now && isOpen) continue;
      window.occurrences.set(one.localStart, {
        localStart: one.localStart,
        start: one.start,
        end: window.movedEnds.get(one.localStart) ?? one.end,
        mode: input.mode,
        scope: input.scope,
        uncertain: one.start <= now && wasJustOpen,
        over: false,
      });
    }
    this.windows.set(key, window);
  }

  cancelWindow(key: string, now: number): void {
    const window = this.#window(key);
    window.live = false;
    for (const one of window.occurrences.values()) {
      if (one.start > now) window.occurrences.delete(one.localStart);
      else if (one.end > now) Object.assign(one, { end: now, over: true });
    }
  }

  cancelOccurrence(key: string, localStart: string): void {
    this.#window(key).cancelled.add(localStart);
    this.#window(key).occurrences.delete(localStart);
  }

  moveEnd(key: string, localStart: string, end: number): void {
    const window = this.#window(key);
    const one = window.occurrences.get(localStart);
    if (one === undefined) throw new Error(`The product knows an occurrence ${localStart} of ${key} that the story does not.`);
    one.end = end;
    window.movedEnds.set(localStart, end);
  }

  endEarly(key: string, localStart: string, now: number): void {
    this.moveEnd(key, localStart, now);
    const one = this.#window(key).occurrences.get(localStart);
    if (one !== undefined) one.over = true;
  }

  /** Every reason for which the integration is held at this instant; none in mode observe. */
  covers(integration: string, now: number): readonly Cover[] {
    if (this.mode === "observe") return [];
    const found: Cover[] = [];
    const add = (
      name: string,
      one: { readonly start: number; readonly end: number; readonly uncertain: boolean; readonly scope: WindowScope },
    ) => {
      if (one.start > now || one.end <= this.releasedUpTo || !scopeCovers(this.#world, one.scope, integration)) return;
      if (one.end > now) found.push({ name, certain: !one.uncertain && this.#changedAt <= now });
      else found.push({ name, certain: false });
    };
    for (const [key, window] of this.windows) {
      for (const one of window.occurrences.values()) if (one.mode === "enforce" && !one.over) add(`${key}/${one.localStart}`, one);
    }
    for (const [holdId, pause] of this.pauses) {
      add(String(holdId), { start: pause.from, end: pause.until ?? Number.POSITIVE_INFINITY, uncertain: false, scope: pause.scope });
    }
    return found;
  }

  isHeld(integration: string, now: number): boolean {
    return this.covers(integration, now).some((one) => one.certain);
  }

  /** Begins and ends of everything near an instant: where the clock is most worth setting. */
  edgesAfter(now: number): readonly number[] {
    const edges = [...this.windows.values()].flatMap((window) => [...window.occurrences.values()].flatMap((one) => [one.start, one.end]));
    for (const pause of this.pauses.values()) if (pause.until !== null) edges.push(pause.until);
    return edges.filter((edge) => edge > now && edge < now + 2 * day).toSorted((a, b) => a - b);
  }

  #window(key: string): ModelWindow {
    const window = this.windows.get(key);
    if (window === undefined) throw new Error(`The story has no window ${key}.`);
    return window;
  }
}
