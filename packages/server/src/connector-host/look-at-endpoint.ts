import { type OriginFacts, type SeenAuthentication } from "@quiesce/core";
import type { ClientTls, ConnectorFetch } from "@quiesce/sdk";
import { classifyAddress } from "./egress-address.js";
import type { Egress } from "./guarded-fetch.js";
import { probeTls } from "./probe-tls.js";
import type { SecretMask } from "./secret-mask.js";

/** More origins than this nobody looks at. */
const maxOrigins = 10;

/** Notes by which means requests say who asks, while a connector checks its system. */
export interface AuthenticationWatch {
  /** The same fetch, watched. */
  readonly around: (fetch: ConnectorFetch) => ConnectorFetch;
  seen(origin: string): SeenAuthentication;
  /** Whom requests to an origin trusted, and by which certificate they said who asks. */
  tlsOf(origin: string): ClientTls | undefined;
}

export function watchAuthentication(mask: SecretMask): AuthenticationWatch {
  const seen = new Map<string, SeenAuthentication>();
  const tls = new Map<string, ClientTls>();
  return {
    around: (fetch) => (url, options) => {
      if (URL.canParse(String(url))) {
        const { origin } = new URL(url);
        if (options?.tls !== undefined) tls.set(origin, options.tls);
        const means = meansOf(String(url), options, mask);
        // One request with credentials is what counts: a page of health often needs none.
        if (!seen.has(origin) || seen.get(origin) === "none") seen.set(origin, means);
      }
      return fetch(url, options);
    },
    seen: (origin) => seen.get(origin) ?? "unseen",
    tlsOf: (origin) => tls.get(origin),
  };
}

function meansOf(url: string, options: Parameters<ConnectorFetch>[1], mask: SecretMask): SeenAuthentication {
  if (options?.tls?.cert !== undefined) return "other";
  const headers = new Headers(options?.headers);
  const scheme = headers.get("authorization")?.split(" ")[0]?.toLowerCase();
  if (scheme === "basic" || scheme === "bearer") return scheme;
  if (scheme !== undefined) return "other";
  const texts = [url, ...headers.values(), typeof options?.body === "string" ? options.body : ""];
  return texts.some((text) => mask.text(text) !== text) || headers.has("cookie") ? "secret" : "none";
}

/** What is seen of the web origins of an endpoint. Those of other protocols are not looked at. */
export async function lookAtOrigins(options: {
  readonly egress: Egress;
  readonly origins: readonly string[];
  readonly privateHosts: readonly string[];
  readonly authentication: (origin: string) => SeenAuthentication;
  readonly tlsOf: (origin: string) => ClientTls | undefined;
  readonly signal: AbortSignal;
}): Promise<readonly OriginFacts[]> {
  const { egress, origins, privateHosts, signal } = options;
  const places = origins.filter((origin) => URL.canParse(origin) && /^https?:/.test(origin)).slice(0, maxOrigins);
  return Promise.all(
    places.map(async (place): Promise<OriginFacts> => {
      const url = new URL(place);
      const { origin } = url;
      const host = url.hostname.replace(/^\[|\]$/g, "");
      const authentication = options.authentication(origin);
      const addresses = await egress.resolveHost({ origins, privateHosts }, host).catch((): readonly string[] => []);
      const [address] = addresses;
      if (url.protocol === "http:") {
        const isLoopback = address !== undefined && classifyAddress(address) === "loopback";
        return { origin, transport: isLoopback ? "http-loopback" : "http", authentication, tls: null };
      }
      const port = url.port === "" ? 443 : Number(url.port);
      const tls = address === undefined ? null : await probeTls({ host, address, port, signal, tls: options.tlsOf(origin) });
      return { origin, transport: "https", authentication, tls };
    }),
  );
}
