/** The first runs on one target system, as far as they are known. */
export interface CanariesOfSystem {
  readonly systemId: number;
  readonly succeeded: number;
  /** Failed, dead or lost. */
  readonly failed: number;
  /** Chosen and not ended. */
  readonly pending: number;
  /** Held runs of the system that could still be chosen. */
  readonly available: number;
}

export type CanaryVerdict =
  /** Everything that waits for this system may go, as far as it is concerned. */
  | { readonly kind: "passed" }
  /** So many more shall go ahead (0: those under way are waited for). */
  | { readonly kind: "wait"; readonly choose: number }
  | { readonly kind: "failed"; readonly failed: number; readonly ended: number };

/**
 * Whether one target system has taken its first runs. It fails as soon as more have failed than the bound allows of those that will have ended;
 * it passes when as many have ended as the policy wants, or nothing is left that could go ahead.
 */
export function decideCanaries(
  facts: CanariesOfSystem,
  policy: { readonly canaries: number; readonly failureBound: number },
): CanaryVerdict {
  const ended = facts.succeeded + facts.failed;
  const open = Math.max(0, policy.canaries - ended - facts.pending);
  const choose = Math.min(open, facts.available);
  const willHaveEnded = ended + facts.pending + choose;
  if (willHaveEnded > 0 && facts.failed > policy.failureBound * willHaveEnded) return { kind: "failed", failed: facts.failed, ended };
  if (facts.pending + choose > 0) return { kind: "wait", choose };
  return { kind: "passed" };
}
