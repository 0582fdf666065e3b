import { ConnectorError, isConnectorError, networkError, toConnectorError, type ErrorKind } from "@quiesce/sdk";

/** Error numbers of MariaDB and MySQL -> kind. See the servers' error references; what is not here is decided by the SQLSTATE. */
const KIND_BY_NUMBER: { readonly [number: number]: ErrorKind } = {
  1040: "unavailable",
  1041: "unavailable",
  1044: "permission",
  1045: "auth",
  1049: "config",
  1053: "unavailable",
  1054: "config",
  1062: "conflict",
  1064: "config",
  1129: "unavailable",
  1130: "auth",
  1142: "permission",
  1143: "permission",
  1146: "config",
  1203: "rate_limited",
  1205: "transient",
  1213: "transient",
  1226: "rate_limited",
  1227: "permission",
  1290: "unavailable",
  1317: "timeout",
  1364: "invalid",
  1366: "invalid",
  1370: "permission",
  1406: "invalid",
  1451: "conflict",
  1452: "invalid",
  1698: "auth",
  1792: "permission",
  1836: "unavailable",
  1927: "unavailable",
  1969: "timeout",
  3024: "timeout",
  3819: "invalid",
  4025: "invalid",
  4031: "unavailable",
};

const KIND_BY_STATE: { readonly [state: string]: ErrorKind } = {
  "08": "unavailable",
  "22": "invalid",
  "23": "invalid",
  "28": "auth",
  "40": "transient",
  "42": "config",
};

/** What the client throws when it lost or never had a connection. */
const KIND_BY_CLIENT_CODE: { readonly [code: string]: ErrorKind } = {
  PROTOCOL_CONNECTION_LOST: "unavailable",
  PROTOCOL_SEQUENCE_TIMEOUT: "timeout",
  HANDSHAKE_NO_SSL_SUPPORT: "config",
  ER_HANDSHAKE_ERROR: "unavailable",
};

/** The transaction is gone with these, or the connection is: what follows in it would stand alone. */
const ENDS_TRANSACTION = new Set([1205, 1213, 1317, 1927, 1969, 3024, 4031, 1053]);

/** Classifies what a statement or the connection threw. `ambiguous` is never set here: only the caller knows what was under way. */
export function mariadbError(thrown: unknown, where: string, signal: AbortSignal): ConnectorError {
  if (isConnectorError(thrown)) return toConnectorError(thrown);
  const { code, errno, sqlState, message } = thrown as { code?: unknown; errno?: unknown; sqlState?: unknown; message?: unknown };
  const info = {
    cause: thrown,
    ...(typeof errno === "number" && errno > 0 ? { status: errno } : typeof code === "string" ? { status: code } : {}),
  };
  if (signal.aborted) return new ConnectorError("cancelled", `The call to ${where} was stopped.`, info);
  const kind = serverKind(errno, sqlState) ?? (typeof code === "string" ? KIND_BY_CLIENT_CODE[code] : undefined);
  if (kind !== undefined) return new ConnectorError(kind, `${where}: ${String(message)}`, info);
  // The client hides the code of what TLS found: a connection that broke, or a certificate that is not good.
  if (code === "HANDSHAKE_SSL_ERROR") {
    const broke = /ECONNRESET|hang up|disconnected before/u.test(String(message));
    return new ConnectorError(broke ? "unavailable" : "config", `No TLS with ${where}: ${String(message)}.`, info);
  }
  // Of the client itself, when the connection ended before it was open or was used after its end.
  if (/closed state|Connection lost/u.test(String(message))) return new ConnectorError("unavailable", `${where}: ${String(message)}`, info);
  const error = networkError(thrown, where);
  return new ConnectorError(error.kind, error.message, info);
}

/** True if the server refused one statement and the transaction it stood in lives. */
export function isRefusedStatement(error: ConnectorError): boolean {
  const { status } = error.info;
  return typeof status === "number" && error.kind !== "unavailable" && error.kind !== "cancelled" && !ENDS_TRANSACTION.has(status);
}

function serverKind(errno: unknown, sqlState: unknown): ErrorKind | undefined {
  if (typeof sqlState !== "string" || sqlState === "") return undefined;
  const byNumber = typeof errno === "number" ? KIND_BY_NUMBER[errno] : undefined;
  return byNumber ?? KIND_BY_STATE[sqlState.slice(0, 2)] ?? "contract";
}
