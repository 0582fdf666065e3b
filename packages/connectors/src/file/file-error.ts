import { ConnectorError, isConnectorError, toConnectorError, type ErrorKind } from "@quiesce/sdk";

const KIND_BY_CODE: { readonly [code: string]: ErrorKind } = {
  ENOENT: "not_found",
  ENOTDIR: "config",
  EISDIR: "config",
  ELOOP: "config",
  ENAMETOOLONG: "config",
  EACCES: "permission",
  EPERM: "permission",
  EROFS: "permission",
  ENOSPC: "unavailable",
  EDQUOT: "unavailable",
  EIO: "unavailable",
  ESTALE: "unavailable",
  EMFILE: "transient",
  ENFILE: "transient",
  EBUSY: "transient",
  EAGAIN: "transient",
};

/** Classifies what the file system or the CSV parser threw. */
export function fileError(thrown: unknown, path: string, signal: AbortSignal): ConnectorError {
  if (isConnectorError(thrown)) return toConnectorError(thrown);
  if (signal.aborted) return new ConnectorError("cancelled", `The work on ${path} was stopped.`, { cause: thrown });
  const { code, message, lines } = thrown as { code?: unknown; message?: unknown; lines?: unknown };
  if (typeof code !== "string") return toConnectorError(thrown);
  if (code.startsWith("CSV_")) {
    return new ConnectorError("contract", `${path}, line ${String(lines)}: ${String(message)}`, { status: code, cause: thrown });
  }
  const kind = KIND_BY_CODE[code];
  if (kind === undefined) return toConnectorError(thrown);
  return new ConnectorError(kind, `${path}: ${String(message)}`, { status: code, cause: thrown });
}
