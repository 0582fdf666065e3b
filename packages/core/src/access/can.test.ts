import { describe, expect, it } from "vitest";
import { type Action, actions, can, type Role, roles } from "./can.js";

const may = (role: Role, action: Action) => can({ name: "somebody", role, scope: { kind: "all" } }, action);

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
    const changes = actions.filter((action) => /\.(write|enter|check)$/.test(action));
    for (const role of ["viewer", "auditor"] as const) expect(changes.filter((action) => may(role, action))).toEqual([]);
  });

  it("denies a role that it does not know", () => {
    for (const role of ["root", "toString", "__proto__", ""]) expect(actions.some((action) => may(role as Role, action))).toBe(false);
  });

  it("denies a scope that it does not know", () => {
    const scope = { kind: "team" } as unknown as { kind: "all" };
    expect(actions.some((action) => can({ name: "somebody", role: "admin", scope }, action))).toBe(false);
  });
});
