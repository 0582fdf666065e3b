import type { Json } from "./json.js";

/** Why a call is being stopped: `signal.reason` is `{ why }`. */
export type StopReason = "window" | "timeout" | "shutdown" | "cancel";

/** Fields of a log line. Secret values are redacted by value, but do not count on it: log ids and counts, not records. */
export type LogFields = { readonly [name: string]: Json };

/** The log of one call; the host adds the integration, the run and the attempt to every line. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** How a request shows who asks by TLS, and whom it trusts. Each is PEM. */
export interface ClientTls {
  /** The client's certificate, and those that lead to its authority, if any. */
  readonly cert?: string | undefined;
  /** The certificate's private key. */
  readonly key?: string | undefined;
  /** Authorities to trust instead of the usual ones. */
  readonly ca?: string | undefined;
}

/** `fetch`'s options and the time limit of this one request. */
export type FetchOptions = RequestInit & {
  /** Time for the whole request in milliseconds; the host's default applies if absent. */
  readonly timeoutMs?: number;
  /** A client certificate, or an authority of the system's own. Not shown to another origin that the answer redirects to. */
  readonly tls?: ClientTls | undefined;
};

/**
 * The only way to the network over HTTP. Bound to `signal` and to the connector's `egress`; counts, limits and traces requests.
 * Resolves for every HTTP status. Rejects with a ConnectorError: `unavailable` (refused, reset, no such host), `timeout`,
 * `cancelled` (the signal), `permission` (an origin outside `egress`).
 */
export type ConnectorFetch = (url: string | URL, options?: FetchOptions) => Promise<Response>;

/**
 * For clients with sockets of their own: the checked addresses of a host among the connector's `egress`, those of IPv4 first. Connect to one of them,
 * not to the name, and give TLS the name to compare. Rejects with a ConnectorError: `permission` (not in `egress`, or an address that is not to be
 * reached), `unavailable` (no such host).
 */
export type ResolveHost = (host: string) => Promise<readonly string[]>;

/** Small values that outlive a run, kept per endpoint and connector: a session token, a schema's hash. Never a cursor. At most 64 KiB each, and 1,000 of an endpoint. */
export interface StateStore {
  /** The stored value, or undefined if it is absent or expired. Check its shape before use: an older version may have written it. */
  get(name: string): Promise<Json | undefined>;
  /** Stores a value; `ttlMs` is its life in milliseconds (for ever if absent). Stored encrypted. */
  set(name: string, value: Json, options?: { readonly ttlMs?: number }): Promise<void>;
}

/** The time. In tests it is virtual: never use Date.now() or setTimeout in a connector. */
export interface Clock {
  now(): Date;
}

/** Who is calling, for log lines and for the user agent of requests. */
export interface CallMeta {
  readonly integrationId: string;
  readonly endpointId: string;
  readonly runId: string;
  /** 1 for the first try of a run. */
  readonly attempt: number;
  /** The host will not apply writes of this run. It does not call `write.apply` then. */
  readonly dryRun: boolean;
}

/** Given to every call of a facet. `C` and `S` are the parsed configuration and secrets of the endpoint. */
export interface Context<C = unknown, S = unknown> {
  readonly config: C;
  readonly secrets: S;
  /**
   * Aborted when the call must stop now; pass it to everything that waits. A maintenance window does not abort a read at
   * once: the engine stops asking for the next page, and aborts only after the drain grace.
   */
  readonly signal: AbortSignal;
  /** The call is stopped at this instant at the latest: the job's timeout, or the next window less the drain grace. */
  readonly deadline: Date;
  readonly fetch: ConnectorFetch;
  readonly resolveHost: ResolveHost;
  readonly log: Logger;
  /** Records a figure of this call, such as `rows_skipped`. */
  metric(name: string, value: number, labels?: { readonly [name: string]: string }): void;
  readonly state: StateStore;
  readonly clock: Clock;
  readonly meta: CallMeta;
}
