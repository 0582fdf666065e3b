import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Action, actions, can, canEverywhere, describeGrants, readGrants, type Role, roles, scopesFor } from "./can.js";
import { formatGrant, parseGrant } from "./grant-text.js";
import { type AccessScope, covers, type Resource, scopeKinds } from "./scope.js";

const may = (role: Role, action: Action) => can({ name: "somebody", grants: [{ role, scope: { kind: "all" } }] }, action);

describe("the rule table", () => {
  it("lets everybody look at the state of things, and only those named see records, audit and tokens", () => {
    for (const role of roles)
      for (const action of ["catalogue.read", "windows.read", "runs.read", "gate.read", "events.read"] as const)
        expect(may(role, action)).toBe(true);
    const who = (action: Action) => roles.filter((role) => may(role, action));
    expect(who("records.read")).toEqual(["operator", "connector-author", "admin"]);
    expect(who("audit.read")).toEqual(["approver", "auditor", "admin"]);
    expect(who("tokens.read")).toEqual(["auditor", "admin"]);
  });

  it("lets only an admin change the catalogue, the mode and tokens", () => {
    for (const action of ["catalogue.write", "control.write", "tokens.write"] as const)
      expect(roles.filter((role) => may(role, action))).toEqual(["admin"]);
  });

  it("lets a viewer and an auditor change nothing", () => {
    const changes = actions.filter((action) => /\.(write|enter|check|rotate)$/.test(action));
    for (const role of ["viewer", "auditor"] as const) expect(changes.filter((action) => may(role, action))).toEqual([]);
  });

  it("denies a role that it does not know", () => {
    for (const role of ["root", "toString", "__proto__", ""]) expect(actions.some((action) => may(role as Role, action))).toBe(false);
  });

  it("denies a scope that it does not know", () => {
    const scope = { kind: "region", name: "eu" } as unknown as AccessScope;
    const principal = { name: "somebody", grants: [{ role: "admin", scope } as const] };
    for (const resource of resources) expect(actions.filter((action) => can(principal, action, resource))).toEqual([]);
  });
});

const erp = { kind: "system", key: "erp", team: "finance", vendor: "tryton" } as const;
const shop = { kind: "system", key: "shop", team: "web", vendor: "acme" } as const;
const orders = { kind: "integration", key: "orders", team: "integrations", vendor: "builder", systems: [shop, erp] } as const;
const resources: readonly Resource[] = [erp, shop, orders, { kind: "team", key: "finance" }, { kind: "deployment" }];

describe("scopes", () => {
  const covered = (scope: AccessScope) => resources.filter((one) => covers(scope, one)).map((one) => ("key" in one ? one.key : one.kind));

  it.each([
    [{ kind: "all" }, ["erp", "shop", "orders", "finance", "deployment"]],
    [{ kind: "team", name: "finance" }, ["erp", "orders", "finance"]],
    [{ kind: "team", name: "integrations" }, ["orders"]],
    [{ kind: "vendor", name: "acme" }, ["shop", "orders"]],
    [{ kind: "vendor", name: "builder" }, ["orders"]],
    [{ kind: "system", name: "erp" }, ["erp", "orders"]],
    [{ kind: "integration", name: "orders" }, ["orders"]],
    // Names of one kind are not names of another.
    [{ kind: "integration", name: "erp" }, []],
    [{ kind: "system", name: "orders" }, []],
    [{ kind: "team", name: "erp" }, []],
  ] as const)("%o covers %o", (scope, expected) => {
    expect(covered(scope)).toEqual(expected);
  });

  it("add up, each with its own role", () => {
    const principal = readPrincipal([
      { role: "viewer", scope: { kind: "all" } },
      { role: "operator", scope: { kind: "system", name: "erp" } },
    ]);
    expect(can(principal, "windows.read", shop)).toBe(true);
    expect(can(principal, "windows.write", erp)).toBe(true);
    expect(can(principal, "windows.write", shop)).toBe(false);
    expect(canEverywhere(principal, "windows.read")).toBe(true);
    expect(canEverywhere(principal, "windows.write")).toBe(false);
    expect(scopesFor(principal, "windows.write")).toEqual([{ kind: "system", name: "erp" }]);
    expect(describeGrants(principal.grants)).toBe("viewer, operator of the system erp");
  });

  it("bring nothing of the deployment, whatever the role", () => {
    const principal = readPrincipal([{ role: "admin", scope: { kind: "team", name: "finance" } }]);
    for (const action of ["catalogue.write", "audit.read", "audit.erase", "control.write", "tokens.read", "tokens.write"] as const)
      expect(can(principal, action)).toBe(false);
    expect(can(principal, "windows.write", erp)).toBe(true);
    expect(can(principal, "windows.write", { kind: "deployment" })).toBe(false);
  });

  const anyScope = fc.oneof(
    fc.constant<AccessScope>({ kind: "all" }),
    fc.record({ kind: fc.constantFrom(...scopeKinds.slice(1)), name: fc.constantFrom("erp", "shop", "orders", "finance", "web", "acme") }),
  ) as fc.Arbitrary<AccessScope>;
  const anyGrant = fc.record({ role: fc.constantFrom(...roles), scope: anyScope });

  it("never give more than the same role over all, and one more grant never takes anything away", () => {
    fc.assert(
      fc.property(
        fc.array(anyGrant, { maxLength: 4 }),
        anyGrant,
        fc.constantFrom(...actions),
        fc.constantFrom(...resources),
        (grants, more, action, resource) => {
          const allowed = can({ name: "a", grants }, action, resource);
          const wide = grants.map(({ role }) => ({ role, scope: { kind: "all" } as const }));
          if (allowed) {
            expect(can({ name: "a", grants: wide }, action, resource)).toBe(true);
            expect(can({ name: "a", grants }, action)).toBe(true);
            expect(can({ name: "a", grants: [...grants, more] }, action, resource)).toBe(true);
          }
        },
      ),
    );
  });
});

describe("grants as they are stored", () => {
  it("come back as they were, and what is not understood grants nothing", () => {
    const grants = [
      { role: "operator", scope: { kind: "team", name: "erp" } },
      { role: "viewer", scope: { kind: "all" } },
    ];
    expect(readGrants(JSON.parse(JSON.stringify(grants)))).toEqual(grants);
    const odd = [
      null,
      "admin",
      { role: "admin" },
      { role: "root", scope: { kind: "all" } },
      { role: "admin", scope: { kind: "team" } },
      { role: "admin", scope: { kind: "team", name: "" } },
      { role: "admin", scope: { kind: "region", name: "eu" } },
      { role: "admin", scope: "all" },
    ];
    for (const value of [odd, {}, null, "[]", 1]) expect(readGrants(value)).toEqual([]);
  });
});

describe("grants as people write them", () => {
  it.each([
    ["viewer", { role: "viewer", scope: { kind: "all" } }],
    ["operator@team:erp", { role: "operator", scope: { kind: "team", name: "erp" } }],
    [" approver @ vendor: Acme Corp. (EU): 2 ", { role: "approver", scope: { kind: "vendor", name: "Acme Corp. (EU): 2" } }],
    ["root", null],
    ["viewer@", null],
    ["viewer@all:x", null],
    ["viewer@team:", null],
    ["viewer@erp", null],
    ["", null],
  ])("%j is %o", (text, grant) => {
    expect(parseGrant(text)).toEqual(grant);
  });

  it("are read as they were written", () => {
    const grants = fc.record({
      role: fc.constantFrom(...roles),
      scope: fc.record({
        kind: fc.constantFrom("team", "vendor", "system", "integration"),
        name: fc.string({ minLength: 1 }).map((one) => `x${one}x`),
      }),
    });
    fc.assert(
      fc.property(grants, (grant) => {
        expect(parseGrant(formatGrant(grant))).toEqual(grant);
      }),
    );
  });
});

function readPrincipal(grants: unknown) {
  return { name: "somebody", grants: readGrants(grants) };
}
