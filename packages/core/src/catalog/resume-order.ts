/** What of the catalogue decides the order in which integrations resume. */
export interface ResumeFacts {
  /** Data flows from one system to another: some integration reads the first and writes the second. */
  readonly flows: readonly { readonly from: number; readonly to: number }[];
  /** Hard dependencies. */
  readonly dependencies: readonly { readonly systemId: number; readonly dependsOnId: number }[];
}

/**
 * The place of every system in the order upstream to downstream: what it is fed from, and what it depends hard on, has a smaller number. Systems
 * on a cycle share one. Systems that are not mentioned have none: they are first. Work: linear in flows and dependencies.
 */
export function upstreamRanks(facts: ResumeFacts): ReadonlyMap<number, number> {
  const after = new Map<number, Set<number>>();
  const arrow = (from: number, to: number): void => {
    if (!after.has(to)) after.set(to, new Set());
    const targets = after.get(from) ?? new Set<number>();
    after.set(from, targets);
    if (from !== to) targets.add(to);
  };
  for (const { from, to } of facts.flows) arrow(from, to);
  for (const { systemId, dependsOnId } of facts.dependencies) arrow(dependsOnId, systemId);
  const groups = stronglyConnected(after);
  const groupOf = new Map(groups.flatMap((group, index) => group.map((id) => [id, index] as const)));
  // Tarjan's groups come downstream first, so that going back through them every group is met after all that lie before it.
  const rankOf = groups.map(() => 0);
  for (let index = groups.length - 1; index >= 0; index -= 1) {
    for (const id of groups[index] ?? []) {
      for (const next of after.get(id) ?? []) {
        const target = groupOf.get(next) ?? index;
        if (target !== index) rankOf[target] = Math.max(rankOf[target] ?? 0, (rankOf[index] ?? 0) + 1);
      }
    }
  }
  return new Map([...groupOf].map(([id, group]) => [id, rankOf[group] ?? 0]));
}

/** An integration that waits, with the systems it writes to and those it reads. */
export interface ResumingIntegration {
  readonly id: number;
  readonly targetIds: readonly number[];
  readonly sourceIds: readonly number[];
}

/** Upstream integrations first; of equals those with the smaller id. What feeds a system goes before what reads it. */
export function resumeOrder<T extends ResumingIntegration>(integrations: readonly T[], ranks: ReadonlyMap<number, number>): readonly T[] {
  const rank = (ids: readonly number[]): number => Math.max(-1, ...ids.map((id) => ranks.get(id) ?? 0));
  return integrations
    .map((one) => ({ one, target: rank(one.targetIds), source: rank(one.sourceIds) }))
    .toSorted((a, b) => a.target - b.target || a.source - b.source || a.one.id - b.one.id)
    .map(({ one }) => one);
}

/** Tarjan's algorithm without recursion: a chain of ten thousand systems must not end the stack. Groups come downstream first. */
function stronglyConnected(after: ReadonlyMap<number, ReadonlySet<number>>): readonly (readonly number[])[] {
  const order = new Map<number, number>();
  const low = new Map<number, number>();
  const stack: number[] = [];
  const onStack = new Set<number>();
  const groups: number[][] = [];
  const enter = (id: number) => {
    order.set(id, order.size);
    low.set(id, order.get(id) ?? 0);
    stack.push(id);
    onStack.add(id);
    return { id, next: [...(after.get(id) ?? [])], at: 0 };
  };
  const lower = (id: number, to: number): void => void low.set(id, Math.min(low.get(id) ?? to, to));
  for (const root of after.keys()) {
    if (order.has(root)) continue;
    const path = [enter(root)];
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const next = top.next[top.at];
      top.at += 1;
      if (next !== undefined) {
        if (!order.has(next)) path.push(enter(next));
        else if (onStack.has(next)) lower(top.id, order.get(next) ?? 0);
        continue;
      }
      path.pop();
      const parent = path.at(-1);
      if (parent !== undefined) lower(parent.id, low.get(top.id) ?? 0);
      if (low.get(top.id) === order.get(top.id)) groups.push(popGroup(top.id, stack, onStack));
    }
  }
  return groups;
}

function popGroup(root: number, stack: number[], onStack: Set<number>): number[] {
  const group: number[] = [];
  for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
    onStack.delete(id);
    group.push(id);
    if (id === root) break;
  }
  return group;
}
