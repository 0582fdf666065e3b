import type { Cursor } from "../index.js";

/** An instant that nothing in a test reaches. */
export const FAR_FUTURE = "2999-01-01T00:00:00.000Z";

/** The cursor, with what looks like a time in it moved into the year 2999; null if there is no such thing in it. */
export function inFuture(cursor: Cursor | null): Cursor | null {
  const far = Date.parse(FAR_FUTURE);
  const entries = Object.entries(cursor ?? {}).map(([name, value]): [string, Cursor[string]] => {
    if (typeof value === "string" && /^\d{4}-\d{2}-\d{2}/u.test(value)) return [name, value.replace(/^\d{4}/u, "2999")];
    if (typeof value === "number" && value > 1e11) return [name, far];
    if (typeof value === "number" && value > 1e8) return [name, far / 1000];
    return [name, value];
  });
  const changed = entries.some(([name, value]) => cursor?.[name] !== value);
  return changed ? Object.fromEntries(entries) : null;
}
