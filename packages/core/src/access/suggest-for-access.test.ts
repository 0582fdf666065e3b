import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Action, actions, can, type Grant, roles } from "./can.js";
import { areWithin, narrowestGrants } from "./narrowest-grants.js";
import type { Resource } from "./scope.js";
import { type AccessFacts, suggestForAccess } from "./suggest-for-access.js";

const DAY_MS = 86_400_000;
const now = 1_800_000_000_000;
const ago = (days: number) => now - days * DAY_MS;
const everywhere = { kind: "all" } as const;
const erp = { kind: "team", name: "erp" } as const;
const admin: Grant = { role: "admin", scope: everywhere };
const used = (...names: readonly Action[]) => names.map((action) => ({ action, lastUsedAt: ago(1) }));

/** A token in daily use that does what it may, has an end and has been watched for long. */
const usual: AccessFacts = {
  subject: "token",
  grants: [{ role: "viewer", scope: everywhere }],
  grantedByProvider: false,
  createdAt: ago(400),
  lastUsedAt: ago(0),
  disabledAt: null,
  expiresAt: now + DAY_MS,
  owner: null,
  validTokens: 0,
  used: used("runs.read"),
  recordedSince: ago(400),
};
const suggested = (more: Partial<AccessFacts>) => suggestForAccess({ ...usual, ...more }, now, { unusedDays: 90 });
const found = (more: Partial<AccessFacts>) => suggested(more).map(({ finding, decision }) => [finding, decision].join(" "));

describe("what is suggested", () => {
  it.each<readonly [string, Partial<AccessFacts>, readonly string[]]>([
    ["nothing about a token that does what it may", {}, []],
    ["an end, where there is none", { expiresAt: null }, ["no-expiry "]],
    ["nothing about a token that was made a day ago", { createdAt: ago(1), lastUsedAt: null, recordedSince: ago(400) }, ["too-early "]],
    ["to revoke what was never used", { lastUsedAt: null }, ["never-used revoke"]],
    ["nothing about 89 days without use", { lastUsedAt: ago(89) }, []],
    ["to revoke what was unused for 90 days", { lastUsedAt: ago(90) }, ["unused revoke"]],
    ["to narrow an admin who operates", { grants: [admin], used: used("holds.write", "runs.read") }, ["excessive narrow"]],
    ["to wait while use has not been recorded for long", { grants: [admin], recordedSince: ago(89) }, ["too-early "]],
    ["to wait where use was never recorded", { grants: [admin], recordedSince: null }, ["too-early "]],
    ["to wait with a token that is younger than the days", { grants: [admin], createdAt: ago(30) }, ["too-early "]],
    ["to look at the provider, where that grants", { subject: "person", grants: [admin], grantedByProvider: true }, ["excessive "]],
    ["to end a valid token of a disabled account", { disabledAt: ago(3) }, ["disabled-with-tokens revoke"]],
    [
      "to look at the tokens of a disabled account",
      { subject: "service", grants: [], disabledAt: ago(3), validTokens: 2, owner: { name: "erp", state: "known" } },
      ["disabled-with-tokens "],
    ],
    ["an owner for a service account", { subject: "service", grants: [] }, ["no-owner "]],
    ["a known owner", { subject: "service", grants: [], owner: { name: "gone", state: "unknown" } }, ["owner-unknown "]],
    ["an owner who is there", { subject: "service", grants: [], owner: { name: "ada", state: "disabled" } }, ["owner-disabled "]],
    ["to revoke a person who never signed in", { subject: "person", lastUsedAt: null, expiresAt: null }, ["never-used revoke"]],
  ])("is %s", (_what, facts, expected) => {
    expect(found(facts)).toEqual(expected);
  });

  it("says in words why, with what would be left where", () => {
    const grants: readonly Grant[] = [
      { role: "admin", scope: erp },
      { role: "viewer", scope: everywhere },
    ];
    const [first] = suggested({ grants, used: used("holds.write", "runs.read") });
    expect(first?.grants).toEqual([
      { role: "operator", scope: erp },
      { role: "viewer", scope: everywhere },
    ]);
    expect(first?.reason).toBe(
      "It used holds.write, runs.read in 90 days; operator of the team erp, viewer would do instead of admin of the team erp, viewer.",
    );
    expect(suggested({ subject: "person", lastUsedAt: ago(100), expiresAt: null })[0]?.reason).toBe("Not seen for 100 days.");
  });

  it("leaves whoever used no right a viewer, and what was used before the days does not count", () => {
    const [first] = suggested({ grants: [admin], used: [{ action: "tokens.write", lastUsedAt: ago(91) }] });
    expect(first?.grants).toEqual([{ role: "viewer", scope: everywhere }]);
    expect(suggested({ grants: [admin], used: [{ action: "tokens.write", lastUsedAt: ago(90) }] })).toEqual([]);
  });
});

const scope = fc.oneof(
  fc.constant(everywhere),
  fc.record({ kind: fc.constantFrom("team", "system"), name: fc.constantFrom("a", "b") } as const),
);
const grantsOf = fc.array(fc.record({ role: fc.constantFrom(...roles), scope }), { maxLength: 5 });
const usedOf = fc.uniqueArray(fc.constantFrom(...actions));
const things: readonly Resource[] = [
  { kind: "deployment" },
  { kind: "team", key: "a" },
  { kind: "system", key: "a", team: "b", vendor: null },
  { kind: "system", key: "b", team: null, vendor: null },
  { kind: "integration", key: "x", team: "a", vendor: null, systems: [{ kind: "system", key: "b", team: null, vendor: null }] },
];

describe("a narrower choice of grants", () => {
  it("never takes away an action that was used, of anything, and never allows one that was not allowed", () => {
    fc.assert(
      fc.property(grantsOf, usedOf, (grants, names) => {
        const left = narrowestGrants(grants, names);
        for (const thing of things)
          for (const action of actions) {
            const before = can({ name: "", grants }, action, thing);
            const after = can({ name: "", grants: left }, action, thing);
            if (names.includes(action)) expect(after, action).toBe(before);
            if (after) expect(before, action).toBe(true);
          }
        expect(areWithin(left, grants)).toBe(true);
      }),
    );
  });

  it("is suggested only when it is less, and is as narrow as the next suggestion would make it", () => {
    fc.assert(
      fc.property(grantsOf, usedOf, (grants, names) => {
        const [first] = suggested({ grants, used: used(...names) });
        if (first?.finding !== "excessive" || first.grants === null) return;
        expect(areWithin(grants, first.grants)).toBe(false);
        for (const { action } of used(...names))
          for (const thing of things)
            expect(can({ name: "", grants: first.grants }, action, thing)).toBe(can({ name: "", grants }, action, thing));
        expect(suggested({ grants: first.grants, used: used(...names) }).map(({ finding }) => finding)).not.toContain("excessive");
      }),
    );
  });

  it("knows the same scope and everywhere, and takes nothing else for a part of another", () => {
    const operator: Grant = { role: "operator", scope: erp };
    expect(areWithin([operator], [admin])).toBe(true);
    expect(areWithin([admin], [operator])).toBe(false);
    expect(areWithin([{ role: "admin", scope: erp }], [operator])).toBe(false);
    expect(areWithin([operator], [{ role: "operator", scope: { kind: "system", name: "erp" } }])).toBe(false);
  });
});
