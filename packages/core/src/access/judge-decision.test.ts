import { describe, expect, it } from "vitest";
import { DomainError } from "../domain-error.js";
import type { Grant } from "./can.js";
import { type DecidedItem, isOwnAccess, judgeDecision, locksEverybodyOut, type WayIn } from "./judge-decision.js";

const everywhere = { kind: "all" } as const;
const admin: Grant = { role: "admin", scope: everywhere };
const operator: Grant = { role: "operator", scope: everywhere };
const item: DecidedItem = { key: "7", subject: "token", account: "deploy", grants: [admin], grantedByProvider: false, suggestions: [] };
const ada = { name: "ada", owner: null };
const codeOf = (work: () => unknown) => {
  try {
    work();
    return "nothing was refused";
  } catch (error) {
    return error instanceof DomainError ? error.code : error;
  }
};

describe("a decision", () => {
  it("is nobody's about their own access, nor a program's about its owner's", () => {
    const keep = { decision: "keep", grants: undefined } as const;
    expect(codeOf(() => judgeDecision(item, { name: "deploy", owner: null }, keep))).toBe("QSC_REVIEW_OWN_ACCESS");
    expect(codeOf(() => judgeDecision({ ...item, account: "ada" }, { name: "adas-script", owner: "ada" }, keep))).toBe(
      "QSC_REVIEW_OWN_ACCESS",
    );
    expect(judgeDecision(item, ada, keep)).toBeNull();
    expect(isOwnAccess({ name: "x", owner: null }, "y")).toBe(false);
  });

  it("to narrow needs less than there is, given or suggested", () => {
    const narrow = (grants: readonly Grant[] | undefined, more: Partial<DecidedItem> = {}) =>
      judgeDecision({ ...item, ...more }, ada, { decision: "narrow", grants });
    expect(narrow([operator])).toEqual([operator]);
    const suggestions = [{ finding: "excessive", decision: "narrow", grants: [operator], reason: "" }] as const;
    expect(narrow(undefined, { suggestions })).toEqual([operator]);
    for (const refused of [undefined, [], [admin]]) expect(codeOf(() => narrow(refused))).toBe("QSC_REVIEW_NOT_NARROWER");
    expect(codeOf(() => narrow([admin], { grants: [operator] }))).toBe("QSC_REVIEW_NOT_NARROWER");
    expect(codeOf(() => narrow([operator], { subject: "service", grants: [] }))).toBe("QSC_REVIEW_NOT_NARROWER");
    expect(codeOf(() => narrow([operator], { grantedByProvider: true }))).toBe("QSC_REVIEW_PROVIDER_GRANTS");
    expect(codeOf(() => judgeDecision(item, ada, { decision: "revoke", grants: [operator] }))).toBe("QSC_REVIEW_NOT_NARROWER");
  });
});

describe("a review as a whole", () => {
  const way: WayIn = { grants: [admin], decision: null, accountRevoked: false };
  const partly: Grant = { role: "admin", scope: { kind: "team", name: "erp" } };
  it.each<readonly [string, readonly WayIn[], boolean]>([
    ["nobody, when an admin's token stays", [way], false],
    ["nobody, when it is kept", [{ ...way, decision: { kind: "keep", grants: null } }], false],
    ["everybody, when it is revoked", [{ ...way, decision: { kind: "revoke", grants: null } }], true],
    ["everybody, when its account is", [{ ...way, accountRevoked: true }], true],
    ["everybody, when it is narrowed", [{ ...way, decision: { kind: "narrow", grants: [operator] } }], true],
    [
      "everybody, when the admin of a part is left",
      [
        { ...way, accountRevoked: true },
        { ...way, grants: [partly] },
      ],
      true,
    ],
    ["nobody, when another one is left", [{ ...way, accountRevoked: true }, way], false],
    ["nobody, where nobody could get in before", [{ ...way, grants: [operator], accountRevoked: true }], false],
  ])("locks out %s", (_what, ways, locked) => {
    expect(locksEverybodyOut(ways)).toBe(locked);
  });
});
