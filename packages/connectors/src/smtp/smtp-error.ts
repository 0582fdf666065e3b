import { ConnectorError, isConnectorError, networkError, toConnectorError, type ErrorKind } from "@quiesce/sdk";

/** Replies (RFC 5321, 4.2.3) -> kind; of the others the first digit decides. */
const KIND_BY_REPLY: { readonly [code: number]: ErrorKind } = {
  421: "unavailable",
  450: "transient",
  454: "transient",
  502: "config",
  503: "bug",
  530: "auth",
  534: "auth",
  535: "auth",
  538: "config",
  550: "invalid",
  551: "invalid",
  552: "invalid",
  553: "invalid",
  554: "invalid",
};

/** The client's own codes -> kind. */
const KIND_BY_CODE: { readonly [code: string]: ErrorKind } = {
  ECONNECTION: "unavailable",
  ESOCKET: "unavailable",
  ETIMEDOUT: "timeout",
  EAUTH: "auth",
  ENOAUTH: "config",
  EENVELOPE: "invalid",
  EMESSAGE: "invalid",
  EPROTOCOL: "contract",
};

/** Alerts by which a server refuses a client's certificate, or the lack of one: RFC 8446, section 6.2. The client keeps their words only. */
const REFUSED_CLIENT = /SSL alert number (?:4[2-689]|116)\b/u;

/**
 * Classifies what the client threw. `sending` says that a mail was under way: without a reply of the server nobody knows then whether it took it.
 */
export function smtpError(
  thrown: unknown,
  where: string,
  options: { readonly signal: AbortSignal; readonly sending?: boolean },
): ConnectorError {
  const { signal, sending = false } = options;
  const doubt = sending ? { ambiguous: true } : {};
  if (isConnectorError(thrown)) return toConnectorError(thrown);
  if (signal.aborted) return new ConnectorError("cancelled", `The call to ${where} was stopped.`, { ...doubt, cause: thrown });
  const { code, responseCode, message, cause } = thrown as { code?: unknown; responseCode?: unknown; message?: unknown; cause?: unknown };
  const text = String(message).slice(0, 300);
  if (REFUSED_CLIENT.test(text))
    return new ConnectorError("auth", `${where} wants a client certificate, and refuses what it was shown: ${text}`, {
      ...doubt,
      cause: thrown,
    });
  if (code === "ETLS") return new ConnectorError("config", `No TLS with ${where}: ${text}`, { cause: thrown, field: "tls" });
  if (typeof responseCode === "number" && responseCode >= 400) {
    const kind = KIND_BY_REPLY[responseCode] ?? (responseCode < 500 ? "transient" : code === "EAUTH" ? "auth" : "invalid");
    return new ConnectorError(kind, `${where}: ${text}`, { status: responseCode, cause: thrown });
  }
  const socket = networkError(cause ?? thrown, where);
  if (socket.kind !== "bug") return new ConnectorError(socket.kind, socket.message, { ...socket.info, ambiguous: sending });
  // The client puts its own code over that of TLS; only the words are left.
  if (/certificate|altnames|self.signed/iu.test(text))
    return new ConnectorError("config", `No TLS with ${where}: ${text}`, { cause: thrown, field: "tls" });
  const kind = typeof code === "string" ? KIND_BY_CODE[code] : undefined;
  return new ConnectorError(kind ?? "bug", `${where}: ${text}`, {
    ...(typeof code === "string" ? { status: code } : {}),
    ...doubt,
    cause: thrown,
  });
}
