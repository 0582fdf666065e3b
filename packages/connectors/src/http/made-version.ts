import { recordHash, type JsonObject } from "@quiesce/sdk";

const MARK = "since ";
/** An instant is shorter; the digest holds all of it. */
const MAX_INSTANT_CHARS = 40;

/** The version of a record that names none: the instant of its change, and a digest that is the same in whatever order its members come. */
export function madeVersion(at: string | number, data: JsonObject): string {
  return `${MARK}${String(at).slice(0, MAX_INSTANT_CHARS)} ${recordHash(data, Object.keys(data))}`;
}

/** Whether a version was made here: the system does not know it. */
export function isMadeVersion(version: string): boolean {
  return version.startsWith(MARK);
}
