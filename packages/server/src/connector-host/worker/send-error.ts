import { ConnectorError, toConnectorError } from "@quiesce/sdk";
import type { SentError } from "./protocol.js";

/** An error as it crosses the border between host and worker: its kind, its words, and a trace for the log. */
export function sendError(thrown: unknown, signal?: AbortSignal): SentError {
  const error = toConnectorError(thrown, signal);
  const source = error.info.cause ?? thrown;
  const trace = source instanceof Error ? (source.stack ?? source.message) : String(source);
  return { ...error.toJSON(), trace };
}

/** The error that came over the border. */
export function receiveError(sent: SentError): ConnectorError {
  const cause = new Error(sent.message);
  cause.stack = sent.trace;
  return new ConnectorError(sent.kind, sent.message, { ...sent.info, cause });
}
