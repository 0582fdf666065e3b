import { affectedSystems, type CatalogFacts, covered, type CoveredIntegration } from "../catalog/coverage.js";
import type { WindowScope } from "../catalog/window-scope.js";
import type { HoldCoverage } from "./window-kinds.js";

/** What a plan reaches: the integrations it covers and the systems that it takes down or means. */
export interface Reach {
  readonly integrations: ReadonlyMap<number, CoveredIntegration>;
  readonly systems: ReadonlySet<number>;
}

/** Where two plans meet. */
export interface SharedReach {
  /** Covered by both, with the first path of each. */
  readonly integrations: readonly { readonly integrationId: number; readonly ownPath: string; readonly otherPath: string }[];
  /** Taken down or meant by both, ascending. */
  readonly systemIds: readonly number[];
}

export function reachOfScope(facts: CatalogFacts, scope: WindowScope, holds: HoldCoverage): Reach {
  return {
    integrations: new Map(covered(facts, scope, holds).map((one) => [one.integrationId, one])),
    systems: new Set(affectedSystems(facts, scope)),
  };
}

/** What both reach, over dependencies; null when they have nothing to do with each other. */
export function sharedReach(own: Reach, other: Reach): SharedReach | null {
  const integrations = [...own.integrations.values()].flatMap((one) => {
    const there = other.integrations.get(one.integrationId);
    return there === undefined ? [] : [{ integrationId: one.integrationId, ownPath: firstPath(one), otherPath: firstPath(there) }];
  });
  const systemIds = [...own.systems].filter((id) => other.systems.has(id)).toSorted((a, b) => a - b);
  return integrations.length === 0 && systemIds.length === 0 ? null : { integrations, systemIds };
}

function firstPath(one: CoveredIntegration): string {
  const [path] = one.paths;
  return path === undefined ? "" : `${path.via}: ${path.detail}`;
}
