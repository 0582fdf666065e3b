import { DomainError } from "@quiesce/core";
import { clock } from "../clock.js";

export interface RateLimit {
  /** So many at once. */
  readonly burst: number;
  /** So many come back every second. */
  readonly perSecond: number;
}

/** Of one address that shows no valid token: enough for a person's mistakes, too little for guessing. */
export const STRANGER_LIMIT: RateLimit = { burst: 30, perSecond: 1 };
/** Of one calendar feed: many programs may share its address, and each answer is made anew. */
export const FEED_LIMIT: RateLimit = { burst: 30, perSecond: 2 };

/** Buckets that are not remembered are full, so forgetting the oldest is safe for memory and kind to callers. */
const MAX_BUCKETS = 10_000;
const MAX_RETRY_SECONDS = 3_600;

export interface RateLimiter {
  /** Takes so many, 1 when left out. Throws QSC_HTTP_RATE_LIMITED, with `retryAfterSeconds`, when there are not as many; nothing is taken then. */
  take(name: string, amount?: number): void;
  /** How many names are remembered; bounded. */
  readonly size: number;
}

/** A token bucket a name. `what` is counted, in words for the refusal. */
export function createRateLimiter(limit: RateLimit, what = "requests"): RateLimiter {
  const buckets = new Map<string, { level: number; at: number }>();
  return {
    take(name, amount = 1) {
      const now = clock.monotonicMs();
      const bucket = buckets.get(name) ?? { level: limit.burst, at: now };
      bucket.level = Math.min(limit.burst, bucket.level + ((now - bucket.at) / 1_000) * limit.perSecond);
      bucket.at = now;
      buckets.delete(name);
      buckets.set(name, bucket);
      for (const oldest of buckets.keys()) {
        if (buckets.size <= MAX_BUCKETS) break;
        buckets.delete(oldest);
      }
      if (bucket.level < amount) {
        const seconds = Math.min(MAX_RETRY_SECONDS, Math.max(1, Math.ceil((amount - bucket.level) / limit.perSecond)));
        const rate = limit.perSecond < 1 ? `${Math.round(limit.perSecond * 3_600)} an hour` : `${Math.round(limit.perSecond)} a second`;
        throw new DomainError(
          "QSC_HTTP_RATE_LIMITED",
          `Too many ${what}: at most ${limit.burst} at once and ${rate}. Try again in ${seconds === 1 ? "a second" : `${seconds} seconds`}.`,
          { details: { retryAfterSeconds: seconds } },
        );
      }
      bucket.level -= amount;
    },
    get size() {
      return buckets.size;
    },
  };
}
