import type { IncidentAlertsQuery, IncidentSystemsQuery } from "./incident.generated.js";

export type TouchedSystem = NonNullable<IncidentSystemsQuery["incident"]>["systems"][number];
type Reasons = Pick<IncidentAlertsQuery["alerts"]["nodes"][number], "reasons">;

/** A system on a path. */
export interface Stop {
  readonly key: string;
  readonly name: string;
}

interface Reached {
  readonly key: string;
  readonly name: string;
  readonly dependencies?: readonly { readonly system: Reached }[];
}

/** What needs what, as far as it is known here. */
interface Needs {
  readonly names: Map<string, string>;
  readonly of: Map<string, Set<string>>;
}

/**
 * The shortest way from each system to the root over what it needs, the symptom first and the root last; systems without a way are left out, and so is
 * the root itself. What the alerts' own reasons say (shop > erp) counts as well: it may lead further than what was read of the catalogue.
 */
export function pathsToRoot(
  systems: readonly TouchedSystem[],
  { root, alerts }: { readonly root: string; readonly alerts: readonly Reasons[] },
): readonly (readonly Stop[])[] {
  const needs = needsOf(systems, alerts);
  return systems
    .filter(({ key }) => key !== root)
    .flatMap(({ key }) => {
      const path = shortestPath(key, root, needs.of);
      return path === null ? [] : [path.map((one) => ({ key: one, name: needs.names.get(one) ?? one }))];
    })
    .toSorted((a, b) => a.length - b.length || compare(a[0]?.name ?? "", b[0]?.name ?? ""));
}

function needsOf(systems: readonly TouchedSystem[], alerts: readonly Reasons[]): Needs {
  const needs: Needs = { names: new Map(), of: new Map() };
  const add = (from: string, to: string) => needs.of.set(from, (needs.of.get(from) ?? new Set()).add(to));
  const walk = ({ key, name, dependencies = [] }: Reached): void => {
    needs.names.set(key, name);
    for (const { system } of dependencies) {
      add(key, system.key);
      walk(system);
    }
  };
  for (const system of systems) walk(system);
  for (const { kind, path } of alerts.flatMap(({ reasons }) => reasons)) {
    if (kind !== "DEPENDENCY") continue;
    const stops = path.split(" > ");
    for (const [index, stop] of stops.slice(1).entries()) add(stops[index] ?? stop, stop);
  }
  return needs;
}

function shortestPath(from: string, root: string, needs: Needs["of"]): readonly string[] | null {
  const seen = new Set([from]);
  let paths: readonly (readonly string[])[] = [[from]];
  while (paths.length > 0) {
    const longer: (readonly string[])[] = [];
    for (const path of paths) {
      for (const key of needs.get(path.at(-1) ?? "") ?? []) {
        if (seen.has(key)) continue;
        seen.add(key);
        if (key === root) return [...path, key];
        longer.push([...path, key]);
      }
    }
    paths = longer;
  }
  return null;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
