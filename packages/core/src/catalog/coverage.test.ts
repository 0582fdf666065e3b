import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { affectedSystems, covered, softlyAffected, unknownScopeNames, type CatalogFacts } from "./coverage.js";
import { canonicalScope, windowScopeSchema, type WindowScope } from "./window-scope.js";

const facts: CatalogFacts = {
  systems: [
    { id: 1, key: "erp" },
    { id: 2, key: "crm" },
    { id: 3, key: "shop" },
    { id: 4, key: "mail" },
  ],
  dependencies: [
    { systemId: 2, dependsOnId: 1, strength: "hard" },
    { systemId: 3, dependsOnId: 2, strength: "hard" },
    { systemId: 4, dependsOnId: 1, strength: "soft" },
  ],
  integrations: [
    { id: 10, key: "erp-to-crm", tags: ["finance"], systemIds: [1, 2], targetSystemIds: [2] },
    { id: 11, key: "shop-only", tags: [], systemIds: [3], targetSystemIds: [3] },
    { id: 12, key: "mail-only", tags: ["finance", "eu"], systemIds: [4], targetSystemIds: [] },
    { id: 13, key: "nowhere", tags: [], systemIds: [], targetSystemIds: [] },
  ],
};

describe("coverage", () => {
  test("a scope on a system covers what touches it and what touches its hard dependents, transitively", () => {
    expect(covered(facts, { systems: ["erp"] })).toEqual([
      {
        integrationId: 10,
        paths: [
          { via: "system", detail: "erp" },
          { via: "dependency", detail: "crm > erp" },
        ],
      },
      { integrationId: 11, paths: [{ via: "dependency", detail: "shop > crm > erp" }] },
    ]);
  });

  test("a scope on a dependent leaves the system that it depends on alone", () => {
    expect(covered(facts, { systems: ["shop"] }).map((one) => one.integrationId)).toEqual([11]);
  });

  test("a soft dependency covers nothing and comes back as a warning", () => {
    expect(covered(facts, { systems: ["erp"] }).some((one) => one.integrationId === 12)).toBe(false);
    expect(softlyAffected(facts, { systems: ["erp"] })).toEqual([{ integrationId: 12, detail: "mail ~> erp" }]);
  });

  test("tags, names and all each say why", () => {
    expect(covered(facts, { tags: ["eu"], integrations: ["mail-only", "nowhere"] })).toEqual([
      {
        integrationId: 12,
        paths: [
          { via: "integration", detail: "mail-only" },
          { via: "tag", detail: "eu" },
        ],
      },
      { integrationId: 13, paths: [{ via: "integration", detail: "nowhere" }] },
    ]);
    expect(covered(facts, { all: true })).toHaveLength(4);
  });

  test("unknown names cover nothing and are named", () => {
    const scope = { systems: ["erq"], integrations: ["nope", "nowhere"], tags: ["free"] };
    expect(covered(facts, { systems: ["erq"] })).toEqual([]);
    expect(unknownScopeNames(facts, scope)).toEqual({ systems: ["erq"], integrations: ["nope"] });
  });

  test("a long chain is shown by its two ends", () => {
    const systems = Array.from({ length: 20 }, (_, id) => ({ id, key: `s${id}` }));
    const dependencies = systems.slice(1).map((one) => ({ systemId: one.id, dependsOnId: one.id - 1, strength: "hard" as const }));
    const integrations = [{ id: 1, key: "last", tags: [], systemIds: [19], targetSystemIds: [19] }];
    const detail = covered({ systems, dependencies, integrations }, { systems: ["s0"] })[0]?.paths[0]?.detail;
    expect(detail).toBe("s19 > s18 > s17 … s2 > s1 > s0");
  });

  test("10,000 integrations over 1,000 systems in one chain are judged in a moment", () => {
    const systems = Array.from({ length: 1_000 }, (_, id) => ({ id, key: `s${id}` }));
    const dependencies = systems.slice(1).map((one) => ({ systemId: one.id, dependsOnId: one.id - 1, strength: "hard" as const }));
    const integrations = Array.from({ length: 10_000 }, (_, id) => ({
      id,
      key: `i${id}`,
      tags: ["t"],
      systemIds: [id % 1_000, (id * 7) % 1_000],
      targetSystemIds: [],
    }));
    const before = performance.now();
    expect(covered({ systems, dependencies, integrations }, { systems: ["s0"] })).toHaveLength(10_000);
    expect(performance.now() - before).toBeLessThan(10_000);
  });
});

const SYSTEMS = 7;
const catalogues: fc.Arbitrary<CatalogFacts> = fc.record({
  systems: fc.constant(Array.from({ length: SYSTEMS }, (_, id) => ({ id, key: `s${id}` }))),
  // Self-loops and cycles included.
  dependencies: fc.array(
    fc.record({
      systemId: fc.nat(SYSTEMS - 1),
      dependsOnId: fc.nat(SYSTEMS - 1),
      strength: fc.constantFrom("hard" as const, "soft" as const),
    }),
    { maxLength: 16 },
  ),
  integrations: fc
    .array(
      fc.record({
        tags: fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 3 }),
        sources: fc.array(fc.nat(SYSTEMS - 1), { maxLength: 2 }),
        targetSystemIds: fc.uniqueArray(fc.nat(SYSTEMS - 1), { maxLength: 2 }),
      }),
      { maxLength: 8 },
    )
    .map((list) =>
      list.map(({ sources, ...one }, id) => ({ id, key: `i${id}`, ...one, systemIds: [...new Set([...sources, ...one.targetSystemIds])] })),
    ),
});
const scopes: fc.Arbitrary<WindowScope> = fc.record(
  {
    systems: fc.array(
      fc.nat(SYSTEMS).map((id) => `s${id}`),
      { maxLength: 3 },
    ),
    integrations: fc.array(
      fc.nat(8).map((id) => `i${id}`),
      { maxLength: 2 },
    ),
    tags: fc.array(fc.constantFrom("a", "b", "x"), { maxLength: 2 }),
    all: fc.boolean(),
  },
  { requiredKeys: [] },
);
const idsOf = (catalogue: CatalogFacts, scope: WindowScope, holds?: "writes") =>
  covered(catalogue, scope, holds).map((one) => one.integrationId);

/** The definition read literally: repeat the step until nothing is added. */
function naive(catalogue: CatalogFacts, scope: WindowScope, strengths: readonly string[]): readonly number[] {
  const down = new Set(catalogue.systems.filter((one) => scope.systems?.includes(one.key)).map((one) => one.id));
  for (let round = 0; round <= catalogue.systems.length; round += 1) {
    for (const edge of catalogue.dependencies) {
      if (strengths.includes(edge.strength) && down.has(edge.dependsOnId)) down.add(edge.systemId);
    }
  }
  return catalogue.integrations
    .filter((one) => {
      const byName = scope.integrations?.includes(one.key) === true || one.tags.some((tag) => scope.tags?.includes(tag));
      return scope.all === true || byName || one.systemIds.some((id) => down.has(id));
    })
    .map((one) => one.id);
}

describe("coverage of writes alone, as a freeze holds", () => {
  const frozen = (scope: WindowScope) => covered(facts, scope, "writes");
  test("a route that only reads from the system is left alone, one that writes to it is covered and says so", () => {
    expect(frozen({ systems: ["erp"] })).toEqual([
      { integrationId: 10, paths: [{ via: "dependency", detail: "writes to crm > erp" }] },
      { integrationId: 11, paths: [{ via: "dependency", detail: "writes to shop > crm > erp" }] },
    ]);
    expect(frozen({ systems: ["crm"] })[0]).toEqual({ integrationId: 10, paths: [{ via: "system", detail: "writes to crm" }] });
    const reader = { ...facts, integrations: [{ id: 1, key: "reader", tags: [], systemIds: [1, 4], targetSystemIds: [4] }] };
    expect(covered(reader, { systems: ["erp"] }, "writes")).toEqual([]);
    expect(covered(reader, { systems: ["erp"] })).toHaveLength(1);
  });

  test("a name, a tag and all cover only what has a target", () => {
    expect(frozen({ all: true })).toEqual([
      { integrationId: 10, paths: [{ via: "all", detail: "all integrations, writes to crm" }] },
      { integrationId: 11, paths: [{ via: "all", detail: "all integrations, writes to shop" }] },
    ]);
    expect(frozen({ tags: ["finance"], integrations: ["mail-only", "shop-only"] })).toEqual([
      { integrationId: 10, paths: [{ via: "tag", detail: "finance, writes to crm" }] },
      { integrationId: 11, paths: [{ via: "integration", detail: "shop-only, writes to shop" }] },
    ]);
  });

  test("the systems that a scope means are the named ones with their hard dependents, and the routes of named integrations", () => {
    expect(affectedSystems(facts, { systems: ["crm"] })).toEqual([2, 3]);
    expect(affectedSystems(facts, { integrations: ["erp-to-crm"], tags: ["eu"] })).toEqual([1, 2, 4]);
    expect(affectedSystems(facts, { all: true })).toEqual([1, 2, 3, 4]);
  });
});

describe("coverage as a property", () => {
  test("of writes alone it is the same rule read over the targets, so it never covers more than everything does", () => {
    fc.assert(
      fc.property(catalogues, scopes, (catalogue, scope) => {
        const targetsOnly = {
          ...catalogue,
          integrations: catalogue.integrations
            .filter((one) => one.targetSystemIds.length > 0)
            .map((one) => ({ ...one, systemIds: one.targetSystemIds })),
        };
        expect(idsOf(catalogue, scope, "writes")).toEqual(naive(targetsOnly, scope, ["hard"]));
        expect(idsOf(catalogue, scope)).toEqual(expect.arrayContaining([...idsOf(catalogue, scope, "writes")]));
      }),
      { numRuns: 1_000 },
    );
  });

  test("it agrees with the naive closure, on catalogues with cycles too", () => {
    fc.assert(
      fc.property(catalogues, scopes, (catalogue, scope) => {
        expect(idsOf(catalogue, scope)).toEqual(naive(catalogue, scope, ["hard"]));
      }),
      { numRuns: 1_000 },
    );
  });

  test("warnings are exactly what soft dependencies would add", () => {
    fc.assert(
      fc.property(catalogues, scopes, (catalogue, scope) => {
        const hard = new Set(naive(catalogue, scope, ["hard"]));
        const added = naive(catalogue, scope, ["hard", "soft"]).filter((id) => !hard.has(id));
        expect(softlyAffected(catalogue, scope).map((one) => one.integrationId)).toEqual(added);
      }),
      { numRuns: 1_000 },
    );
  });

  test("it is monotone: a wider scope or one more hard dependency never uncovers anything", () => {
    const edge = fc.record({ systemId: fc.nat(SYSTEMS - 1), dependsOnId: fc.nat(SYSTEMS - 1), strength: fc.constant("hard" as const) });
    fc.assert(
      fc.property(catalogues, scopes, scopes, edge, (catalogue, scope, more, extra) => {
        const wider: WindowScope = {
          all: scope.all === true || more.all === true,
          systems: [...(scope.systems ?? []), ...(more.systems ?? [])],
          integrations: [...(scope.integrations ?? []), ...(more.integrations ?? [])],
          tags: [...(scope.tags ?? []), ...(more.tags ?? [])],
        };
        const narrow = idsOf(catalogue, scope);
        expect(idsOf(catalogue, wider)).toEqual(expect.arrayContaining([...narrow]));
        expect(idsOf({ ...catalogue, dependencies: [...catalogue.dependencies, extra] }, scope)).toEqual(
          expect.arrayContaining([...narrow]),
        );
      }),
    );
  });

  test("the canonical form of a scope covers the same", () => {
    fc.assert(
      fc.property(catalogues, scopes, (catalogue, scope) => {
        expect(idsOf(catalogue, canonicalScope(scope))).toEqual(idsOf(catalogue, scope));
      }),
    );
  });
});

describe("windowScopeSchema", () => {
  test("a scope that names nothing is refused", () => {
    for (const empty of [{}, { all: false }, { systems: [], tags: [] }]) expect(windowScopeSchema.safeParse(empty).success).toBe(false);
  });
  test("an unknown word is refused", () => {
    expect(windowScopeSchema.safeParse({ all: true, system: ["erp"] }).success).toBe(false);
  });
});
