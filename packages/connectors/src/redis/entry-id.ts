/** The id of a stream's entry: milliseconds, and a number within them. Both have 64 bits. */
const ENTRY_ID = /^(\d{1,20})-(\d{1,20})$/u;

/** The id before the first entry. */
export const BEFORE_ALL = "0-0";

/** True for the text of an id. */
export function isEntryId(text: unknown): text is string {
  return typeof text === "string" && ENTRY_ID.test(text);
}

/** Negative if `a` is before `b`, 0 if they are the same. Ids do not sort as texts. */
export function compareEntryIds(a: string, b: string): number {
  const [aMs, aNumber] = partsOf(a);
  const [bMs, bNumber] = partsOf(b);
  const difference = aMs === bMs ? aNumber - bNumber : aMs - bMs;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** When an entry was added, if its id was made by the server's clock. */
export function entryTime(id: string): string | undefined {
  const ms = Number(partsOf(id)[0]);
  return ms > 0 && ms <= 8.64e15 ? new Date(ms).toISOString() : undefined;
}

function partsOf(id: string): readonly [bigint, bigint] {
  const found = ENTRY_ID.exec(id);
  return [BigInt(found?.[1] ?? 0), BigInt(found?.[2] ?? 0)];
}
