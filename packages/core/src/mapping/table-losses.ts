import type { Json } from "@quiesce/sdk";
import { castValue } from "./cast-value.js";
import { equalJson } from "../catalog/sorted-json.js";
import type { FieldRule } from "./mapping-schema.js";

/**
 * Why a value table cannot be turned round: source values that become one target value, after the cast too; and target values that also stand for
 * an empty source, because it stays empty or takes the default. Empty if whoever reads the target can tell every source value.
 */
export function tableLosses(rule: Pick<FieldRule, "table" | "cast" | "default">): readonly string[] {
  const { table, cast } = rule;
  if (table === undefined) return [];
  const sources = new Map<string, string[]>();
  for (const [from, to] of Object.entries(table)) {
    // Compared as text, because the way back looks values up as text too: 1 and "1" would be one.
    const value = castOf(cast, to);
    const text = typeof value === "object" ? JSON.stringify(value) : String(value);
    sources.set(text, [...(sources.get(text) ?? []), from]);
  }
  const shared = [...sources]
    .filter(([, from]) => from.length > 1)
    .map(([to, from]) => `${from.map((value) => `"${value}"`).join(" and ")} all become "${to}"`);
  const empty = rule.default ?? null;
  const alsoEmpty = Object.entries(table)
    .filter(([, to]) => equalJson(castOf(cast, to), empty))
    .map(([from]) => `"${from}" and an empty value both become ${JSON.stringify(empty)}`);
  return [...shared, ...alsoEmpty];
}

function castOf(cast: FieldRule["cast"], value: string | number | boolean | null): Json {
  if (cast === undefined || value === null) return value;
  const result = castValue(cast, value);
  return result.ok ? result.value : value;
}
