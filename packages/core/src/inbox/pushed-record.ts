import type { JsonObject } from "@quiesce/sdk";
import { DomainError } from "../domain-error.js";
import { inboxLimits } from "./inbox-limits.js";

/** One record as somebody pushed it. */
export interface PushedRecord {
  readonly key: string;
  /** The sender's own name of this very change; the same id again is the same change again. */
  readonly id: string | null;
  readonly op: "upsert" | "delete";
  readonly version: string | null;
  readonly data: JsonObject;
  /** Of its data as JSON. */
  readonly bytes: number;
}

const MEMBERS: ReadonlySet<string> = new Set(["key", "id", "op", "version", "record"]);

/** Reads what was pushed: one record, or a list of them. Throws QSC_INBOX_RECORD_INVALID and QSC_INBOX_REQUEST_TOO_LARGE. */
export function pushedRecords(input: unknown): readonly PushedRecord[] {
  const values: readonly unknown[] = Array.isArray(input) ? input : [input];
  if (values.length === 0) throw refused("records", "There is no record in the request. Send at least one.");
  if (values.length > inboxLimits.recordsOfRequest) {
    throw new DomainError(
      "QSC_INBOX_REQUEST_TOO_LARGE",
      `Found ${values.length} records, a request takes ${inboxLimits.recordsOfRequest}. Send them in several requests, in their order.`,
      { field: "records", details: { records: values.length, limit: inboxLimits.recordsOfRequest } },
    );
  }
  return values.map((value, index) => pushedRecord(value, `records.${index}`));
}

function pushedRecord(value: unknown, at: string): PushedRecord {
  if (!isObject(value)) throw refused(at, `Found ${shown(value)}, expected an object such as {"key": "4711", "record": {…}}.`);
  const unknown = Object.keys(value).find((name) => !MEMBERS.has(name));
  if (unknown !== undefined)
    throw refused(`${at}.${unknown.slice(0, 60)}`, `Found "${unknown.slice(0, 60)}", expected only ${[...MEMBERS].join(", ")}.`);
  const { key, id, op, version, record } = value;
  if (typeof key !== "string" || key === "" || !isStorable(key) || bytesOf(key) > inboxLimits.bytesOfKey)
    throw refused(
      `${at}.key`,
      `Found ${shown(key)}, expected a text of 1 to ${inboxLimits.bytesOfKey} bytes without NUL: the record's key, by which order is kept.`,
    );
  if (op !== undefined && op !== "upsert" && op !== "delete")
    throw refused(`${at}.op`, `Found ${shown(op)}, expected "upsert" or "delete".`);
  const deletion = op === "delete";
  if (!isObject(record) && !(deletion && record === undefined))
    throw refused(`${at}.record`, `Found ${shown(record)}, expected an object: the record's fields.`);
  const data = isObject(record) ? (record as JsonObject) : {};
  return {
    key,
    id: optionalText(id, `${at}.id`),
    op: op ?? "upsert",
    version: optionalText(version, `${at}.version`),
    data,
    bytes: sizeOf(data, at),
  };
}

function sizeOf(data: JsonObject, at: string): number {
  const bytes = bytesOf(JSON.stringify(data));
  if (bytes <= inboxLimits.bytesOfRecord) return bytes;
  throw new DomainError(
    "QSC_INBOX_RECORD_TOO_LARGE",
    `A record has ${bytes} bytes of JSON, at most ${inboxLimits.bytesOfRecord} are taken. Send a reference to its large parts. Nothing of the request was accepted.`,
    { field: `${at}.record`, details: { bytes, limit: inboxLimits.bytesOfRecord } },
  );
}

function optionalText(value: unknown, at: string): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value === "string" && value !== "" && value.length <= inboxLimits.charactersOfId && isStorable(value)) return value;
  throw refused(at, `Found ${shown(value)}, expected a text of 1 to ${inboxLimits.charactersOfId} characters without NUL, or nothing.`);
}

/** What PostgreSQL's text can hold. */
function isStorable(text: string): boolean {
  return !text.includes("\u0000") && !/[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/.test(text);
}

function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const bytesOf = (text: string): number => new TextEncoder().encode(text).byteLength;

function shown(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "string") return `a text of ${value.length} characters`;
  return Array.isArray(value) ? "a list" : value === null ? "null" : `a ${typeof value}`;
}

function refused(field: string, message: string): DomainError {
  return new DomainError("QSC_INBOX_RECORD_INVALID", `${message} Nothing of the request was accepted.`, { field });
}
