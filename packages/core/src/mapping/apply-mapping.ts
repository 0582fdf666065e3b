import type { Json, JsonObject, SourceRecord } from "@quiesce/sdk";
import { castValue } from "./cast-value.js";
import { compileExpression, type ExpressionValue } from "./expression.js";
import type { FieldRule, Mapping } from "./mapping-schema.js";

/** Why one field of one record could not be mapped. `field` is the target field; `found` is cut: 80 characters of a value, 200 of a sentence. */
export interface MappingError {
  readonly field: string;
  readonly found: string;
  readonly expected: string;
}

/** The mapped record; that the mapping's condition passes it over; or everything that is wrong with it. */
export type MappingResult =
  | { readonly kind: "mapped"; readonly record: SourceRecord }
  | { readonly kind: "skipped" }
  | { readonly kind: "unfit"; readonly errors: readonly MappingError[] };

type FieldValue =
  | { readonly kind: "value"; readonly value: Json }
  | { readonly kind: "left-out" }
  | ({ readonly kind: "failed" } & MappingError);

/**
 * Maps one record. The mapping must have passed `validateMapping`. Nothing is thrown: a record that does not fit comes back
 * with all its errors, to be kept as a dead letter. A deletion needs no fields: what it lacks is left out, and no condition keeps it back.
 */
export async function applyMapping(mapping: Mapping, record: SourceRecord): Promise<MappingResult> {
  return mapperOf(mapping)(record);
}

/** {@link applyMapping} for many records of one mapping. It answers at once, without a turn of the event loop, where the mapping computes nothing. */
export function mapperOf(mapping: Mapping): (record: SourceRecord) => MappingResult | Promise<MappingResult> {
  const rules = Object.entries(mapping.fields).map(([target, rule]) => ({
    target,
    names: target.split("."),
    path: rule.from?.split("."),
    rule,
  }));
  return hasExpressions(mapping) ? (record) => computed(mapping, rules, record) : (record) => plainlyMapped(mapping.key, rules, record);
}

/** A rule with its names taken apart. */
interface ReadyRule {
  readonly target: string;
  readonly names: readonly string[];
  readonly path: readonly string[] | undefined;
  readonly rule: FieldRule;
}

function plainlyMapped(keyField: string | undefined, rules: readonly ReadyRule[], record: SourceRecord): MappingResult {
  const draft = createDraft(keyField, record);
  for (const ready of rules) draft.take(ready, plainValue(ready, record.data));
  return draft.result();
}

async function computed(mapping: Mapping, rules: readonly ReadyRule[], record: SourceRecord): Promise<MappingResult> {
  if (mapping.when !== undefined && record.op !== "delete") {
    const met = await conditionOf("when", mapping.when, record);
    if (typeof met !== "boolean") return { kind: "unfit", errors: [met] };
    if (!met) return { kind: "skipped" };
  }
  const draft = createDraft(mapping.key, record);
  // What needs no expression needs no turn of the event loop either.
  for (const ready of rules) draft.take(ready, isPlain(ready.rule) ? plainValue(ready, record.data) : await computedValue(ready, record));
  return draft.result();
}

/** A record while its fields are being mapped. `keyField`: the target field that is its key; without it the key stays. */
function createDraft(keyField: string | undefined, record: SourceRecord) {
  const data: Record<string, Json> = {};
  const errors: MappingError[] = [];
  let key = keyField === undefined ? record.key : undefined;
  return {
    take({ target, names }: ReadyRule, found: FieldValue): void {
      if (found.kind === "failed" && record.op !== "delete")
        errors.push({ field: found.field, found: found.found, expected: found.expected });
      if (found.kind !== "value") return;
      place(data, names, found.value);
      if (target === keyField) key = keyOf(found.value);
    },
    result(): MappingResult {
      if (key === undefined) {
        errors.push({
          field: keyField ?? "key",
          found: "no usable value",
          expected: "a text or number, because this field is the key",
        });
      }
      return key === undefined || errors.length > 0 ? { kind: "unfit", errors } : { kind: "mapped", record: { ...record, key, data } };
    },
  };
}

/** Whether a mapping computes anything, so that records take their time. */
export function hasExpressions(mapping: Mapping): boolean {
  return mapping.when !== undefined || Object.values(mapping.fields).some((rule) => !isPlain(rule));
}

function isPlain(rule: FieldRule): boolean {
  return rule.expression === undefined && rule.when === undefined;
}

async function computedValue(ready: ReadyRule, record: SourceRecord): Promise<FieldValue> {
  const { target, rule } = ready;
  if (rule.when !== undefined) {
    const met = await conditionOf(target, rule.when, record);
    if (typeof met !== "boolean") return { kind: "failed", ...met };
    if (!met) return { kind: "left-out" };
  }
  if (rule.expression === undefined) return plainValue(ready, record.data);
  const result = await evaluated(rule.expression, record);
  if (!result.ok) return failed(target, atPosition(result), "an expression that can be evaluated for this record");
  if (result.value === undefined) return absent(target, rule, "a value of the expression; a default would allow it to find none");
  return shaped(target, rule, result.value);
}

/** True, false, or why it is neither. */
async function conditionOf(field: string, text: string, record: SourceRecord): Promise<boolean | MappingError> {
  const expected = "a condition that is true or false for this record";
  const result = await evaluated(text, record);
  if (!result.ok) return { field, found: atPosition(result), expected };
  if (result.value === undefined) return false;
  return typeof result.value === "boolean" ? result.value : { field, found: show(result.value), expected };
}

async function evaluated(text: string, record: SourceRecord): Promise<ExpressionValue> {
  const compiled = compileExpression(text);
  if (compiled.ok) return compiled.expression.evaluate(record);
  const [problem] = compiled.problems;
  return { ok: false, position: problem?.position ?? null, message: problem?.message ?? "It cannot be evaluated." };
}

function atPosition({ position, message }: { readonly position: number | null; readonly message: string }): string {
  return position === null ? cut(message) : `${cut(message)} (character ${position})`;
}

function plainValue({ target, path, rule }: ReadyRule, data: JsonObject): FieldValue {
  if (path === undefined) return { kind: "value", value: rule.const ?? null };
  const found = valueAt(data, path);
  if (found === undefined) return absent(target, rule, `a value at ${rule.from}; a default would allow it to be absent`);
  return shaped(target, rule, found);
}

/** Nothing was found: the default, or why it is a failure. */
function absent(target: string, rule: FieldRule, expected: string): FieldValue {
  return rule.default === undefined ? failed(target, "nothing", expected) : { kind: "value", value: rule.default };
}

/** What was found, through the default, the value table and the cast. */
function shaped(target: string, rule: FieldRule, found: Json): FieldValue {
  if (found === null) return { kind: "value", value: rule.default ?? null };
  let value: Json = found;
  if (rule.table !== undefined) {
    const inTable = typeof found !== "object" && Object.hasOwn(rule.table, String(found));
    if (!inTable) return failed(target, show(found), `one of ${listed(Object.keys(rule.table))} (value table)`);
    value = rule.table[String(found)] ?? null;
  }
  if (rule.cast === undefined || value === null) return { kind: "value", value };
  const cast = castValue(rule.cast, value);
  return cast.ok ? { kind: "value", value: cast.value } : failed(target, show(value), cast.expected);
}

function valueAt(data: JsonObject, path: readonly string[]): Json | undefined {
  let value: Json | undefined = data;
  for (const name of path) {
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
  const last = names.length - 1;
  for (const name of names.slice(0, last)) {
    const child = { ...(parent[name] as JsonObject | undefined) };
    parent[name] = child;
    parent = child;
  }
  parent[names[last] ?? ""] = value;
}

function keyOf(value: Json): string | undefined {
  return value === null || value === "" || typeof value === "object" ? undefined : String(value);
}

function failed(field: string, found: string, expected: string): FieldValue {
  return { kind: "failed", field, found, expected };
}

function show(value: Json): string {
  return cut(JSON.stringify(value), 80);
}

function cut(text: string, maxCharacters = 200): string {
  return text.length > maxCharacters ? `${text.slice(0, maxCharacters - 1)}…` : text;
}

function listed(values: readonly string[]): string {
  const shown = values.slice(0, 8).map((value) => JSON.stringify(value));
  return values.length > shown.length ? `${shown.join(", ")} and ${values.length - shown.length} more` : shown.join(", ");
}
