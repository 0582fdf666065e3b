import { describe, expect, it } from "vitest";
import { parseGrant } from "./grant-text.js";
import { withinGrants } from "./within-grants.js";

const grants = (...texts: string[]) =>
  texts.map((text) => {
    const grant = parseGrant(text);
    if (grant === null) throw new Error(text);
    return grant;
  });

describe("the grants of a person's token", () => {
  it("are those that the person has too: the same role, or an admin's, as wide or wider", () => {
    const held = grants("operator@team:erp", "viewer");
    expect(withinGrants(grants("operator@team:erp", "viewer", "viewer@system:wms"), held)).toHaveLength(3);
    for (const more of ["operator", "operator@team:shop", "operator@system:erp", "approver@team:erp", "admin"])
      expect(withinGrants(grants(more), held), more).toEqual([]);
    expect(withinGrants(grants("operator", "auditor@team:x"), grants("admin"))).toHaveLength(2);
    expect(withinGrants(grants("operator", "operator@team:erp"), grants("admin@team:erp"))).toEqual(grants("operator@team:erp"));
    expect(withinGrants(grants("viewer"), [])).toEqual([]);
  });
});
