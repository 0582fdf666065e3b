import { setTimeout as sleep } from "node:timers/promises";
import { ConnectorError, type ConnectorFetch, retryAfterMs } from "@quiesce/sdk";
import { clock } from "../../clock.js";

/** A longer delay is not waited for inside a request: the run is put off instead. */
const MAX_WAIT_MS = 60_000;
const REMAINING_HEADERS = ["ratelimit-remaining", "x-ratelimit-remaining", "x-rate-limit-remaining"];

/** What systems have asked for by headers, as this server has seen it. */
export interface RequestDelays {
  /** The same fetch, whose requests wait for as long as an answer of the endpoint has asked. Rejects with `rate_limited` beyond a minute. */
  heeding(fetch: ConnectorFetch, endpoint: { readonly id: number; readonly key: string }, signal: AbortSignal): ConnectorFetch;
}

/** Remembers delays for the life of the process; other servers see them in answers of their own, and in runs that were put off. */
export function createRequestDelays(): RequestDelays {
  const untilMs = new Map<number, number>();
  return {
    heeding: (fetch, endpoint, signal) => async (url, options) => {
      const waitMs = (untilMs.get(endpoint.id) ?? 0) - clock.monotonicMs();
      if (waitMs <= 0) untilMs.delete(endpoint.id);
      else await waitFor(waitMs, endpoint.key, signal);
      const response = await fetch(url, options);
      const askedMs = askedDelayMs(response);
      if (askedMs !== undefined && askedMs > 0) {
        const until = clock.monotonicMs() + askedMs;
        untilMs.set(endpoint.id, Math.max(untilMs.get(endpoint.id) ?? 0, until));
      }
      return response;
    },
  };
}

/** How long an answer asks us to wait: one that was refused for too many requests, and the last one that is allowed. */
function askedDelayMs({ status, headers }: Response): number | undefined {
  const isLast = REMAINING_HEADERS.some((name) => headers.get(name)?.trim() === "0");
  return status === 429 || isLast ? retryAfterMs(headers, new Date(clock.wallMs())) : undefined;
}

async function waitFor(waitMs: number, key: string, signal: AbortSignal): Promise<void> {
  if (waitMs > MAX_WAIT_MS)
    throw new ConnectorError("rate_limited", `Endpoint "${key}" asked for no requests for another ${Math.ceil(waitMs / 1_000)} seconds.`, {
      retryAfterMs: Math.ceil(waitMs),
    });
  await sleep(waitMs, undefined, { signal }).catch(() => {
    throw new ConnectorError("cancelled", "The call was stopped while a request waited as long as the system had asked.");
  });
}
