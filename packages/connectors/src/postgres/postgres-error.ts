import { ConnectorError, isConnectorError, networkError, type ErrorKind } from "@quiesce/sdk";

/** SQLSTATE -> kind; the longest match wins. See the PostgreSQL manual, appendix A. */
const KIND_BY_SQLSTATE: { readonly [state: string]: ErrorKind } = {
  "08": "unavailable",
  "22": "invalid",
  "23": "invalid",
  "23505": "conflict",
  "25006": "permission",
  // Outside a transaction that was begun: the connection was lost and made again in between.
  "25P01": "unavailable",
  "28": "auth",
  "3D000": "config",
  "3F000": "config",
  "40": "transient",
  "42": "config",
  "42501": "permission",
  "53": "unavailable",
  "55P03": "transient",
  "57014": "timeout",
  "57P": "unavailable",
};

/** What postgres.js throws when it lost or never had a connection. */
const KIND_BY_CLIENT_CODE: { readonly [code: string]: ErrorKind } = {
  CONNECT_TIMEOUT: "timeout",
  CONNECTION_CLOSED: "unavailable",
  CONNECTION_ENDED: "unavailable",
  CONNECTION_DESTROYED: "unavailable",
};

/** Classifies what a query or the connection threw. `ambiguous` is never set here: only the caller knows what was under way. */
export function postgresError(thrown: unknown, where: string, signal: AbortSignal): ConnectorError {
  if (isConnectorError(thrown)) return networkError(thrown, where);
  const {
    code,
    message,
    column_name: column,
  } = thrown as {
    code?: unknown;
    message?: unknown;
    column_name?: unknown;
  };
  const info = {
    cause: thrown,
    ...(typeof code === "string" ? { status: code } : {}),
    ...(typeof column === "string" ? { field: column } : {}),
  };
  if (signal.aborted) return new ConnectorError("cancelled", `The call to ${where} was stopped.`, info);
  const kind = typeof code === "string" ? (kindOfSqlState(code) ?? KIND_BY_CLIENT_CODE[code]) : undefined;
  if (kind === undefined) {
    const error = networkError(thrown, where);
    return new ConnectorError(error.kind, error.message, info);
  }
  return new ConnectorError(kind, `${where}: ${String(message)}`, info);
}

/** True if the server itself refused a statement: the connection lives, and the transaction can only be rolled back. */
export function isRefusedStatement(error: ConnectorError): boolean {
  const state = error.info.status;
  return typeof state === "string" && kindOfSqlState(state) !== undefined && !/^(?:08|25P01|57P)/u.test(state);
}

function kindOfSqlState(code: string): ErrorKind | undefined {
  if (!/^[0-9A-Z]{5}$/u.test(code)) return undefined;
  for (const length of [5, 3, 2]) {
    const kind = KIND_BY_SQLSTATE[code.slice(0, length)];
    if (kind !== undefined) return kind;
  }
  return undefined;
}
