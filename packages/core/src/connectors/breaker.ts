/** So many runs one after the other that got no answer, over all integrations and servers, and the system counts as away. */
export const BREAKER_FAILURES = 5;
/** The first probe follows after this time, each further one after twice the time of the one before. */
const FIRST_PAUSE_MS = 30_000;
const MAX_PAUSE_MS = 300_000;
/** Runs come back so long after the probe that decides about them. */
const AFTER_PROBE_MS = 5_000;
/** A probe that is due is under way, or will be in a moment: runs look again after this time. */
const DURING_PROBE_MS = 15_000;
/** What a system that asked to slow down without a time is given, and the most that it gets. */
const USUAL_DELAY_MS = 30_000;
const MAX_DELAY_MS = 3_600_000;

/** What is kept of the calls to one endpoint. Instants in epoch milliseconds by the database's clock. */
export interface BreakerFacts {
  /** Runs that got no answer since the last one that did. */
  readonly failures: number;
  /** Pauses since the system last answered; 0: the breaker is closed. */
  readonly pauses: number;
  /** When the system is asked again; null while the breaker is closed. */
  readonly probeAt: number | null;
  /** Until when the system wants no requests; null: it did not ask for that. */
  readonly delayedUntil: number | null;
}

export const closedBreaker: BreakerFacts = { failures: 0, pauses: 0, probeAt: null, delayedUntil: null };

/** Whether calls to an endpoint may begin now. */
export type Admission =
  | { readonly kind: "go" }
  | { readonly kind: "wait"; readonly until: number; readonly why: "endpoint-away" | "endpoint-rate-limited" };

/** Decides whether a run may begin to call an endpoint. While the breaker is open only its probe calls. */
export function admitCalls({ probeAt, delayedUntil }: BreakerFacts, now: number): Admission {
  if (probeAt !== null)
    return { kind: "wait", until: probeAt > now ? probeAt + AFTER_PROBE_MS : now + DURING_PROBE_MS, why: "endpoint-away" };
  if (delayedUntil !== null && delayedUntil > now) return { kind: "wait", until: delayedUntil, why: "endpoint-rate-limited" };
  return { kind: "go" };
}

/** What one call makes of the breaker. `away`: no answer, or none in time. */
export function afterAway(facts: BreakerFacts, now: number): BreakerFacts {
  const failures = facts.failures + 1;
  // Calls that were under way when it opened say nothing new.
  if (facts.probeAt !== null || failures < BREAKER_FAILURES) return { ...facts, failures };
  return { ...facts, failures, ...nextPause(facts.pauses, now) };
}

/** The system answered a call. While the breaker is open a probe alone closes it: an answer may be older than the failures. */
export function afterAnswer(facts: BreakerFacts): BreakerFacts {
  return facts.probeAt === null ? { ...facts, failures: 0, pauses: 0 } : facts;
}

/** The outcome of a probe; null for a connector that cannot check: then runs try again, and the first failure opens the breaker once more. */
export function afterProbe(facts: BreakerFacts, isThere: boolean | null, now: number): BreakerFacts {
  if (isThere === true) return { ...facts, failures: 0, pauses: 0, probeAt: null };
  if (isThere === null) return { ...facts, failures: BREAKER_FAILURES - 1, probeAt: null };
  return { ...facts, ...nextPause(facts.pauses, now) };
}

/** The system asked for fewer requests, for a time or without one. A shorter wish does not take back a longer one. */
export function afterRateLimit(facts: BreakerFacts, retryAfterMs: number | undefined, now: number): BreakerFacts {
  const until = now + Math.min(Math.max(retryAfterMs ?? USUAL_DELAY_MS, 0), MAX_DELAY_MS);
  return { ...facts, delayedUntil: Math.max(facts.delayedUntil ?? 0, until) };
}

function nextPause(pauses: number, now: number): Pick<BreakerFacts, "pauses" | "probeAt"> {
  return { pauses: pauses + 1, probeAt: now + Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** Math.min(pauses, 10)) };
}
