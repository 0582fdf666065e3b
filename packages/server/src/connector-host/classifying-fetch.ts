import { type Connector, ConnectorError, type ConnectorFetch, readText, retryAfterMs } from "@quiesce/sdk";
import { clock } from "../clock.js";

/** What is kept whole to be looked at; anything else is passed on as it comes. */
const READABLE = /^(?:text\/|application\/(?:[\w.+-]*\+)?(?:json|xml)\b|application\/problem)/iu;
/** Beginnings of other answers are not looked at: a connector is asked with an empty text. */
const WITHOUT_BODY = new Set([101, 204, 205, 304]);

/** A fetch that asks the connector about each answer, and rejects with the error that it finds in it. */
export function classifyingFetch(fetch: ConnectorFetch, connector: Connector): ConnectorFetch {
  if (connector.classify === undefined) return fetch;
  return async (url, options) => {
    const response = await fetch(url, options);
    const { status, statusText, headers } = response;
    const readable = READABLE.test(headers.get("content-type") ?? "") && !WITHOUT_BODY.has(status);
    const text = readable ? await readText(response) : "";
    const found = connector.classify?.({ status, headers, text });
    if (found !== undefined) {
      const delayMs = retryAfterMs(headers, new Date(clock.wallMs()));
      if (!readable) await response.body?.cancel();
      throw new ConnectorError(found.kind, found.message, {
        status,
        ...(found.field === undefined ? {} : { field: found.field }),
        ...(delayMs === undefined ? {} : { retryAfterMs: delayMs }),
      });
    }
    if (!readable) return response;
    const copy = new Response(text, { status, statusText, headers });
    Object.defineProperty(copy, "url", { value: response.url });
    return copy;
  };
}
