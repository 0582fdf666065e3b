/** The same JSON with the members of every object in one order, so that two equal values have one text. Lists keep theirs. */
export function sortedJson<T>(value: T): T {
  return sorted(value) as T;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, member]) => [name, sorted(member)]));
}

/** The text of {@link sortedJson}: what `JSON.stringify(sortedJson(value))` gives, without the copy. */
export function sortedText(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(sortedText).join(",")}]`;
  const names = Object.keys(value).toSorted();
  // Members that look like numbers come first in every object, in the order of the numbers.
  if (names.some((name) => STARTS_WITH_DIGIT.test(name))) return JSON.stringify(sorted(value));
  const members: string[] = [];
  for (const name of names) {
    const member = (value as { readonly [name: string]: unknown })[name];
    if (member !== undefined) members.push(`${JSON.stringify(name)}:${sortedText(member)}`);
  }
  return `{${members.join(",")}}`;
}

const STARTS_WITH_DIGIT = /^\d/;

/** Whether two JSON values are equal; the order of members and absent ones do not count. */
export function equalJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}
