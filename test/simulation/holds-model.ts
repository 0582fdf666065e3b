import {
  type DrainPolicy,
  occurrences,
  type ResumePolicyInput,
  type WindowKind,
  type WindowMode,
  type WindowScope,
  type WindowSeries,
  type ZoneData,
} from "@quiesce/core";
import { type Approval, approvalAfter } from "./approvals.js";
import type { Coming } from "./drain.js";
import { day, minute, scopeCovers, type World } from "./world.js";

/** A window as people plan it. */
export interface Plan {
  readonly kind: WindowKind;
  readonly series: WindowSeries;
  readonly scope: WindowScope;
  readonly mode: WindowMode;
  readonly drain: DrainPolicy;
  readonly resume: ResumePolicyInput;
}

export const planOf = ({ series, ...plan }: Plan): Plan => ({ series, ...effectOf(plan) });

/** What an occurrence takes from its window when nobody's word is missing any more; a later edit changes it no more. */
type Effect = Pick<Plan, "kind" | "scope" | "mode" | "drain" | "resume">;

interface ModelOccurrence extends Effect {
  readonly localStart: string;
  start: number;
  end: number;
  /** Nobody's word is missing: only then it holds. What holds goes on when its window wants another word. */
  holds: boolean;
  /** Whether the product may hold it or not: an edit in the moment between an end and its release. */
  readonly uncertain: boolean;
  /** Somebody ended it: it holds nothing more, whatever its end says. */
  over: boolean;
}

interface ModelWindow extends Plan {
  approval: Approval;
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

interface NearOccurrence {
  readonly key: string;
  readonly name: string;
  readonly live: boolean;
  readonly one: ModelOccurrence;
}

const horizonMs = 120 * day;
/** No window of a story is reckoned with from further away; see makeDrain. */
const longestLeadMs = 720 * minute;

const effectOf = ({ kind, mode, scope, drain, resume }: Effect): Effect => ({ kind, mode, scope, drain, resume });

/** Nobody's word is missing any more: what has not ended holds, as the window says now. */
function letHold(window: ModelWindow, now: number): void {
  for (const one of window.occurrences.values()) if (!one.holds && one.end > now) Object.assign(one, effectOf(window), { holds: true });
}

/**
 * What is held, reckoned from the windows' series and the log of what operators did. It shares with the product the evaluation of a series
 * (whose cases are checked apart) and nothing else: no table, no predicate, no membership.
 */
export class HoldsModel {
  readonly windows = new Map<string, ModelWindow>();
  readonly pauses = new Map<number, ModelPause>();
  /** By integration: holds that last past the planned end, for the systems' sake, as the last look told. */
  #waiting: ReadonlyMap<string, ReadonlySet<string>> = new Map();
  mode: WindowMode = "enforce";
  /** Since this instant every expired hold has been released by a complete pass. */
  releasedUpTo = 0;
  readonly #reborn = new Set<string>();
  /** What matters at one instant; the plans reach months ahead, and are asked many times a step. */
  #near: { readonly now: number; readonly releasedUpTo: number; readonly occurrences: readonly NearOccurrence[] } | null = null;
  /** When something was last changed by a command: set back before it, the clock tells of a time at which that was not so. */
  #changedAt = 0;
  readonly #world: World;
  #zones: ZoneData;

  constructor(world: World, zones: ZoneData) {
    this.#world = world;
    this.#zones = zones;
  }

  /** Something was changed at this very instant: what came first is not told. */
  changedAt(now: number): boolean {
    return this.#changedAt >= now;
  }

  learnWaiting(pairs: readonly (readonly [string, string])[]): void {
    const waiting = new Map<string, Set<string>>();
    for (const [integration, name] of pairs) waiting.set(integration, (waiting.get(integration) ?? new Set()).add(name));
    this.#waiting = waiting;
  }

  /** Something is being changed now. */
  changes(now: number): void {
    this.#near = null;
    this.#changedAt = Math.max(this.#changedAt, now);
  }

  saveWindow(key: string, input: Plan, now: number): void {
    this.#near = null;
    // A cancelled window gives its key free: the next one of that name begins anew.
    const named = this.windows.get(key);
    const before = named?.live === true ? named : undefined;
    if (named?.live === false) this.#reborn.add(key);
    const begun = [...(before?.occurrences.values() ?? [])].filter((one) => one.start <= now);
    const isOpen = begun.some((one) => one.holds && one.end > now);
    const wasJustOpen = begun.some((one) => one.holds && one.end > this.releasedUpTo);
    const approval = approvalAfter(before, input);
    const window: ModelWindow = {
      ...input,
      approval,
      live: true,
      occurrences: new Map(begun.map((one) => [one.localStart, one])),
      cancelled: before?.cancelled ?? new Set(),
      movedEnds: before?.movedEnds ?? new Map(),
    };
    for (const one of occurrences(input.series, { from: now - 60 * day, to: now + horizonMs }, this.#zones)) {
      if (one.end <= now || window.occurrences.has(one.localStart) || window.cancelled.has(one.localStart)) continue;
      // An edit changes what lies ahead; while an occurrence is open it does not open a second one beside it.
      if (one.start <= now && isOpen) continue;
      window.occurrences.set(one.localStart, {
        localStart: one.localStart,
        start: one.start,
        end: window.movedEnds.get(one.localStart) ?? one.end,
        ...effectOf(input),
        holds: false,
        uncertain: one.start <= now && wasJustOpen,
        over: false,
      });
    }
    this.windows.set(key, window);
    if (approval === "none" || approval === "approved") letHold(window, now);
  }

  /** Other zone data for one zone came into force: what has begun keeps its instants, what lies ahead moves. Answers how many moved. */
  changeZone(timeZone: string, { zones, now }: { readonly zones: ZoneData; readonly now: number }): number {
    this.#near = null;
    this.#zones = zones;
    let moved = 0;
    for (const window of this.windows.values()) {
      if (!window.live || window.series.timeZone !== timeZone) continue;
      for (const found of occurrences(window.series, { from: now - 60 * day, to: now + horizonMs }, zones)) {
        const known = window.occurrences.get(found.localStart);
        if (known === undefined) this.#comesIn(window, found, now);
        if (known === undefined || known.start <= now) continue;
        const end = window.movedEnds.get(found.localStart) ?? found.end;
        if (known.start !== found.start || known.end !== end) moved += 1;
        // Over before it could begin: it held nothing.
        Object.assign(known, { start: found.start, end, over: known.over || end <= now });
      }
    }
    return moved;
  }

  /** A local time that was over when its window was made, and by other zone data lies ahead. */
  #comesIn(window: ModelWindow, found: Pick<ModelOccurrence, "localStart" | "start" | "end">, now: number): void {
    const { localStart, start, end } = found;
    if (start <= now || window.cancelled.has(localStart)) return;
    const holds = window.approval === "none" || window.approval === "approved";
    const one = {
      localStart,
      start,
      end: window.movedEnds.get(localStart) ?? end,
      ...effectOf(window),
      holds,
      uncertain: false,
      over: false,
    };
    window.occurrences.set(localStart, one);
  }

  /** Somebody gave or refused their word for a window. */
  decide(key: string, isApproved: boolean, now: number): void {
    this.#near = null;
    const window = this.#window(key);
    window.approval = isApproved ? "approved" : "rejected";
    if (isApproved) letHold(window, now);
  }

  /** Whether an occurrence, by its name, has to ask some system before it lets go. */
  asksSystems(name: string): boolean {
    const [key = "", localStart = ""] = name.split("/");
    const one = this.windows.get(key)?.occurrences.get(localStart);
    // Whose key was taken again is told by its events alone.
    if (one === undefined || one.uncertain || this.wasReborn(key)) return false;
    // A tag may be on nothing at all.
    const { systems = [], integrations = [], all = false } = one.scope;
    return one.holds && one.mode === "enforce" && one.resume.readiness?.check === true && (all || systems.length + integrations.length > 0);
  }

  /** A window of this key was cancelled, and another one got the key. */
  wasReborn(key: string): boolean {
    return this.#reborn.has(key);
  }

  cancelWindow(key: string, now: number): void {
    this.#near = null;
    const window = this.#window(key);
    window.live = false;
    for (const one of window.occurrences.values()) {
      if (one.start > now) window.occurrences.delete(one.localStart);
      else if (one.end > now) Object.assign(one, { end: now, over: true });
    }
  }

  cancelOccurrence(key: string, localStart: string): void {
    this.#near = null;
    this.#window(key).cancelled.add(localStart);
    this.#window(key).occurrences.delete(localStart);
  }

  moveEnd(key: string, localStart: string, end: number): void {
    this.#near = null;
    const window = this.#window(key);
    const one = window.occurrences.get(localStart);
    if (one === undefined) throw new Error(`The product knows an occurrence ${localStart} of ${key} that the story does not.`);
    // Extended while it waits for its systems, it goes on, whoever ended it.
    Object.assign(one, { end, over: false });
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
      one: {
        readonly start: number;
        readonly end: number;
        readonly uncertain: boolean;
        readonly scope: WindowScope;
        readonly kind?: WindowKind;
      },
    ) => {
      if (one.start > now || one.end <= this.releasedUpTo || !this.#reaches(one, integration)) return;
      if (one.end > now) found.push({ name, certain: !one.uncertain && this.#changedAt <= now });
      else found.push({ name, certain: false });
    };
    for (const { name, one } of this.#nearOccurrences(now)) if (one.mode === "enforce" && one.holds && !one.over) add(name, one);
    for (const [holdId, pause] of this.pauses) {
      add(String(holdId), { start: pause.from, end: pause.until ?? Number.POSITIVE_INFINITY, uncertain: false, scope: pause.scope });
    }
    for (const name of this.#waiting.get(integration) ?? [])
      if (!found.some((one) => one.name === name)) found.push({ name, certain: false });
    return found;
  }

  /** What is going to begin over an integration, by the plans of people alone: nothing of it may be in doubt. */
  coming(integration: string, now: number): readonly Coming[] {
    if (this.mode === "observe" || this.#changedAt > now) return [];
    return this.#nearOccurrences(now).flatMap(({ name, live, one }) => {
      const leadLimitMs = one.drain.leadLimitMinutes * minute;
      // Nobody has to reckon with what begins later than that.
      const isComing = live && one.mode === "enforce" && one.holds && !one.over && one.start > now && one.start < now + leadLimitMs;
      return isComing && this.#reaches(one, integration) ? [{ name, start: one.start, leadLimitMs }] : [];
    });
  }

  /** The open occurrences over an integration that hold it for certain. */
  openOver(integration: string, now: number): readonly { readonly key: string; readonly localStart: string }[] {
    if (this.mode === "observe") return [];
    return this.#nearOccurrences(now).flatMap(({ key, live, one }) =>
      live && one.mode === "enforce" && one.holds && !one.over && one.start <= now && one.end > now && this.#reaches(one, integration)
        ? [{ key, localStart: one.localStart }]
        : [],
    );
  }

  /** The living windows of which an occurrence has begun and is not over by its plan, with its end. */
  openWindows(now: number): readonly { readonly key: string; readonly end: number }[] {
    return [...this.windows].flatMap(([key, window]) =>
      [...window.occurrences.values()].flatMap((one) =>
        window.live && one.holds && !one.over && one.start <= now && one.end > now ? [{ key, end: one.end }] : [],
      ),
    );
  }

  #nearOccurrences(now: number): readonly NearOccurrence[] {
    const { releasedUpTo } = this;
    if (this.#near?.now === now && this.#near.releasedUpTo === releasedUpTo) return this.#near.occurrences;
    const latest = now + longestLeadMs;
    const near = [...this.windows].flatMap(([key, window]) =>
      [...window.occurrences.values()].flatMap((one) =>
        one.start < latest && (one.end > releasedUpTo || one.end > now)
          ? [{ key, name: `${key}/${one.localStart}`, live: window.live, one }]
          : [],
      ),
    );
    this.#near = { now, releasedUpTo, occurrences: near };
    return near;
  }

  #reaches({ scope, kind }: { readonly scope: WindowScope; readonly kind?: WindowKind }, integration: string): boolean {
    return scopeCovers(this.#world, scope, { integration, onlyWrites: kind === "freeze" });
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
