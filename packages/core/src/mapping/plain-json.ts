import type { Json } from "@quiesce/sdk";

/** What an evaluation gave, as plain JSON; or why it is none. */
export type PlainJson = { readonly ok: true; readonly value: Json | undefined } | { readonly ok: false; readonly problem: string };

const MAX_DEPTH = 32;

/**
 * Copies a computed value into plain JSON: lists without hidden marks, objects with their own fields only. Functions, numbers that are not finite
 * and what is too deep or too large is refused. `undefined` stays: the expression found nothing.
 */
export function plainJson(value: unknown, maxCharacters: number): PlainJson {
  let characters = 0;
  const copy = (one: unknown, depth: number): Json | undefined => {
    if (depth > MAX_DEPTH) throw new RangeError(`Its result is nested more than ${MAX_DEPTH} deep.`);
    characters += typeof one === "string" ? one.length : 1;
    if (characters > maxCharacters) throw new RangeError(`Its result has more than ${maxCharacters} characters.`);
    if (one === null || one === undefined || typeof one === "boolean" || typeof one === "string") return one;
    if (typeof one === "number") {
      if (!Number.isFinite(one)) throw new RangeError(`Its result is ${one}, expected a finite number.`);
      return one;
    }
    if (typeof one !== "object" || isFunction(one)) throw new RangeError("Its result is a function, expected a value.");
    if (Array.isArray(one)) return one.map((item) => copy(item, depth + 1) ?? null);
    const members = Object.entries(one).map(([name, member]) => {
      characters += name.length;
      return [name, copy(member, depth + 1)] as const;
    });
    return Object.fromEntries(members.filter((member): member is readonly [string, Json] => member[1] !== undefined));
  };
  try {
    return { ok: true, value: copy(value, 0) };
  } catch (error) {
    if (error instanceof RangeError) return { ok: false, problem: error.message };
    throw error;
  }
}

/** The library's functions are objects with a mark. */
function isFunction(value: object): boolean {
  return "_jsonata_function" in value || "_jsonata_lambda" in value;
}
