import { z } from "zod";
import { CliError } from "./cli-error.js";
import type { Connection } from "./cli.js";
import type { ExitCodeName } from "./exit-codes.js";
import { refusalHint } from "./refusal-hints.js";

/** One request to the server: its document, and the shape of the answer's `data`. */
export interface Operation<T> {
  readonly document: string;
  readonly data: z.ZodType<T>;
}

export function operation<T>(document: string, data: z.ZodType<T>): Operation<T> {
  return { document, data };
}

type Variables = { readonly [name: string]: unknown };

/** Speaks GraphQL over HTTP. Throws CliError: unreachable, denied, refused, or internal when the answer is not understood. */
export interface GraphqlClient {
  readonly connection: Connection;
  readonly request: <T>(wanted: Operation<T>, variables?: Variables) => Promise<T>;
}

const REQUEST_MS = 30_000;

const graphqlErrorSchema = z.looseObject({
  message: z.string(),
  extensions: z
    .looseObject({ code: z.string().optional(), field: z.string().nullish(), details: z.record(z.string(), z.unknown()).nullish() })
    .optional(),
});
const responseSchema = z.looseObject({ data: z.unknown().optional(), errors: z.array(graphqlErrorSchema).optional() });

export function graphqlClient(
  connection: Connection,
  options: { readonly timeoutMs?: number; readonly signal?: AbortSignal } = {},
): GraphqlClient {
  return {
    connection,
    request: async (wanted, variables = {}) => {
      const response = await send(connection, "/graphql", {
        body: { query: wanted.document, variables },
        timeoutMs: options.timeoutMs ?? REQUEST_MS,
        signal: options.signal,
      });
      const answer = responseSchema.safeParse(response.json);
      if (!answer.success) throw notQuiesce(connection, response.status);
      const error = answer.data.errors?.[0];
      if (error !== undefined) throw errorOf(error, response.status, connection);
      const data = wanted.data.safeParse(answer.data.data);
      if (!data.success) throw notUnderstood(connection, data.error);
      return data.data;
    },
  };
}

export interface HttpAnswer {
  readonly status: number;
  /** undefined when the body was no JSON. */
  readonly json: unknown;
}

/** One HTTP request with the token. Throws CliError `unreachable` when no answer came. */
export async function send(
  connection: Connection,
  path: string,
  options: {
    readonly method?: "GET" | "POST";
    readonly body?: unknown;
    /** Instead of a body: JSON, one value a line. */
    readonly lines?: string;
    readonly timeoutMs: number;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<HttpAnswer> {
  try {
    const response = await fetch(new URL(`${basePath(connection.url)}${path}`, connection.url), {
      method: options.method ?? "POST",
      headers: {
        accept: "application/json",
        "x-requested-with": "quiesce-cli",
        ...(options.body === undefined ? {} : { "content-type": "application/json" }),
        ...(options.lines === undefined ? {} : { "content-type": "application/x-ndjson" }),
        ...(connection.token === undefined ? {} : { authorization: `Bearer ${connection.token}` }),
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      ...(options.lines === undefined ? {} : { body: options.lines }),
      // A token must not follow to wherever an answer points.
      redirect: "error",
      signal:
        options.signal === undefined
          ? AbortSignal.timeout(options.timeoutMs)
          : AbortSignal.any([AbortSignal.timeout(options.timeoutMs), options.signal]),
    });
    const text = await response.text();
    return { status: response.status, json: jsonOf(text) };
  } catch (error) {
    throw unreachable(connection, error);
  }
}

/** A server may live below a path: https://host/quiesce. */
function basePath(url: string): string {
  return new URL(url).pathname.replace(/\/+$/, "");
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function errorOf(error: z.infer<typeof graphqlErrorSchema>, status: number, connection: Connection): CliError {
  const { code, field, details } = error.extensions ?? {};
  return refusal({ code, message: error.message, field: field ?? undefined, details: details ?? undefined, status, connection });
}

/** The error of an answer that refuses, whether GraphQL or REST brought it. */
export function refusal(answer: {
  readonly code: string | undefined;
  readonly message: string;
  readonly field?: string | undefined;
  readonly details?: { readonly [name: string]: unknown } | undefined;
  readonly status: number;
  readonly connection: Connection;
}): CliError {
  const exit = exitOf(answer.code, answer.status);
  const advice = `${tokenAdvice(answer.code, answer.connection)}${refusalHint(answer.code)}`;
  return new CliError(exit, `${answer.message}${advice}`, { code: answer.code, field: answer.field, details: answer.details });
}

function tokenAdvice(code: string | undefined, connection: Connection): string {
  if (code === "QSC_ACCESS_TOKEN_MISSING")
    return " Set QUIESCE_TOKEN; the first token was shown, and written to <data dir>/admin-token, when the server first started.";
  if (code === "QSC_ACCESS_TOKEN_INVALID" || code === "QSC_ACCESS_TOKEN_REVOKED" || code === "QSC_ACCESS_TOKEN_EXPIRED")
    return ` (It came from ${connection.tokenSource}.)`;
  return "";
}

/** Refusals of what is asked about accounts and tokens, not of whoever asks. */
const CANNOT_BE: ReadonlySet<string> = new Set([
  "QSC_ACCESS_GRANT",
  "QSC_ACCESS_NAME",
  "QSC_ACCESS_NAME_TAKEN",
  "QSC_ACCESS_NOT_LOCAL",
  "QSC_ACCESS_NOT_OWN",
  "QSC_ACCESS_OWN_ACCOUNT",
  "QSC_ACCESS_OWNER",
  "QSC_ACCESS_PRINCIPAL_NOT_FOUND",
  "QSC_ACCESS_TOKEN_EXPIRY",
  "QSC_ACCESS_TOKEN_NAME",
  "QSC_ACCESS_TOKEN_NOT_FOUND",
]);

/** The server is there and cannot answer now; for whoever waits that is the same as no server. */
const NOT_NOW: ReadonlySet<string> = new Set(["QSC_INTERNAL", "QSC_DATABASE_BUSY", "QSC_HTTP_RATE_LIMITED"]);

function exitOf(code: string | undefined, status: number): ExitCodeName {
  if (code !== undefined && NOT_NOW.has(code)) return "unreachable";
  if (code !== undefined && CANNOT_BE.has(code)) return "refused";
  if (code?.startsWith("QSC_ACCESS_") === true || status === 401 || status === 403) return "denied";
  return "refused";
}

const REASONS: { readonly [code: string]: string } = {
  ECONNREFUSED: "nothing listens there",
  ECONNRESET: "the connection was cut",
  ENOTFOUND: "the host name is not known",
  EAI_AGAIN: "the host name cannot be looked up now",
  ETIMEDOUT: "no answer in time",
  EHOSTUNREACH: "no way to the host",
  UND_ERR_SOCKET: "the connection was cut",
  UND_ERR_CONNECT_TIMEOUT: "no answer in time",
};

function unreachable(connection: Connection, error: unknown): CliError {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  const timedOut = error instanceof Error && error.name === "TimeoutError";
  const reason = timedOut
    ? "no answer in time"
    : (REASONS[code] ?? (cause instanceof Error ? cause.message : error instanceof Error ? error.message : String(error)));
  return new CliError(
    "unreachable",
    `No Quiesce server answers at ${connection.url} (${reason}). Start one with \`quiesce start\`, or say where it is with --url or QUIESCE_URL.`,
    {
      cause: error,
    },
  );
}

export function notQuiesce(connection: Connection, status: number): CliError {
  return new CliError(
    "unreachable",
    `What answers at ${connection.url} (HTTP ${status}) is not a Quiesce server. Check --url or QUIESCE_URL.`,
  );
}

export function notUnderstood(connection: Connection, error: z.ZodError): CliError {
  const issue = error.issues[0];
  const where = issue === undefined ? "" : ` (${issue.path.map(String).join(".")}: ${issue.message})`;
  return new CliError(
    "internal",
    `The server at ${connection.url} answered in a way that this version does not understand${where}. Compare the versions with \`quiesce doctor\`.`,
  );
}
