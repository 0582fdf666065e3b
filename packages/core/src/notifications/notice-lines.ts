/** So many lines of data stand in a message for people; the whole is in what webhooks get. */
const MAX_LINES = 100;
const MAX_LINE = 500;

/** Data line by line, as `owner.team: finance`; empty members are left out. */
export function linesOf(data: { readonly [name: string]: unknown }): readonly string[] {
  const lines: string[] = [];
  const walk = (value: unknown, path: string): void => {
    if (lines.length >= MAX_LINES || value === null || value === undefined || value === "") return;
    if (Array.isArray(value)) {
      if (value.every((one) => typeof one !== "object")) lines.push(`${path}: ${value.join(", ")}`);
      else for (const [at, one] of value.entries()) walk(one, `${path}[${at}]`);
      return;
    }
    if (typeof value === "object") {
      for (const [name, one] of Object.entries(value)) walk(one, path === "" ? name : `${path}.${name}`);
      return;
    }
    lines.push(`${path}: ${typeof value === "string" ? value : JSON.stringify(value)}`);
  };
  walk(data, "");
  return lines.map((line) => (line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}…` : line));
}

/** True of an instant as messages write it. */
export function isInstant(value: unknown): boolean {
  return typeof value === "string" && !Number.isNaN(Date.parse(value));
}
