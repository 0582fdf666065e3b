/** What stands in the place of a secret. */
export const REDACTED = "[redacted]";

/** Values shorter than this are left alone: hiding every "a" of a text would show more than it hides. */
export const REDACTED_MIN_LENGTH = 3;

/**
 * Longer forms are looked for one by one: the engine refuses an expression with an alternative of some 32,000 characters, and its refusal says all of
 * the expression.
 */
const LONGEST_ALTERNATIVE = 4_096;

/** Replaces every known secret in a text by {@link REDACTED}. */
export type Redact = (text: string) => string;

/**
 * Makes a function that removes these values from a text in every form in which they usually leak: as they are, JSON-escaped, URL-encoded (also as
 * a form), hex, and base64 at every alignment, plain and URL-safe, so that `Basic base64(user:password)` is caught as well.
 */
export function redactor(values: Iterable<string>): Redact {
  const forms = new Set<string>();
  for (const value of values) {
    if (value.length < REDACTED_MIN_LENGTH) continue;
    for (const form of formsOf(value)) if (form.length >= REDACTED_MIN_LENGTH) forms.add(form);
  }
  if (forms.size === 0) return (text) => text;
  // The longest first, so that a value that begins with another is replaced whole.
  const sorted = [...forms].toSorted((a, b) => b.length - a.length);
  const long = sorted.filter((form) => form.length > LONGEST_ALTERNATIVE);
  const alternatives = sorted.slice(long.length).map((form) => form.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&"));
  const pattern = alternatives.length === 0 ? undefined : new RegExp(alternatives.join("|"), "g");
  return (text) => {
    const rest = long.reduce((left, form) => (left.length < form.length ? left : left.replaceAll(form, REDACTED)), text);
    return pattern === undefined ? rest : rest.replace(pattern, REDACTED);
  };
}

/** Applies a redactor to every string of a JSON-like value, names of members included. Anything else passes unchanged. */
export function redactDeep(redact: Redact, value: unknown): unknown {
  if (typeof value === "string") return redact(value);
  if (Array.isArray(value)) return value.map((item) => redactDeep(redact, item));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [redact(name), redactDeep(redact, item)]));
}

function lowerHex(text: string): string {
  return text.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase());
}

function formsOf(value: string): readonly string[] {
  const bytes = Buffer.from(value, "utf8");
  // encodeURIComponent throws on half a surrogate pair; through UTF-8 it becomes the replacement character.
  const wellFormed = bytes.toString("utf8");
  const url = encodeURIComponent(wellFormed);
  const form = new URLSearchParams({ v: value }).toString().slice(2);
  return [
    value,
    JSON.stringify(value).slice(1, -1),
    url,
    lowerHex(url),
    encodeURI(wellFormed),
    form,
    lowerHex(form),
    bytes.toString("hex"),
    bytes.toString("hex").toUpperCase(),
    ...base64Forms(bytes),
  ];
}

/** Below this length an inner piece of base64 says too little and would hit innocent text. */
const BASE64_PIECE_MIN_LENGTH = 6;

function base64Forms(bytes: Buffer): readonly string[] {
  const forms = [bytes.toString("base64"), bytes.toString("base64url")];
  for (const offset of [0, 1, 2]) {
    const whole = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString("base64")
      .replace(/=+$/, "");
    // The characters at the edges also carry bits of the neighbours; what lies between them depends on the value alone.
    const first = Math.ceil((offset * 8) / 6);
    const last = Math.floor(((offset + bytes.length) * 8) / 6);
    const piece = whole.slice(first, last);
    if (piece.length >= BASE64_PIECE_MIN_LENGTH) forms.push(piece, piece.replaceAll("+", "-").replaceAll("/", "_"));
  }
  return forms;
}
