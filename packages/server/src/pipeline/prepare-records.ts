import { applyMapping, type MappingError, type StreamEntry } from "@quiesce/core";
import type { Cursor, SourceRecord, WriteItem } from "@quiesce/sdk";
import { idempotencyKey } from "./idempotency-key.js";

/** A record on its way: as it was read, and as it will be written. */
export interface PreparedRecord {
  readonly source: SourceRecord;
  readonly item: WriteItem;
}

/** A record that could not be delivered, for the dead letters. */
export interface DeadRecord {
  readonly source: SourceRecord;
  readonly idempotencyKey: string;
  readonly error: DeadError;
}

export interface DeadError {
  readonly stage: "read" | "map" | "write";
  readonly kind: string;
  readonly message: string;
  readonly fields?: readonly MappingError[];
  readonly field?: string | undefined;
  readonly status?: number | string | undefined;
  readonly ambiguous?: boolean | undefined;
}

export interface PreparedPage {
  readonly ready: readonly PreparedRecord[];
  readonly dead: readonly DeadRecord[];
}

/** A longer key could not stand in an index. */
const MAX_KEY_LENGTH = 1_000;

/** Maps the records of a page. What does not fit is set aside with everything that is wrong with it; tombstones are dropped where deletions are ignored. */
export function prepareRecords(
  records: readonly SourceRecord[],
  options: { readonly integration: string; readonly stream: StreamEntry; readonly from: Cursor | null; readonly runId: string },
): PreparedPage {
  const ready: PreparedRecord[] = [];
  const dead: DeadRecord[] = [];
  for (const source of records) {
    const problem = recordProblem(source);
    if (problem !== undefined) {
      const shown = { key: shownKey(source), data: {} };
      dead.push({
        source: shown,
        idempotencyKey: "",
        error: { stage: "read", kind: "contract", message: `The source gave a record that cannot be used: ${problem}.` },
      });
      continue;
    }
    if (source.op === "delete" && options.stream.deletes === "ignore") continue;
    const key = idempotencyKey({
      integration: options.integration,
      stream: options.stream.stream,
      record: source,
      from: options.from,
      runId: options.runId,
    });
    const mapped = applyMapping(options.stream.mapping, source);
    if (mapped.ok) ready.push({ source, item: { ...mapped.record, idempotencyKey: key } });
    else dead.push({ source, idempotencyKey: key, error: mappingFailure(mapped.errors) });
  }
  return { ready, dead };
}

function recordProblem(record: SourceRecord): string | undefined {
  if (typeof record !== "object" || record === null) return `found ${String(record)}, expected an object`;
  const { key, op, version, data } = record;
  if (typeof key !== "string" || key === "") return "its key is not a text, or empty";
  if (key.length > MAX_KEY_LENGTH || key.includes("\0"))
    return `its key has ${key.length} characters or a zero character; allowed are ${MAX_KEY_LENGTH}, none of them zero`;
  if (op !== undefined && op !== "upsert" && op !== "delete") return `its op is ${String(op).slice(0, 40)}, expected upsert or delete`;
  if (version !== undefined && typeof version !== "string") return `its version is a ${typeof version}, expected a text`;
  if (typeof data !== "object" || data === null || Array.isArray(data)) return "its data is not an object";
  return undefined;
}

function shownKey(record: SourceRecord | null | undefined): string {
  const key: unknown = record?.key;
  return typeof key === "string" && key !== "" ? key.slice(0, MAX_KEY_LENGTH) : "(no key)";
}

/** What is wrong with a record that does not fit the mapping. */
export function mappingFailure(errors: readonly MappingError[]): DeadError {
  const [first] = errors;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more fields)` : "";
  const message =
    first === undefined
      ? "The record does not fit the mapping."
      : `${first.field}: found ${first.found}, expected ${first.expected}${more}.`;
  return { stage: "map", kind: "invalid", message, fields: errors, field: first?.field };
}
