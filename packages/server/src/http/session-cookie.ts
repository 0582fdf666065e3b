import type { IncomingMessage, ServerResponse } from "node:http";
import { isOwnPage } from "@quiesce/core";

/** Where people reach this server, and by which cookies it knows them. */
export interface OwnAddress {
  /** The origin that pages of our own have for this request; null: none at which a session would be safe. */
  originOf(request: IncomingMessage): string | null;
  /** Whether a request that shows a cookie comes from a page of our own. A WebSocket's handshake counts as changing something. */
  isOwnPage(request: IncomingMessage, method?: string): boolean;
  /** The secret in the cookie; null: none. */
  read(request: IncomingMessage, name: CookieName): string | null;
  /** Adds a cookie to the answer; null takes it away. */
  set(response: ServerResponse, name: CookieName, cookie: { readonly value: string; readonly maxAgeSeconds: number } | null): void;
}

export type CookieName = "session" | "sign-in";

/** A header of cookies beyond this is nobody's of ours. */
const HEADER_MAX = 16_384;

/**
 * With an address that begins with https the cookies are Secure and have the prefix __Host-, which browsers let nobody but this host set. Without one
 * only this machine's own browsers may sign in, over http.
 */
export function createOwnAddress(publicUrl: string | undefined): OwnAddress {
  const publicOrigin = publicUrl === undefined ? null : new URL(publicUrl).origin;
  const isSecure = publicOrigin?.startsWith("https:") === true;
  const names: { readonly [name in CookieName]: string } = isSecure
    ? { session: "__Host-quiesce", "sign-in": "__Host-quiesce-sign-in" }
    : { session: "quiesce", "sign-in": "quiesce-sign-in" };
  const originsOf = (request: IncomingMessage): readonly string[] => {
    const { host = "" } = request.headers;
    const local = isLoopback(host) ? [new URL(`http://${host}`).origin] : [];
    return publicOrigin === null ? local : [publicOrigin, ...(isSecure ? [] : local)];
  };
  return {
    originOf: (request) => originsOf(request)[0] ?? null,
    isOwnPage: (request, method = request.method ?? "GET") =>
      isOwnPage({ method, origin: request.headers.origin, fetchSite: textOf(request.headers["sec-fetch-site"]) }, originsOf(request)),
    read: (request, name) => valueOf(request.headers.cookie, names[name]),
    set: (response, name, cookie) => {
      const age = `Max-Age=${cookie?.maxAgeSeconds ?? 0}`;
      // Lax, not Strict: who comes back from the identity provider, or by a link in a ticket, would seem to be signed out.
      const parts = [`${names[name]}=${cookie?.value ?? ""}`, "Path=/", age, "HttpOnly", "SameSite=Lax", ...(isSecure ? ["Secure"] : [])];
      const before = response.getHeader("set-cookie");
      response.setHeader("set-cookie", [...(Array.isArray(before) ? before : []), parts.join("; ")]);
    },
  };
}

/** The host and port of a Host header, as this machine calls itself. */
function isLoopback(host: string): boolean {
  return /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i.test(host);
}

function valueOf(header: string | undefined, name: string): string | null {
  if (header === undefined || header.length > HEADER_MAX) return null;
  for (const part of header.split(";")) {
    const at = part.indexOf("=");
    if (at > 0 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim();
  }
  return null;
}

function textOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(",") : value;
}
