import type { Json, JsonObject, SourceRecord } from "@quiesce/sdk";
import { castValue } from "./cast-value.js";
import type { FieldRule, Mapping } from "./mapping-schema.js";

/** Why one field of one record could not be mapped. `field` is the target field; `found` is cut to 80 characters. */
export interface MappingError {
  readonly field: string;
  readonly found: string;
  readonly expected: string;
}

/** The mapped record, or everything that is wrong with it. */
export type MappingResult =
  | { readonly ok: true; readonly record: SourceRecord }
  | { readonly ok: false; readonly errors: readonly MappingError[] };

type FieldValue = { readonly ok: true; readonly value: Json } | ({ readonly ok: false } & MappingError);

/**
 * Maps one record. The mapping must have passed `validateMapping`. Nothing is thrown: a record that does not fit comes back
 * with all its errors, to be kept as a dead letter. A deletion needs no fields: what it lacks is left out.
 */
export function applyMapping(mapping: Mapping, record: SourceRecord): MappingResult {
  const deletion = record.op === "delete";
  const errors: MappingError[] = [];
  const data: Record<string, Json> = {};
  let key: string | undefined = record.key;
  if (mapping.key !== undefined) key = undefined;
  for (const [target, rule] of Object.entries(mapping.fields)) {
    const result = fieldValue(target, rule, record.data);
    if (!result.ok) {
      if (!deletion) errors.push({ field: target, found: result.found, expected: result.expected });
      continue;
    }
    place(data, target.split("."), result.value);
    if (target === mapping.key) key = keyOf(result.value);
  }
  if (key === undefined) {
    errors.push({
      field: mapping.key ?? "key",
      found: "no usable value",
      expected: "a text or number, because this field is the key",
    });
    return { ok: false, errors };
  }
  return errors.length > 0 ? { ok: false, errors } : { ok: true, record: { ...record, key, data } };
}

function fieldValue(target: string, rule: FieldRule, data: JsonObject): FieldValue {
  if (rule.from === undefined) return { ok: true, value: rule.const ?? null };
  const found = valueAt(data, rule.from);
  if (found === undefined || found === null) {
    if (rule.default !== undefined) return { ok: true, value: rule.default };
    return found === null
      ? { ok: true, value: null }
      : failed(target, "nothing", `a value at ${rule.from}; a default would allow it to be absent`);
  }
  let value: Json = found;
  if (rule.table !== undefined) {
    const inTable = typeof found !== "object" && Object.hasOwn(rule.table, String(found));
    if (!inTable) return failed(target, show(found), `one of ${listed(Object.keys(rule.table))} (value table)`);
    value = rule.table[String(found)] ?? null;
  }
  if (rule.cast === undefined || value === null) return { ok: true, value };
  const cast = castValue(rule.cast, value);
  return cast.ok ? cast : failed(target, show(value), cast.expected);
}

function valueAt(data: JsonObject, path: string): Json | undefined {
  let value: Json | undefined = data;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null || !isField(value, name)) return undefined;
    value = (value as JsonObject)[name];
  }
  return value;
}

/** Own and enumerable: neither a list's length nor an inherited member is a field. */
function isField(value: object, name: string): boolean {
  return Object.prototype.propertyIsEnumerable.call(value, name);
}

function place(data: Record<string, Json>, names: readonly string[], value: Json): void {
  let parent = data;
  for (const name of names.slice(0, -1)) {
    const child = { ...(parent[name] as JsonObject | undefined) };
    parent[name] = child;
    parent = child;
  }
  parent[names.at(-1) ?? ""] = value;
}

function keyOf(value: Json): string | undefined {
  return value === null || value === "" || typeof value === "object" ? undefined : String(value);
}

function failed(field: string, found: string, expected: string): FieldValue {
  return { ok: false, field, found, expected };
}

function show(value: Json): string {
  const text = JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

function listed(values: readonly string[]): string {
  const shown = values.slice(0, 8).map((value) => JSON.stringify(value));
  return values.length > shown.length ? `${shown.join(", ")} and ${values.length - shown.length} more` : shown.join(", ");
}
