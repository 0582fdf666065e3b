import { LinearRegExp } from "./linear-regexp.js";

/** What is wrong with an expression: `position` counts its characters from 1, null where it concerns the whole. */
export interface ExpressionProblem {
  readonly position: number | null;
  readonly message: string;
}

/** Names that a mapping's expressions know beside the functions of the language: what the record is called, not what is in it. */
export const RECORD_VARIABLES = ["key", "version", "op", "at"] as const;

/** The functions of JSONata that give the same answer for the same record. A test compares them with the library. */
export const EXPRESSION_FUNCTIONS: ReadonlySet<string> = new Set(
  `sum count max min average string substring substringBefore substringAfter lowercase uppercase length trim pad match contains replace split join
  formatNumber formatBase formatInteger parseInteger number floor ceil round abs sqrt power boolean not map zip filter single reduce sift keys lookup
  append exists spread merge reverse each error assert type sort distinct base64encode base64decode encodeUrlComponent encodeUrl decodeUrlComponent
  decodeUrl toMillis fromMillis clone`
    .split(/\s+/u)
    .filter((name) => name !== ""),
);

const notRepeatable = "a record that is mapped again must give the same result. Take the value from the record";

/** The functions of the library that mappings do not have, and why. */
export const REFUSED_FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ["now", notRepeatable],
  ["millis", notRepeatable],
  ["random", notRepeatable],
  ["shuffle", notRepeatable],
  ["eval", "an expression is checked when it is saved, so none may come out of a record"],
]);

type Node = { readonly [name: string]: unknown };

/** What a parsed expression asks for and may not have: functions that are refused or unknown, patterns that could run for ever. */
export function expressionProblems(ast: unknown): readonly ExpressionProblem[] {
  const nodes: Node[] = [];
  collect(ast, nodes, new Set());
  const known = new Set<string>(["", "$", ...RECORD_VARIABLES, ...EXPRESSION_FUNCTIONS, ...nodes.flatMap(boundNames)]);
  return nodes.flatMap((node) => [...variableProblems(node, known), ...patternProblems(node)]);
}

function collect(value: unknown, nodes: Node[], seen: Set<object>): void {
  // The parser shares some nodes between places.
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  seen.add(value);
  if (!Array.isArray(value) && "type" in value) nodes.push({ ...value });
  for (const member of Object.values(value)) collect(member, nodes, seen);
}

/** `$x := …`, the parameters of functions, and `@$x` and `#$x` of paths. */
function boundNames(node: Node): readonly string[] {
  const names: unknown[] = [node["focus"], node["index"], nameOf(node["type"] === "bind" ? node["lhs"] : undefined)];
  if (node["type"] === "lambda" && Array.isArray(node["arguments"])) names.push(...node["arguments"].map(nameOf));
  return names.filter((name) => typeof name === "string");
}

function nameOf(node: unknown): unknown {
  return typeof node === "object" && node !== null && "value" in node ? node.value : undefined;
}

function variableProblems(node: Node, known: ReadonlySet<string>): readonly ExpressionProblem[] {
  const name = node["value"];
  if (node["type"] !== "variable" || typeof name !== "string") return [];
  const refused = REFUSED_FUNCTIONS.get(name);
  if (refused !== undefined) return [{ position: positionOf(node), message: `$${name} is not available here, because ${refused}.` }];
  if (known.has(name)) return [];
  const records = RECORD_VARIABLES.map((one) => `$${one}`).join(", ");
  return [
    {
      position: positionOf(node),
      message: `$${name} is neither a function of the language nor set before; of the record there are ${records}.`,
    },
  ];
}

function patternProblems(node: Node): readonly ExpressionProblem[] {
  if (node["type"] !== "regex" || !(node["value"] instanceof RegExp)) return [];
  try {
    void new LinearRegExp(node["value"]);
    return [];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `The pattern /${node["value"].source}/ is not available here: ${reason}. Patterns are those of RE2, without lookaheads and backreferences.`;
    return [{ position: positionOf(node), message }];
  }
}

function positionOf(node: Node): number | null {
  return typeof node["position"] === "number" ? node["position"] : null;
}
