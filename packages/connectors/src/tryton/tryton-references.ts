import { ConnectorError, type Json, type JsonObject, type WriteItem } from "@quiesce/sdk";
import { type FieldNode, type FieldTree, isList, isObject } from "./tryton-fields.js";
import { callModel, type TrytonContext } from "./tryton-rpc.js";
import { decodeValue, encodeValue, plainText, type Field } from "./tryton-values.js";

/** One request asks for so many records. */
const ASKED_AT_ONCE = 500;

/** Ids of records that others refer to, by model, field and value. */
export interface References {
  /** The id of the record that `{ code: "C-1" }` names. Throws `invalid` if there is none or more than one. */
  readonly idOf: (field: Field, named: JsonObject) => number;
}

/** Looks up, all at once, what the items refer to: `{ "party": { "code": "C-1" } }` instead of an id. */
export async function lookUpReferences(x: TrytonContext, tree: FieldTree, items: readonly WriteItem[]): Promise<References> {
  const wanted = new Map<string, { readonly relation: string; readonly name: string; readonly values: Set<Json> }>();
  for (const { data } of items) {
    for (const [{ field, related }, named] of referencesIn(tree, data)) {
      const [[name, value] = ["", null], ...more] = Object.entries(named);
      const { relation } = field;
      const isNamed = more.length === 0 && value !== null && typeof value !== "object" && related?.has(name) === true;
      if (relation === undefined || !isNamed) continue;
      const place = `${relation} ${name}`;
      const asked = wanted.get(place) ?? { relation, name, values: new Set() };
      asked.values.add(value);
      wanted.set(place, asked);
    }
  }
  const found = new Map<string, number[]>();
  for (const { relation, name, values } of wanted.values()) {
    const all = [...values];
    for (let from = 0; from < all.length; from += ASKED_AT_ONCE) {
      const domain: Json = [[name, "in", all.slice(from, from + ASKED_AT_ONCE)]];
      const { result } = await callModel(x, relation, "search_read", [domain, 0, null, null, ["id", name]]);
      for (const row of Array.isArray(result) ? (result as JsonObject[]) : []) {
        const place = placeOf(relation, name, decodeValue(row[name] ?? null));
        found.set(place, [...(found.get(place) ?? []), Number(row["id"])]);
      }
    }
  }
  return { idOf: (field, named) => oneOf(found, field, named) };
}

function placeOf(relation: string, name: string, value: Json): string {
  return `${relation} ${name} ${plainText(value)}`;
}

function oneOf(found: ReadonlyMap<string, readonly number[]>, field: Field, named: JsonObject): number {
  const [[name, value] = ["", null], ...more] = Object.entries(named);
  if (name === "" || more.length > 0 || value === null || typeof value === "object") {
    const shown = JSON.stringify(named).slice(0, 60);
    const expected = `an id, or one field that names the record, such as {"code": "C-1"}`;
    throw new ConnectorError("invalid", `Field ${field.name} holds ${shown}, expected ${expected}.`, { field: field.name });
  }
  const [id, ...others] = found.get(placeOf(field.relation ?? "", name, value)) ?? [];
  if (id !== undefined && others.length === 0) return id;
  const count = id === undefined ? "no" : others.length + 1;
  throw new ConnectorError(
    "invalid",
    `Field ${field.name}: Tryton has ${count} ${field.relation} whose ${name} is ${plainText(value)}, expected one.`,
    {
      field: field.name,
    },
  );
}

function referencesIn(tree: FieldTree, data: JsonObject): readonly (readonly [FieldNode, JsonObject])[] {
  return Object.entries(data).flatMap(([name, value]): readonly (readonly [FieldNode, JsonObject])[] => {
    const node = tree.get(name);
    if (node === undefined) return [];
    if (isList(node.field) && Array.isArray(value))
      return value.flatMap((line: Json) => (isObject(line) && node.related !== undefined ? referencesIn(node.related, line) : []));
    return isObject(value) && node.field.type === "many2one" ? [[node, value]] : [];
  });
}

/** The paths of the fields that a record's data names, as {@link FieldTree}s are made of. */
export function pathsOf(data: JsonObject): readonly string[] {
  return Object.entries(data).flatMap(([name, value]) => {
    const inner = Array.isArray(value)
      ? value.flatMap((line: Json) => (isObject(line) ? pathsOf(line) : []))
      : isObject(value)
        ? pathsOf(value)
        : [];
    return inner.length === 0 ? [name] : [...new Set(inner)].map((path) => `${name}.${path}`);
  });
}

/** A value in the form Tryton wants: references as ids, lines as the lines to create. */
export function encodeField(value: Json, node: FieldNode, references: References): Json {
  const { field, related } = node;
  if (field.type === "many2one" && isObject(value)) return references.idOf(field, value);
  if (!isList(field) || !Array.isArray(value) || !value.some((line: Json) => isObject(line))) return encodeValue(value, field);
  if (field.type === "many2many")
    throw new ConnectorError("invalid", `Field ${field.name} leads to records that others share; write their ids.`, { field: field.name });
  return [["create", value.map((line: Json) => encodeLine(line, field, { related, references }))]];
}

function encodeLine(
  line: Json,
  field: Field,
  { related, references }: { readonly related: FieldTree | undefined; readonly references: References },
): JsonObject {
  if (!isObject(line))
    throw new ConnectorError("invalid", `Field ${field.name} holds lines and others, expected lines only.`, { field: field.name });
  return Object.fromEntries(
    Object.entries(line).map(([name, value]): [string, Json] => {
      const node = related?.get(name);
      if (node === undefined)
        throw new ConnectorError("invalid", `The model ${field.relation ?? ""} has no field ${name}. Map it to one, or leave it out.`, {
          field: `${field.name}.${name}`,
        });
      return [name, encodeField(value, node, references)];
    }),
  );
}
