import type { Json, JsonObject } from "@quiesce/sdk";
import type { Mapping } from "../mapping/mapping-schema.js";

/** What of a stream's records is compared, and where that can be done without reading them. */
export interface ComparedFields {
  /** The target's fields that the mapping makes, as dotted paths. */
  readonly fields: readonly string[];
  /** The source's own hashes of these fields are those of the mapped records: the mapping changes neither names nor values nor the key. */
  readonly sourceInPlace: boolean;
  /** The target's own hashes are over these fields: none lies within another value. */
  readonly targetInPlace: boolean;
  /** The source's keys are the target's: they can be compared without the records. */
  readonly sameKeys: boolean;
}

/** What a mapping leaves to compare: only the fields that it makes, because what else the target keeps in a record is its own affair. */
export function comparedFields(mapping: Mapping): ComparedFields {
  const fields = Object.keys(mapping.fields).toSorted();
  const isFlat = fields.every((field) => !field.includes("."));
  const isPlain = Object.entries(mapping.fields).every(
    ([field, rule]) => rule.from === field && Object.entries(rule).every(([name, value]) => name === "from" || value === undefined),
  );
  const sameKeys = mapping.key === undefined && mapping.when === undefined;
  return { fields, sourceInPlace: isFlat && isPlain && sameKeys, targetInPlace: isFlat, sameKeys };
}

/** The compared fields of a record of the target's form, each under its whole path; absent ones are null. */
export function pickFields(data: JsonObject, fields: readonly string[]): JsonObject {
  return Object.fromEntries(fields.map((path) => [path, valueAt(data, path)]));
}

function valueAt(data: JsonObject, path: string): Json {
  let value: Json = data;
  for (const name of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return null;
    value = (value as JsonObject)[name] ?? null;
  }
  return value;
}
