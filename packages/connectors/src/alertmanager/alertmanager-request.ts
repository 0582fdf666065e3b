import { ConnectorError, httpError, readText, type Context, type FetchOptions } from "@quiesce/sdk";
import type { z } from "@quiesce/sdk";
import type { AlertmanagerConfig, AlertmanagerSecrets } from "./alertmanager-config.js";

/** A call of this connector. */
export type AlertmanagerContext = Context<AlertmanagerConfig, AlertmanagerSecrets>;

/** Statuses that a caller takes for a success. */
export interface RequestOptions extends FetchOptions {
  readonly alsoOk?: readonly number[];
}

/** Sends a request below `base` with the endpoint's credentials. Throws for everything but a 2xx. */
export async function send(x: AlertmanagerContext, base: string, path: string, options: RequestOptions = {}): Promise<string> {
  const { alsoOk = [], ...init } = options;
  const url = new URL(base.replace(/\/+$/u, "") + path);
  const headers = new Headers({ accept: "application/json", ...authorization(x) });
  new Headers(init.headers).forEach((value, name) => headers.set(name, value));
  const tls = x.config.ca === undefined ? {} : { tls: { ca: x.config.ca } };
  const response = await x.fetch(url, { ...init, headers, redirect: "manual", signal: x.signal, ...tls });
  const text = await readText(response, x.signal);
  if (response.ok || alsoOk.includes(response.status)) return text;
  throw httpError(
    { status: response.status, headers: response.headers, text: messageOf(text) },
    `${init.method ?? "GET"} ${url.pathname}`,
    x.clock.now(),
  );
}

/** The JSON of an answer in its agreed shape, or a `contract` error. */
export function parseAnswer<T>(schema: z.ZodType<T>, text: string, what: string): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new ConnectorError(
      "contract",
      `${what} was answered with something that is not JSON: ${text.slice(0, 80).replaceAll(/\s+/gu, " ")}`,
    );
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new ConnectorError(
    "contract",
    `${what} was answered in another shape: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`.trim(),
  );
}

/** Alertmanager answers errors with a JSON text or `{ code, message }`, Prometheus with `{ error }`. */
function messageOf(text: string): string {
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === "string") return json;
    if (typeof json !== "object" || json === null) return text;
    const said = "message" in json ? json.message : "error" in json ? json.error : undefined;
    return typeof said === "string" ? said : text;
  } catch {
    return text;
  }
}

function authorization({ config, secrets }: AlertmanagerContext): Record<string, string> {
  if (config.user !== undefined) {
    if (secrets.password === undefined)
      throw new ConnectorError("config", 'With a user the secret "password" is needed; it is not set.', { field: "password" });
    return { authorization: `Basic ${Buffer.from(`${config.user}:${secrets.password}`, "utf8").toString("base64")}` };
  }
  return secrets.token === undefined ? {} : { authorization: `Bearer ${secrets.token}` };
}
