import { createLiveValue, type LiveValue } from "./live-value.js";

/** What a long list has in common: how many rows, in which order they are shown, and how many have another place by now. */
export interface RowsOverview {
  /** The keys in the order that is shown. Rows that are new stand at the end until `reorder`. */
  readonly order: readonly string[];
  /** How many rows would stand elsewhere in the right order. */
  readonly moved: number;
  /** Grows with each change of any row. */
  readonly version: number;
}

export interface LiveRowsOptions<Row> {
  readonly keyOf: (row: Row) => string;
  /** The order of the list. */
  readonly compare: (a: Row, b: Row) => number;
  /** Listeners are told at most so often; 200 ms when left out. */
  readonly flushMs?: number | undefined;
  /** Rows beyond this are not taken: a list without a bound is none. 20,000 when left out. */
  readonly limit?: number | undefined;
}

/**
 * A long list that changes all the time, beside the cache: one watched query over ten thousand rows costs seconds with every event. Pages and events may
 * arrive in any order. A page carries the version at which it was asked for, and never overwrites a change that came after that.
 */
export interface LiveRows<Row> {
  readonly overview: LiveValue<RowsOverview>;
  /** One row, for its own line of the list; undefined: there is none. */
  row(key: string): LiveValue<Row | undefined>;
  get(key: string): Row | undefined;
  /** Every row, in no order. */
  all(): Iterable<Row>;
  readonly size: number;
  /** Take it before a page is asked for, and hand it in with the page, or with no rows when it did not come. */
  begin(): PageAsked;
  /** Rows as a page has them. */
  page(asked: PageAsked, rows: readonly Row[]): void;
  /** What an event says of a row. Of one that is not known nothing is made: the page that brings it is patched. */
  change(key: string, patch: (row: Row) => Row): void;
  remove(key: string): void;
  /** Puts the rows into the right order. Nothing else moves a row: never under somebody's pointer. */
  reorder(): void;
  clear(): void;
  /** Tells the listeners now what they would be told later. */
  flush(): void;
}

/** When a page was asked for. */
export interface PageAsked {
  readonly version: number;
}

interface Known<Row> {
  readonly row: Row | undefined;
  readonly version: number;
}

const FLUSH_MS = 200;
const LIMIT = 20_000;

export function createLiveRows<Row>(options: LiveRowsOptions<Row>): LiveRows<Row> {
  const { keyOf, compare, flushMs = FLUSH_MS, limit = LIMIT } = options;
  const known = new Map<string, Known<Row>>();
  const listeners = new Map<string, Set<() => void>>();
  const dirty = new Set<string>();
  const overview = createLiveValue<RowsOverview>({ order: [], moved: 0, version: 0 });
  /** Pages on their way, and what happened meanwhile to rows that only they will bring. */
  const outstanding = new Set<PageAsked>();
  const waiting = new Map<string, { readonly version: number; readonly patch: (row: Row) => Row }[]>();
  let version = 0;
  let clearedAt = 0;
  let size = 0;
  let order: readonly string[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;

  const put = (key: string, row: Row | undefined): void => {
    const before = known.get(key)?.row;
    if (before === undefined && row !== undefined && size >= limit) return;
    size += Number(row !== undefined) - Number(before !== undefined);
    known.set(key, { row, version });
    dirty.add(key);
    timer ??= setTimeout(flush, flushMs);
  };
  const rightOrder = (): readonly string[] =>
    [...known.values()]
      .flatMap(({ row }) => (row === undefined ? [] : [row]))
      .toSorted(compare)
      .map(keyOf);
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (dirty.size === 0) return;
    const changed = [...dirty];
    dirty.clear();
    const shown = new Set(order);
    const added = changed.filter((key) => !shown.has(key) && known.get(key)?.row !== undefined);
    const isGone = changed.some((key) => shown.has(key) && known.get(key)?.row === undefined);
    const right = rightOrder();
    if (shown.size === 0) order = right;
    else if (added.length > 0 || isGone) order = [...order.filter((key) => known.get(key)?.row !== undefined), ...added];
    overview.set({ order, moved: countMoved(order, right), version });
    for (const key of changed) for (const listener of listeners.get(key) ?? []) listener();
  };

  return {
    overview,
    get size() {
      return size;
    },
    get: (key) => known.get(key)?.row,
    all: function* all() {
      for (const { row } of known.values()) if (row !== undefined) yield row;
    },
    row: (key) => ({
      get: () => known.get(key)?.row,
      subscribe(listener) {
        const own = () => listener();
        const set = listeners.get(key) ?? new Set();
        listeners.set(key, set.add(own));
        return () => {
          set.delete(own);
          if (set.size === 0 && listeners.get(key) === set) listeners.delete(key);
        };
      },
    }),
    begin() {
      const asked = { version };
      outstanding.add(asked);
      return asked;
    },
    page(asked, rows) {
      for (const row of asked.version < clearedAt ? [] : rows) {
        const key = keyOf(row);
        // What changed after the page was asked for may not be in it yet.
        if ((known.get(key)?.version ?? -1) > asked.version) continue;
        const missed = (waiting.get(key) ?? []).filter((change) => change.version > asked.version);
        put(
          key,
          missed.reduce((patched, { patch }) => patch(patched), row),
        );
      }
      outstanding.delete(asked);
      if (outstanding.size === 0) waiting.clear();
    },
    change(key, patch) {
      const before = known.get(key);
      version += 1;
      if (before?.row !== undefined) return put(key, patch(before.row));
      if (before === undefined && outstanding.size > 0) waiting.set(key, [...(waiting.get(key) ?? []), { version, patch }]);
    },
    remove(key) {
      version += 1;
      put(key, undefined);
    },
    reorder() {
      flush();
      order = rightOrder();
      overview.set({ order, moved: 0, version });
    },
    clear() {
      clearedAt = version += 1;
      for (const key of known.keys()) dirty.add(key);
      waiting.clear();
      known.clear();
      size = 0;
      order = [];
      timer ??= setTimeout(flush, flushMs);
    },
    flush,
  };
}

/** Rows that stand elsewhere, those that are new or gone left out of the count. */
function countMoved(shown: readonly string[], right: readonly string[]): number {
  return shown.reduce((count, key, place) => count + Number(right[place] !== key), 0);
}
