import type { Json } from "@quiesce/sdk";
import type { Cast } from "./mapping-schema.js";

/** A value of the wanted type, or what was expected instead of it. */
export type CastResult = { readonly ok: true; readonly value: Json } | { readonly ok: false; readonly expected: string };

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/u;
const DATE = /^(\d{4})-(\d{2})-(\d{2})(?=$|[T ])/u;
const INSTANT = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2})?)(\.\d+)?\s?(Z|[+-]\d{2}(?::?\d{2})?)$/iu;
/** Every decimal with so many significant digits survives the way through a double and back. */
const EXACT_DIGITS = 15;

/** Casts a value without losing anything of it: what does not fit is refused, never rounded. `value` is not null. */
export function castValue(cast: Cast, value: Json): CastResult {
  switch (cast) {
    case "string":
      return typeof value === "object" ? refuse("a text, a number or a boolean") : accept(String(value));
    case "number":
      return castNumber(value);
    case "integer":
      return castInteger(value);
    case "boolean":
      return castBoolean(value);
    case "date":
      return castDate(value);
    case "datetime":
      return castInstant(value);
    case "json":
      return castJson(value);
  }
}

function castNumber(value: Json): CastResult {
  if (typeof value === "number" && Number.isFinite(value)) return accept(value);
  const text = typeof value === "string" ? value.trim() : "";
  if (!DECIMAL.test(text)) return refuse("a number");
  const digits = text
    .replace(/[eE].*$/u, "")
    .replaceAll(/[+.-]/gu, "")
    .replace(/^0+/u, "")
    .replace(/0+$/u, "");
  const number = Number(text);
  return digits.length <= EXACT_DIGITS && Number.isFinite(number)
    ? accept(number)
    : refuse(`a number of at most ${EXACT_DIGITS} digits; keep longer ones as string`);
}

function castInteger(value: Json): CastResult {
  const expected = "a whole number between -(2^53 - 1) and 2^53 - 1";
  const text = typeof value === "string" ? value.trim() : value;
  const number = typeof text === "string" && /^[+-]?\d+$/u.test(text) ? Number(text) : text;
  return typeof number === "number" && Number.isSafeInteger(number) ? accept(number) : refuse(expected);
}

function castBoolean(value: Json): CastResult {
  const text = typeof value === "object" ? "" : String(value).toLowerCase();
  if (text === "true" || text === "1") return accept(true);
  if (text === "false" || text === "0") return accept(false);
  return refuse("true, false, 1 or 0; use a table for other words");
}

function castDate(value: Json): CastResult {
  const match = typeof value === "string" ? DATE.exec(value) : null;
  const date = match?.[0] ?? "";
  return isCalendarDate(date) ? accept(date) : refuse("a date such as 2026-11-20");
}

function castInstant(value: Json): CastResult {
  const expected = "an instant with an offset, such as 2026-11-20T08:00:00Z";
  const match = typeof value === "string" ? INSTANT.exec(value) : null;
  const [, date = "", time = "", fraction = "", zone = ""] = match ?? [];
  if (!isCalendarDate(date)) return refuse(expected);
  const offset = /^z$/iu.test(zone) ? "Z" : `${zone.slice(0, 3)}:${zone.slice(3).replace(":", "") || "00"}`;
  const seconds = time.length === 5 ? `${time}:00` : time;
  const epochMs = Date.parse(`${date}T${seconds}${offset}`);
  if (Number.isNaN(epochMs)) return refuse(expected);
  // The fraction is carried as text: a Date would cut microseconds off.
  return accept(`${new Date(epochMs).toISOString().slice(0, 19)}${fraction}Z`);
}

function isCalendarDate(text: string): boolean {
  const epochMs = Date.parse(`${text}T00:00:00Z`);
  // Date.parse moves 2026-02-30 into March instead of refusing it.
  return !Number.isNaN(epochMs) && new Date(epochMs).toISOString().startsWith(text);
}

function castJson(value: Json): CastResult {
  if (typeof value !== "string") return accept(value);
  try {
    return accept(JSON.parse(value) as Json);
  } catch {
    return refuse("a text that holds JSON");
  }
}

function accept(value: Json): CastResult {
  return { ok: true, value };
}

function refuse(expected: string): CastResult {
  return { ok: false, expected };
}
