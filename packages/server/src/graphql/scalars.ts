import { parseInstantText } from "@quiesce/core";
import { GraphQLError, Kind, type ValueNode } from "graphql";
import { builder } from "./builder.js";

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?(?:Z|[+-]\d{2}:\d{2})$/;
const JSON_MAX_DEPTH = 32;

/** DateTime and JSON. */
export function defineScalars(): void {
  builder.scalarType("DateTime", {
    description: "An instant in UTC: 2026-11-20T08:00:00.000Z. Input may carry an offset instead of Z, never neither.",
    serialize: instantText,
    parseValue: parseInstant,
    parseLiteral: (node) => parseInstant(node.kind === Kind.STRING ? node.value : undefined),
  });
  builder.scalarType("JSON", {
    description: "Any JSON value.",
    serialize: (value) => value,
    parseValue: (value) => boundedJson(value, 0),
    parseLiteral: (node) => jsonOf(node, 0),
  });
}

const DAY_MS = 86_400_000;
/** The latest day that was written: what is shown together mostly happened together. */
let latestDay = { day: Number.NaN, text: "" };

/** As toISOString, in a quarter of its time. */
function instantText(ms: number): string {
  const day = Math.floor(ms / DAY_MS);
  if (day !== latestDay.day) {
    const whole = new Date(ms).toISOString();
    // Years of six digits have a sign, and no place here.
    if (whole.length !== "2026-11-20T08:00:00.000Z".length) return whole;
    latestDay = { day, text: whole.slice(0, "2026-11-20T".length) };
  }
  const ofDay = ms - day * DAY_MS;
  const [hours, minutes, seconds] = [Math.floor(ofDay / 3_600_000), Math.floor(ofDay / 60_000) % 60, Math.floor(ofDay / 1_000) % 60];
  return `${latestDay.text}${two(hours)}:${two(minutes)}:${two(seconds)}.${String(ofDay % 1_000).padStart(3, "0")}Z`;
}

const two = (value: number): string => (value < 10 ? `0${value}` : String(value));

function parseInstant(value: unknown): number {
  const instant = typeof value === "string" && INSTANT.test(value) ? parseInstantText(value) : Number.NaN;
  if (Number.isNaN(instant)) {
    throw new GraphQLError(`${JSON.stringify(value)} is not an instant. Expected ISO 8601 with an offset, as 2026-11-20T08:00:00Z.`);
  }
  return instant;
}

/** Variables are walked by resolvers: an object a million levels deep must not be one of them. */
function boundedJson(value: unknown, depth: number): unknown {
  if (depth > JSON_MAX_DEPTH) throw new GraphQLError(`The JSON value is more than ${JSON_MAX_DEPTH} levels deep.`);
  if (typeof value === "object" && value !== null) for (const child of Object.values(value)) boundedJson(child, depth + 1);
  return value;
}

function jsonOf(node: ValueNode, depth: number): unknown {
  if (depth > JSON_MAX_DEPTH) throw new GraphQLError(`The JSON value is more than ${JSON_MAX_DEPTH} levels deep.`);
  switch (node.kind) {
    case Kind.STRING:
    case Kind.BOOLEAN:
    case Kind.ENUM:
      return node.value;
    case Kind.INT:
    case Kind.FLOAT:
      return Number(node.value);
    case Kind.NULL:
      return null;
    case Kind.LIST:
      return node.values.map((value) => jsonOf(value, depth + 1));
    case Kind.OBJECT:
      return Object.fromEntries(node.fields.map((field) => [field.name.value, jsonOf(field.value, depth + 1)]));
    case Kind.VARIABLE:
      throw new GraphQLError("A variable inside a JSON literal is not supported: pass the whole value as one variable.");
  }
}
