import type { IncomingMessage, ServerResponse } from "node:http";

/** What an Origin header says of the page that asks. */
export type OriginVerdict = "none" | "own" | "allowed" | "foreign";

/** An origin as browsers send it: https://ops.example.com, with a port where it is not the usual one, and nothing behind it. A * is a letter of a host to URL. */
export function isOrigin(text: string): boolean {
  return URL.canParse(text) && !text.includes("*") && /^https?:$/.test(new URL(text).protocol) && new URL(text).origin === text;
}

/**
 * Whose page asks. `none`: a program, or a browser that asks its own server. Compared whole and letter by letter: `null`, a suffix and a subdomain are
 * foreign. `own` is a page of the very host that the request names.
 */
export function originVerdict(request: IncomingMessage, allowed: readonly string[]): OriginVerdict {
  const { origin, host } = request.headers;
  if (origin === undefined) return "none";
  if (allowed.includes(origin)) return "allowed";
  return isOrigin(origin) && host !== undefined && new URL(origin).host === host.toLowerCase() ? "own" : "foreign";
}

/** Headers that pages of allowed origins may send and read. Credentials are never allowed: a token travels in a header. */
const REQUEST_HEADERS = "authorization, content-type, idempotency-key";
const RESPONSE_HEADERS = "retry-after";

/** Answers CORS for pages of allowed origins; true when the request was only the browser's question. */
export function answerCors(request: IncomingMessage, response: ServerResponse, allowed: readonly string[]): boolean {
  const { origin } = request.headers;
  // Also where nothing is allowed: a cache must not keep the answer of one origin for another.
  response.setHeader("vary", "Origin");
  if (origin !== undefined && originVerdict(request, allowed) === "allowed") {
    response.setHeader("access-control-allow-origin", origin);
    response.setHeader("access-control-allow-headers", REQUEST_HEADERS);
    response.setHeader("access-control-allow-methods", "GET, POST");
    response.setHeader("access-control-expose-headers", RESPONSE_HEADERS);
    response.setHeader("access-control-max-age", "600");
  }
  if (request.method !== "OPTIONS") return false;
  response.writeHead(204).end();
  return true;
}
