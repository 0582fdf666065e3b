/** How a delivery is tried again. */
export const deliveryPolicy = {
  firstRetryMs: 5_000,
  maxRetryMs: 3_600_000,
  /** After so long a message is given up: by then it tells nothing that anybody could act on. */
  giveUpAfterMs: 24 * 3_600_000,
} as const;

/** Up to a quarter of a pause is added, so that receivers that come back are not met by everything at once. */
const JITTER = 0.25;

/** What came of one attempt. `retryAfter`: the header as it was sent. */
export type DeliveryAnswer =
  | { readonly kind: "answered"; readonly status: number; readonly retryAfter: string | null }
  /** Taken by something that knows no status: a mail server. */
  | { readonly kind: "taken" }
  /** Refused for what it is: the same again would be refused again. */
  | { readonly kind: "refused"; readonly problem: string }
  | { readonly kind: "unreachable"; readonly problem: string };

/** What follows from it. `reason` is for people. */
export type DeliveryVerdict =
  | { readonly kind: "delivered" }
  | { readonly kind: "retry"; readonly at: number; readonly reason: string }
  | { readonly kind: "give-up"; readonly reason: string }
  /** 410 Gone: nobody listens there any more; nothing is sent there until somebody has looked. */
  | { readonly kind: "disable"; readonly reason: string };

/**
 * Decides after one attempt. `attempt` counts from 1, `since` is when it was first tried to be delivered, `jitter` a number in [0, 1). The pause doubles from 5 s up
 * to an hour; a receiver that says Retry-After is left alone for that long, an hour at most.
 */
export function decideDelivery(
  answer: DeliveryAnswer,
  facts: { readonly attempt: number; readonly since: number; readonly now: number; readonly jitter: number },
): DeliveryVerdict {
  if (answer.kind === "taken" || (answer.kind === "answered" && answer.status >= 200 && answer.status < 300)) return { kind: "delivered" };
  if (answer.kind === "refused") return { kind: "give-up", reason: answer.problem };
  const reason = answer.kind === "answered" ? `HTTP ${answer.status}` : answer.problem;
  if (answer.kind === "answered" && answer.status === 410) return { kind: "disable", reason };
  const { firstRetryMs, maxRetryMs, giveUpAfterMs } = deliveryPolicy;
  const pauseMs = Math.min(firstRetryMs * 2 ** Math.min(facts.attempt - 1, 20), maxRetryMs) * (1 + JITTER * facts.jitter);
  const askedMs = answer.kind === "answered" ? Math.min(retryAfterMs(answer.retryAfter, facts.now), maxRetryMs) : 0;
  const at = facts.now + Math.round(Math.max(pauseMs, askedMs));
  return at > facts.since + giveUpAfterMs ? { kind: "give-up", reason } : { kind: "retry", at, reason };
}

/** RFC 9110, 10.2.3: seconds or a date; anything else says nothing. */
function retryAfterMs(text: string | null, now: number): number {
  const value = text?.trim() ?? "";
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000;
  const date = /^[A-Za-z]{3}, /.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? 0 : Math.max(0, date - now);
}
