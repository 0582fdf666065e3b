import { ConnectorError, type ErrorKind } from "./error.js";
import { retryAfterMs } from "./retry-after.js";

/** An HTTP answer as far as it is needed to classify it. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The body's text, or its beginning. It is shown in the message: at most 200 characters, markup removed. */
  readonly text: string;
}

const KIND_BY_STATUS: { readonly [status: number]: ErrorKind } = {
  401: "auth",
  403: "permission",
  404: "not_found",
  405: "config",
  408: "timeout",
  409: "conflict",
  410: "not_found",
  412: "conflict",
  423: "conflict",
  425: "transient",
  429: "rate_limited",
  500: "transient",
  501: "config",
  502: "unavailable",
  503: "unavailable",
  504: "timeout",
};

/**
 * Classifies an HTTP answer that is not a success, by its status. Systems that say more in the body (an error in a 200, a 404
 * for a missing right) look there first and use this for the rest. `what` names the request, such as "GET /orders".
 */
export function httpError(answer: HttpAnswer, what: string, now: Date): ConnectorError {
  const { status } = answer;
  const kind = KIND_BY_STATUS[status] ?? (status >= 500 ? "transient" : status >= 400 ? "invalid" : "contract");
  const excerpt = excerptOf(answer.text);
  const delayMs = kind === "rate_limited" || status >= 500 ? retryAfterMs(answer.headers, now) : undefined;
  return new ConnectorError(kind, `${what} was answered with ${status}${excerpt}.`, {
    status,
    ...(delayMs === undefined ? {} : { retryAfterMs: delayMs }),
    // A gateway gives up waiting, the system behind it may not have.
    ...(status === 500 || status === 502 || status === 504 ? { ambiguous: true } : {}),
  });
}

function excerptOf(text: string): string {
  const words = text
    .slice(0, 4000)
    .replaceAll(/<[^>]*>/gu, " ")
    .replaceAll(/\s+/gu, " ")
    .trim();
  return words === "" ? "" : `: ${words.slice(0, 200)}${words.length > 200 ? "…" : ""}`;
}
