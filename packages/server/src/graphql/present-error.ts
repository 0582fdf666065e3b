import { randomUUID } from "node:crypto";
import { DomainError } from "@quiesce/core";
import { GraphQLError } from "graphql";
import type { Log } from "../log.js";
import { valueFreeMessage } from "./value-free-message.js";

/** SQLSTATEs of a database that is busy, not broken: cancelled by a timeout, lock not available, deadlock, serialisation, too many connections. */
const BUSY = new Set(["57014", "55P03", "40P01", "40001", "53300"]);

/** SQLSTATEs of text that PostgreSQL has no place for: a NUL, plain or as \u0000 in JSON; and of JSON that it cannot read, such as half a surrogate pair. */
const UNSTORABLE = new Set(["22021", "22P05"]);
const UNREADABLE = new Set(["22P02"]);

/** An error as a stranger may see it: code, message, the field at fault, and details. */
export interface PresentedError {
  readonly code: string;
  readonly message: string;
  readonly field?: string;
  readonly details?: { readonly [name: string]: unknown };
}

/**
 * Expected refusals are shown as they are. Everything else is a fault of ours: it is logged with an id, and only the id is shown.
 */
export function presentError(error: unknown, log: Log): PresentedError {
  for (const cause of causes(error)) {
    if (cause instanceof DomainError) {
      const hasDetails = Object.keys(cause.details).length > 0;
      return {
        code: cause.code,
        message: cause.message,
        ...(cause.field === undefined ? {} : { field: cause.field }),
        ...(hasDetails ? { details: cause.details } : {}),
      };
    }
    if (isUnstorableText(cause))
      return {
        code: "QSC_HTTP_TEXT_INVALID",
        message: "A text holds a NUL character or half of a surrogate pair, which cannot be stored. Send it without.",
      };
    if (hasState(cause, BUSY)) {
      log.warn({ err: cause }, "the database is busy");
      return { code: "QSC_DATABASE_BUSY", message: "The database is too busy to answer now. Try again in a moment." };
    }
  }
  const errorId = randomUUID();
  log.error({ err: error, errorId }, "a request failed unexpectedly");
  return {
    code: "QSC_INTERNAL",
    message: `Something went wrong inside Quiesce. Its log says what, under the id ${errorId}.`,
    details: { errorId },
  };
}

/** The same for GraphQL, keeping where in the document it happened. Faults in the document itself are the caller's to see. */
export function presentGraphqlError(error: unknown, log: Log): GraphQLError {
  if (error instanceof GraphQLError && isCallersFault(error)) {
    if (String(error.extensions["code"]).startsWith("QSC_")) return error;
    return located(error, valueFreeMessage(error.message), { ...error.extensions, code: "QSC_GRAPHQL_INVALID" });
  }
  const { code, message, field, details } = presentError(error, log);
  return located(error, message, { code, ...(field === undefined ? {} : { field }), ...(details === undefined ? {} : { details }) });
}

/** GraphQL's own words on a document or its variables; a variable that does not fit wraps them once more. */
function isCallersFault(error: GraphQLError): boolean {
  const { originalError } = error;
  return originalError === undefined || (originalError instanceof GraphQLError && isCallersFault(originalError));
}

/** An error outside of any field, as GraphQL shows it. */
export function presentedError(error: unknown, log: Log): GraphQLError {
  if (error instanceof GraphQLError) return presentGraphqlError(error, log);
  const originalError = error instanceof Error ? error : new Error(String(error));
  return presentGraphqlError(new GraphQLError("refused", { originalError }), log);
}

function located(error: unknown, message: string, extensions: { readonly [name: string]: unknown }): GraphQLError {
  const at = error instanceof GraphQLError ? error : null;
  return new GraphQLError(message, {
    nodes: at?.nodes ?? null,
    source: at?.source ?? null,
    positions: at?.positions ?? null,
    path: at?.path ?? null,
    extensions,
  });
}

/** The error, what it wraps, and so on: GraphQL and drizzle both wrap. */
function* causes(error: unknown): Generator<Error> {
  let current: unknown = error;
  for (let depth = 0; depth < 8 && current instanceof Error; depth += 1) {
    yield current;
    current = current instanceof GraphQLError && current.originalError !== undefined ? current.originalError : current.cause;
  }
}

function isUnstorableText(error: Error): boolean {
  if (hasState(error, UNSTORABLE)) return true;
  return hasState(error, UNREADABLE) && "detail" in error && /\bsurrogate\b/.test(String(error.detail));
}

function hasState(error: Error, states: ReadonlySet<string>): boolean {
  return "code" in error && typeof error.code === "string" && states.has(error.code);
}
