import type { AuthMethod, ConnectorFetch, FetchOptions } from "@quiesce/sdk";
import type { SecretMask } from "../secret-mask.js";
import type { TokenSource } from "./token-keeper.js";
import type { OAuthMethod } from "./token-request.js";

/**
 * A fetch that shows who asks as the connector declares it: at the endpoint's own origins alone. A redirect to another origin loses it in the guarded
 * fetch underneath, because what is added is a credential header or masked. What the connector sets itself in a request stays.
 */
export function authorisedFetch(
  fetch: ConnectorFetch,
  options: {
    readonly auth: AuthMethod | undefined;
    readonly origins: readonly string[];
    readonly mask: SecretMask;
    readonly tokens: (method: OAuthMethod) => TokenSource;
  },
): ConnectorFetch {
  const { auth, origins, mask } = options;
  if (auth === undefined) return fetch;
  const isOwn = (url: string | URL): boolean =>
    URL.canParse(String(url)) && origins.some((origin) => URL.canParse(origin) && new URL(origin).origin === new URL(url).origin);
  const own =
    (work: ConnectorFetch): ConnectorFetch =>
    (url, init) =>
      isOwn(url) ? work(url, init) : fetch(url, init);
  switch (auth.kind) {
    case "basic": {
      const pair = Buffer.from(`${auth.username}:${auth.password}`).toString("base64");
      mask.add([auth.password, pair]);
      return own((url, init) => fetch(url, withHeader(init, "authorization", `Basic ${pair}`)));
    }
    case "bearer":
      mask.add([auth.token]);
      return own((url, init) => fetch(url, withHeader(init, "authorization", `Bearer ${auth.token}`)));
    case "header":
      mask.add([auth.value]);
      return own((url, init) => fetch(url, withHeader(init, auth.name, auth.value)));
    case "mtls": {
      const { cert, key, ca } = auth;
      return own((url, init) => fetch(url, { ...init, tls: { cert, key, ca, ...init?.tls } }));
    }
    default:
      return own(withToken(fetch, options.tokens(auth)));
  }
}

function withToken(fetch: ConnectorFetch, tokens: TokenSource): ConnectorFetch {
  return async (url, init) => {
    const token = await tokens.current();
    const response = await fetch(url, withHeader(init, "authorization", `Bearer ${token}`));
    // Systems end tokens before their time. Once, and only what can be sent again; a connector's own header is its own matter.
    if (response.status !== 401 || !isRepeatable(init) || new Headers(init?.headers).has("authorization")) return response;
    await response.body?.cancel();
    return fetch(url, withHeader(init, "authorization", `Bearer ${await tokens.renewed(token)}`));
  };
}

function withHeader(init: FetchOptions | undefined, name: string, value: string): FetchOptions {
  const headers = new Headers(init?.headers);
  if (!headers.has(name)) headers.set(name, value);
  return { ...init, headers };
}

/** A stream is gone once it was sent. */
function isRepeatable(init: FetchOptions | undefined): boolean {
  return !(init?.body instanceof ReadableStream);
}
