import { type Logger, pino, stdSerializers } from "pino";
import type { Config } from "./config.js";

/** What pino adds to every line, and what is shown in a way of its own. */
const OWN_FIELDS: ReadonlySet<string> = new Set(["level", "time", "msg", "err"]);
const LEVEL_WARN = 40;
const LEVEL_ERROR = 50;

/** What the rooms need of a logger; pino's is one. */
export interface Log {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** The server's log on standard output: one JSON object a line for programs, or a calm line for a person at a terminal. */
export function createLog(config: Pick<Config, "logLevel" | "logFormat">, out: NodeJS.WriteStream = process.stdout): Logger {
  const settings = { level: config.logLevel, base: null, serializers: { err: loggedError } };
  const asText = config.logFormat === "text" || (config.logFormat === "auto" && out.isTTY);
  return asText ? pino(settings, { write: (line: string) => void out.write(`${textOfLogLine(line)}\n`) }) : pino(settings, out);
}

/** Fields of a database's error that quote the row at fault. */
const ROW_FIELDS = ["detail", "where"];
/** Errors inside errors that are looked at. */
const MAX_CAUSES = 8;

/** An error as the log has it: with the statement that failed, without the values that were bound to it, which are records, personal data or secrets. */
function loggedError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const bound = boundTexts(error);
  // Errors inside it have their say in its message and stack.
  const inner = Object.entries(error).flatMap(([name, value]: [string, unknown]) => (value instanceof Error ? [name] : []));
  const hidden = new Set(["params", "aggregateErrors", ...ROW_FIELDS, ...inner]);
  const shown = Object.entries(stdSerializers.err(error)).filter(([name]) => !hidden.has(name));
  return Object.fromEntries(
    shown.map(([name, value]: [string, unknown]): [string, unknown] => [name, typeof value === "string" ? without(value, bound) : value]),
  );
}

/** What an error says, without the values that were bound to a statement of it. */
export function loggedMessage(error: Error): string {
  return without(error.message, boundTexts(error));
}

/** Drizzle puts them into the message of its error, and whatever wraps that takes its words over. */
function boundTexts(error: Error): readonly string[] {
  const texts: string[] = [];
  let current: unknown = error;
  for (let depth = 0; depth < MAX_CAUSES && current instanceof Error; depth += 1) {
    if ("query" in current && "params" in current && Array.isArray(current.params)) texts.push(`params: ${String(current.params)}`);
    current = "originalError" in current && current.originalError instanceof Error ? current.originalError : current.cause;
  }
  return texts;
}

function without(text: string, bound: readonly string[]): string {
  return bound.reduce((left, one) => left.replaceAll(one, "params: [hidden]"), text);
}

/** A line of pino's as a person reads it: `08:15:00  warning  The lease could not be renewed. (runs 3)`. Errors keep their message; the stack is in the JSON format. */
export function textOfLogLine(line: string): string {
  const entry: unknown = JSON.parse(line);
  if (typeof entry !== "object" || entry === null) return line.trimEnd();
  const fields: { readonly [name: string]: unknown } = { ...entry };
  const level = Number(fields.level);
  const importance = level >= LEVEL_ERROR ? "error" : level >= LEVEL_WARN ? "warning" : "";
  const rest = Object.entries(fields).filter(([name]) => !OWN_FIELDS.has(name));
  const details = rest.map(([name, value]) => `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`).join(", ");
  return withoutSteering([
    timeOfDay(Number(fields.time)),
    "  ",
    importance.padEnd(7),
    "  ",
    typeof fields.msg === "string" ? fields.msg : "",
    errorMessage(fields.err),
    details === "" ? "" : ` (${details})`,
  ]);
}

/** What begins another line, moves a terminal's cursor or turns text around: who writes it into a name must not write the log. */
const STEERING = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]+/gu;

function withoutSteering(parts: readonly string[]): string {
  return parts.join("").replaceAll(STEERING, " ");
}

function errorMessage(error: unknown): string {
  if (typeof error !== "object" || error === null || !("message" in error)) return "";
  return ` ${String(error.message)}`;
}

/** The time on this machine's clock: a terminal is read where it stands. */
function timeOfDay(epochMs: number): string {
  return new Date(epochMs).toTimeString().slice(0, 8);
}
