/** What the engine does with an error of one kind. The connector classifies; only the engine waits, repeats and holds. */
export interface ErrorPolicy {
  /** The engine may try the same call again, within the job's retry policy. */
  readonly retry: boolean;
  /** The integration is held and one incident is opened: a person has to mend something first. */
  readonly holdsIntegration: boolean;
  /** Counts towards the endpoint's circuit breaker and the "system down" figure. */
  readonly feedsBreaker: boolean;
  /** Delays every integration that uses the same endpoint, for `retryAfterMs` if it is given. */
  readonly delaysEndpoint: boolean;
  /** Counts as a failure in KPIs. */
  readonly countsAsFailure: boolean;
}

/**
 * The thirteen kinds of error with what the engine does by default. An integration may override a policy; a connector may not.
 *
 * - `config`: the endpoint's configuration cannot work (unknown database, path outside the base folder).
 * - `auth`: the credentials were refused. `permission`: they were accepted, the action was not.
 * - `not_found`: the addressed thing is absent. `invalid`: the system refused the content. `conflict`: it has changed meanwhile.
 * - `rate_limited`: asked to slow down. `unavailable`: no answer, or "not now". `timeout`: no answer in time.
 * - `transient`: the system says a repetition may work (deadlock, lock timeout).
 * - `contract`: the answer is not of the agreed shape (HTML where JSON was promised, a field gone).
 * - `cancelled`: `signal` was aborted. `bug`: anything that was not classified.
 */
export const ERROR_POLICIES = {
  config: { retry: false, holdsIntegration: true, feedsBreaker: false, delaysEndpoint: false, countsAsFailure: true },
  auth: { retry: false, holdsIntegration: true, feedsBreaker: false, delaysEndpoint: false, countsAsFailure: true },
  permission: { retry: false, holdsIntegration: true, feedsBreaker: false, delaysEndpoint: false, countsAsFailure: true },
  not_found: { retry: false, holdsIntegration: false, feedsBreaker: false, delaysEndpoint: false, countsAsFailure: true },
  invalid: { retry: false, holdsIntegration: false, feedsBreaker: false, delaysEndpoint: false, countsAsFailure: true },
  conflict: { retry: false, holdsIntegration: false, feedsBreaker: false, delaysEndpoint: false, countsAsFailure: true },
  rate_limited: { retry: true, holdsIntegration: false, feedsBreaker: false, delaysEndpoint: true, countsAsFailure: false },
  unavailable: { retry: true, holdsIntegration: false, feedsBreaker: true, delaysEndpoint: false, countsAsFailure: true },
  timeout: { retry: true, holdsIntegration: false, feedsBreaker: true, delaysEndpoint: false, countsAsFailure: true },
  transient: { retry: true, holdsIntegration: false, feedsBreaker: false, delaysEndpoint: false, countsAsFailure: true },
  contract: { retry: false, holdsIntegration: false, feedsBreaker: false, delaysEndpoint: false, countsAsFailure: true },
  cancelled: { retry: true, holdsIntegration: false, feedsBreaker: false, delaysEndpoint: false, countsAsFailure: false },
  bug: { retry: false, holdsIntegration: false, feedsBreaker: false, delaysEndpoint: false, countsAsFailure: true },
} as const satisfies Record<string, ErrorPolicy>;

/** One of the thirteen kinds of error; {@link ERROR_POLICIES} says what each means. */
export type ErrorKind = keyof typeof ERROR_POLICIES;

/** All kinds, in the order of {@link ERROR_POLICIES}. */
export const ERROR_KINDS = Object.keys(ERROR_POLICIES) as readonly ErrorKind[];

/** What a connector can add to an error. Everything but `cause` is stored and shown: never put a secret or personal data here. */
export interface ErrorInfo {
  /** How long the system asked us to wait, in milliseconds from now. */
  readonly retryAfterMs?: number | undefined;
  /** The change may have been applied although no confirmation arrived: with `idempotency: "none"` it is never sent again by itself. */
  readonly ambiguous?: boolean | undefined;
  /** A sentence for the person who has to act, where `message` is too technical. */
  readonly userMessage?: string | undefined;
  /** The field at fault, as a dotted path into the record or the configuration. */
  readonly field?: string | undefined;
  /** The system's own status: an HTTP status (429) or a SQLSTATE ("23505"). */
  readonly status?: number | string | undefined;
  /** The error underneath, for the log only. */
  readonly cause?: unknown;
}

/** What remains of an error when it crosses a process or worker border. */
export interface SerializedConnectorError {
  readonly quiesceError: 1;
  readonly kind: ErrorKind;
  readonly message: string;
  readonly info: Omit<ErrorInfo, "cause">;
}

/**
 * The only error a connector should throw: it says what kind of trouble it was. Whatever else is thrown counts as `bug`
 * and is not retried.
 *
 * @example throw new ConnectorError("unavailable", "The ERP answered 503.", { status: 503, retryAfterMs: 30_000 });
 */
export class ConnectorError extends Error {
  override readonly name = "ConnectorError";
  /** The brand. Hosts test this property, never `instanceof`: host and plugin may hold different copies of this package. */
  readonly quiesceError = 1 as const;
  readonly kind: ErrorKind;
  readonly info: ErrorInfo;

  constructor(kind: ErrorKind, message: string, info: ErrorInfo = {}) {
    super(message, info.cause === undefined ? undefined : { cause: info.cause });
    this.kind = kind;
    this.info = info;
  }

  toJSON(): SerializedConnectorError {
    const { cause: _cause, ...info } = this.info;
    return { quiesceError: 1, kind: this.kind, message: this.message, info };
  }
}

/** True for a ConnectorError of any copy of this package, also after it crossed a worker border as a plain object. */
export function isConnectorError(value: unknown): value is ConnectorError | SerializedConnectorError {
  if (typeof value !== "object" || value === null) return false;
  const candidate = value as { quiesceError?: unknown; kind?: unknown; message?: unknown };
  return (
    candidate.quiesceError === 1 &&
    typeof candidate.kind === "string" &&
    Object.hasOwn(ERROR_POLICIES, candidate.kind) &&
    typeof candidate.message === "string"
  );
}

/**
 * Turns whatever was thrown into a ConnectorError: a branded one keeps its kind, an aborted `signal` gives `cancelled`,
 * everything else is a `bug`.
 */
export function toConnectorError(thrown: unknown, signal?: AbortSignal): ConnectorError {
  if (thrown instanceof ConnectorError) return thrown;
  if (isConnectorError(thrown)) {
    return new ConnectorError(thrown.kind, thrown.message, { ...thrown.info });
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  if (signal?.aborted === true) return new ConnectorError("cancelled", `Stopped: ${message}`, { cause: thrown });
  return new ConnectorError("bug", message, { cause: thrown });
}
