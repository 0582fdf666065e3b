import { ConnectorError, toConnectorError, type Json, type JsonObject } from "@quiesce/sdk";
import { fieldsOf, type TrytonContext } from "./tryton-rpc.js";
import { decodeValue, type Field } from "./tryton-values.js";

/** Fields that are read or written, by name; of a field that leads to other records, their fields. */
export type FieldTree = ReadonlyMap<string, FieldNode>;

export interface FieldNode {
  readonly field: Field;
  /** Of `party.code` what stands behind the dot. Without it the value is the other record's id. */
  readonly related?: FieldTree;
}

/** Of what it names nothing may be missing, or what is missing is left out. */
interface TreeOptions {
  readonly unknown: "refuse" | "leave";
}

/**
 * The types of fields given by path, such as `code`, `party.code` or `lines.product.code`: one request a model. Throws `invalid` for an unknown field
 * (unless it is to be left out), and `config` for a path through a field that leads nowhere.
 */
export async function fieldTree(x: TrytonContext, model: string, paths: readonly string[], options: TreeOptions): Promise<FieldTree> {
  const behind = new Map<string, string[]>();
  for (const path of paths) {
    const [name = "", ...rest] = path.split(".");
    behind.set(name, [...(behind.get(name) ?? []), ...(rest.length === 0 ? [] : [rest.join(".")])]);
  }
  const names = [...behind.keys()];
  const fields = options.unknown === "refuse" ? await allFields(x, model, names) : await knownFields(x, model, names);
  const tree = new Map<string, FieldNode>();
  for (const [name, field] of fields) {
    const rest = behind.get(name) ?? [];
    if (rest.length === 0) tree.set(name, { field });
    else if (field.relation !== undefined) tree.set(name, { field, related: await fieldTree(x, field.relation, rest, options) });
    else if (options.unknown === "refuse")
      throw new ConnectorError("config", `The field ${name} of ${model} leads to no other record, so ${name}.${rest[0]} cannot be read.`, {
        field: name,
      });
    else tree.set(name, { field });
  }
  return tree;
}

/** The types of all these fields. Tryton leaves out the names it does not know in some models, and refuses them in others. */
async function allFields(x: TrytonContext, model: string, names: readonly string[]): Promise<ReadonlyMap<string, Field>> {
  const fields = await fieldsOf(x, model, names);
  const missing = names.find((name) => !fields.has(name));
  if (missing === undefined) return fields;
  throw new ConnectorError("invalid", `Tryton knows no field "${missing}" in ${model}. Correct the stream's fields.`, { field: missing });
}

/** The types of those fields that exist. Tryton may refuse a whole list for one unknown name. */
async function knownFields(x: TrytonContext, model: string, names: readonly string[]): Promise<ReadonlyMap<string, Field>> {
  try {
    return await fieldsOf(x, model, names);
  } catch (thrown) {
    if (toConnectorError(thrown).kind !== "invalid") throw thrown;
    const all = await fieldsOf(x, model, []);
    return new Map([...all].filter(([name]) => names.includes(name)));
  }
}

/** A tree as the names that `search_read` takes. */
export function namesOf(tree: FieldTree): readonly string[] {
  return [...tree].flatMap(([name, { related }]) => (related === undefined ? [name] : namesOf(related).map((inner) => `${name}.${inner}`)));
}

/** A row of an answer as plain JSON: related records as objects, several as a list of them. */
export function decodeRow(row: JsonObject, tree: FieldTree): JsonObject {
  return Object.fromEntries([...tree].map(([name, node]): [string, Json] => [name, decodeField(row, name, node)]));
}

function decodeField(row: JsonObject, name: string, { field, related }: FieldNode): Json {
  if (related === undefined) return decodeValue(row[name] ?? null, field.type);
  // Tryton puts them beside the ids, under the name with a dot.
  const found = row[`${name}.`] ?? null;
  if (Array.isArray(found)) return found.map((one: Json) => (isObject(one) ? decodeRow(one, related) : null));
  return isObject(found) ? decodeRow(found, related) : null;
}

/** True for a JSON object. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** True for fields that lead to several records. */
export function isList({ type }: Field): boolean {
  return type === "one2many" || type === "many2many";
}
