import type { Context } from "../context.js";
import type { JsonObject } from "../json.js";

/** A set of like records that can be read or written: a table, a resource, a file. */
export interface Stream {
  readonly name: string;
  /** JSON Schema of `data`. `{}` if nothing is known. */
  readonly schema: JsonObject;
  /** The fields of `data` that identify a record, in order. Several are joined by `joinKey`. */
  readonly key: readonly string[];
  /**
   * How reading goes on: `none` begins again each time and reads everything; `incremental` gives what changed since the
   * cursor, in the order of change; `log` gives every single change.
   */
  readonly cursor: "none" | "incremental" | "log";
  /**
   * How deletions show: `tombstone`: as records with `op: "delete"`. `snapshot`: not at all, but comparing all keys (facet
   * `listKeys`, or a complete read where `cursor` is `none`) finds them. `none`: they cannot be found.
   */
  readonly deletes: "none" | "tombstone" | "snapshot";
}

/** Which streams there are. */
export interface StreamsFacet<C, S> {
  /** Lists the streams of this endpoint. Where the configuration names them, no request is needed. */
  streams?(x: Context<C, S>): Promise<readonly Stream[]>;
}
