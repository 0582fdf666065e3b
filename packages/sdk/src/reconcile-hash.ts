import { createHash } from "node:crypto";
import { comparableValue } from "./comparable-value.js";
import type { KeyHash } from "./facets/reconcile.js";
import type { Json, JsonObject } from "./json.js";

/** Hexadecimal digits of a record's hash: 128 bits. */
const HASH_DIGITS = 32;

/**
 * The hash of a record's named fields, the same at both sides of an integration: SHA-256 over the JSON of `[name, value]` pairs by name, members of
 * objects by name too, cut to 128 bits. Values are in the form of `comparableValue`: a number is the text of its digits. An absent field is null.
 * @experimental
 */
export function recordHash(data: JsonObject, fields: readonly string[]): string {
  const pairs = fields.toSorted().map((name) => `[${JSON.stringify(name)},${canonical(comparableValue(memberOf(data, name)))}]`);
  return createHash("sha256")
    .update(`[${pairs.join(",")}]`)
    .digest("hex")
    .slice(0, HASH_DIGITS);
}

/** The bucket of a key, from 0: the first 32 bits of its SHA-256, modulo the number of buckets. @experimental */
export function bucketOf(key: string, buckets: number): number {
  return createHash("sha256").update(key).digest().readUInt32BE(0) % buckets;
}

/** The digest of a bucket: SHA-256 over `key NUL hash LF` in the order of {@link compareKeys}, cut to 128 bits; empty for no records. @experimental */
export function digestOf(pairs: readonly KeyHash[]): string {
  if (pairs.length === 0) return "";
  const hash = createHash("sha256");
  for (const { key, hash: content } of pairs.toSorted(
    (left, right) => compareKeys(left.key, right.key) || compareKeys(left.hash, right.hash),
  ))
    hash.update(`${key}\0${content}\n`);
  return hash.digest("hex").slice(0, HASH_DIGITS);
}

/** The order of keys: by code points, which is the order of their bytes in UTF-8, and `collate "C"` of databases. Negative: left comes first. @experimental */
export function compareKeys(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index += 1) {
    const a = left.charCodeAt(index);
    const b = right.charCodeAt(index);
    if (a !== b) return placeOf(a) - placeOf(b);
  }
  return left.length - right.length;
}

/** Halves of surrogate pairs stand for code points above all others. */
function placeOf(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x2_0000 : unit;
}

/** JSON whose objects name their members in the order of code units: JavaScript alone would put names that look like numbers first. */
function canonical(value: Json): string {
  if (Array.isArray(value)) return `[${value.map((member: Json) => canonical(member)).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const object = value as JsonObject;
  const members = Object.keys(object).toSorted();
  return `{${members.map((name) => `${JSON.stringify(name)}:${canonical(memberOf(object, name))}`).join(",")}}`;
}

function memberOf(object: JsonObject, name: string): Json {
  return Object.hasOwn(object, name) ? (object[name] ?? null) : null;
}
