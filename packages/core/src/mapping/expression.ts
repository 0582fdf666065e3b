import type { Json, SourceRecord } from "@quiesce/sdk";
import jsonata from "jsonata";
import { sortedJson } from "../catalog/sorted-json.js";
import { type ExpressionProblem, expressionProblems } from "./expression-problems.js";
import { LinearRegExp } from "./linear-regexp.js";
import { plainJson } from "./plain-json.js";

/** What evaluating one expression for one record may take. Steps decide before the time does, so that the verdict on a record is the same everywhere. */
export const EXPRESSION_LIMITS = {
  characters: 4_000,
  steps: 20_000,
  timeoutMs: 1_000,
  nesting: 200,
  elements: 10_000,
  /** Of one text: some functions of the library take seconds for a million. */
  textCharacters: 100_000,
  resultCharacters: 1_048_576,
} as const;

/** A checked expression. */
export interface Expression {
  /** Its value for a record, undefined if it has none; or why there is none. Throws nothing. */
  readonly evaluate: (record: SourceRecord) => Promise<ExpressionValue>;
}

export type ExpressionValue =
  | { readonly ok: true; readonly value: Json | undefined }
  | { readonly ok: false; readonly position: number | null; readonly message: string };

export type CompiledExpression =
  | { readonly ok: true; readonly expression: Expression }
  | { readonly ok: false; readonly problems: readonly ExpressionProblem[] };

/** The expressions of some hundred integrations; more would hold memory for texts that nobody uses any more. */
const MOST_COMPILED = 2_000;
const compiled = new Map<string, CompiledExpression>();

/**
 * Parses and checks a JSONata expression; the same text is compiled once. It reaches nothing but the record: no time, no chance, no text that is
 * evaluated, patterns in linear time, and all of it within {@link EXPRESSION_LIMITS}.
 *
 * @example compileExpression("first & ' ' & $uppercase(last)")
 */
export function compileExpression(text: string): CompiledExpression {
  const known = compiled.get(text);
  if (known !== undefined) return known;
  const result = compile(text);
  const oldest = compiled.size >= MOST_COMPILED ? compiled.keys().next().value : undefined;
  if (oldest !== undefined) compiled.delete(oldest);
  compiled.set(text, result);
  return result;
}

function compile(text: string): CompiledExpression {
  if (text.length > EXPRESSION_LIMITS.characters) {
    const message = `Found ${text.length} characters, expected at most ${EXPRESSION_LIMITS.characters}.`;
    return { ok: false, problems: [{ position: null, message }] };
  }
  try {
    const parsed = jsonata(text, {
      timeout: EXPRESSION_LIMITS.timeoutMs,
      stack: EXPRESSION_LIMITS.nesting,
      sequence: EXPRESSION_LIMITS.elements,
      // It does what the library calls of a RegExp, and is no RegExp.
      RegexEngine: LinearRegExp as unknown as RegExpConstructor,
    });
    const problems = expressionProblems(parsed.ast());
    if (problems.length > 0) return { ok: false, problems };
    bound(parsed);
    return { ok: true, expression: { evaluate: (record) => evaluate(parsed, record) } };
  } catch (error) {
    return { ok: false, problems: [problemOf(error)] };
  }
}

/** Each evaluation counts in an object of its own, under a name that no expression can write. */
const BUDGET = "steps left";
interface Budget {
  left: number;
}

/** The library's own hooks, called before and after every step. */
const ON_STEP = Symbol.for("jsonata.__evaluate_entry");
const AFTER_STEP = Symbol.for("jsonata.__evaluate_exit");

function bound(parsed: jsonata.Expression): void {
  const hook = (name: symbol, call: (...values: never[]) => void) => parsed.assign(name as unknown as string, call);
  hook(ON_STEP, (_node: unknown, _input: unknown, environment: jsonata.Environment) => {
    const budget = environment.lookup(BUDGET) as Budget;
    budget.left -= 1;
    if (budget.left < 0) throw new Error(`It takes more than ${EXPRESSION_LIMITS.steps} steps.`);
  });
  hook(AFTER_STEP, (_node: unknown, _input: unknown, _environment: unknown, result: unknown) => requireSmall(result));
  parsed.registerFunction("pad", pad, "<s-ns?:s>");
  parsed.registerFunction("distinct", distinct, "<x:x>");
}

function requireSmall(value: unknown): void {
  const { elements, textCharacters } = EXPRESSION_LIMITS;
  if (typeof value === "string" && value.length > textCharacters) throw new Error(`A text is longer than ${textCharacters} characters.`);
  if (Array.isArray(value) && value.length > elements) throw new Error(`A list is longer than ${elements} elements.`);
}

/** The library's own builds any length before anybody can look at it. */
function pad(text: string | undefined, width: number, filler = " "): string | undefined {
  if (text === undefined) return undefined;
  if (Math.abs(width) > EXPRESSION_LIMITS.textCharacters)
    throw new Error(`A text is longer than ${EXPRESSION_LIMITS.textCharacters} characters.`);
  const missing = Math.max(0, Math.abs(width) - Array.from(text).length);
  const characters = Array.from(filler === "" ? " " : filler);
  const padding = Array.from({ length: missing }, (_none, index) => characters[index % characters.length] ?? " ").join("");
  return width < 0 ? padding + text : text + padding;
}

/** The library's own compares each value with each: half a minute for ten thousand objects. */
function distinct(values: unknown): unknown {
  if (!Array.isArray(values) || values.length <= 1) return values;
  const found = new Map<string, unknown>();
  for (const value of values) {
    const text = JSON.stringify(sortedJson(value)) ?? "";
    if (!found.has(text)) found.set(text, value);
  }
  const different = [...found.values()];
  // As elsewhere in the language, what a path found and is one value is that value.
  return different.length === 1 && "sequence" in values ? different[0] : different;
}

async function evaluate(parsed: jsonata.Expression, record: SourceRecord): Promise<ExpressionValue> {
  const budget: Budget = { left: EXPRESSION_LIMITS.steps };
  const { key, version, at, op = "upsert" } = record;
  try {
    const value: unknown = await parsed.evaluate(record.data, { key, version, at, op, [BUDGET]: budget });
    const plain = plainJson(value, EXPRESSION_LIMITS.resultCharacters);
    return plain.ok ? { ok: true, value: plain.value } : { ok: false, position: null, message: plain.problem };
  } catch (error) {
    return { ok: false, ...problemOf(error) };
  }
}

/** The library throws plain objects. */
function problemOf(thrown: unknown): ExpressionProblem {
  const { position, message } = (typeof thrown === "object" && thrown !== null ? thrown : {}) as { position?: unknown; message?: unknown };
  return {
    position: typeof position === "number" ? position : null,
    message: typeof message === "string" && message !== "" ? sentence(message) : "It cannot be evaluated.",
  };
}

function sentence(text: string): string {
  return /[.!?]$/u.test(text) ? text : `${text}.`;
}
