import { ConnectorError, httpError, readText, type Context, type Json, type JsonObject } from "@quiesce/sdk";
import type { z } from "@quiesce/sdk";
import type { RequestTrackerConfig, RequestTrackerSecrets } from "./request-tracker-config.js";

/** A call of this connector. */
export type RequestTrackerContext = Context<RequestTrackerConfig, RequestTrackerSecrets>;

/** An answer of REST 2.0. */
export interface RequestTrackerAnswer {
  readonly json: unknown;
  /** The version of the thing that was asked for, with its quotes; undefined for lists. */
  readonly version: string | undefined;
  /** RT's clock, epoch milliseconds (whole seconds). */
  readonly serverMs: number | undefined;
}

/** What is asked for, below /REST/2.0. */
export interface RequestTrackerRequest {
  readonly method?: "GET" | "POST" | "PUT";
  readonly body?: JsonObject;
  readonly ifVersion?: string | undefined;
}

/** Sends a request. Throws for everything but a 2xx; for what RT says with 200 and a sentence see `sentences.ts`. */
export async function request(x: RequestTrackerContext, path: string, options: RequestTrackerRequest = {}): Promise<RequestTrackerAnswer> {
  const { method = "GET", body, ifVersion } = options;
  const url = new URL(`${x.config.url.replace(/\/+$/u, "")}/REST/2.0${path}`);
  const response = await x.fetch(url, {
    method,
    headers: {
      accept: "application/json",
      authorization: authorization(x),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(ifVersion === undefined ? {} : { "if-match": ifVersion }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    redirect: "manual",
    signal: x.signal,
    ...(x.config.ca === undefined ? {} : { tls: { ca: x.config.ca } }),
  });
  const text = await readText(response, x.signal);
  const what = `${method} ${url.pathname}`;
  if (!response.ok) throw httpError({ status: response.status, headers: response.headers, text: messageOf(text) }, what, x.clock.now());
  const date = Date.parse(response.headers.get("date") ?? "");
  return {
    json: jsonOf(text, what),
    version: response.headers.get("etag") ?? undefined,
    serverMs: Number.isNaN(date) ? undefined : date,
  };
}

/** The answer in its agreed shape, or a `contract` error. */
export function shapeOf<T>(schema: z.ZodType<T>, json: unknown, what: string): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ConnectorError(
    "contract",
    `RT's ${what} is not of the agreed shape: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`.trim(),
  );
}

/** RT 5.0 puts a file and a line of its own into messages: nobody outside wants to read them. */
function messageOf(text: string): string {
  try {
    const json: unknown = JSON.parse(text);
    const said = typeof json === "object" && json !== null && "message" in json ? json.message : undefined;
    return typeof said === "string" ? said.replace(/ at \/\S+ line \d+\.?\s*$/u, "") : text;
  } catch {
    return text;
  }
}

function jsonOf(text: string, what: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new ConnectorError(
      "contract",
      `${what} was answered with something that is not JSON: ${text.slice(0, 80).replaceAll(/\s+/gu, " ")}`,
    );
  }
}

function authorization({ config, secrets }: RequestTrackerContext): string {
  if (secrets.token !== undefined) return `token ${secrets.token}`;
  if (secrets.password === undefined)
    throw new ConnectorError("config", 'The secret "password" or "token" is needed; neither is set.', { field: "password" });
  return `Basic ${Buffer.from(`${config.user}:${secrets.password}`, "utf8").toString("base64")}`;
}
