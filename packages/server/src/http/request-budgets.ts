import type { Authenticated } from "../access/authenticate.js";
import { type ApiLimits, BURST_SECONDS } from "./api-limits.js";
import { createRateLimiter, type RateLimit, STRANGER_LIMIT } from "./rate-limiter.js";

/** What may be asked of this server, by whom, in a time; GraphQL, sockets and REST draw on the same. Each throws QSC_HTTP_RATE_LIMITED. */
export interface RequestBudgets {
  /** One request or message from an address group, before anything else is looked at. */
  readonly takeAddress: (group: string) => void;
  /** One request of a principal, whichever of its tokens it shows. */
  readonly takeCaller: (caller: Authenticated) => void;
  /** The points of an operation that is about to be executed. */
  readonly takeCost: (caller: Authenticated, points: number) => void;
  /** One wrong token. */
  readonly takeStranger: (group: string) => void;
}

const SECONDS_A_MINUTE = 60;

/** Rates that replace what the limits say. */
export interface RateOverrides {
  readonly callerLimit?: RateLimit | undefined;
  readonly costLimit?: RateLimit | undefined;
  readonly addressLimit?: RateLimit | undefined;
}

export function createRequestBudgets(limits: ApiLimits, overrides: RateOverrides = {}): RequestBudgets {
  const burstOf = (perSecond: number): RateLimit => ({ burst: perSecond * BURST_SECONDS, perSecond });
  const addresses = createRateLimiter(overrides.addressLimit ?? burstOf(limits.addressRequestsPerSecond));
  const callers = createRateLimiter(overrides.callerLimit ?? burstOf(limits.callerRequestsPerSecond));
  const costs = createRateLimiter(
    overrides.costLimit ?? { burst: limits.callerCostPerMinute, perSecond: limits.callerCostPerMinute / SECONDS_A_MINUTE },
    "points of GraphQL",
  );
  const strangers = createRateLimiter(STRANGER_LIMIT);
  return {
    takeAddress: (group) => addresses.take(group),
    takeCaller: ({ principalId }) => callers.take(String(principalId)),
    takeCost: ({ principalId }, points) => costs.take(String(principalId), points),
    takeStranger: (group) => strangers.take(group),
  };
}
