import { describe, expect, it } from "vitest";
import { claimedGrants, claimedName, parseClaimMapping } from "./claimed-grants.js";

const all = { kind: "all" } as const;
const mapped = (text: string) => {
  const mappings = parseClaimMapping(text);
  if (typeof mappings === "string") throw new Error(mappings);
  return mappings;
};
const rule = (text: string, claim = "groups") => ({ claim, mappings: mapped(text), defaultRole: null });

describe("the mapping of groups to roles", () => {
  it("is read from a setting, over everything or over a part", () => {
    expect(mapped("platform=admin,erp-ops=operator@team:erp")).toEqual([
      { value: "platform", grant: { role: "admin", scope: all } },
      { value: "erp-ops", grant: { role: "operator", scope: { kind: "team", name: "erp" } } },
    ]);
    expect(mapped("a=b=viewer")[0]?.value).toBe("a=b");
    expect(mapped("")).toEqual([]);
  });

  it("is refused with what was found", () => {
    for (const text of ["platform", "platform=", "=admin", "platform=root", "a=admin@", "a=admin@team:", "a=admin@room:x", "a=__proto__"])
      expect(parseClaimMapping(text), text).toContain(text.split(",")[0]);
  });
});

describe("what claims grant", () => {
  it("is nothing without a group that is mapped, unless a default says otherwise", () => {
    const admins = rule("admins=admin");
    for (const groups of [undefined, null, [], ["users"], "users", { admins: true }, [["admins"]], ["Admins"], "admins,users", 1])
      expect(claimedGrants({ groups }, admins)).toEqual([]);
    expect(claimedGrants({}, { ...admins, defaultRole: "viewer" })).toEqual([{ role: "viewer", scope: all }]);
  });

  it("is every grant that fits, once, and not the default beside them", () => {
    const both = rule("ops=operator,night=operator,audit=auditor,root=admin");
    expect(claimedGrants({ groups: ["night", "audit", "ops"] }, { ...both, defaultRole: "viewer" })).toEqual([
      { role: "operator", scope: all },
      { role: "auditor", scope: all },
    ]);
    expect(claimedGrants({ groups: "root" }, both)).toEqual([{ role: "admin", scope: all }]);
  });

  it("looks into nested claims, and a name with dots comes before a path", () => {
    expect(claimedGrants({ realm_access: { roles: ["ops"] } }, rule("ops=operator", "realm_access.roles"))).toHaveLength(1);
    const named = { "https://example.com/roles": ["ops"], https: { "//example": { "com/roles": ["root"] } } };
    expect(claimedGrants(named, rule("ops=viewer,root=admin", "https://example.com/roles"))).toEqual([{ role: "viewer", scope: all }]);
    for (const claim of ["__proto__", "constructor.name", "toString"])
      expect(claimedGrants({ groups: [] }, rule("Object=admin", claim))).toEqual([]);
  });
});

describe("the name of a person", () => {
  it("is the claim, or the subject where the claim cannot be believed", () => {
    expect(claimedName({ sub: "17", email: " ada@example.com " }, "email")).toBe("ada@example.com");
    expect(claimedName({ sub: "17", email: "ada@example.com", email_verified: false }, "email")).toBe("17");
    for (const email of [undefined, "", "  ", 7, "a\nb", "x".repeat(201)]) expect(claimedName({ sub: "17", email }, "email")).toBe("17");
  });
});
