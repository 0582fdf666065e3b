import type { CorrelatedIncident } from "@quiesce/core";
import type { StormWorld } from "./storm-world.js";

/** How well incidents agree with what really happened. */
export interface StormScore {
  /** Over all pairs of alerts: together in an incident and by cause. 0 to 1. */
  readonly pairF1: number;
  readonly precision: number;
  readonly recall: number;
  /** Share of the failures with three nodes and more whose root alerted, that are named as the root of the incident with most of their alerts. */
  readonly root: number;
  readonly failures: number;
  readonly incidents: number;
}

export function scoreStorm(world: StormWorld, incidents: readonly CorrelatedIncident[]): StormScore {
  const both = new Map<string, Map<string, number>>();
  const byCause = new Map<string, number>();
  const nodesOf = new Map<string, Set<string>>();
  for (const { id, node } of world.alerts) {
    const cause = world.causeOf.get(id) ?? id;
    byCause.set(cause, (byCause.get(cause) ?? 0) + 1);
    nodesOf.set(cause, (nodesOf.get(cause) ?? new Set()).add(node));
  }
  const place = new Map<string, CorrelatedIncident>();
  for (const incident of incidents) for (const id of incident.alerts) place.set(id, incident);
  for (const { id } of world.alerts) {
    const cause = world.causeOf.get(id) ?? id;
    const counts = both.get(cause) ?? new Map<string, number>();
    const key = place.get(id)?.incident ?? id;
    counts.set(key, (counts.get(key) ?? 0) + 1);
    both.set(cause, counts);
  }
  const together = sum([...both.values()].flatMap((counts) => [...counts.values()].map(pairs)));
  const found = sum(incidents.map(({ alerts }) => pairs(alerts.length)));
  const real = sum([...byCause.values()].map(pairs));
  const judged = [...world.rootOf].filter(([cause]) => cause.includes("!") && (nodesOf.get(cause)?.size ?? 0) >= 3);
  const named = judged.filter(([cause, root]) => {
    const most = [...(both.get(cause) ?? [])].toSorted((a, b) => b[1] - a[1])[0]?.[0];
    return incidents.find(({ incident }) => incident === most)?.rootNode === root;
  });
  return {
    pairF1: (2 * together) / (found + real),
    precision: together / found,
    recall: together / real,
    root: named.length / judged.length,
    failures: judged.length,
    incidents: incidents.length,
  };
}

const pairs = (count: number): number => (count * (count - 1)) / 2;
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
