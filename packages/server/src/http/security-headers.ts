import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";

/** A year: long enough that a browser that was here once never speaks plain http to this host again. */
const HSTS = "max-age=31536000";

const usual: { readonly [name: string]: string } = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
};

/** Puts what every answer carries onto one, before anything else is known. What is written later by the same name goes before it. */
export function setSecurityHeaders(response: ServerResponse, options: { readonly isHttps: boolean }): void {
  for (const [name, value] of Object.entries(usual)) response.setHeader(name, value);
  if (options.isHttps) response.setHeader("strict-transport-security", HSTS);
}

/** The policy of a page with its scripts inside: these run, named by their digests, and no other, whatever finds its way into the page. */
export function pagePolicy(html: string): string {
  const scripts = [...html.matchAll(/<script\b[^>]*>([\s\S]*?)<\/script\s*>/gi)].map(([, script = ""]) => script);
  // A browser reads line ends as \n before it computes the digest.
  const digests = scripts.map((script) => createHash("sha256").update(script.replaceAll(/\r\n?/g, "\n"), "utf8").digest("base64"));
  const allowed = [...new Set(digests)].map((digest) => `'sha256-${digest}'`).join(" ");
  return [
    "default-src 'none'",
    `script-src ${allowed === "" ? "'none'" : allowed}`,
    "script-src-attr 'none'",
    // An editor measures and colours by styles that it writes itself; styles run nothing.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self' data:",
    "connect-src 'self'",
    "worker-src blob:",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "form-action 'self'",
  ].join("; ");
}
