import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resumeOrder, upstreamRanks } from "./resume-order.js";

const flows = (...pairs: readonly (readonly [number, number])[]) => pairs.map(([from, to]) => ({ from, to }));

describe("resumeOrder", () => {
  it("what feeds a system goes before what reads it, and what a system depends hard on before the system", () => {
    // 1 -> 2 -> 3, and 4 depends hard on 3.
    const ranks = upstreamRanks({ flows: flows([2, 3], [1, 2]), dependencies: [{ systemId: 4, dependsOnId: 3 }] });
    const order = resumeOrder(
      [
        { id: 1, sourceIds: [], targetIds: [4] },
        { id: 2, sourceIds: [2], targetIds: [3] },
        { id: 3, sourceIds: [1], targetIds: [2] },
        { id: 4, sourceIds: [], targetIds: [] },
      ],
      ranks,
    );
    expect(order.map((one) => one.id)).toEqual([4, 3, 2, 1]);
  });

  it("systems on a cycle share a place, and what follows them comes after", () => {
    const ranks = upstreamRanks({ flows: flows([1, 2], [2, 3], [3, 1], [3, 4]), dependencies: [] });
    expect([1, 2, 3].map((id) => ranks.get(id))).toEqual([0, 0, 0]);
    expect(ranks.get(4)).toBe(1);
  });

  it("a system that feeds itself has a place like any other", () => {
    expect(upstreamRanks({ flows: flows([1, 1], [1, 2]), dependencies: [] })).toEqual(
      new Map([
        [2, 1],
        [1, 0],
      ]),
    );
  });

  it("without cycles every arrow goes up, whatever the arrows", () => {
    const arrows = fc.array(fc.tuple(fc.nat(30), fc.nat(30)), { maxLength: 60 });
    fc.assert(
      fc.property(arrows, arrows, (flowing, needing) => {
        const up = (pairs: readonly (readonly [number, number])[]) => pairs.filter(([a, b]) => a < b);
        const ranks = upstreamRanks({
          flows: flows(...up(flowing)),
          dependencies: up(needing).map(([dependsOnId, systemId]) => ({ systemId, dependsOnId })),
        });
        for (const [a, b] of [...up(flowing), ...up(needing)]) expect(ranks.get(a)).toBeLessThan(ranks.get(b) ?? -1);
      }),
    );
  });

  it("a chain of 20,000 systems ends no stack", () => {
    const ranks = upstreamRanks({
      flows: Array.from({ length: 20_000 }, (_, index) => ({ from: index, to: index + 1 })),
      dependencies: [],
    });
    expect(ranks.get(20_000)).toBe(20_000);
  });
});
