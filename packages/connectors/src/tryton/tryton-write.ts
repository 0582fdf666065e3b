import {
  ConnectorError,
  toConnectorError,
  type Json,
  type JsonObject,
  type WriteError,
  type WriteItem,
  type WriteResult,
} from "@quiesce/sdk";
import type { TrytonStream } from "./tryton-config.js";
import { callModel, fieldsOf, streamOf, type TrytonContext } from "./tryton-rpc.js";
import { decodeValue, encodeValue, plainText, type Field } from "./tryton-values.js";

/** What concerns the endpoint, not the record: the rest of the batch is not sent. */
const STOPS_BATCH = new Set(["auth", "permission", "config", "rate_limited", "unavailable", "timeout", "cancelled"]);

/** Tryton itself has refused a record, so nothing of the request is there. After anything else nobody knows, and trying again could double records. */
const REFUSALS = new Set(["invalid", "conflict"]);

interface Target {
  readonly stream: TrytonStream;
  readonly codeField: string;
  readonly fields: ReadonlyMap<string, Field>;
  /** The records that are there, by code. */
  readonly present: ReadonlyMap<string, JsonObject>;
}

/**
 * Creates, writes and deletes records found by their code. The code makes a repetition harmless: what is there already is
 * compared, and left alone if it is the same.
 */
export async function writeItems(x: TrytonContext, streamName: string, items: readonly WriteItem[]): Promise<WriteResult[]> {
  const stream = streamOf(x.config, streamName);
  const { codeField } = stream;
  if (codeField === undefined) {
    throw new ConnectorError("config", `The stream "${streamName}" has no codeField in its configuration, so it is read-only.`);
  }
  const names = [...new Set([codeField, ...items.flatMap((item) => Object.keys(item.data))])];
  const fields = await knownFields(x, stream.model, names);
  const present = await presentRecords(x, stream, codeField, items, [...fields.keys()]);
  const target: Target = { stream, codeField, fields, present };
  const results: WriteResult[] = [];
  let stopped: WriteError | undefined;
  for (const some of togetherOf(target, items)) {
    const written = stopped === undefined ? await writeTogether(x, target, some) : [];
    results.push(...written);
    stopped ??= written.flatMap((result) => (result.ok ? [] : [result.error])).find(({ kind }) => STOPS_BATCH.has(kind));
    if (stopped === undefined) continue;
    for (const { key } of some.slice(written.length)) results.push({ key, ok: false, error: { ...stopped, ambiguous: undefined } });
  }
  return results;
}

/** New records that follow one another are created by one request; anything else stands alone. */
function togetherOf(target: Target, items: readonly WriteItem[]): readonly (readonly WriteItem[])[] {
  const parts: WriteItem[][] = [];
  let creations: WriteItem[] | undefined;
  for (const item of items) {
    const isNew = item.op !== "delete" && !target.present.has(item.key);
    if (isNew && creations !== undefined) creations.push(item);
    else parts.push((creations = [item]));
    if (!isNew) creations = undefined;
  }
  return parts;
}

/** Results in the order of the items; fewer than items when the rest need not be sent. */
async function writeTogether(x: TrytonContext, target: Target, items: readonly WriteItem[]): Promise<readonly WriteResult[]> {
  if (items.length > 1) {
    const created = await createTogether(x, target, items);
    if (created !== undefined) return created;
  }
  const results: WriteResult[] = [];
  for (const item of items) {
    const result = await writeItem(x, target, item);
    results.push(result);
    if (!result.ok && STOPS_BATCH.has(result.error.kind)) return results;
  }
  return results;
}

/** Creates all or, since one request is one transaction, none: undefined if a record was refused and each has to be tried by itself. */
async function createTogether(x: TrytonContext, target: Target, items: readonly WriteItem[]): Promise<readonly WriteResult[] | undefined> {
  try {
    const values = items.map((item) => valuesOf(target, item));
    const { result } = await callModel(x, target.stream.model, "create", [values]);
    const ids = Array.isArray(result) ? (result as Json[]) : [];
    return items.map(({ key }, index) => ({ key, ok: true, remoteId: plainText(ids[index]) }));
  } catch (thrown) {
    const error = writeError(x, thrown);
    return REFUSALS.has(error.kind) ? undefined : items.map(({ key }) => ({ key, ok: false, error }));
  }
}

async function writeItem(x: TrytonContext, target: Target, item: WriteItem): Promise<WriteResult> {
  const { key } = item;
  const { model } = target.stream;
  const present = target.present.get(key);
  try {
    if (item.op === "delete") {
      if (present === undefined) return { key, ok: true, unchanged: true };
      await callModel(x, model, "delete", [[present["id"] ?? null]]);
      return { key, ok: true };
    }
    const values = valuesOf(target, item);
    if (present === undefined) {
      const { result } = await callModel(x, model, "create", [[values]]);
      return { key, ok: true, remoteId: plainText(Array.isArray(result) ? (result as Json[])[0] : result) };
    }
    const remoteId = plainText(present["id"]);
    const changed = Object.entries(values).filter(([name, value]) => !same(target.fields.get(name), value, present[name] ?? null));
    if (changed.length === 0) return { key, ok: true, remoteId, unchanged: true };
    await callModel(x, model, "write", [[present["id"] ?? null], Object.fromEntries(changed)]);
    return { key, ok: true, remoteId };
  } catch (thrown) {
    return { key, ok: false, error: writeError(x, thrown) };
  }
}

function writeError(x: TrytonContext, thrown: unknown): WriteError {
  const { kind, message, info } = toConnectorError(thrown, x.signal);
  const { status, retryAfterMs, ambiguous, field } = info;
  return { kind, message, status, retryAfterMs, ambiguous, field };
}

function valuesOf(target: Target, item: WriteItem): JsonObject {
  const { codeField, fields, stream } = target;
  const values: Record<string, Json> = { [codeField]: item.key };
  for (const [name, value] of Object.entries(item.data)) {
    const field = fields.get(name);
    if (field === undefined) {
      throw new ConnectorError("invalid", `The model ${stream.model} has no field ${name}. Map it to one, or leave it out.`, {
        field: name,
      });
    }
    if (name === codeField && plainText(value) !== item.key) {
      throw new ConnectorError("invalid", `The record's key is ${item.key}, but its ${codeField} holds ${JSON.stringify(value)}.`, {
        field: name,
      });
    }
    values[name] = encodeValue(value, field);
  }
  return values;
}

/** The types of those fields that exist. Tryton refuses a whole list for one unknown name. */
async function knownFields(x: TrytonContext, model: string, names: readonly string[]): Promise<ReadonlyMap<string, Field>> {
  try {
    return await fieldsOf(x, model, names);
  } catch (thrown) {
    if (toConnectorError(thrown).kind !== "invalid") throw thrown;
    const all = await fieldsOf(x, model, []);
    return new Map([...all].filter(([name]) => names.includes(name)));
  }
}

async function presentRecords(
  x: TrytonContext,
  stream: TrytonStream,
  codeField: string,
  items: readonly WriteItem[],
  names: readonly string[],
): Promise<ReadonlyMap<string, JsonObject>> {
  const codes = items.map((item) => item.key);
  const domain: Json = [[codeField, "in", codes]];
  const { result } = await callModel(x, stream.model, "search_read", [domain, 0, null, null, [...new Set(["id", ...names])]]);
  const rows = Array.isArray(result) ? (result as JsonObject[]) : [];
  return new Map(rows.map((row) => [plainText(row[codeField]), row]));
}

function same(field: Field | undefined, wanted: Json, found: Json): boolean {
  return JSON.stringify(decodeValue(wanted, field?.type)) === JSON.stringify(decodeValue(found, field?.type));
}
