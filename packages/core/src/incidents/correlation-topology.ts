/** A thing of the catalogue and what it needs to work, by key. */
export interface TopologyNode {
  readonly key: string;
  /** Keys of what it depends on directly. Keys that are no node are passed over. */
  readonly dependsOn: readonly string[];
}

/**
 * Dependencies in compressed form. Nodes that depend on each other in a circle are one component: they fail together, and no direction leads out of
 * "a needs b needs a". Between components there are no circles, so every walk towards causes ends.
 */
export interface CompiledTopology {
  readonly componentOf: ReadonlyMap<string, number>;
  readonly components: number;
  /** What component `c` depends on: `targets[offsets[c] .. offsets[c + 1])`, ascending. */
  readonly offsets: Int32Array;
  readonly targets: Int32Array;
}

/** Compiles a list of nodes. Of two with one key the first counts. */
export function compileTopology(nodes: readonly TopologyNode[]): CompiledTopology {
  const numbers = new Map<string, number>();
  // Sorted, so that the numbers, and with them every tie, do not depend on the order of the list.
  const sorted = nodes.toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const unique = sorted.filter(({ key }) => !numbers.has(key) && numbers.set(key, numbers.size));
  const edges = unique.map(({ dependsOn }) => [...new Set(dependsOn.flatMap((key) => numbers.get(key) ?? []))]);
  const component = stronglyConnected(edges);
  const components = component.reduce((most, one) => Math.max(most, one + 1), 0);
  const between: Set<number>[] = Array.from({ length: components }, () => new Set());
  for (const [node, targets] of edges.entries()) {
    const from = component[node] ?? 0;
    for (const target of targets) {
      const to = component[target] ?? 0;
      if (to !== from) between[from]?.add(to);
    }
  }
  const offsets = new Int32Array(components + 1);
  for (const [from, targets] of between.entries()) offsets[from + 1] = (offsets[from] ?? 0) + targets.size;
  const targets = Int32Array.from(between.flatMap((one) => [...one].toSorted((a, b) => a - b)));
  return { componentOf: new Map([...numbers].map(([key, node]) => [key, component[node] ?? 0])), components, offsets, targets };
}

/** Tarjan's algorithm without recursion: the component of each node. What a component depends on has lower numbers than itself. */
function stronglyConnected(edges: readonly (readonly number[])[]): Int32Array {
  const count = edges.length;
  const component = new Int32Array(count).fill(-1);
  const index = new Int32Array(count).fill(-1);
  const low = new Int32Array(count);
  const next = new Int32Array(count);
  const open: number[] = [];
  let order = 0;
  let components = 0;
  for (let start = 0; start < count; start += 1) {
    if (index[start] !== -1) continue;
    const path = [start];
    index[start] = low[start] = order++;
    open.push(start);
    for (let node = path.at(-1); node !== undefined; node = path.at(-1)) {
      const target = edges[node]?.[next[node] ?? 0];
      next[node] = (next[node] ?? 0) + 1;
      if (target === undefined) {
        path.pop();
        const parent = path.at(-1);
        if (parent !== undefined) low[parent] = Math.min(low[parent] ?? 0, low[node] ?? 0);
        if (low[node] === index[node]) {
          for (let member = -1; member !== node;) {
            member = open.pop() ?? node;
            component[member] = components;
          }
          components += 1;
        }
      } else if (index[target] === -1) {
        index[target] = low[target] = order++;
        open.push(target);
        path.push(target);
      } else if (component[target] === -1) low[node] = Math.min(low[node] ?? 0, index[target] ?? 0);
    }
  }
  return component;
}
