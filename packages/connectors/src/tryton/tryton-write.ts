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
import { type FieldTree, fieldTree, isList, isObject, namesOf } from "./tryton-fields.js";
import { encodeField, lookUpReferences, pathsOf, type References } from "./tryton-references.js";
import { callModel, streamOf, type TrytonContext } from "./tryton-rpc.js";
import { changeOf, plainText } from "./tryton-values.js";
import { sameField } from "./tryton-same.js";

/** What concerns the endpoint, not the record: the rest of the batch is not sent. */
const STOPS_BATCH = new Set(["auth", "permission", "config", "rate_limited", "unavailable", "timeout", "cancelled"]);

/** Tryton itself has refused a record, so nothing of the request is there. After anything else nobody knows, and trying again could double records. */
const REFUSALS = new Set(["invalid", "conflict"]);

interface Target {
  readonly stream: TrytonStream;
  readonly codeField: string;
  readonly fields: FieldTree;
  readonly references: References;
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
  const paths = [...new Set([codeField, ...items.flatMap((item) => pathsOf(item.data))])];
  const fields = await fieldTree(x, stream.model, paths, { unknown: "leave" });
  const codes = items.map(({ key }) => key);
  const present = await presentRecords(x, { stream, codeField, fields }, codes);
  const target: Target = { stream, codeField, fields, present, references: await lookUpReferences(x, fields, items) };
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
  const present = target.present.get(key);
  try {
    if (item.op === "delete") return await remove(x, target, item, present);
    const values = valuesOf(target, item);
    return present === undefined ? await create(x, target, { item, values }) : await change(x, target, { item, values, present });
  } catch (thrown) {
    return { key, ok: false, error: writeError(x, thrown) };
  }
}

async function remove(x: TrytonContext, { stream }: Target, item: WriteItem, present: JsonObject | undefined): Promise<WriteResult> {
  const { key } = item;
  if (present === undefined) return { key, ok: true, unchanged: true };
  await callModel(x, stream.model, "delete", [[present["id"] ?? null]], guardOf(stream, item, present));
  return { key, ok: true };
}

interface Values {
  readonly item: WriteItem;
  readonly values: JsonObject;
}

/**
 * Creates one record. A model whose codes are unique refuses one that has come since the look, such as by the request of a process that was killed:
 * Tryton goes on with it. Then that record is changed.
 */
async function create(x: TrytonContext, target: Target, { item, values }: Values): Promise<WriteResult> {
  const { key } = item;
  try {
    const { result } = await callModel(x, target.stream.model, "create", [[values]]);
    return { key, ok: true, remoteId: plainText(Array.isArray(result) ? (result as Json[])[0] : result) };
  } catch (thrown) {
    if (!REFUSALS.has(toConnectorError(thrown, x.signal).kind)) throw thrown;
    const present = (await presentRecords(x, target, [key])).get(key);
    if (present === undefined) throw thrown;
    return change(x, target, { item, values, present });
  }
}

/** Writes what differs. */
async function change(
  x: TrytonContext,
  { stream, codeField, fields }: Target,
  { item, values, present }: Values & { readonly present: JsonObject },
): Promise<WriteResult> {
  const { key } = item;
  const remoteId = plainText(present["id"]);
  const guard = guardOf(stream, item, present);
  const wanted: JsonObject = { [codeField]: key, ...item.data };
  const changed = Object.entries(values).filter(
    ([name]) => !sameField(name, wanted[name] ?? null, { row: present, node: fields.get(name) }),
  );
  if (changed.length === 0) return { key, ok: true, remoteId, unchanged: true, version: changeOf(present) };
  const written = changed.map(([name, value]): [string, Json] => [name, replacing(name, value, { present, fields })]);
  await callModel(x, stream.model, "write", [[present["id"] ?? null], Object.fromEntries(written)], guard);
  return { key, ok: true, remoteId };
}

/** Lines that differ take the place of those that are there. */
function replacing(name: string, value: Json, { present, fields }: { readonly present: JsonObject; readonly fields: FieldTree }): Json {
  const node = fields.get(name);
  if (node?.related === undefined || !isList(node.field) || !Array.isArray(value)) return value;
  const lines = present[`${name}.`];
  const ids = (Array.isArray(lines) ? (lines as Json[]) : []).flatMap((line) => (isObject(line) ? [line["id"] ?? null] : []));
  return ids.length === 0 ? value : [["delete", ids], ...(value as Json[])];
}

/**
 * What makes Tryton refuse the call if the record is not what `ifVersion` says: looked at here, and again by Tryton in the transaction that writes. Of a
 * record that is gone there is nothing to be written over.
 */
function guardOf(stream: TrytonStream, { key, ifVersion }: WriteItem, present: JsonObject): JsonObject {
  if (ifVersion === undefined) return {};
  if (changeOf(present) !== ifVersion)
    throw new ConnectorError("conflict", `Record ${key} was changed at ${changeOf(present)}Z, after ${ifVersion}Z.`);
  return { _timestamp: { [`${stream.model},${plainText(present["id"])}`]: present["_timestamp"] ?? null } };
}

function writeError(x: TrytonContext, thrown: unknown): WriteError {
  const { kind, message, info } = toConnectorError(thrown, x.signal);
  const { status, retryAfterMs, ambiguous, field } = info;
  return { kind, message, status, retryAfterMs, ambiguous, field };
}

function valuesOf(target: Target, item: WriteItem): JsonObject {
  const { codeField, fields, references, stream } = target;
  const values: Record<string, Json> = { [codeField]: item.key };
  for (const [name, value] of Object.entries(item.data)) {
    const node = fields.get(name);
    if (node === undefined) {
      throw new ConnectorError("invalid", `The model ${stream.model} has no field ${name}. Map it to one, or leave it out.`, {
        field: name,
      });
    }
    if (name === codeField && plainText(value) !== item.key) {
      throw new ConnectorError("invalid", `The record's key is ${item.key}, but its ${codeField} holds ${JSON.stringify(value)}.`, {
        field: name,
      });
    }
    values[name] = encodeField(value, node, references);
  }
  return values;
}

async function presentRecords(
  x: TrytonContext,
  { stream, codeField, fields }: Pick<Target, "stream" | "codeField" | "fields">,
  codes: readonly string[],
): Promise<ReadonlyMap<string, JsonObject>> {
  const domain: Json = [[codeField, "in", [...codes]]];
  const lines = [...fields].flatMap(([name, { field, related }]) => (related !== undefined && isList(field) ? [`${name}.id`] : []));
  const names = [...new Set(["id", "create_date", "write_date", "_timestamp", ...namesOf(fields), ...lines])];
  const { result } = await callModel(x, stream.model, "search_read", [domain, 0, null, null, names]);
  const rows = Array.isArray(result) ? (result as JsonObject[]) : [];
  return new Map(rows.map((row) => [plainText(row[codeField]), row]));
}
