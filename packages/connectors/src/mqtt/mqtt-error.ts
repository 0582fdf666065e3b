import { ConnectorError, type ErrorKind } from "@quiesce/sdk";

/** Reason codes of MQTT 5 (section 2.4) -> kind. */
const KIND_BY_REASON: { readonly [code: number]: ErrorKind } = {
  0x80: "transient",
  0x81: "contract",
  0x82: "contract",
  0x83: "transient",
  0x84: "config",
  0x85: "config",
  0x86: "auth",
  0x87: "permission",
  0x88: "unavailable",
  0x89: "unavailable",
  0x8a: "permission",
  0x8b: "unavailable",
  0x8c: "config",
  0x8d: "unavailable",
  0x8e: "conflict",
  0x8f: "config",
  0x90: "config",
  0x95: "invalid",
  0x97: "transient",
  0x98: "unavailable",
  0x99: "invalid",
  0x9a: "config",
  0x9b: "config",
  0x9c: "config",
  0x9d: "config",
  0x9e: "config",
  0x9f: "rate_limited",
  0xa2: "config",
};

/** Return codes of a refused connection in MQTT 3.1.1 (section 3.2.2.3) -> kind. */
const KIND_BY_RETURN_CODE: { readonly [code: number]: ErrorKind } = { 1: "config", 2: "config", 3: "unavailable", 4: "auth", 5: "auth" };

/** "Not authorized" of somebody who is not in yet: Mosquitto says so of a wrong password. */
const NOT_AUTHORIZED = 0x87;

/** What the broker said to a connection that is to be opened, as an error. */
export function refusedConnection(where: string, answer: { readonly code: number; readonly text?: string | undefined }): ConnectorError {
  const error = refusal(where, "the connection", answer);
  return answer.code === NOT_AUTHORIZED ? new ConnectorError("auth", error.message, error.info) : error;
}

/** What the broker said, as an error. From 0x80 on a reason code is a refusal. */
export function refusal(
  where: string,
  what: string,
  answer: { readonly code: number; readonly text?: string | undefined },
): ConnectorError {
  const { code, text } = answer;
  const kind = KIND_BY_REASON[code] ?? KIND_BY_RETURN_CODE[code] ?? "contract";
  const reason = text === undefined || text === "" ? "" : `: ${text}`;
  return new ConnectorError(kind, `${where} refused ${what} with code 0x${code.toString(16).padStart(2, "0")}${reason}.`, { status: code });
}
