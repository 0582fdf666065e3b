import { type AlertTopology, type CatalogFacts, resourceNode } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { loadCatalogFacts } from "../windows/store.js";

/** What an alert says of the thing that it is about, in its monitor's words. */
export interface SaidAlert {
  readonly source: string;
  readonly endpointId: number;
  readonly endpointSystemId: number;
  readonly origin: "monitor" | "check" | "kpi";
  readonly resource: string;
  /** What the thing lies behind, nearest first. */
  readonly parents: readonly string[];
}

/** Alerts at their places among the systems of the catalogue and the things that only monitors know. */
export interface PlacedAlerts {
  /** The thing that each alert is about, in the order of the alerts. */
  readonly nodes: readonly string[];
  readonly facts: CatalogFacts;
  readonly keyOf: ReadonlyMap<number, string>;
  readonly systemIds: ReadonlyMap<string, number>;
  /** What a thing is down with: hard dependencies, and what monitors say it lies behind. */
  readonly needs: AlertTopology;
  /** The same with soft dependencies: what may be the cause of what. */
  readonly suffers: AlertTopology;
}

/** Finds the thing that each alert is about, and what these things need. */
export async function placeAlerts(tx: Tx, rows: readonly SaidAlert[]): Promise<PlacedAlerts> {
  const facts = await loadCatalogFacts(tx, []);
  const keyOf = new Map(facts.systems.map(({ id, key }) => [id, key]));
  const systemIds = new Map(facts.systems.map(({ id, key }) => [key, id]));
  const resolve = resolverOf(await monitoredResources(tx), { keyOf, systemIds });
  const parents = new Map<string, Set<string>>();
  const nodes = rows.map((row) => {
    const own = keyOf.get(row.endpointSystemId);
    const node = row.origin !== "monitor" && own !== undefined ? own : resolve(row.endpointId, row.source, row.resource);
    const behind = parents.get(node) ?? new Set();
    for (const name of row.parents) {
      const parent = resolve(row.endpointId, row.source, name);
      if (parent !== node) behind.add(parent);
    }
    parents.set(node, behind);
    return node;
  });
  const edges = (strengths: readonly string[]) => topologyOf({ facts, keyOf, parents, strengths });
  return { nodes, facts, keyOf, systemIds, needs: edges(["hard"]), suffers: edges(["hard", "soft"]) };
}

interface Watched {
  readonly systemId: number;
  readonly endpointId: number;
  readonly resource: string;
}

function monitoredResources(tx: Tx): Promise<readonly Watched[]> {
  return selectRows<Watched>(
    tx,
    sql`select m.system_id as "systemId", m.endpoint_id as "endpointId", r.name as resource
      from system_monitor as m cross join lateral unnest(m.resources) as r(name) order by m.system_id`,
  );
}

/** What a monitor calls by a name: the system that says it is watched there by it, the system of that very key, or a thing of the monitor's own. */
function resolverOf(
  watched: readonly Watched[],
  { keyOf, systemIds }: { readonly keyOf: ReadonlyMap<number, string>; readonly systemIds: ReadonlyMap<string, number> },
) {
  const known = new Map<string, string>();
  const nameOf = (endpointId: number, resource: string): string => `${endpointId}/${resource}`;
  for (const { systemId, endpointId, resource } of watched) {
    const key = keyOf.get(systemId);
    if (key !== undefined && !known.has(nameOf(endpointId, resource))) known.set(nameOf(endpointId, resource), key);
  }
  return (endpointId: number, endpointKey: string, resource: string): string =>
    known.get(nameOf(endpointId, resource)) ?? (systemIds.has(resource) ? resource : resourceNode(endpointKey, resource));
}

function topologyOf(input: {
  readonly facts: CatalogFacts;
  readonly keyOf: ReadonlyMap<number, string>;
  readonly parents: ReadonlyMap<string, ReadonlySet<string>>;
  readonly strengths: readonly string[];
}): AlertTopology {
  const { facts, keyOf, parents, strengths } = input;
  const edges = new Map<string, Set<string>>([...parents].map(([node, behind]) => [node, new Set(behind)]));
  for (const { systemId, dependsOnId, strength } of facts.dependencies) {
    const from = keyOf.get(systemId);
    const to = keyOf.get(dependsOnId);
    if (from === undefined || to === undefined || !strengths.includes(strength)) continue;
    const known = edges.get(from) ?? new Set();
    known.add(to);
    edges.set(from, known);
  }
  return new Map([...edges].map(([node, needed]) => [node, [...needed].toSorted()]));
}
