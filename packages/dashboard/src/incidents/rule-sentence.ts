import type { IntlShape } from "react-intl";

/** A rule as far as it is told in words. The API gives JSON: whatever is not as expected is left out. */
export interface ShownRule {
  readonly id: string;
  readonly action: "GROUP" | "SUPPRESS" | "ANNOTATE";
  /** Field and values, as ["node", "test-*"]. */
  readonly match: readonly (readonly [field: string, values: string])[];
  readonly groupBy: readonly string[];
  readonly holdSeconds: number | null;
  readonly storm: { readonly enter: number; readonly leave: number } | null;
}

type Known = { readonly [name: string]: unknown };

export function rulesOf(rules: unknown): readonly ShownRule[] {
  return Array.isArray(rules) ? rules.filter(isObject).map(ruleOf) : [];
}

function ruleOf(rule: Known): ShownRule {
  const match = isObject(rule["match"]) ? rule["match"] : {};
  const labels = isObject(match["labels"]) ? match["labels"] : {};
  const storm = isObject(rule["storm"]) ? rule["storm"] : null;
  const fields = [
    ...Object.entries(match).filter(([name]) => name !== "labels"),
    ...Object.entries(labels).map(([name, values]) => [`label ${name}`, values] as const),
  ];
  return {
    id: String(rule["id"]),
    action: rule["action"] === "SUPPRESS" || rule["action"] === "ANNOTATE" ? rule["action"] : "GROUP",
    match: fields.map(([name, values]) => [name, textsOf(values).join(", ")] as const),
    groupBy: textsOf(rule["groupBy"]),
    holdSeconds: typeof rule["holdSeconds"] === "number" ? rule["holdSeconds"] : null,
    storm: storm === null ? null : { enter: Number(storm["enter"]), leave: Number(storm["leave"]) },
  };
}

/** "Alerts with node test-*: kept quiet, unless they are critical." */
export function ruleSentence(rule: ShownRule, { formatMessage }: Pick<IntlShape, "formatMessage">): string {
  const match =
    rule.match.length === 0
      ? formatMessage({ id: "incidents.rule.all" })
      : formatMessage({ id: "incidents.rule.match" }, { match: rule.match.map(([name, values]) => `${name} = ${values}`).join("; ") });
  const action = formatMessage(
    { id: `incidents.rule.${rule.action}` },
    { groupBy: rule.groupBy.length === 0 ? "none" : rule.groupBy.join(", "), hold: rule.holdSeconds ?? 0 },
  );
  const storm = rule.storm === null ? "" : ` ${formatMessage({ id: "incidents.rule.storm" }, rule.storm)}`;
  return `${match} ${action}${storm}`;
}

function isObject(value: unknown): value is Known {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
