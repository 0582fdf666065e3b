import { joinKey, type Json, type JsonObject, type SourceRecord, type Stream } from "@quiesce/sdk";
import type { MessageSettings } from "./message-fields.js";

/** A message as a broker delivered it. */
export interface ReceivedMessage {
  readonly body: Uint8Array;
  /** What the broker calls it, or its place in the log; the record's key if nothing else says one. */
  readonly id: string;
  /** Equal for every delivery of this message, different for the next one; absent if nothing of the message is so. */
  readonly version: string | undefined;
  /** The header quiesce-key. */
  readonly key: string | undefined;
  /** The header quiesce-op. */
  readonly operation: string | undefined;
  /** When it was sent, ISO 8601. */
  readonly at: string | undefined;
}

/** How much of an unreadable message is kept, in characters. */
const MAX_KEPT_CHARS = 100_000;

/** A message as a record. One that cannot be read says so in `problem`, with its text in `data`. */
export function recordOf(settings: MessageSettings, message: ReceivedMessage): SourceRecord {
  const { id, version, at, operation } = message;
  const common = { ...(version === undefined ? {} : { version }), ...(at === undefined ? {} : { at }) };
  const unreadable = (problem: string): SourceRecord => ({
    ...common,
    key: message.key ?? id,
    data: { value: Buffer.from(message.body).toString("utf8").slice(0, MAX_KEPT_CHARS) },
    problem,
  });
  // A tombstone needs no payload.
  const empty = operation === "delete" && message.body.byteLength === 0;
  const data = empty ? {} : dataOf(settings, message.body);
  if (typeof data === "string") return unreadable(`The message ${id} ${data}.`);
  const named = settings.keyFields?.map((name) => (Object.hasOwn(data, name) ? data[name] : undefined));
  const key = named === undefined || empty ? (message.key ?? id) : joinKey(named);
  if (key === undefined) return unreadable(`The message ${id} has no value in its key (${(settings.keyFields ?? []).join(", ")}).`);
  return { ...common, key, ...(operation === "delete" ? { op: "delete" as const } : {}), data };
}

/** The members of a payload, or what is wrong with it. */
function dataOf(settings: MessageSettings, body: Uint8Array): JsonObject | string {
  if (settings.payload === "bytes") return { value: Buffer.from(body).toString("base64") };
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(body);
  } catch {
    return "is not UTF-8";
  }
  if (settings.payload === "text") return { value: text };
  try {
    const value = JSON.parse(text) as Json;
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject;
    return `is no object, found ${Array.isArray(value) ? "a list" : value === null ? "null" : typeof value}`;
  } catch (thrown) {
    return `is not JSON: ${thrown instanceof Error ? thrown.message.slice(0, 200) : "unreadable"}`;
  }
}

/** A stream of messages, for the facet `streams`. */
export function messageStream(settings: MessageSettings & { readonly name: string }, cursor: Stream["cursor"]): Stream {
  const value: JsonObject = { type: "object", properties: { value: { type: "string" } } };
  return {
    name: settings.name,
    schema: settings.payload === "json" ? {} : value,
    key: settings.keyFields ?? [],
    cursor,
    deletes: "tombstone",
  };
}
