import { ConnectorError, httpError, readText, type Context, type FetchOptions, type Json, type JsonObject } from "@quiesce/sdk";
import type { HttpConfig, HttpSecrets, HttpStream } from "./http-config.js";

/** A call of this connector. */
export type HttpContext = Context<HttpConfig, HttpSecrets>;

/** The stream of that name, or a `config` error that lists those there are. */
export function streamOf(config: HttpConfig, streamName: string): HttpStream {
  const stream = config.streams.find((candidate) => candidate.name === streamName);
  if (stream !== undefined) return stream;
  const names = config.streams.map((candidate) => candidate.name).join(", ");
  throw new ConnectorError("config", `There is no stream "${streamName}" in this endpoint; it has ${names}.`);
}

/** Sends a request below baseUrl with the endpoint's credentials. Throws for everything but a 2xx. */
export async function send(x: HttpContext, path: string, options: FetchOptions = {}): Promise<Response> {
  const url = new URL(x.config.baseUrl.replace(/\/+$/u, "") + path);
  const headers = new Headers({ accept: "application/json", ...x.config.headers });
  for (const [name, value] of Object.entries(authorization(x))) headers.set(name, value);
  new Headers(options.headers).forEach((value, name) => headers.set(name, value));
  // A redirect would carry a header with a token wherever the answer points.
  const response = await x.fetch(url, { ...options, headers, redirect: "manual", signal: x.signal, tls: tlsOf(x) });
  if (response.ok) return response;
  const what = `${options.method ?? "GET"} ${url.pathname}`;
  const target = response.headers.get("location");
  if (response.status >= 300 && response.status < 400 && target !== null) {
    await response.body?.cancel();
    throw new ConnectorError("config", `${what} is redirected to ${target}. Set baseUrl or the path to where it points.`, {
      status: response.status,
    });
  }
  const text = await readText(response, x.signal);
  throw httpError({ status: response.status, headers: response.headers, text }, what, x.clock.now());
}

/** The JSON of an answer, or a `contract` error that shows how the answer begins. */
export async function readJson(x: HttpContext, response: Response, what: string): Promise<Json> {
  const text = await readText(response, x.signal);
  try {
    return JSON.parse(text) as Json;
  } catch {
    const type = response.headers.get("content-type") ?? "no content type";
    const begin = text.slice(0, 80).replaceAll(/\s+/gu, " ");
    throw new ConnectorError("contract", `${what} was answered with ${type} that is not JSON: ${begin}`, {
      status: response.status,
    });
  }
}

/** The value at a dotted path; the whole for an empty path; undefined if there is none. */
export function valueAt(value: Json, path: string): Json | undefined {
  let found: Json | undefined = value;
  for (const name of path === "" ? [] : path.split(".")) {
    if (typeof found !== "object" || found === null || !Object.hasOwn(found, name)) return undefined;
    found = (found as JsonObject)[name];
  }
  return found;
}

function tlsOf({ config, secrets }: HttpContext): FetchOptions["tls"] {
  const { certificate: cert, privateKey: key } = secrets;
  return cert === undefined && config.ca === undefined ? undefined : { cert, key, ca: config.ca };
}

function authorization(x: HttpContext): Record<string, string> {
  const { auth } = x.config;
  switch (auth.type) {
    case "none":
      return {};
    case "header":
      return { [auth.header]: needed(x.secrets.token, "token", auth.type) };
    case "bearer":
      return { authorization: `Bearer ${needed(x.secrets.token, "token", auth.type)}` };
    case "basic": {
      const pair = `${auth.user}:${needed(x.secrets.password, "password", auth.type)}`;
      return { authorization: `Basic ${Buffer.from(pair, "utf8").toString("base64")}` };
    }
  }
}

function needed(secret: string | undefined, name: string, type: string): string {
  if (secret !== undefined) return secret;
  throw new ConnectorError("config", `auth.type is ${type}, which needs the secret "${name}"; it is not set.`, { field: name });
}
