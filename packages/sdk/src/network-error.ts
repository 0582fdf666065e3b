import { ConnectorError, isConnectorError, toConnectorError } from "./error.js";

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
  const code = networkCode(thrown);
  if (code !== undefined) {
    return new ConnectorError(KIND_BY_CODE[code], `No answer from ${where}: ${code}.`, {
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

function networkCode(thrown: unknown): keyof typeof KIND_BY_CODE | undefined {
  // fetch hides the socket's error in `cause`, a connection tried on two addresses in `errors`.
  let error: unknown = thrown;
  for (let depth = 0; depth < 4 && typeof error === "object" && error !== null; depth += 1) {
    const { code, cause, errors } = error as { code?: unknown; cause?: unknown; errors?: unknown };
    if (typeof code === "string" && Object.hasOwn(KIND_BY_CODE, code)) {
      return code as keyof typeof KIND_BY_CODE;
    }
    error = cause ?? (Array.isArray(errors) ? errors[0] : undefined);
  }
  return undefined;
}
