/**
 * What needs what, by key: what a thing is down with, nearest first. A thing is a system of the catalogue, by its key, or a resource that only a
 * monitor knows, see {@link resourceNode}.
 */
export type AlertTopology = ReadonlyMap<string, readonly string[]>;

/** The key of a resource that no system of the catalogue stands for, as one monitor calls it. No system's key has a slash. */
export function resourceNode(endpointKey: string, name: string): string {
  return `${endpointKey}/${name}`;
}

/** A way from a thing to something that it needs. */
interface Way {
  readonly node: string;
  /** `shop > erp`: shop needs erp. */
  readonly path: string;
}

/** What one thing needs, nearest first, at most so many steps away; itself first. Circles are harmless: each thing comes once. */
export function* waysUp(topology: AlertTopology, from: string, maxSteps: number): Generator<Way> {
  const seen = new Set([from]);
  let rim: readonly Way[] = [{ node: from, path: from }];
  for (let steps = 0; rim.length > 0; steps += 1) {
    yield* rim;
    if (steps === maxSteps) return;
    const next: Way[] = [];
    for (const way of rim)
      for (const node of topology.get(way.node) ?? []) {
        if (seen.has(node)) continue;
        seen.add(node);
        next.push({ node, path: `${way.path} > ${node}` });
      }
    rim = next;
  }
}
