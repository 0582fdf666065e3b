import { createEgress } from "../../connector-host/guarded-fetch.js";
import { createSecretMask } from "../../connector-host/secret-mask.js";
import type { CustomFetch, FetchBody } from "openid-client";

const TIMEOUT_MS = 10_000;

/**
 * Fetches from a provider of identities by the rules of every outgoing request. The operator named the issuer, so its host may be a private one; other
 * hosts that the provider names need the operator's permission as any do. Redirects are for browsers: none is followed.
 */
export function createProviderFetch(
  issuer: string,
  privateHosts: readonly string[],
): { readonly fetch: CustomFetch; close(): Promise<void> } {
  const egress = createEgress({ privateHosts: [...privateHosts, new URL(issuer).hostname] });
  const mask = createSecretMask();
  const isPlain = new URL(issuer).protocol === "http:";
  const fetch: CustomFetch = async (url, options) => {
    const target = new URL(url);
    // A provider that speaks https may not lead us to where everybody can read.
    if (target.protocol !== "https:" && !isPlain) throw new TypeError("The identity provider names an address without https.");
    const signal = options.signal ?? AbortSignal.timeout(TIMEOUT_MS);
    const send = egress.fetchFor({ origins: [target.origin], signal, mask });
    return send(target, {
      method: options.method ?? "GET",
      headers: { ...options.headers },
      body: bodyOf(options.body),
      redirect: "manual",
      timeoutMs: TIMEOUT_MS,
      signal,
    });
  };
  return { fetch, close: () => egress.close() };
}

/** Forms are all that is sent. */
function bodyOf(body: FetchBody): string | null {
  if (body === null || body === undefined) return null;
  if (typeof body === "string" || body instanceof URLSearchParams) return String(body);
  throw new TypeError("Only a form is sent to an identity provider.");
}
