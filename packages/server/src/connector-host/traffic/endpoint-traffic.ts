import { type Admission } from "@quiesce/core";
import { ConnectorError, ERROR_POLICIES, toConnectorError } from "@quiesce/sdk";
import type { Logger } from "pino";
import type { Database } from "../../db/client.js";
import type { RunPermit } from "../run-permit.js";
import type { SecretMask } from "../secret-mask.js";
import { type CallNews, noteCall, readAdmission } from "./breaker-store.js";
import { noteRunPause } from "./run-pause.js";

/** Calls of one run to one endpoint, as the endpoint's breaker sees them. */
export interface EndpointTraffic {
  /**
   * Does a call and notes how it went. `judge` finds failures in its answer; `speaks` is false for a function that may answer without the system, so
   * that its answer says nothing about it.
   */
  watched<T>(
    work: () => Promise<T>,
    how?: { readonly judge?: (answer: T) => ConnectorError | undefined; readonly speaks?: false },
  ): Promise<T>;
}

interface TrafficContext {
  readonly database: Database;
  readonly log: Logger;
}

/**
 * Opens an endpoint for a run's calls. Throws `unavailable` or `rate_limited` when calls have to wait; the run is noted to be put off until then.
 */
export async function openTraffic(
  context: TrafficContext,
  options: { readonly endpoint: { readonly id: number; readonly key: string }; readonly permit: RunPermit },
): Promise<EndpointTraffic> {
  const { endpoint, permit } = options;
  const { admission, isNoted } = await readAdmission(context.database.db, endpoint.id);
  if (admission.kind === "wait") {
    noteRunPause(permit.run, admission);
    throw waiting(endpoint.key, admission);
  }
  let wipes = isNoted;
  /** One run is one witness: it tells of no answer once, until it got one. */
  let hasToldAway = false;
  return {
    async watched(work, { judge, speaks } = {}) {
      let failure: ConnectorError | undefined;
      try {
        const answer = await work();
        failure = judge?.(answer);
        return answer;
      } catch (thrown) {
        failure = toConnectorError(thrown, permit.signal);
        throw thrown;
      } finally {
        const news = failure === undefined ? answered(wipes && speaks !== false) : newsOf(failure, permit.mask);
        if (news !== undefined && !(news.kind === "away" && hasToldAway)) {
          const after = await noted(context, endpoint, news);
          if (after?.kind === "wait") noteRunPause(permit.run, after);
          if (news.kind !== "rate-limited") wipes = hasToldAway = news.kind === "away";
        }
      }
    },
  };
}

/** What a failed call says about its endpoint; undefined for what is the fault of something else. */
export function newsOf({ kind, message, info }: ConnectorError, mask: SecretMask): CallNews | undefined {
  const policy = ERROR_POLICIES[kind];
  const reason = `${kind}: ${mask.text(message)}`;
  if (policy.delaysEndpoint) return { kind: "rate-limited", reason, retryAfterMs: info.retryAfterMs };
  return policy.feedsBreaker ? { kind: "away", reason } : undefined;
}

const answered = (wipes: boolean): CallNews | undefined => (wipes ? { kind: "answer" } : undefined);

/** What is noted must not change how the call ended: our own database failing is told, and no more. */
async function noted(
  { database, log }: TrafficContext,
  endpoint: { readonly id: number; readonly key: string },
  news: CallNews,
): Promise<Admission | undefined> {
  try {
    return await noteCall({ database }, endpoint, news);
  } catch (error) {
    log.warn({ err: error, endpoint: endpoint.key }, "How a call to an endpoint went was not written down.");
    return undefined;
  }
}

function waiting(key: string, { why, until }: Extract<Admission, { kind: "wait" }>): ConnectorError {
  const when = new Date(until).toISOString();
  return why === "endpoint-away"
    ? new ConnectorError(
        "unavailable",
        `Endpoint "${key}" gave no answer several times in a row; calls wait until it was probed, ${when} at the earliest.`,
      )
    : new ConnectorError("rate_limited", `Endpoint "${key}" asked for fewer requests; calls wait until ${when}.`);
}
