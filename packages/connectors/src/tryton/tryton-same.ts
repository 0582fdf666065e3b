import { type Json, type JsonObject } from "@quiesce/sdk";
import { decodeRow, type FieldNode, type FieldTree, isList, isObject } from "./tryton-fields.js";
import { decodeValue, encodeValue, type Field } from "./tryton-values.js";

/** Whether a field of a record that is there holds what shall be written. Of related records only what is named counts. */
export function sameField(
  name: string,
  wanted: Json,
  { row, node }: { readonly row: JsonObject; readonly node: FieldNode | undefined },
): boolean {
  if (node === undefined) return false;
  const found = decodeRow(row, new Map([[name, node]]))[name] ?? null;
  return same(wanted, found, node);
}

function same(wanted: Json, found: Json, { field, related }: FieldNode): boolean {
  if (related === undefined) return sameValue(wanted, found, field);
  if (isList(field) && Array.isArray(wanted) && Array.isArray(found)) {
    const lines: readonly Json[] = found;
    return wanted.length === lines.length && wanted.every((line: Json, index) => sameMembers(line, lines[index] ?? null, related));
  }
  return sameMembers(wanted, found, related);
}

function sameMembers(wanted: Json, found: Json, related: FieldTree): boolean {
  if (!isObject(wanted) || !isObject(found)) return JSON.stringify(wanted) === JSON.stringify(found);
  return Object.entries(wanted).every(([name, value]) => {
    const node = related.get(name);
    return node !== undefined && same(value, found[name] ?? null, node);
  });
}

function sameValue(wanted: Json, found: Json, field: Field): boolean {
  const written = decodeValue(encodeValue(wanted, field), field.type);
  return JSON.stringify(shortest(written, field)) === JSON.stringify(shortest(found, field));
}

/** Tryton keeps as many digits as a field has: 12.5 comes back as 12.5000. */
function shortest(value: Json, { type }: Field): Json {
  return type === "numeric" && typeof value === "string" && value.includes(".") ? value.replace(/\.?0+$/u, "") : value;
}
