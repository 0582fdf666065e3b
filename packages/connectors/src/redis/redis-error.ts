import { ConnectorError, isConnectorError, networkError, toConnectorError, type ErrorKind } from "@quiesce/sdk";

/** The first word of an error of the server -> kind. */
const KIND_BY_WORD: { readonly [word: string]: ErrorKind } = {
  WRONGPASS: "auth",
  NOAUTH: "auth",
  NOPERM: "permission",
  WRONGTYPE: "config",
  MOVED: "config",
  READONLY: "unavailable",
  LOADING: "unavailable",
  MASTERDOWN: "unavailable",
  CLUSTERDOWN: "unavailable",
  MISCONF: "unavailable",
  NOREPLICAS: "unavailable",
  BUSY: "transient",
  TRYAGAIN: "transient",
  OOM: "transient",
};

/** The client's own errors, by their class. */
const KIND_BY_CLASS: { readonly [name: string]: ErrorKind } = {
  ConnectionTimeoutError: "timeout",
  SocketTimeoutError: "timeout",
  TimeoutError: "timeout",
  ClientClosedError: "unavailable",
  ClientOfflineError: "unavailable",
  DisconnectsClientError: "unavailable",
  SocketClosedUnexpectedlyError: "unavailable",
};

/** Classifies what the client threw. `ambiguous` is set where a command may have been done. */
export function redisError(thrown: unknown, where: string, signal: AbortSignal): ConnectorError {
  if (isConnectorError(thrown)) return toConnectorError(thrown);
  if (signal.aborted) return new ConnectorError("cancelled", `The call to ${where} was stopped.`, { ambiguous: true, cause: thrown });
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const byClass = thrown instanceof Error ? KIND_BY_CLASS[thrown.constructor.name] : undefined;
  if (byClass !== undefined)
    return new ConnectorError(byClass, `${where}: ${text === "" ? "the connection was lost" : text}`, { ambiguous: true, cause: thrown });
  const word = /^([A-Z]+) /u.exec(text)?.[1] ?? "";
  const byWord = KIND_BY_WORD[word] ?? kindOfText(text);
  if (byWord === undefined) return networkError(thrown, where);
  const hint = word === "MOVED" ? " This is a cluster, which the redis connector does not follow: name the node that has the key." : "";
  return new ConnectorError(byWord, `${where}: ${text}${hint}`, { status: word === "" ? "ERR" : word, cause: thrown });
}

/** Some errors of the server have the word ERR and are told apart by what follows. */
function kindOfText(text: string): ErrorKind | undefined {
  if (!text.startsWith("ERR ")) return undefined;
  if (/invalid (?:username-)?password|AUTH|Client sent AUTH/iu.test(text)) return "auth";
  if (/max number of clients/iu.test(text)) return "unavailable";
  if (/DB index|out of range|unknown command|syntax/iu.test(text)) return "config";
  return "contract";
}
