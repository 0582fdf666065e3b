import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { compileTopology } from "./correlation-topology.js";

const graph = fc
  .array(fc.array(fc.nat(11), { maxLength: 4 }), { maxLength: 12 })
  .map((lists) => lists.map((targets, node) => ({ key: `n${node}`, dependsOn: targets.map((target) => `n${target}`) })));

describe("a compiled topology", () => {
  it("reaches what the list reaches, with what reaches each other as one component", () => {
    fc.assert(
      fc.property(graph, (nodes) => {
        const compiled = compileTopology(nodes);
        const reach = new Map(nodes.map(({ key }) => [key, reachable(nodes, key)]));
        for (const { key: a } of nodes)
          for (const { key: b } of nodes) {
            const [from, to] = [compiled.componentOf.get(a) ?? -1, compiled.componentOf.get(b) ?? -1];
            const mutual = a === b || (reach.get(a)?.has(b) === true && reach.get(b)?.has(a) === true);
            expect(from === to, `${a} and ${b}`).toBe(mutual);
            expect(a === b || componentsFrom(compiled, from).has(to), `${a} to ${b}`).toBe(a === b || reach.get(a)?.has(b) === true);
          }
      }),
    );
  });

  it("does not depend on the order of the list, and survives a chain of 100,000", () => {
    const chain = Array.from({ length: 100_000 }, (_, n) => ({ key: `n${n}`, dependsOn: [`n${n + 1}`] }));
    expect(compileTopology(chain).components).toBe(100_000);
    fc.assert(
      fc.property(graph, (nodes) => {
        expect(compileTopology(nodes.toReversed())).toEqual(compileTopology(nodes));
      }),
    );
  });
});

function reachable(nodes: readonly { readonly key: string; readonly dependsOn: readonly string[] }[], from: string): ReadonlySet<string> {
  const known = new Map(nodes.map((one) => [one.key, one.dependsOn]));
  const seen = new Set<string>();
  const open = [from];
  for (let key = open.pop(); key !== undefined; key = open.pop())
    for (const next of known.get(key) ?? [])
      if (known.has(next) && !seen.has(next)) {
        seen.add(next);
        open.push(next);
      }
  return seen;
}

function componentsFrom({ offsets, targets }: ReturnType<typeof compileTopology>, from: number): ReadonlySet<number> {
  const seen = new Set([from]);
  for (const at of seen) for (let edge = offsets[at] ?? 0; edge < (offsets[at + 1] ?? 0); edge += 1) seen.add(targets[edge] ?? -1);
  return seen;
}
