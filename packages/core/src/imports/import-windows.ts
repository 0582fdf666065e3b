import type { WindowEntry } from "../catalog/workspace-schema.js";
import { windowSchema } from "../catalog/workspace-schema.js";
import { describeOccurrence, occurrenceInstantsBetween } from "../windows/occurrences.js";
import { validateWindowSeries } from "../windows/validate-series.js";
import { keyFromTitle } from "../windows/window-input.js";
import { compileSeries, type WindowSeries } from "../windows/window-series.js";
import { DAY_MS } from "../time/local-time.js";
import type { ForeignEntity, ForeignWindow, ImportFacts } from "./foreign-window.js";
import { ANY_ENTITY, nameInMap, type ScopeMap, uniteScopes } from "./scope-map.js";

/** What the operator says about the windows. */
export interface ImportOrder {
  /** The other tool's name, of which keys and reasons are made. */
  readonly source: string;
  readonly map: ScopeMap;
  readonly owner: string;
  /** None: where the window came from. */
  readonly reason?: string | undefined;
  /** Yes, those that hold for over 31 days are meant. */
  readonly confirmLong: boolean;
}

/** Something by its name in the other tool, and what is to be said of it. */
export interface ImportRemark {
  readonly name: string;
  readonly message: string;
}

/** What became of a document of another tool. Every window of it is in `windows`, in `leftOut`, in `over`, or in the first two in part. */
export interface WindowImport {
  readonly windows: readonly WindowEntry[];
  /** Windows, or parts of them, that are not taken over. */
  readonly leftOut: readonly ImportRemark[];
  /** Entities without a place in the map, and the windows that name them. */
  readonly unmapped: readonly { readonly entity: ForeignEntity; readonly windows: readonly string[] }[];
  /** Taken over, and different in something that one should know. */
  readonly remarks: readonly ImportRemark[];
  /** Understood, and nothing of them lies ahead. */
  readonly over: readonly string[];
  /** Names of the map that no window has: a slip, probably. */
  readonly unusedNames: readonly string[];
}

const MAX_KEY_CHARACTERS = 63;
/** Clock changes of this long are told. */
const TOLD_DAYS = 366;
const MAX_TOLD = 4;

function entryOf(window: ForeignWindow, series: WindowSeries, scoped: Pick<WindowEntry, "key" | "scope">, order: ImportOrder): WindowEntry {
  return windowSchema.parse({
    ...scoped,
    title: window.name.slice(0, 200),
    start: series.start,
    end: series.end,
    timeZone: series.timeZone,
    rrule: series.rrule ?? null,
    owner: order.owner,
    reason: order.reason ?? `Imported from ${order.source}: ${window.name}`.slice(0, 2_000),
    confirmLong: order.confirmLong,
  });
}

/** A key that nothing else here has; the same for the same document. */
function freeKey(base: string, taken: Set<string>): string {
  for (let number = 1; ; number++) {
    const suffix = number === 1 ? "" : `-${number}`;
    const key = `${base.slice(0, MAX_KEY_CHARACTERS - suffix.length)}${suffix}`;
    if (taken.has(key)) continue;
    taken.add(key);
    return key;
  }
}

function clockChanges(series: WindowSeries, facts: ImportFacts): readonly string[] {
  const compiled = compileSeries(series, facts.zones);
  const range = { from: facts.now, to: facts.now + TOLD_DAYS * DAY_MS };
  return occurrenceInstantsBetween(compiled, range)
    .map((instants) => describeOccurrence(compiled, instants))
    .filter(({ notes }) => notes.length > 0)
    .map(({ localStart, notes }) => `${localStart}: ${notes.join("; ")}.`)
    .slice(0, MAX_TOLD);
}

/** Turns windows of another tool into windows of a workspace. Nothing is shifted, nothing dropped without a word. */
export function importWindows(foreign: readonly ForeignWindow[], order: ImportOrder, facts: ImportFacts): WindowImport {
  const windows: WindowEntry[] = [];
  const leftOut: ImportRemark[] = [];
  const remarks: ImportRemark[] = [];
  const unmapped = new Map<string, { readonly entity: ForeignEntity; readonly windows: string[] }>();
  const used = new Set<string>([ANY_ENTITY]);
  const keys = new Set<string>();
  for (const window of foreign) {
    const { name } = window;
    if (window.over) continue;
    leftOut.push(...window.problems.map((message) => ({ name, message })));
    const places = window.entities.map((entity) => ({ entity, place: nameInMap(entity, order.map) }));
    for (const { entity, place } of places) {
      if (place !== undefined) used.add(place);
      else unmapped.set(entity.id, { entity, windows: [...(unmapped.get(entity.id)?.windows ?? []), name] });
    }
    const missing = places.flatMap(({ entity, place }) =>
      place === undefined ? [entity.label === undefined ? entity.id : `${entity.id} (${entity.label})`] : [],
    );
    if (missing.length > 0) leftOut.push({ name, message: `The map does not say what ${missing.join(", ")} is here.` });
    const scopes = places.flatMap(({ place }) => (place === undefined ? [] : [order.map.get(place) ?? {}]));
    if (scopes.length === 0) continue;
    for (const series of window.series) {
      const refusal = validateWindowSeries(series, { confirmLong: order.confirmLong }, facts.zones)[0];
      if (refusal !== undefined) {
        leftOut.push({ name, message: `${series.rrule ?? series.start}: ${refusal.message}` });
        continue;
      }
      const key = freeKey(keyFromTitle(`${order.source}-${window.id}`), keys);
      windows.push(entryOf(window, series, { key, scope: uniteScopes(scopes) }, order));
      remarks.push(...clockChanges(series, facts).map((message) => ({ name: key, message })));
    }
  }
  return {
    windows,
    leftOut,
    unmapped: [...unmapped.values()],
    remarks,
    over: foreign.filter(({ over }) => over).map(({ name }) => name),
    unusedNames: [...order.map.keys()].filter((name) => !used.has(name)),
  };
}
