import { ConnectorError, httpError, readText, type Context, type FetchOptions } from "@quiesce/sdk";
import { z } from "@quiesce/sdk";
import type { NagiosConfig, NagiosSecrets } from "./nagios-config.js";

/** A call of this connector. */
export type NagiosContext = Context<NagiosConfig, NagiosSecrets>;

/** The JSON CGIs: what is now, what is configured, what was. */
export type JsonCgi = "statusjson" | "objectjson" | "archivejson";

/** An answer of a JSON CGI. */
export interface NagiosAnswer {
  readonly data: { readonly [name: string]: unknown };
  /** Nagios's clock when it answered, epoch milliseconds (whole seconds). */
  readonly queriedAtMs: number;
  /** When the daemon last wrote what the answer was made of, epoch milliseconds; 0 if unknown. */
  readonly updatedAtMs: number;
}

/** `type_code`s of a `result`. */
const SUCCESS = 0;
const CANNOT_READ_OBJECTS = 2;
const OPTION_VALUE_INVALID = 6;

const resultSchema = z.object({
  type_code: z.int(),
  type_text: z.string().default(""),
  message: z.string().default(""),
  query_time: z.number().default(0),
  last_data_update: z.number().default(0),
});
const answerSchema = z.object({ result: resultSchema, data: z.record(z.string(), z.unknown()).default({}) });

/** Asks a JSON CGI. Throws for what it answers with 200 and an error inside; times in the answer are epoch milliseconds. */
export async function ask(x: NagiosContext, cgi: JsonCgi, parameters: { readonly [name: string]: string }): Promise<NagiosAnswer> {
  const what = `${cgi}.cgi?query=${parameters["query"]}`;
  const response = await send(x, `/${cgi}.cgi?${new URLSearchParams({ formatoptions: "enumerate", ...parameters }).toString()}`);
  const text = await readText(response, x.signal);
  // The CGIs end without a word when the daemon has taken its status file away.
  if (text.trim() === "") throw new ConnectorError("unavailable", `${what} was answered with nothing: Nagios is not running.`);
  const parsed = answerSchema.safeParse(jsonOf(text, what));
  if (!parsed.success) {
    throw new ConnectorError("contract", `${what} was answered with JSON that is not of Nagios's JSON CGIs: ${text.slice(0, 80)}`);
  }
  const { result, data } = parsed.data;
  if (result.type_code !== SUCCESS) throw resultError(result, what);
  return { data, queriedAtMs: result.query_time, updatedAtMs: result.last_data_update };
}

/** Asks statusjson.cgi for what is now: a status file that the daemon has stopped writing is a Nagios that is down. */
export async function askStatus(x: NagiosContext, parameters: { readonly [name: string]: string }): Promise<NagiosAnswer> {
  const answer = await ask(x, "statusjson", parameters);
  // Both times are of Nagios's own machine, so its clock may be wrong.
  const ageSeconds = Math.round((answer.queriedAtMs - answer.updatedAtMs) / 1_000);
  if (answer.updatedAtMs > 0 && ageSeconds > x.config.staleSeconds) {
    throw new ConnectorError(
      "unavailable",
      `Nagios has not written its status for ${ageSeconds} seconds: the daemon seems to be down, and what its pages show is old.`,
    );
  }
  return answer;
}

/** Sends a request below `url` with the user's credentials. Throws for everything but a 2xx. */
export async function send(x: NagiosContext, path: string, options: FetchOptions = {}): Promise<Response> {
  const url = new URL(x.config.url.replace(/\/+$/u, "") + path);
  const headers = new Headers(options.headers);
  headers.set("authorization", `Basic ${Buffer.from(`${x.config.user}:${x.secrets.password}`, "utf8").toString("base64")}`);
  const tls = x.config.ca === undefined ? {} : { tls: { ca: x.config.ca } };
  const response = await x.fetch(url, { ...options, headers, redirect: "manual", signal: x.signal, ...tls });
  if (response.ok) return response;
  const text = await readText(response, x.signal);
  const answer = { status: response.status, headers: response.headers, text };
  const error = httpError(answer, `${options.method ?? "GET"} ${url.pathname}`, x.clock.now());
  // Only a web server that has no CGIs there answers 404.
  if (response.status === 404)
    throw new ConnectorError("config", `There are no Nagios CGIs at ${x.config.url}.`, { status: 404, field: "url" });
  throw error;
}

function jsonOf(text: string, what: string): unknown {
  try {
    // An error repeats the name `result`; the last one stands, and all of them carry the error.
    return JSON.parse(text) as unknown;
  } catch {
    const begin = text.slice(0, 80).replaceAll(/\s+/gu, " ");
    throw new ConnectorError("contract", `${what} was answered with something that is not JSON: ${begin}`);
  }
}

function resultError(result: z.output<typeof resultSchema>, what: string): ConnectorError {
  const message = `${what} was answered with "${result.type_text}": ${result.message}`;
  if (result.type_code === CANNOT_READ_OBJECTS)
    return new ConnectorError("unavailable", `${message} Is the daemon running?`, { status: result.type_code });
  const isUnknown = result.type_code === OPTION_VALUE_INVALID && /could not be found/u.test(result.message);
  return new ConnectorError(isUnknown ? "not_found" : "contract", message, { status: result.type_code });
}
