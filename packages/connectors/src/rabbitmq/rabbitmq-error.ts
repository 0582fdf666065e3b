import { ConnectorError, isConnectorError, networkError, toConnectorError, type ErrorKind } from "@quiesce/sdk";

/** Reply codes of AMQP 0-9-1 -> kind. See the protocol's reference, constants. */
const KIND_BY_CODE: { readonly [code: number]: ErrorKind } = {
  311: "invalid",
  312: "config",
  313: "config",
  320: "unavailable",
  402: "config",
  403: "permission",
  404: "config",
  405: "conflict",
  406: "config",
  502: "bug",
  504: "bug",
  506: "unavailable",
  530: "config",
  541: "unavailable",
};

/** Classifies what the client threw. `opening` says that nobody was logged in yet: a refusal is one of the credentials then. */
export function rabbitmqError(
  thrown: unknown,
  where: string,
  options: { readonly signal: AbortSignal; readonly opening?: boolean },
): ConnectorError {
  if (isConnectorError(thrown)) return toConnectorError(thrown);
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const code = replyCode(thrown, text);
  if (options.signal.aborted) return new ConnectorError("cancelled", `The call to ${where} was stopped.`, { cause: thrown });
  if (code !== undefined) {
    const refused = options.opening === true && code === 403;
    return new ConnectorError(refused ? "auth" : (KIND_BY_CODE[code] ?? "contract"), `${where}: ${text}`, { status: code, cause: thrown });
  }
  if (text.includes("ConnectionOpenOk; got")) {
    return new ConnectorError(
      "config",
      `${where} did not open this virtual host: there is none of this name, or the user has no right to it.`,
      {
        cause: thrown,
        field: "vhost",
      },
    );
  }
  if (text === "connect ETIMEDOUT") return new ConnectorError("timeout", `No answer from ${where} in time.`, { cause: thrown });
  if (/^(?:Unexpected close|Channel (?:closed|ended)|channel closed|Connection closed|Socket closed|Heartbeat timeout)/iu.test(text)) {
    return new ConnectorError("unavailable", `${where} ended the connection: ${text}.`, { cause: thrown });
  }
  return networkError(thrown, where);
}

/** In the opening handshake the client tells the broker's code in its message only. */
function replyCode(thrown: unknown, text: string): number | undefined {
  const code: unknown = Reflect.get(Object(thrown), "code");
  if (typeof code === "number") return code;
  const found = /\b(\d{3}) \([A-Z_-]+\)/u.exec(text);
  return found === null ? undefined : Number(found[1]);
}
