import type { Json, JsonObject } from "./json.js";

/** Longer ones are rather codes than amounts. */
const DECIMAL = /^-?(?:0|[1-9]\d{0,29})(?:\.\d{1,30})?$/;
const TIME = /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:(Z)|([+-])(\d\d)(?::?(\d\d))?)?$/;
const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/;
const MINUTE_MS = 60_000;

/**
 * A value in the form in which two systems' values are compared. The same value looks different in them, so these are one:
 * - numbers, and texts that are decimal numbers without leading zeros and of at most 30 digits on either side of the point: `12.50`, `"12.5"`, `1.25e1`;
 * - true and `"true"`, false and `"false"`;
 * - instants with an offset, to the nanosecond: `2026-01-01 10:00+02:00`, `2026-01-01T08:00:00.000Z`; and local times written with T or a space;
 * - members of objects that are absent or null.
 *
 * Nothing else is: not an empty text and null, not a day and its midnight, not `"007"` and 7, not `"t"` and true.
 * @experimental
 */
export function comparableValue(value: Json): Json {
  if (typeof value === "number") return Number.isFinite(value) ? plainDecimal(String(value)) : String(value);
  if (typeof value === "boolean") return String(value);
  if (typeof value === "string") return DECIMAL.test(value) ? plainDecimal(value) : plainTime(value);
  if (Array.isArray(value)) return value.map((member: Json) => comparableValue(member));
  if (value === null) return null;
  const members = Object.entries(value as JsonObject).filter(([, member]) => member !== null && member !== undefined);
  return Object.fromEntries(members.map(([name, member]) => [name, comparableValue(member ?? null)]));
}

/** A number without an exponent and without zeros that say nothing. */
function plainDecimal(text: string): string {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = NUMBER.exec(text) ?? [];
  const shift = Number(exponent);
  const digits = `${"0".repeat(Math.max(0, -shift))}${whole}${fraction}${"0".repeat(Math.max(0, shift))}`;
  const point = Math.max(0, -shift) + whole.length + shift;
  const before = digits.slice(0, point).replace(/^0+(?=\d)/, "");
  const after = digits.slice(point).replace(/0+$/, "");
  const plain = after === "" ? before : `${before}.${after}`;
  return plain === "0" ? plain : `${sign}${plain}`;
}

/** An instant in UTC, a local time with T; any other text as it is. */
function plainTime(text: string): string {
  const found = TIME.exec(text);
  if (found === null) return text;
  const [, day = "", minute = "", second = "00", fraction = "", utc, sign, hours = "00", minutes = "00"] = found;
  const written = `${day}T${minute}:${second}`;
  const local = Date.parse(`${written}Z`);
  const isReal = !Number.isNaN(local) && new Date(local).toISOString() === `${written}.000Z`;
  if (!isReal || Number(hours) > 23 || Number(minutes) > 59) return text;
  const digits = fraction.replace(/0+$/, "");
  const part = digits === "" ? "" : `.${digits}`;
  if (utc === undefined && sign === undefined) return `${written}${part}`;
  const offsetMs = (Number(hours) * 60 + Number(minutes)) * MINUTE_MS * (sign === "-" ? -1 : 1);
  const instant = new Date(local - offsetMs).toISOString();
  // Before the year 0 and after 9999 the year has a sign and six digits.
  return /^\d{4}-/.test(instant) ? `${instant.slice(0, written.length)}${part}Z` : text;
}
