import { ConnectorError, isConnectorError, type IssuedSecrets, type IssueRequest, type Json } from "@quiesce/sdk";
import type { HttpCall, HttpSecrets } from "./http-config.js";
import { type HttpContext, readJson, send, valueAt } from "./http-request.js";

/** What stands in the place of the braces. */
type Values = { readonly key?: string; readonly token?: string | undefined; readonly tokenId?: string | undefined };

/** Asks the system for a new token, with the old one, which stays good. */
export async function issueToken(x: HttpContext, request: IssueRequest): Promise<IssuedSecrets> {
  const { rotation, auth } = x.config;
  if (rotation === undefined || (auth.type !== "bearer" && auth.type !== "header"))
    throw new ConnectorError(
      "config",
      `A token is renewed where rotation is configured and auth is bearer or header; auth is ${auth.type}.`,
      {
        field: "rotation",
      },
    );
  const { issue, discard } = rotation;
  const values = { ...x.secrets, key: request.key };
  if (discard !== undefined) await gone(callSystem(x, discard, values));
  const header: Record<string, string> = issue.idempotencyHeader === undefined ? {} : { [issue.idempotencyHeader]: request.key };
  const answer = await readJson(x, await callSystem(x, issue, values, header), `${issue.method} ${issue.path}`);
  const token = textAt(answer, issue.tokenPath, "the new token");
  const tokenId = issue.tokenIdPath === undefined ? {} : { tokenId: textAt(answer, issue.tokenIdPath, "the token's id") };
  const expiresAt = issue.expiresAtPath === undefined ? undefined : instantOf(valueAt(answer, issue.expiresAtPath));
  return { secrets: { token, ...tokenId }, ...(expiresAt === undefined ? {} : { expiresAt }) };
}

/** Ends a token, with the one that stays. */
export async function revokeToken(x: HttpContext, old: HttpSecrets): Promise<void> {
  const revoke = x.config.rotation?.revoke;
  // Only a certificate was renewed: the token is the same.
  if (revoke === undefined || old.token === undefined || old.token === x.secrets.token) return;
  await gone(callSystem(x, revoke, old));
}

async function callSystem(x: HttpContext, call: HttpCall, values: Values, headers: Record<string, string> = {}): Promise<Response> {
  const { method, body } = call;
  const json = body === undefined ? undefined : JSON.stringify(filledDeep(body, values));
  const type: Record<string, string> = json === undefined ? {} : { "content-type": "application/json" };
  return send(x, filled(call.path, values, encodeURIComponent), {
    method,
    headers: { ...type, ...headers },
    ...(json === undefined ? {} : { body: json }),
  });
}

/** What is gone already was to be gone. */
async function gone(call: Promise<Response>): Promise<void> {
  try {
    await (await call).body?.cancel();
  } catch (error) {
    if (!isConnectorError(error) || error.kind !== "not_found") throw error;
  }
}

function filled(text: string, values: Values, written: (value: string) => string): string {
  return text.replaceAll(/\{(key|token|tokenId)\}/gu, (_all, name: keyof Values) => {
    const value = values[name];
    if (value === undefined)
      throw new ConnectorError("config", `{${name}} is asked for in rotation, and this endpoint has no ${name}.`, { field: "rotation" });
    return written(value);
  });
}

function filledDeep(body: Json, values: Values): Json {
  if (typeof body === "string") return filled(body, values, (value) => value);
  if (Array.isArray(body)) return body.map((item: Json) => filledDeep(item, values));
  if (typeof body !== "object" || body === null) return body;
  return Object.fromEntries(Object.entries(body).map(([name, item]) => [name, filledDeep(item, values)]));
}

/** Never the answer itself in the message: it holds secrets. */
function textAt(answer: Json, path: string, what: string): string {
  const value = valueAt(answer, path);
  if ((typeof value === "string" && value !== "") || typeof value === "number") return String(value);
  throw new ConnectorError("contract", `The answer holds no text at "${path}", where ${what} is expected.`, { field: "rotation" });
}

function instantOf(value: Json | undefined): string | undefined {
  if (typeof value === "number") return new Date(value * 1_000).toISOString();
  return typeof value === "string" ? value : undefined;
}
