import { DomainError } from "@quiesce/core";
import { clock } from "../clock.js";

export interface RateLimit {
  /** So many at once. */
  readonly burst: number;
  /** So many come back every second. */
  readonly perSecond: number;
}

/** Of one token, over all transports of this server. */
export const CALLER_LIMIT: RateLimit = { burst: 500, perSecond: 100 };
/** Of one address that shows no valid token: enough for a person's mistakes, too little for guessing. */
export const STRANGER_LIMIT: RateLimit = { burst: 30, perSecond: 1 };
/** Of one calendar feed: many programs may share its address, and each answer is made anew. */
export const FEED_LIMIT: RateLimit = { burst: 30, perSecond: 2 };

/** Buckets that are not remembered are full, so forgetting the oldest is safe for memory and kind to callers. */
const MAX_BUCKETS = 10_000;

/** A token bucket a name. `take` throws QSC_HTTP_RATE_LIMITED when it is empty. */
export function createRateLimiter(limit: RateLimit): { take(name: string): void } {
  const buckets = new Map<string, { level: number; at: number }>();
  return {
    take(name) {
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
      if (bucket.level < 1) {
        throw new DomainError(
          "QSC_HTTP_RATE_LIMITED",
          `Too many requests: at most ${limit.burst} at once and ${limit.perSecond} a second. Try again in a second.`,
        );
      }
      bucket.level -= 1;
    },
  };
}
