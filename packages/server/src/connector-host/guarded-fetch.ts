import type { LookupAddress } from "node:dns";
import { isIP } from "node:net";
import { canonicalHost } from "@quiesce/core";
import { type ClientTls, ConnectorError, type ConnectorFetch, networkError } from "@quiesce/sdk";
import { fetch as undiciFetch } from "undici";
import { cappedResponse } from "./capped-response.js";
import { type ClientAgents, createClientAgents } from "./client-agents.js";
import { isReachable, mayBePrivate, REFUSED_ADDRESS, refusedAddress, type Resolve, systemResolve } from "./egress-address.js";
import type { SecretMask } from "./secret-mask.js";

/** The whole of one request, redirects and body included, if the connector names no other limit. */
const REQUEST_TIMEOUT_MS = 30_000;
const MAX_REDIRECTS = 3;
const MAX_TIMEOUT_MS = 600_000;
const CREDENTIAL_HEADERS = ["authorization", "proxy-authorization", "cookie"];

/** Connections of all endpoints; close it with the host. */
export interface Egress {
  fetchFor(options: GuardedFetchOptions): ConnectorFetch;
  /** The checked addresses of a host among the origins, those of IPv4 first. Rejects with ConnectorErrors: permission, unavailable. */
  resolveHost(options: Pick<GuardedFetchOptions, "origins" | "privateHosts">, host: string): Promise<readonly string[]>;
  close(): Promise<void>;
}

interface GuardedFetchOptions {
  /** The origins this endpoint may reach, from its connector's `egress`. */
  readonly origins: readonly string[];
  /** Names that may lead into private networks, beside those of the deployment. */
  readonly privateHosts?: readonly string[];
  readonly signal: AbortSignal;
  readonly mask: SecretMask;
}

interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: Uint8Array<ArrayBuffer> | null;
  readonly tls: ClientTls | undefined;
}

interface EgressOptions {
  /** Names that may lead into private networks, whoever asks. */
  readonly privateHosts?: readonly string[];
  readonly resolve?: Resolve;
}

/** Opens the connection pools. Certificates are verified; names are resolved once and the connection goes to the address that was checked. */
export function createEgress({ privateHosts = [], resolve = systemResolve }: EgressOptions = {}): Egress {
  const agents = createClientAgents(resolve);
  const permitted = (more: readonly string[] | undefined): readonly string[] => [...privateHosts, ...(more ?? [])];
  return {
    fetchFor: (options) => {
      const permitting = { ...options, privateHosts: permitted(options.privateHosts) };
      return (url, init) => guardedFetch(agents, permitting, url, init ?? {});
    },
    resolveHost: ({ origins, privateHosts: more }, host) => resolveHost({ origins, privateHosts: permitted(more), resolve }, host),
    close: () => agents.close(),
  };
}

/** For clients with sockets of their own: they connect to what is answered, so that a name cannot lead elsewhere between check and connection. */
async function resolveHost(
  options: { readonly origins: readonly string[]; readonly privateHosts: readonly string[]; readonly resolve: Resolve },
  host: string,
): Promise<readonly string[]> {
  const name = canonicalHost(host);
  const isOwn = options.origins.some((origin) => URL.canParse(origin) && canonicalHost(new URL(origin).hostname) === name);
  if (!isOwn)
    throw new ConnectorError(
      "permission",
      `The connector asked for ${host}, which is not among the origins of this endpoint: ${options.origins.join(", ") || "none"}.`,
    );
  const found =
    isIP(name) === 0
      ? await new Promise<readonly LookupAddress[]>((resolve, reject) => {
          options.resolve(name, (error, all) => (error === null ? resolve(all) : reject(networkError(error, host))));
        })
      : [{ address: name, family: isIP(name) }];
  const privateAllowed = mayBePrivate(name, options.privateHosts);
  const reachable = found.filter(({ address }) => isReachable(address, { privateAllowed }));
  if (reachable.length === 0) {
    const addresses = found.map(({ address }) => address);
    throw new ConnectorError("permission", refusedAddress(host, addresses).message);
  }
  return reachable.toSorted((a, b) => a.family - b.family).map(({ address }) => address);
}

async function guardedFetch(
  agents: ClientAgents,
  options: GuardedFetchOptions,
  url: string | URL,
  init: Parameters<ConnectorFetch>[1] & object,
): Promise<Response> {
  const { timeoutMs, signal: ownSignal, redirect = "follow", tls, ...rest } = init;
  const stop = new AbortController();
  const stops = [options.signal, ...(ownSignal === null || ownSignal === undefined || ownSignal === options.signal ? [] : [ownSignal])];
  const onAbort = (): void => stop.abort(new DOMException("The request was stopped.", "AbortError"));
  const limitMs = Math.min(timeoutMs ?? REQUEST_TIMEOUT_MS, MAX_TIMEOUT_MS);
  const timer = setTimeout(() => stop.abort(new DOMException(`No whole answer within ${limitMs} ms.`, "TimeoutError")), limitMs);
  const ended = (): void => {
    clearTimeout(timer);
    for (const signal of stops) signal.removeEventListener("abort", onAbort);
  };
  for (const signal of stops) {
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  }
  const where = hostOf(url);
  const classify = (thrown: unknown): ConnectorError =>
    classified(
      thrown,
      where,
      stops.find((signal) => signal.aborted),
    );
  try {
    // Before the platform sees it, which calls a user name in an address a fault of the program.
    if (URL.canParse(String(url))) refuseForeign(new URL(url), options.origins, false);
    const hop = { ...(await firstHop(url, rest)), tls };
    const response = await follow(agents, options, hop, { redirect, signal: stop.signal });
    return cappedResponse(response, { where, classify, ended });
  } catch (thrown) {
    ended();
    throw classify(thrown);
  }
}

/** Lets the platform turn body and headers into bytes, so that they can be sent again to where a redirect points. */
async function firstHop(url: string | URL, init: RequestInit): Promise<Omit<Hop, "tls">> {
  const request = new Request(url, init);
  const bytes = request.body === null ? null : new Uint8Array(await request.arrayBuffer());
  return { url: new URL(request.url), method: request.method, headers: new Headers(request.headers), body: bytes };
}

async function follow(
  agents: ClientAgents,
  options: GuardedFetchOptions,
  first: Hop,
  how: { readonly redirect: string; readonly signal: AbortSignal },
) {
  let hop = first;
  for (let redirects = 0; ; redirects += 1) {
    refuseForeign(hop.url, options.origins, redirects > 0);
    const response = await undiciFetch(hop.url, {
      method: hop.method,
      headers: [...hop.headers],
      body: hop.body,
      redirect: "manual",
      signal: how.signal,
      dispatcher: agents.agentFor({ privateAllowed: mayBePrivate(hop.url.hostname, options.privateHosts ?? []), tls: hop.tls }),
    });
    const target = response.headers.get("location");
    if (target === null || ![301, 302, 303, 307, 308].includes(response.status) || how.redirect === "manual") return response;
    await response.body?.cancel();
    if (how.redirect === "error" || redirects === MAX_REDIRECTS || !URL.canParse(target, hop.url.href)) {
      throw new ConnectorError(
        "contract",
        `${hop.url.host} redirects to ${target}; followed are at most ${MAX_REDIRECTS} redirects, and none where the connector wants none.`,
      );
    }
    hop = nextHop(hop, { status: response.status, url: new URL(target, hop.url) }, options.mask);
  }
}

function nextHop(hop: Hop, answer: { readonly status: number; readonly url: URL }, mask: SecretMask): Hop {
  const { status, url } = answer;
  const becomesGet = status === 303 ? hop.method !== "HEAD" : (status === 301 || status === 302) && hop.method === "POST";
  const headers = new Headers(hop.headers);
  if (becomesGet) for (const name of ["content-type", "content-length"]) headers.delete(name);
  if (url.origin !== hop.url.origin) {
    if (hop.body !== null && !becomesGet) {
      throw new ConnectorError(
        "permission",
        `${hop.url.host} redirects a ${hop.method} with its content to ${url.host}, another origin; this is not followed.`,
      );
    }
    for (const name of CREDENTIAL_HEADERS) headers.delete(name);
    // Some systems take their token in a header of their own.
    for (const [name, value] of hop.headers) if (mask.text(value) !== value) headers.delete(name);
  }
  // Another origin is told nothing of who asks, and vouched for by the usual authorities.
  const tls = url.origin === hop.url.origin ? hop.tls : undefined;
  return { url, method: becomesGet ? "GET" : hop.method, headers, body: becomesGet ? null : hop.body, tls };
}

function refuseForeign(url: URL, origins: readonly string[], redirected: boolean): void {
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new ConnectorError("permission", `Only http and https are fetched, found ${url.protocol}`);
  const how = redirected ? "was redirected to" : "asked for";
  if (url.username !== "" || url.password !== "")
    throw new ConnectorError(
      "permission",
      `The connector ${how} an address of ${url.host} with a user name in it; credentials go into a header.`,
    );
  if (origins.some((origin) => URL.canParse(origin) && new URL(origin).origin === url.origin)) return;
  throw new ConnectorError(
    "permission",
    `The connector ${how} ${url.origin}, which is not among the origins of this endpoint: ${origins.join(", ") || "none"}.`,
  );
}

function classified(thrown: unknown, where: string, stopped: AbortSignal | undefined): ConnectorError {
  const cause = thrown instanceof Error ? thrown.cause : undefined;
  if (cause instanceof Error && "code" in cause && cause.code === REFUSED_ADDRESS) return new ConnectorError("permission", cause.message);
  return networkError(thrown, where, stopped);
}

function hostOf(url: string | URL): string {
  return URL.canParse(String(url)) ? new URL(String(url)).host : "an address that is none";
}
