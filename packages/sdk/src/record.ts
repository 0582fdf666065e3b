import type { ErrorKind } from "./error.js";
import type { Json, JsonObject } from "./json.js";

/**
 * Where a read goes on: flat JSON, at most {@link CURSOR_MAX_BYTES} as UTF-8. The connector makes it, the engine only keeps
 * it, and stores it in one transaction with the results of writing the page it came with. So a cursor is always valid after
 * its page was committed, and a page may be read twice, but never skipped.
 */
export type Cursor = { readonly [name: string]: string | number | boolean | null };

/** The largest cursor, in bytes of its JSON. */
export const CURSOR_MAX_BYTES = 8192;

/** Says what is wrong with a cursor, or undefined if it is a good one. The host checks every page with it. */
export function cursorProblem(value: unknown): string | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return `a cursor is a flat JSON object, found ${value === null ? "null" : Array.isArray(value) ? "an array" : typeof value}`;
  }
  for (const [name, member] of Object.entries(value)) {
    const flat = member === null || ["string", "number", "boolean"].includes(typeof member);
    if (!flat) return `cursor.${name} must be a string, a number, a boolean or null, found ${typeof member}`;
    if (typeof member === "number" && !Number.isFinite(member)) {
      return `cursor.${name} must be a finite number, found ${member}`;
    }
  }
  const bytes = new TextEncoder().encode(JSON.stringify(value)).byteLength;
  return bytes > CURSOR_MAX_BYTES ? `a cursor has at most ${CURSOR_MAX_BYTES} bytes, found ${bytes}` : undefined;
}

/** One record of a stream, as it is read. */
export interface SourceRecord {
  /** The record's identity in its stream: the key fields' values, several joined by {@link joinKey}. Never changes. */
  readonly key: string;
  /** `delete` is a tombstone: the record is gone, `data` may be empty. `upsert` if absent. */
  readonly op?: "upsert" | "delete";
  /** The version of the record at the source, if it has one: compared for equality only. */
  readonly version?: string;
  /** When it changed at the source, ISO 8601 with an offset. For figures, not for order. */
  readonly at?: string;
  readonly data: JsonObject;
  /**
   * Why this record cannot be used, as a sentence: a message that is no JSON, a line with too few columns. It is not delivered, but becomes a dead
   * letter with this reason and `data` (put the raw text there), so that one bad record neither stops the stream nor gets lost.
   */
  readonly problem?: string;
}

/**
 * A page of records with the cursor behind its last record. Empty pages are allowed: they move the cursor over records that
 * were filtered out. `more: false` says that the stream is read up to now.
 */
export interface Page {
  readonly records: readonly SourceRecord[];
  readonly cursor: Cursor;
  readonly more: boolean;
  /**
   * The next page may be asked for before this one is committed: to be asked says nothing to the source. The engine then reads and writes the next page
   * while it commits this one. Leave it out where asking for the next page acknowledges this one.
   */
  readonly ahead?: boolean;
  /** The stream's size, if it is known at no cost; for the progress display. */
  readonly total?: number;
}

/** A page of keys; see the facet `listKeys`. */
export interface KeyPage {
  readonly keys: readonly string[];
  /** Behind the last key of the page. */
  readonly cursor: Cursor;
  readonly more: boolean;
}

/** A record to write, after the mapping. */
export interface WriteItem extends SourceRecord {
  /** The same for every repetition of this very change: `integration:stream:key:version`. */
  readonly idempotencyKey: string;
  /** Write only if the target still has this version, otherwise answer `conflict`. */
  readonly ifVersion?: string;
}

/** What became of one item. Results belong to items by `key`. */
export type WriteResult =
  | {
      readonly key: string;
      readonly ok: true;
      /** The target's own id of the record. */
      readonly remoteId?: string;
      /** The target's version after the write. */
      readonly version?: string;
      /** The target already had exactly this: nothing was changed. */
      readonly unchanged?: boolean;
    }
  | { readonly key: string; readonly ok: false; readonly error: WriteError };

/** Why one item was not written (or, if `ambiguous`, may have been). */
export interface WriteError {
  readonly kind: ErrorKind;
  readonly message: string;
  readonly field?: string | undefined;
  readonly status?: number | string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly ambiguous?: boolean | undefined;
}

/**
 * The key of a record from the values of its key fields. One value stays as it is; several are escaped and joined by `|`,
 * so that ("a|b", "c") and ("a", "b|c") differ. Returns undefined if a value is missing, empty or not a scalar.
 */
export function joinKey(values: readonly (Json | undefined)[]): string | undefined {
  const parts: string[] = [];
  for (const value of values) {
    if (value === undefined || value === null || value === "" || typeof value === "object") return undefined;
    parts.push(String(value));
  }
  if (parts.length <= 1) return parts[0];
  return parts.map((part) => part.replaceAll("\\", "\\\\").replaceAll("|", "\\|")).join("|");
}

/** The key values that {@link joinKey} joined, as strings. `count` is how many key fields the stream has. */
export function splitKey(key: string, count: number): readonly string[] | undefined {
  if (count === 1) return [key];
  const parts: string[] = [];
  let part = "";
  for (let index = 0; index < key.length; index += 1) {
    const character = key.charAt(index);
    if (character === "\\") {
      index += 1;
      part += key.charAt(index);
    } else if (character === "|") {
      parts.push(part);
      part = "";
    } else {
      part += character;
    }
  }
  parts.push(part);
  return parts.length === count ? parts : undefined;
}
