import { JetStreamApiError } from "@nats-io/jetstream";
import { ConnectorError, isConnectorError, networkError, toConnectorError, type ErrorKind } from "@quiesce/sdk";

/** Errors of the client, by their names -> kind. */
const KIND_BY_NAME: { readonly [name: string]: ErrorKind } = {
  AuthorizationError: "auth",
  UserAuthenticationExpiredError: "auth",
  PermissionViolationError: "permission",
  InvalidSubjectError: "config",
  InvalidNameError: "config",
  TimeoutError: "timeout",
  ClosedConnectionError: "unavailable",
  DrainingConnectionError: "unavailable",
  ConnectionError: "unavailable",
  // A request that the end of the connection took with it.
  RequestError: "unavailable",
  JetStreamNotEnabled: "config",
  NoRespondersError: "config",
  // Of the reader: what it was promised no longer comes.
  JetStreamError: "timeout",
  // A consumer that vanished, or a batch that was ended, by the server.
  JetStreamStatusError: "transient",
};

/** Classifies what the client threw. `ambiguous` is set where a message may have been stored. */
export function natsError(thrown: unknown, where: string, signal: AbortSignal): ConnectorError {
  if (isConnectorError(thrown)) return toConnectorError(thrown);
  if (signal.aborted) return new ConnectorError("cancelled", `The call to ${where} was stopped.`, { ambiguous: true, cause: thrown });
  if (thrown instanceof JetStreamApiError) {
    const { status, code } = thrown;
    return new ConnectorError(kindOfStatus(status), `${where}: ${thrown.message}`, { status: code, cause: thrown });
  }
  const { name, message, cause } = (thrown ?? {}) as { name?: unknown; message?: unknown; cause?: unknown };
  // A request's error wraps why it failed, a connection's what the socket said.
  if (cause instanceof Error && (name === "RequestError" || name === "JetStreamError" || name === "ConnectionError")) {
    const inner = natsError(cause, where, signal);
    if (inner.kind !== "bug") return inner;
  }
  if (String(message).includes("does not support 'tls'")) {
    return new ConnectorError("config", `${where} offers no TLS. Give it a certificate, or set tls to disable on the same machine.`, {
      cause: thrown,
      field: "tls",
    });
  }
  const kind = typeof name === "string" ? KIND_BY_NAME[name] : undefined;
  if (kind === undefined) return networkError(thrown, where);
  // Nobody listens on the subject of a stream, or of JetStream itself: not there, or not yet back.
  const ambiguous = kind === "timeout" || kind === "unavailable";
  return new ConnectorError(kind, `${where}: ${String(message)}`, { cause: thrown, ...(ambiguous ? { ambiguous } : {}) });
}

function kindOfStatus(status: number): ErrorKind {
  if (status === 404 || status === 400) return "config";
  if (status === 408) return "timeout";
  return status === 503 ? "unavailable" : "transient";
}
