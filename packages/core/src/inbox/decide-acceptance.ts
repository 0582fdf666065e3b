import type { InboxLimits } from "./inbox-limits.js";

/** What waits already, what comes new, and what holds the integration; instants in epoch milliseconds. */
export interface AcceptanceFacts {
  readonly waitingRecords: number;
  readonly waitingBytes: number;
  readonly newRecords: number;
  readonly newBytes: number;
  /** Until when it is held as planned: null open-ended, undefined not held. */
  readonly heldUntil: number | null | undefined;
  readonly now: number;
  readonly limits: Pick<InboxLimits, "waitingRecords" | "waitingBytes">;
}

export type AcceptanceVerdict =
  | { readonly kind: "accept" }
  | { readonly kind: "full"; readonly what: "records" | "bytes"; readonly limit: number; readonly retryAfterSeconds: number };

/** The sender asks again after so long when nothing holds the integration. */
const RETRY_SECONDS = 30;
/** When nobody knows how long the hold lasts. */
const OPEN_ENDED_SECONDS = 3_600;
const LONGEST_SECONDS = 86_400;

/** Whether a request fits into the inbox, whole or not at all: half a request would break the order within a key. */
export function decideAcceptance(facts: AcceptanceFacts): AcceptanceVerdict {
  const { limits, newRecords, newBytes } = facts;
  // A request of known records changes nothing, however full it is.
  if (newRecords === 0) return { kind: "accept" };
  const retryAfterSeconds = retryAfter(facts);
  if (facts.waitingRecords + newRecords > limits.waitingRecords)
    return { kind: "full", what: "records", limit: limits.waitingRecords, retryAfterSeconds };
  if (facts.waitingBytes + newBytes > limits.waitingBytes)
    return { kind: "full", what: "bytes", limit: limits.waitingBytes, retryAfterSeconds };
  return { kind: "accept" };
}

function retryAfter({ heldUntil, now }: AcceptanceFacts): number {
  if (heldUntil === undefined) return RETRY_SECONDS;
  if (heldUntil === null) return OPEN_ENDED_SECONDS;
  return Math.min(LONGEST_SECONDS, Math.max(0, Math.ceil((heldUntil - now) / 1_000)) + RETRY_SECONDS);
}
