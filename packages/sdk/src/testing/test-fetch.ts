import { ConnectorError, networkError, type AuthMethod, type Connector, type ConnectorFetch, type FetchOptions } from "../index.js";

/** An answer has at most so many bytes after decompression, as at the host: 10 MiB. */
export const RESPONSE_MAX_BYTES = 10 * 1024 * 1024;
const MAX_REDIRECTS = 3;
const CREDENTIAL_HEADERS = ["authorization", "proxy-authorization", "cookie"];
const TOKEN_MARGIN_MS = 30_000;

/** Options of {@link testFetch}. */
export interface TestFetchOptions {
  readonly origins: readonly string[];
  readonly signal: AbortSignal;
  /** The time for one request in milliseconds, whatever the connector asks for beyond it. */
  readonly requestTimeoutMs: number;
  readonly auth: AuthMethod | undefined;
  readonly classify: Connector["classify"];
  /** Called for each request before it is sent. */
  readonly sent: (method: string, url: URL) => void;
  readonly now: () => Date;
}

/** A fetch as the host gives it: only to the connector's own origins, with its credentials, within limits, with classified errors. */
export function testFetch(options: TestFetchOptions): ConnectorFetch {
  const authorize = authorizer(options);
  return async (url, init = {}) => {
    const { timeoutMs, tls: _tls, ...rest } = init;
    const limitMs = Math.min(timeoutMs ?? options.requestTimeoutMs, options.requestTimeoutMs);
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new DOMException(`No whole answer within ${limitMs} ms.`, "TimeoutError")), limitMs);
    const ended = (): void => clearTimeout(timer);
    const stop = AbortSignal.any([
      options.signal,
      late.signal,
      ...(init.signal === null || init.signal === undefined ? [] : [init.signal]),
    ]);
    const where = URL.canParse(String(url)) ? new URL(String(url)).host : "an address that is none";
    const classified = (thrown: unknown): ConnectorError =>
      networkError(late.signal.aborted ? late.signal.reason : thrown, where, late.signal.aborted ? undefined : stop);
    const send = async (renew: boolean): Promise<Response> => {
      const headers = new Headers(rest.headers);
      await authorize(headers, stop, renew);
      return follow(new URL(url), { ...rest, headers, signal: stop }, options);
    };
    try {
      let response = await send(false);
      if (response.status === 401 && options.auth !== undefined && "tokenUrl" in options.auth) {
        // The token may have ended early; a second 401 is the connector's to classify.
        await response.body?.cancel();
        response = await send(true);
      }
      return await looked(capped(response, where, classified, ended), options, stop);
    } catch (thrown) {
      ended();
      throw classified(thrown);
    }
  };
}

/** Adds who asks, unless the connector has said it already. */
function authorizer(options: TestFetchOptions): (headers: Headers, signal: AbortSignal, renew: boolean) => Promise<void> {
  let token: { readonly value: string; readonly untilMs: number } | undefined;
  const { auth } = options;
  const valueOf = async (signal: AbortSignal, renew: boolean): Promise<string> => {
    if (auth === undefined) return "";
    if (auth.kind === "basic") return `Basic ${base64(`${auth.username}:${auth.password}`)}`;
    if (auth.kind === "bearer") return `Bearer ${auth.token}`;
    if (auth.kind === "header") return auth.value;
    if (auth.kind === "mtls")
      throw new ConnectorError("config", "The conformance kit shows no client certificates; test it against a host.");
    if (renew || token === undefined || token.untilMs <= options.now().getTime()) token = await fetchToken(auth, options, signal);
    return `Bearer ${token.value}`;
  };
  return async (headers, signal, renew) => {
    const name = headerOf(auth);
    if (name !== undefined && !headers.has(name)) headers.set(name, await valueOf(signal, renew));
  };
}

function headerOf(auth: AuthMethod | undefined): string | undefined {
  if (auth === undefined) return undefined;
  return auth.kind === "header" ? auth.name : "authorization";
}

async function follow(first: URL, init: FetchOptions & { headers: Headers }, options: TestFetchOptions): Promise<Response> {
  let url = first;
  const headers = init.headers;
  for (let redirects = 0; ; redirects += 1) {
    refuseForeign(url, options.origins);
    options.sent(init.method ?? "GET", url);
    const response = await fetch(url, { ...init, headers, redirect: "manual" });
    const target = response.headers.get("location");
    if (target === null || response.status < 300 || response.status > 399 || init.redirect === "manual") return response;
    await response.body?.cancel();
    if (init.redirect === "error" || redirects === MAX_REDIRECTS || !URL.canParse(target, url.href))
      throw new ConnectorError("contract", `${url.host} redirects to ${target}; followed are at most ${MAX_REDIRECTS} redirects.`);
    const next = new URL(target, url);
    if (next.origin !== url.origin) for (const name of [...CREDENTIAL_HEADERS, headerOf(options.auth) ?? "cookie"]) headers.delete(name);
    url = next;
  }
}

function refuseForeign(url: URL, origins: readonly string[]): void {
  if (origins.some((origin) => URL.canParse(origin) && new URL(origin).origin === url.origin)) return;
  throw new ConnectorError("permission", `${url.origin} is not among the origins of this endpoint: ${origins.join(", ") || "none"}.`);
}

function capped(response: Response, where: string, classified: (thrown: unknown) => ConnectorError, ended: () => void): Response {
  const reader = response.body?.getReader();
  if (reader === undefined) {
    ended();
    return response;
  }
  let bytes = 0;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) {
          ended();
          return controller.close();
        }
        bytes += value.byteLength;
        if (bytes > RESPONSE_MAX_BYTES)
          throw new ConnectorError("contract", `The answer of ${where} is larger than ${RESPONSE_MAX_BYTES / 1024 / 1024} MiB.`);
        controller.enqueue(value);
      } catch (thrown) {
        ended();
        void reader.cancel().catch(() => undefined);
        controller.error(classified(thrown));
      }
    },
    async cancel(reason) {
      ended();
      await reader.cancel(reason);
    },
  });
  const copy = new Response(body, { status: response.status, statusText: response.statusText, headers: response.headers });
  Object.defineProperty(copy, "url", { value: response.url });
  return copy;
}

/** With `classify` an answer of text is kept whole, and judged before the connector sees it. */
async function looked(response: Response, options: TestFetchOptions, signal: AbortSignal): Promise<Response> {
  const type = response.headers.get("content-type") ?? "text/plain";
  if (options.classify === undefined || !/json|text|xml/iu.test(type)) return response;
  const text = await response.text();
  signal.throwIfAborted();
  const { status, headers } = response;
  const found = options.classify({ status, headers, text });
  if (found !== undefined) {
    const { kind, message, field } = found;
    throw new ConnectorError(kind, message, { status, ...(field === undefined ? {} : { field }) });
  }
  const copy = new Response([101, 204, 205, 304].includes(status) ? null : text, { status, headers });
  Object.defineProperty(copy, "url", { value: response.url });
  return copy;
}

type OAuth = Extract<AuthMethod, { readonly tokenUrl: string }>;

async function fetchToken(auth: OAuth, options: TestFetchOptions, signal: AbortSignal): Promise<{ value: string; untilMs: number }> {
  const form = new URLSearchParams(auth.kind === "oauth2-client-credentials" ? auth.parameters : undefined);
  if (auth.kind === "oauth2-client-credentials") form.set("grant_type", "client_credentials");
  else {
    form.set("grant_type", "refresh_token");
    form.set("refresh_token", auth.refreshToken);
  }
  if (auth.scopes !== undefined) form.set("scope", auth.scopes.join(" "));
  const headers = new Headers({ "content-type": "application/x-www-form-urlencoded", accept: "application/json" });
  if (auth.clientAuthentication === "body") {
    form.set("client_id", auth.clientId);
    if (auth.clientSecret !== undefined) form.set("client_secret", auth.clientSecret);
  } else
    headers.set("authorization", `Basic ${base64(`${encodeURIComponent(auth.clientId)}:${encodeURIComponent(auth.clientSecret ?? "")}`)}`);
  refuseForeign(new URL(auth.tokenUrl), options.origins);
  options.sent("POST", new URL(auth.tokenUrl));
  const response = await fetch(auth.tokenUrl, { method: "POST", headers, body: form, signal, redirect: "manual" });
  const text = await response.text();
  if (response.status === 400 || response.status === 401)
    throw new ConnectorError("auth", `The token endpoint refused the client: ${response.status}.`);
  const answer: unknown = response.ok ? JSON.parse(text) : undefined;
  const { access_token: value, expires_in: seconds } = (answer ?? {}) as { access_token?: unknown; expires_in?: unknown };
  if (typeof value !== "string") throw new ConnectorError("unavailable", `The token endpoint answered ${response.status} without a token.`);
  const lifeMs = typeof seconds === "number" ? seconds * 1000 - TOKEN_MARGIN_MS : TOKEN_MARGIN_MS;
  return { value, untilMs: options.now().getTime() + lifeMs };
}

function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}
