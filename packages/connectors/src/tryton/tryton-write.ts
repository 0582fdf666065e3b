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
  for (const item of items) {
    if (stopped !== undefined) {
      results.push({ key: item.key, ok: false, error: { ...stopped, ambiguous: undefined } });
      continue;
    }
    const result = await writeItem(x, target, item);
    results.push(result);
    if (!result.ok && STOPS_BATCH.has(result.error.kind)) stopped = result.error;
  }
  return results;
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
    const { kind, message, info } = toConnectorError(thrown, x.signal);
    const { status, retryAfterMs, ambiguous, field } = info;
    return { key, ok: false, error: { kind, message, status, retryAfterMs, ambiguous, field } };
  }
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
