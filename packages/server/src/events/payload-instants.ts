/** What the database's functions write: ISO 8601 with an offset, which is zero because every session's zone is UTC. */
const withOffset = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?\+00:00$/;
/** Payloads are flat; lists in them hold objects. */
const maxDepth = 4;

/** A payload with every instant in the one form that the API has, 2026-11-22T02:00:00.000Z, whoever wrote it. */
export function withPayloadInstants<T>(value: T, depth = 0): T {
  return normalised(value, depth) as T;
}

function normalised(value: unknown, depth: number): unknown {
  if (typeof value === "string") return value.endsWith("+00:00") && withOffset.test(value) ? new Date(value).toISOString() : value;
  if (typeof value !== "object" || value === null || depth >= maxDepth) return value;
  if (Array.isArray(value)) return value.map((one: unknown) => normalised(one, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, normalised(one, depth + 1)]));
}
