import type { Context } from "../context.js";
import type { Cursor, KeyPage, Page } from "../record.js";

/** What to read. */
export interface ReadRequest {
  readonly stream: string;
  /** The cursor of the last committed page, or null to begin at the beginning. It may be one of an older version of the connector. */
  readonly cursor: Cursor | null;
  /** Records a page, 1 to 10,000. A page may have fewer, and more only if the system cannot do otherwise. */
  readonly pageSize: number;
  /** Only records changed at or after this instant (ISO 8601 UTC), for a backfill; connectors without time ranges throw `config`. */
  readonly from?: string;
  /** Only records changed before this instant (ISO 8601 UTC). */
  readonly to?: string;
}

/** Which keys to list. */
export interface ListKeysRequest {
  readonly stream: string;
  readonly cursor: Cursor | null;
  /** Keys a page, 1 to 100,000. */
  readonly pageSize: number;
}

/** Taking records out of a system. */
export interface ReadFacet<C, S> {
  /**
   * Gives pages in the order of the cursor, beginning behind `request.cursor`, and ends after a page with `more: false`.
   *
   * The engine pulls: it writes a page, commits the results together with the page's cursor, and only then asks for the next, unless the page
   * says `ahead`. Pages are committed in their order. Behind a page that says so one page at most is being committed, one written and one read.
   * Rules for the cursor:
   * - It stands behind the last record of its page. Reading again from it gives nothing that was before it, save records that
   *   changed again, and loses nothing, even if the connector was killed at any point.
   * - Many records may share one timestamp: a time alone is not a cursor. Order by (time, id) and keep both.
   * - Keep the precision of the source. A millisecond `Date` made of a microsecond column repeats or loses rows.
   * - A record can become visible after a later one (a longer transaction): re-read an overlap where the source allows that.
   * - A strange cursor (from the future, of another version) must not give silence for ever: begin again, or throw `config`.
   *
   * To drain for a window the engine stops calling `next()` and calls `return()`: clean up in `finally`. Never sleep or retry:
   * throw, and the engine goes on from the last committed cursor.
   */
  read?(x: Context<C, S>, request: ReadRequest): AsyncIterable<Page>;

  /**
   * Lists the keys of every record that exists now, cheaply (keys only, no data), for sources that leave no tombstones: what
   * the target has and a *complete* listing has not, was deleted. Keys are those of `read`. Pages are ordered by something
   * that never changes (the id, not a time), so that a record which exists during the whole listing is always in it. If the
   * listing ends without `more: false` the engine deletes nothing. Its cursor is of its own kind, never one of `read`.
   * Records created while it runs need not be listed: the engine spares keys it has read since the listing began.
   */
  listKeys?(x: Context<C, S>, request: ListKeysRequest): AsyncIterable<KeyPage>;
}
