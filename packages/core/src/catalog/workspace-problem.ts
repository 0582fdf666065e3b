import type { z } from "zod";
import { nearestName } from "./nearest-name.js";

/** One thing wrong with a workspace. */
export interface WorkspaceProblem {
  /** Where: `integrations[2].source`; empty for the whole. */
  readonly path: string;
  /** The same as a list, for finding the line in a file. */
  readonly segments: readonly (string | number)[];
  /** What was found, what was expected and what to do; never a secret's value. */
  readonly message: string;
}

/** So many problems are told at most; the rest usually follows from them. */
export const MAX_PROBLEMS = 100;

const SHOWN_CHARACTERS = 60;

/** Makes a problem; its path follows from the segments. */
export function workspaceProblem(segments: readonly (string | number)[], message: string): WorkspaceProblem {
  return { path: pathText(segments), segments, message };
}

/** `integrations[2].source`; names that are no plain words stand in quotes: `config["a.b"]`. */
export function pathText(segments: readonly (string | number)[]): string {
  return segments.reduce<string>((path, segment) => {
    if (typeof segment === "number") return `${path}[${segment}]`;
    if (!/^[A-Za-z_][\w-]*$/.test(segment)) return `${path}[${JSON.stringify(segment)}]`;
    return path === "" ? segment : `${path}.${segment}`;
  }, "");
}

/** The problems of a failed parse, in words for people. `input` is what was parsed. */
export function problemsOfParse(error: z.ZodError, input: unknown, at: readonly (string | number)[] = []): readonly WorkspaceProblem[] {
  return error.issues.slice(0, MAX_PROBLEMS).map((issue) => {
    const own = issue.path.map((segment) => (typeof segment === "number" ? segment : String(segment)));
    const segments = [...at, ...own];
    const found = describeFound(valueAt(input, own), segments.includes("secrets") || segments.includes("secret"));
    // An unknown key is pointed at itself, not at the object that holds it.
    const pointed = issue.code === "unrecognized_keys" && issue.keys[0] !== undefined ? [...segments, issue.keys[0]] : segments;
    return { path: pathText(segments), segments: pointed, message: messageOf(issue, found) };
  });
}

function messageOf(issue: z.core.$ZodIssue, found: string): string {
  // Messages of our own schemas are sentences already; zod's own begin otherwise.
  const ours = /^(Expected|Found|Unknown|An? |The |exdates|every)/.test(issue.message);
  switch (issue.code) {
    case "invalid_type":
      if (found === "nothing") return `Missing. ${ours ? issue.message : `Expected ${typeName(issue.expected)}.`}`;
      return `Found ${found}. ${ours ? issue.message : `Expected ${typeName(issue.expected)}.`}`;
    case "invalid_value": {
      const values = issue.values.map(String);
      const nearest = nearestName(found.replaceAll('"', ""), values);
      const expected = ours ? issue.message : `Expected ${values.length === 1 ? "" : "one of "}${values.join(", ")}.`;
      return `${found === "nothing" ? "Missing" : `Found ${found}`}. ${expected}${nearest === undefined || ours ? "" : ` Did you mean ${nearest}?`}`;
    }
    case "unrecognized_keys":
      return issue.message;
    case "invalid_key":
      return `The name is not allowed. ${issue.issues[0]?.message ?? ""}`.trim();
    case "invalid_union":
      return `Found ${found}, which is none of the forms expected here.`;
    case "custom":
      return ours ? issue.message : `Found ${found}: ${issue.message}`;
    case "too_big":
      return ours ? issue.message : `Found ${found}, expected at most ${String(issue.maximum)}${unitOf(issue.origin)}.`;
    case "too_small":
      return ours ? issue.message : `Found ${found}, expected at least ${String(issue.minimum)}${unitOf(issue.origin)}.`;
    case "invalid_format":
    case "invalid_element":
    case "not_multiple_of":
      return `Found ${found}. ${ours ? issue.message : `${issue.message}.`}`;
  }
}

function unitOf(origin: string): string {
  if (origin === "string") return " characters";
  return origin === "array" ? " entries" : "";
}

function typeName(expected: string): string {
  const names: { readonly [type: string]: string } = {
    string: "a text",
    number: "a number",
    int: "a whole number",
    boolean: "true or false",
    object: "an object",
    record: "an object",
    array: "a list",
  };
  return names[expected] ?? expected;
}

function describeFound(value: unknown, hidden: boolean): string {
  if (value === undefined) return "nothing";
  if (value === null) return "null";
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === "object") return "an object";
  if (hidden) return typeof value === "string" ? "a text" : `a ${typeof value}`;
  const text =
    typeof value === "string" ? JSON.stringify(value) : typeof value === "symbol" ? "a symbol" : `${value as number | boolean | bigint}`;
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}

function valueAt(input: unknown, segments: readonly (string | number)[]): unknown {
  let value = input;
  for (const segment of segments) {
    if (typeof value !== "object" || value === null) return undefined;
    value = Object.hasOwn(value, segment) ? Reflect.get(value, segment) : undefined;
  }
  return value;
}
