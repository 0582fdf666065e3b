import type { HoldCoverage } from "../windows/window-kinds.js";
import type { WindowScope } from "./window-scope.js";

/** How much a system needs another: a `hard` one is down with it, a `soft` one only suffers. */
export type DependencyStrength = "hard" | "soft";

/** What of the catalogue decides which integrations a scope covers. Ids are the database's numbers, keys are what people write. */
export interface CatalogFacts {
  readonly systems: readonly { readonly id: number; readonly key: string }[];
  readonly dependencies: readonly { readonly systemId: number; readonly dependsOnId: number; readonly strength: DependencyStrength }[];
  readonly integrations: readonly {
    readonly id: number;
    readonly key: string;
    readonly tags: readonly string[];
    /** The systems on its route: source, target and via. */
    readonly systemIds: readonly number[];
    /** Those of them that it writes to. */
    readonly targetSystemIds: readonly number[];
  }[];
}

/** Why an integration is covered. */
export interface CoveragePath {
  readonly via: "integration" | "tag" | "system" | "dependency" | "all";
  /**
   * For people: the key, the tag, the system, or the chain of dependencies (`shop > crm > erp`: shop needs crm, crm needs erp). Where only writes
   * are covered it says what is written to: `writes to shop > crm > erp`.
   */
  readonly detail: string;
}

/** An integration that a scope covers, with every reason; at least one. */
export interface CoveredIntegration {
  readonly integrationId: number;
  readonly paths: readonly CoveragePath[];
}

/** An integration that a scope does not cover, although it will feel it: a system on its route depends softly on a covered one. */
export interface SoftlyAffectedIntegration {
  readonly integrationId: number;
  /** As in {@link CoveragePath}; `~>` marks the soft step. */
  readonly detail: string;
}

/** A chain longer than this is shown by its two ends. */
const CHAIN_SHOWN_MAX = 6;

/**
 * The integrations that a scope covers, in the order of the facts: named ones, those with a tag of the scope, and those whose route touches a
 * system of the scope or a system that depends hard on one, transitively. Where only `writes` are covered an integration without a target is left
 * alone, and of a route its targets count. Cycles are tolerated, names that the catalogue does not know cover nothing (see
 * {@link unknownScopeNames}). Work: linear in systems, dependencies and routes.
 */
export function covered(facts: CatalogFacts, scope: WindowScope, holds: HoldCoverage = "everything"): readonly CoveredIntegration[] {
  const onlyWrites = holds === "writes";
  const integrations = onlyWrites ? facts.integrations.filter((one) => one.targetSystemIds.length > 0) : facts.integrations;
  const reach = reachOf(facts, scope, "hard");
  const named = new Set(scope.integrations ?? []);
  const tags = new Set(scope.tags ?? []);
  const result: CoveredIntegration[] = [];
  for (const integration of integrations) {
    const systemIds = new Set(onlyWrites ? integration.targetSystemIds : integration.systemIds);
    const target = onlyWrites ? `, writes to ${reach.keys(systemIds)}` : "";
    if (scope.all === true) {
      result.push({ integrationId: integration.id, paths: [{ via: "all", detail: `all integrations${target}` }] });
      continue;
    }
    const paths: CoveragePath[] = [];
    if (named.has(integration.key)) paths.push({ via: "integration", detail: `${integration.key}${target}` });
    if (tags.size > 0) {
      for (const tag of new Set(integration.tags)) if (tags.has(tag)) paths.push({ via: "tag", detail: `${tag}${target}` });
    }
    for (const systemId of systemIds) {
      const step = reach.steps.get(systemId);
      if (step === undefined) continue;
      const chain = reach.chain(systemId);
      paths.push({ via: step.dependsOnId === null ? "system" : "dependency", detail: onlyWrites ? `writes to ${chain}` : chain });
    }
    if (paths.length > 0) result.push({ integrationId: integration.id, paths });
  }
  return result;
}

/**
 * The systems that a scope takes down or means: named ones with their hard dependents, and those on the routes of integrations that it names or
 * tags. By id, ascending.
 */
export function affectedSystems(facts: CatalogFacts, scope: WindowScope): readonly number[] {
  if (scope.all === true) return facts.systems.map((one) => one.id).toSorted((a, b) => a - b);
  const named = new Set(scope.integrations ?? []);
  const tags = new Set(scope.tags ?? []);
  const meant = facts.integrations.filter((one) => named.has(one.key) || one.tags.some((tag) => tags.has(tag)));
  const ids = new Set([...reachOf(facts, scope, "hard").steps.keys(), ...meant.flatMap((one) => one.systemIds)]);
  return [...ids].toSorted((a, b) => a - b);
}

/** The integrations that a scope leaves alone but that touch a system depending on a covered one through at least one soft dependency. */
export function softlyAffected(
  facts: CatalogFacts,
  scope: WindowScope,
  holds: HoldCoverage = "everything",
): readonly SoftlyAffectedIntegration[] {
  if (scope.all === true || (scope.systems ?? []).length === 0) return [];
  const coveredIds = new Set(covered(facts, scope, holds).map((one) => one.integrationId));
  const reach = reachOf(facts, scope, "soft");
  const result: SoftlyAffectedIntegration[] = [];
  for (const integration of facts.integrations) {
    if (coveredIds.has(integration.id)) continue;
    const systemIds = holds === "writes" ? integration.targetSystemIds : integration.systemIds;
    const systemId = systemIds.find((id) => reach.steps.has(id));
    if (systemId !== undefined) result.push({ integrationId: integration.id, detail: reach.chain(systemId) });
  }
  return result;
}

/** The names of a scope that the catalogue does not know. Tags are free words and never unknown. */
export function unknownScopeNames(
  facts: CatalogFacts,
  scope: WindowScope,
): { readonly systems: readonly string[]; readonly integrations: readonly string[] } {
  const systemKeys = new Set(facts.systems.map((one) => one.key));
  const integrationKeys = new Set(facts.integrations.map((one) => one.key));
  return {
    systems: (scope.systems ?? []).filter((key) => !systemKeys.has(key)),
    integrations: (scope.integrations ?? []).filter((key) => !integrationKeys.has(key)),
  };
}

/** How a system was reached: from which one, or null when the scope names it. */
interface Step {
  readonly dependsOnId: number | null;
  readonly strength: DependencyStrength;
}

/** Breadth first from the scope's systems against the arrows of dependency, so that every chain is a shortest one. */
function reachOf(facts: CatalogFacts, scope: WindowScope, weakest: DependencyStrength) {
  const keyOf = new Map(facts.systems.map((one) => [one.id, one.key]));
  const wanted = new Set(scope.systems ?? []);
  const steps = new Map<number, Step>();
  const queue: number[] = [];
  if (wanted.size > 0) {
    for (const system of facts.systems) {
      if (!wanted.has(system.key)) continue;
      steps.set(system.id, { dependsOnId: null, strength: "hard" });
      queue.push(system.id);
    }
  }
  const dependents = queue.length > 0 ? dependentsOf(facts, weakest) : new Map<number, readonly Dependent[]>();
  // The queue grows while it is walked; every system enters it once, which is what makes cycles harmless.
  for (const dependsOnId of queue) {
    for (const dependent of dependents.get(dependsOnId) ?? []) {
      if (steps.has(dependent.systemId)) continue;
      steps.set(dependent.systemId, { dependsOnId, strength: dependent.strength });
      queue.push(dependent.systemId);
    }
  }
  const chains = new Map<number, string>();
  const chain = (systemId: number): string => {
    const known = chains.get(systemId);
    if (known !== undefined) return known;
    const text = chainText(systemId, steps, keyOf);
    chains.set(systemId, text);
    return text;
  };
  const keys = (systemIds: ReadonlySet<number>): string => [...systemIds].map((id) => keyOf.get(id) ?? `#${id}`).join(", ");
  return { steps, chain, keys };
}

interface Dependent {
  readonly systemId: number;
  readonly strength: DependencyStrength;
}

function dependentsOf(facts: CatalogFacts, weakest: DependencyStrength): ReadonlyMap<number, readonly Dependent[]> {
  const dependents = new Map<number, Dependent[]>();
  for (const { systemId, dependsOnId, strength } of facts.dependencies) {
    if (weakest === "hard" && strength !== "hard") continue;
    const list = dependents.get(dependsOnId);
    if (list === undefined) dependents.set(dependsOnId, [{ systemId, strength }]);
    else list.push({ systemId, strength });
  }
  return dependents;
}

function chainText(systemId: number, steps: ReadonlyMap<number, Step>, keyOf: ReadonlyMap<number, string>): string {
  const parts: string[] = [];
  let current: number | null = systemId;
  while (current !== null) {
    const step: Step | undefined = steps.get(current);
    const arrow = step?.strength === "soft" ? " ~> " : " > ";
    parts.push(keyOf.get(current) ?? `#${current}`, ...(step === undefined || step.dependsOnId === null ? [] : [arrow]));
    current = step?.dependsOnId ?? null;
  }
  const shown = CHAIN_SHOWN_MAX * 2 - 1;
  if (parts.length <= shown) return parts.join("");
  // Keys stand at even places and arrows between them.
  return [...parts.slice(0, CHAIN_SHOWN_MAX - 1), " … ", ...parts.slice(-(CHAIN_SHOWN_MAX - 1))].join("");
}
