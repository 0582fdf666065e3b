import { CRITICALITIES, type Criticality } from "../catalog/criticality.js";
import type { WindowKind } from "./window-kinds.js";

/** Which windows need whose approval. A list that is empty restricts nothing; all that are given must fit. */
export interface ApprovalPolicy {
  readonly key: string;
  readonly kinds: readonly WindowKind[];
  /** Fits a window that covers an integration with one of these tags. */
  readonly tags: readonly string[];
  /** Fits a window that means one of these systems: by name, by hard dependency, or by the route of an integration it names. */
  readonly systems: readonly string[];
  /** Fits a window that means a system, or covers an integration, at least as critical. */
  readonly minimumCriticality: Criticality | null;
  /** The names of those who may approve; empty: whoever has the right to. */
  readonly by: readonly string[];
  /** Whether who asks for it may approve it as well. */
  readonly ownAllowed: boolean;
}

/** What of a planned window decides which policies fit it. */
export interface PlannedReach {
  readonly kind: WindowKind;
  /** Of the integrations that it covers. */
  readonly tags: readonly string[];
  /** Keys of the systems that it means. */
  readonly systems: readonly string[];
  /** Of these integrations and systems. */
  readonly criticalities: readonly Criticality[];
}

const rankOf = (criticality: Criticality): number => CRITICALITIES.indexOf(criticality);

/** The policies that a window falls under, by key. */
export function fittingPolicies(policies: readonly ApprovalPolicy[], planned: PlannedReach): readonly ApprovalPolicy[] {
  const meets = <T>(wanted: readonly T[], found: readonly T[]) => wanted.length === 0 || wanted.some((one) => found.includes(one));
  const highest = Math.max(-1, ...planned.criticalities.map(rankOf));
  return policies
    .filter(
      (policy) =>
        meets(policy.kinds, [planned.kind]) &&
        meets(policy.tags, planned.tags) &&
        meets(policy.systems, planned.systems) &&
        (policy.minimumCriticality === null || highest >= rankOf(policy.minimumCriticality)),
    )
    .toSorted((a, b) => (a.key < b.key ? -1 : 1));
}
