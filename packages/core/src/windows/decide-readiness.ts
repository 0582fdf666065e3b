import type { WindowScope } from "../catalog/window-scope.js";

/** What of the catalogue says which systems a window touches; see {@link systemsToCheck}. */
export interface RouteFacts {
  readonly systems: readonly { readonly id: number; readonly key: string }[];
  readonly integrations: readonly {
    readonly key: string;
    readonly tags: readonly string[];
    readonly systemIds: readonly number[];
  }[];
}

/**
 * The systems that must be ready before a window over this scope is released: those that it names, and those on the routes of the integrations
 * that it names, by key, by tag or by `all`. A system that only depends on a named one was not worked on and is not asked.
 */
export function systemsToCheck(facts: RouteFacts, scope: WindowScope): readonly number[] {
  const keys = new Set(scope.systems ?? []);
  const named = new Set(scope.integrations ?? []);
  const tags = new Set(scope.tags ?? []);
  const found = new Set(facts.systems.filter((system) => keys.has(system.key)).map((system) => system.id));
  for (const one of facts.integrations) {
    if (scope.all !== true && !named.has(one.key) && !one.tags.some((tag) => tags.has(tag))) continue;
    for (const id of one.systemIds) found.add(id);
  }
  return [...found].toSorted((a, b) => a - b);
}

const firstRetryMs = 5_000;
const longestRetryMs = 5 * 60_000;

/** How long after its failed attempt number `attempts` (from 1) a check is tried again: 5 s, doubling, at most 5 minutes. */
export function readinessRetryMs(attempts: number): number {
  return Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(attempts - 1, 20));
}

/** What a system said, as far as it matters here. */
export interface ReadinessAnswer {
  readonly status: "up" | "degraded" | "down" | "unknown";
  readonly inMaintenance?: boolean | undefined;
  readonly message?: string | undefined;
}

/** Whether an answer lets a window end. A system that says that it is in maintenance itself is not ready, however well it answers. */
export function isReady(answer: ReadinessAnswer): boolean {
  return (answer.status === "up" || answer.status === "degraded") && answer.inMaintenance !== true;
}
