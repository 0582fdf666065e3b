import { ConnectorError, z } from "@quiesce/sdk";

export const matcherSchema = z.object({ name: z.string(), value: z.string(), isRegex: z.boolean(), isEqual: z.boolean().default(true) });

/** What an alert's label must be like. Alertmanager anchors regular expressions (RE2) at both ends. */
export type Matcher = z.output<typeof matcherSchema>;

const OTHER_LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)=(.+)$/su;
const RE2_META = /[\\.+*?()|[\]{}^$]/gu;

/**
 * The matchers of the silences that resources need: the matchers of one silence all have to be met, so there is one silence a label, with the values as
 * alternatives. `erp` is a value of `resourceLabel`, `job=erp` of the label job.
 */
export function matchersOf(resources: readonly string[], resourceLabel: string): readonly Matcher[] {
  const valuesOf = new Map<string, Set<string>>();
  for (const resource of resources) {
    if (resource === "")
      throw new ConnectorError("invalid", "A resource without a name would silence everything without that label.", { field: "resources" });
    const [, label = resourceLabel, value = resource] = OTHER_LABEL.exec(resource) ?? [];
    valuesOf.set(label, (valuesOf.get(label) ?? new Set()).add(value));
  }
  return [...valuesOf].map(([name, values]): Matcher => {
    const [only, ...others] = [...values].toSorted();
    if (only !== undefined && others.length === 0) return { name, value: only, isRegex: false, isEqual: true };
    const alternatives = [only ?? "", ...others].map((value) => value.replaceAll(RE2_META, "\\$&"));
    return { name, value: alternatives.join("|"), isRegex: true, isEqual: true };
  });
}

/** The resources that a silence is about: those of {@link matchersOf}, or for one that somebody else made its matchers as Alertmanager shows them. */
export function resourcesOf(matchers: readonly Matcher[], resourceLabel: string): readonly string[] {
  const [only] = matchers;
  if (matchers.length === 1 && only?.isEqual === true) {
    const named = (value: string): string => (only.name === resourceLabel && !OTHER_LABEL.test(value) ? value : `${only.name}=${value}`);
    if (!only.isRegex) return [named(only.value)];
    const values = literalsOf(only.value);
    if (values !== undefined) return values.map(named);
  }
  const shown = matchers.map((one) => `${one.name}${one.isEqual ? "=" : "!"}${one.isRegex ? "~" : one.isEqual ? "" : "="}"${one.value}"`);
  return [`{${shown.join(",")}}`];
}

export function sameMatchers(one: readonly Matcher[], other: readonly Matcher[]): boolean {
  const text = (list: readonly Matcher[]): string =>
    JSON.stringify(list.map((m) => [m.name, m.value, m.isRegex, m.isEqual]).toSorted((a, b) => (String(a) < String(b) ? -1 : 1)));
  return text(one) === text(other);
}

/** The values of an expression that is nothing but alternatives of plain texts. */
function literalsOf(expression: string): readonly string[] | undefined {
  const values = [""];
  for (let at = 0; at < expression.length; at += 1) {
    const character = expression.charAt(at);
    if (character === "|") values.push("");
    else if (character === "\\") {
      at += 1;
      const next = expression.charAt(at);
      if (next === "" || next.search(RE2_META) < 0) return undefined;
      values[values.length - 1] += next;
    } else if (character.search(RE2_META) >= 0) return undefined;
    else values[values.length - 1] += character;
  }
  return values.includes("") ? undefined : values;
}
