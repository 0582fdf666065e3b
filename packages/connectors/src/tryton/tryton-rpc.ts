import { ConnectorError, httpError, readText, retryAfterMs, type Context, type Json, type JsonObject } from "@quiesce/sdk";
import type { TrytonConfig, TrytonSecrets, TrytonStream } from "./tryton-config.js";
import { plainText, type Field } from "./tryton-values.js";

/** A call of this connector. */
export type TrytonContext = Context<TrytonConfig, TrytonSecrets>;

/** An answer's result, and the server's clock when it gave it (epoch milliseconds, whole seconds), if it said so. */
export interface RpcAnswer {
  readonly result: Json;
  readonly serverMs: number | undefined;
}

const SESSION = "session";
const SESSION_LIFE_MS = 3_600_000;
/** After five bad logins trytond refuses the user for that long ([session] timeout). It sends no Retry-After. */
const LOGIN_BLOCK_MS = 300_000;

/** The stream of that name, or a `config` error that lists those there are. */
export function streamOf(config: TrytonConfig, streamName: string): TrytonStream {
  const stream = config.streams.find((candidate) => candidate.name === streamName);
  if (stream !== undefined) return stream;
  const names = config.streams.map((candidate) => candidate.name).join(", ");
  throw new ConnectorError("config", `There is no stream "${streamName}" in this endpoint; it has ${names}.`);
}

/** Calls a method of a model: `callModel(x, "party.party", "search_count", [[]])`, with `more` in its context. Logs in if there is no session, once more if it was lost. */
export async function callModel(
  x: TrytonContext,
  model: string,
  method: string,
  params: readonly Json[],
  more: JsonObject = {},
): Promise<RpcAnswer> {
  const body = { method: `model.${model}.${method}`, params: [...params, { ...contextOf(x), ...more }] };
  const stored = await x.state.get(SESSION);
  if (typeof stored === "string") {
    const answer = await post(x, databasePath(x), body, stored);
    if (answer.status !== 401) return resultOf(x, answer, body.method);
  }
  const session = await login(x);
  return resultOf(x, await post(x, databasePath(x), body, session), body.method);
}

/**
 * Logs in and keeps the session. One try only: trytond answers each bad one more slowly, and the sixth and later with 429 for
 * minutes, for every client of this user.
 */
export async function login(x: TrytonContext): Promise<string> {
  const { user, language } = x.config;
  const body = { method: "common.db.login", params: [user, { password: x.secrets.password }, language] };
  const answer = await post(x, databasePath(x), body);
  if (answer.status === 401) throw new ConnectorError("auth", `Tryton refused the login of ${user}.`, { status: 401 });
  if (answer.status === 429) {
    throw new ConnectorError("rate_limited", `Tryton refuses logins of ${user} after too many bad ones.`, {
      status: 429,
      // A gateway before it says when.
      retryAfterMs: retryAfterMs(answer.headers, x.clock.now()) ?? LOGIN_BLOCK_MS,
    });
  }
  // It says so for any database that it cannot connect to: one that is down, and one that does not exist.
  if (answer.status === 404) {
    throw new ConnectorError(
      "unavailable",
      `Tryton cannot connect to the database "${x.config.database}": its PostgreSQL is down, or there is no database of this name.`,
      { status: 404 },
    );
  }
  const reply = replyOf(x, answer, body.method);
  const [id, token] = Array.isArray(reply["result"]) ? (reply["result"] as Json[]) : [];
  if (typeof token !== "string") {
    if (reply["error"] !== undefined && isLostDatabase(nameOf(reply["error"]))) throw rpcError(reply["error"], body.method);
    const error = reply["error"] === undefined ? "no session" : JSON.stringify(reply["error"]).slice(0, 200);
    throw new ConnectorError("config", `Tryton gives no session for ${user} in the database "${x.config.database}": ${error}`);
  }
  const session = Buffer.from(`${user}:${plainText(id)}:${token}`, "utf8").toString("base64");
  await x.state.set(SESSION, session, { ttlMs: SESSION_LIFE_MS });
  return session;
}

/** The server's version; needs no session. */
export async function serverVersion(x: TrytonContext): Promise<string> {
  const method = "common.server.version";
  const { result } = resultOf(x, await post(x, "/", { method, params: [] }), method);
  return plainText(result);
}

/** The types of the named fields. An unknown one is left out, or an `invalid` error names it: that depends on the model. */
export async function fieldsOf(x: TrytonContext, model: string, names: readonly string[]): Promise<ReadonlyMap<string, Field>> {
  const { result } = await callModel(x, model, "fields_get", [[...names]]);
  const fields = typeof result === "object" && result !== null ? (result as JsonObject) : {};
  const found = Object.entries(fields).map(([name, description]): [string, Field] => {
    const { type, required, relation } = description as JsonObject;
    const leads = typeof relation === "string" ? { relation } : {};
    return [name, { name, type: plainText(type), required: required === true, ...leads }];
  });
  return new Map(found);
}

interface HttpReply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

async function post(x: TrytonContext, path: string, body: JsonObject, session?: string): Promise<HttpReply> {
  const response = await x.fetch(x.config.url.replace(/\/+$/u, "") + path, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(session === undefined ? {} : { authorization: `Session ${session}` }),
    },
    body: JSON.stringify({ id: 1, ...body }),
    redirect: "manual",
    signal: x.signal,
  });
  return { status: response.status, headers: response.headers, text: await readText(response, x.signal) };
}

function resultOf(x: TrytonContext, answer: HttpReply, method: string): RpcAnswer {
  const reply = replyOf(x, answer, method);
  if (reply["error"] !== undefined) throw rpcError(reply["error"], method);
  const serverMs = Date.parse(answer.headers.get("date") ?? "");
  return { result: reply["result"] ?? null, serverMs: Number.isNaN(serverMs) ? undefined : serverMs };
}

function replyOf(x: TrytonContext, answer: HttpReply, method: string): JsonObject {
  if (answer.status === 403) {
    throw new ConnectorError("permission", `Tryton refuses ${method}: it does not exist, or may not be called by this user.`, {
      status: 403,
    });
  }
  if (answer.status !== 200) throw httpError(answer, `Tryton's ${method}`, x.clock.now());
  try {
    const reply: unknown = JSON.parse(answer.text);
    if (typeof reply === "object" && reply !== null && !Array.isArray(reply)) return reply as JsonObject;
  } catch {
    // Falls through to the same answer as JSON of another shape.
  }
  throw new ConnectorError("contract", `Tryton's ${method} was answered with something that is not JSON-RPC: ${answer.text.slice(0, 80)}`);
}

/** Tryton puts errors into an answer with status 200: a list of the exception's arguments. */
function rpcError(error: Json, method: string): ConnectorError {
  const [, detail] = Array.isArray(error) ? (error as Json[]) : [error];
  const message = Array.isArray(detail) ? plainText(detail[0] as Json) : "";
  const text = nameOf(error);
  if (text === "UserError" || text === "UserWarning") {
    return new ConnectorError("invalid", `Tryton refuses ${method}: ${message}`, { userMessage: message });
  }
  if (text === "ConcurrencyException") {
    return new ConnectorError("conflict", `Tryton refuses ${method}: the record was changed meanwhile.`);
  }
  if (/database is locked|deadlock|could not serialize|could not obtain lock/iu.test(text)) {
    return new ConnectorError("transient", `Tryton could not do ${method} at this moment: ${text.slice(0, 200)}`);
  }
  if (isLostDatabase(text)) {
    // It may have been lost while the transaction was committed.
    return new ConnectorError("unavailable", `Tryton lost its database in ${method}: ${text.trim().slice(0, 200)}`, { ambiguous: true });
  }
  // A Python KeyError comes as the bare quoted name of what is not there.
  const unknown = /^'([^']*)'$/u.exec(text)?.[1];
  if (unknown !== undefined) {
    return new ConnectorError("invalid", `Tryton knows no field or model "${unknown}" (${method}).`, { field: unknown });
  }
  return new ConnectorError("invalid", `Tryton refuses ${method}: ${text.slice(0, 200)} ${message}`.trim());
}

/** What went wrong: the name of an exception of Tryton's own, the words of any other. */
function nameOf(error: Json): string {
  return plainText(Array.isArray(error) ? ((error as Json[])[0] ?? null) : error);
}

/** What PostgreSQL, its library and Tryton's pool of connections say when the database is gone, or takes no more. A refused record says none of it. */
const LOST_DATABASE = [
  /(?:server|cursor|connection) (?:already |has been )?closed/iu,
  /could not (?:connect to|translate host name|receive data from|send data to|fork new process)/iu,
  /connection to server\b[^]*\bfailed/iu,
  /terminating connection|connection not open|no connection to the server|lost synchronization with server/iu,
  /SSL SYSCALL error|connection (?:refused|reset by peer|timed out)|timeout expired/iu,
  /the database system is|is not currently accepting connections/iu,
  /too many (?:clients|connections)|remaining connection slots|connection pool (?:exhausted|is closed)/iu,
  /due to (?:statement timeout|administrator command|conflict with recovery)|in a read-only transaction/iu,
];

function isLostDatabase(text: string): boolean {
  return LOST_DATABASE.some((words) => words.test(text));
}

function databasePath(x: TrytonContext): string {
  return `/${encodeURIComponent(x.config.database)}/`;
}

function contextOf(x: TrytonContext): JsonObject {
  const { company, language } = x.config;
  // Without active_test a deactivated record would look like a deleted one.
  return { language, active_test: false, ...(company === undefined ? {} : { company }) };
}
