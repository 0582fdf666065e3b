import type { Json } from "@quiesce/sdk";
import { castValue } from "./cast-value.js";
import type { FieldRule } from "./mapping-schema.js";

/** A value as the source has it, or why there is none. */
export type ReversedValue =
  | { readonly ok: true; readonly value: Json }
  | { readonly ok: false; readonly found: string; readonly expected: string };

const SHOWN_CHARACTERS = 80;

/** Turns the value of a two-way field round: back through the value table, then to the type that the source expects. Null stays null. */
export function reverseValue(rule: Pick<FieldRule, "table" | "cast">, cast: FieldRule["cast"], value: Json): ReversedValue {
  if (value === null) return { ok: true, value };
  let back: Json = value;
  if (rule.table !== undefined) {
    const entries = Object.entries(rule.table);
    const entry = entries.find(([, to]) => textOf(castOf(rule.cast, to)) === textOf(value));
    if (entry === undefined) {
      const known = entries
        .slice(0, 10)
        .map(([, to]) => JSON.stringify(to))
        .join(", ");
      return { ok: false, found: shown(value), expected: `one of ${known} (value table)` };
    }
    [back] = entry;
  }
  if (cast === undefined) return { ok: true, value: back };
  const result = castValue(cast, back);
  return result.ok ? result : { ok: false, found: shown(back), expected: result.expected };
}

/** As the losses of a table are found: 1 and "1" are one value of it. */
function textOf(value: Json): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function castOf(cast: FieldRule["cast"], value: Json): Json {
  if (cast === undefined || value === null) return value;
  const result = castValue(cast, value);
  return result.ok ? result.value : value;
}

function shown(value: Json): string {
  const text = JSON.stringify(value);
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}
