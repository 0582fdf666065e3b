import { ConnectorError, type ErrorKind, isConnectorError, toConnectorError } from "./error.js";

/** Error codes of node:net, node:dns, node:tls and undici. A wrong certificate is a matter of configuration: it will not mend itself. */
const KIND_BY_CODE = {
  ECONNREFUSED: "unavailable",
  ECONNRESET: "unavailable",
  ECONNABORTED: "unavailable",
  EPIPE: "unavailable",
  EHOSTUNREACH: "unavailable",
  ENETUNREACH: "unavailable",
  EHOSTDOWN: "unavailable",
  ENOTFOUND: "unavailable",
  EAI_AGAIN: "unavailable",
  UND_ERR_SOCKET: "unavailable",
  ETIMEDOUT: "timeout",
  ESOCKETTIMEDOUT: "timeout",
  UND_ERR_CONNECT_TIMEOUT: "timeout",
  UND_ERR_HEADERS_TIMEOUT: "timeout",
  UND_ERR_BODY_TIMEOUT: "timeout",
  CERT_HAS_EXPIRED: "config",
  DEPTH_ZERO_SELF_SIGNED_CERT: "config",
  SELF_SIGNED_CERT_IN_CHAIN: "config",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "config",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "config",
  ERR_TLS_CERT_ALTNAME_INVALID: "config",
} as const;

/** What a server says of a client's certificate (RFC 8446, 6.2), as Node names it. */
const REFUSED_CLIENT = /^ERR_SSL_\w+_ALERT_(?:\w*CERTIFICATE\w*|UNKNOWN_CA|ACCESS_DENIED)$/u;
/** A certificate or key that OpenSSL cannot use, or two that do not belong together. */
const UNUSABLE_PEM = /^ERR_OSSL_\w+$/u;

/** A server that speaks no TLS at this port, or none that both sides know (SSL routines of OpenSSL, as Node names them). */
const NO_COMMON_TLS = /^ERR_SSL_\w+$/u;

/** Nothing of the request can have reached the system with these: sending it again is safe. */
const NEVER_SENT = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EHOSTDOWN",
  "ENOTFOUND",
  "EAI_AGAIN",
  "UND_ERR_CONNECT_TIMEOUT",
]);

/**
 * Classifies what a socket, a name lookup, TLS or fetch threw. `ambiguous` is set where a request may have been received.
 * An aborted `signal` gives `cancelled`. Hosts wrap their fetch with it; connectors need it for vendor clients with sockets
 * of their own.
 */
export function networkError(thrown: unknown, where: string, signal?: AbortSignal): ConnectorError {
  if (isConnectorError(thrown)) return toConnectorError(thrown);
  if (signal?.aborted === true) {
    return new ConnectorError("cancelled", `The request to ${where} was stopped.`, {
      ambiguous: true,
      cause: thrown,
    });
  }
  const { code, kind } = networkCode(thrown) ?? {};
  if (code !== undefined && kind !== undefined) {
    return new ConnectorError(kind, `No answer from ${where}: ${code}.`, {
      status: code,
      ...(NEVER_SENT.has(code) ? {} : { ambiguous: true }),
      cause: thrown,
    });
  }
  if (thrown instanceof Error && thrown.name === "TimeoutError") {
    return new ConnectorError("timeout", `No answer from ${where} in time.`, {
      ambiguous: true,
      cause: thrown,
    });
  }
  if (thrown instanceof TypeError && thrown.message === "terminated") {
    return new ConnectorError("unavailable", `${where} ended its answer too early.`, {
      ambiguous: true,
      cause: thrown,
    });
  }
  return toConnectorError(thrown);
}

function networkCode(thrown: unknown): { readonly code: string; readonly kind: ErrorKind } | undefined {
  // fetch hides the socket's error in `cause`, a connection tried on two addresses in `errors`.
  let error: unknown = thrown;
  for (let depth = 0; depth < 4 && typeof error === "object" && error !== null; depth += 1) {
    const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown };
    const kind = typeof code === "string" ? kindOfCode(code) : undefined;
    if (typeof code === "string" && kind !== undefined) return { code, kind };
    error = cause ?? (Array.isArray(errors) ? errors[0] : undefined);
  }
  return undefined;
}

function kindOfCode(code: string): ErrorKind | undefined {
  if (Object.hasOwn(KIND_BY_CODE, code)) return KIND_BY_CODE[code as keyof typeof KIND_BY_CODE];
  if (REFUSED_CLIENT.test(code)) return "auth";
  return UNUSABLE_PEM.test(code) || NO_COMMON_TLS.test(code) ? "config" : undefined;
}
