import type { ServerResponse } from "node:http";
import type { PresentedError } from "../graphql/present-error.js";

const statusByCode: { readonly [code: string]: number } = {
  QSC_ACCESS_TOKEN_MISSING: 401,
  QSC_ACCESS_TOKEN_INVALID: 401,
  QSC_ACCESS_TOKEN_REVOKED: 401,
  QSC_ACCESS_TOKEN_EXPIRED: 401,
  QSC_ACCESS_TICKET_INVALID: 401,
  QSC_ACCESS_SESSION_OVER: 401,
  QSC_ACCESS_LINK_INVALID: 401,
  QSC_ACCESS_SIGN_IN_OVER: 401,
  QSC_ACCESS_OIDC_REFUSED: 401,
  QSC_ACCESS_OIDC_INVALID: 401,
  QSC_ACCESS_OIDC_UNAVAILABLE: 502,
  QSC_ACCESS_NO_ROLE: 403,
  QSC_ACCESS_DISABLED: 403,
  QSC_ACCESS_CROSS_SITE: 403,
  QSC_ACCESS_SIGN_IN_PLACE: 403,
  QSC_ACCESS_LOCKED: 429,
  QSC_ACCESS_DENIED: 403,
  QSC_HTTP_BODY_TOO_LARGE: 413,
  QSC_HTTP_CONTENT_TYPE: 415,
  QSC_HTTP_CONTENT_ENCODING: 415,
  QSC_HTTP_METHOD: 405,
  QSC_HTTP_RATE_LIMITED: 429,
  QSC_HTTP_STREAMS_FULL: 503,
  QSC_HTTP_NOT_FOUND: 404,
  QSC_INBOX_FULL: 429,
  QSC_SAMPLES_BUSY: 429,
  QSC_INBOX_REQUEST_TOO_LARGE: 413,
  QSC_INBOX_RECORD_TOO_LARGE: 413,
  QSC_WEBHOOK_REFUSED: 401,
  QSC_WEBHOOK_FULL: 429,
  QSC_GATE_LEASE_LOST: 409,
  QSC_GATE_BUSY: 503,
  QSC_DATABASE_BUSY: 503,
  QSC_INTERNAL: 500,
};

/** The HTTP status of a refusal: what is not known is 404, what the caller can mend 400. */
export function statusOf(code: string): number {
  return statusByCode[code] ?? (code.endsWith("_NOT_FOUND") ? 404 : 400);
}

/** Answers JSON that no cache may keep. */
export function sendJson(response: ServerResponse, status: number, body: unknown, headers: { readonly [name: string]: string } = {}): void {
  const text = JSON.stringify(body);
  response.writeHead(status, {
    "content-type": "application/json; charset=utf-8",
    "content-length": Buffer.byteLength(text),
    "cache-control": "no-store",
    ...headers,
  });
  response.end(text);
}

/** Answers a refusal in the shape that the path's clients know: GraphQL's `errors`, or `error` for REST. */
export function sendError(response: ServerResponse, error: PresentedError, shape: "graphql" | "rest"): void {
  const status = statusOf(error.code);
  const { message, ...extensions } = error;
  const headers: Record<string, string> = {};
  if (status === 401) headers["www-authenticate"] = "Bearer";
  if (status === 429 || status === 503) headers["retry-after"] = secondsOf(error.details?.["retryAfterSeconds"]);
  // The rest of a body that was refused is not read: the connection cannot be used again.
  if (status === 413 || status === 415) headers["connection"] = "close";
  sendJson(response, status, shape === "graphql" ? { errors: [{ message, extensions }] } : { error }, headers);
}

/** When to come back; soon, where the refusal does not say. */
export function secondsOf(value: unknown): string {
  return typeof value === "number" ? String(value) : "1";
}
