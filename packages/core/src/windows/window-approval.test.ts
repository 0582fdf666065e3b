import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ApprovalPolicy, fittingPolicies, type PlannedReach } from "./approval-policy.js";
import {
  type ApprovedPlan,
  approvalOnSave,
  decideApproval,
  needsApprovalAgain,
  speaksForAll,
  type WindowApproval,
} from "./window-approval.js";

const policy: ApprovalPolicy = { key: "p", kinds: [], tags: [], systems: [], minimumCriticality: null, by: [], ownAllowed: false };
const reach: PlannedReach = { kind: "maintenance", tags: ["finance"], systems: ["erp", "billing"], criticalities: ["low", "high"] };
const plan: ApprovedPlan = {
  kind: "maintenance",
  mode: "enforce",
  scope: { systems: ["erp", "crm"] },
  series: { start: "2026-01-04T02:00", end: "2026-01-04T06:00", timeZone: "Europe/Madrid", rrule: "FREQ=WEEKLY" },
};
const asked = (policies: readonly ApprovalPolicy[], actor = "ana"): WindowApproval => {
  const approval = approvalOnSave({ before: null, after: plan, policies, actor, now: 1 });
  if (approval === null) throw new Error("No policy.");
  return approval;
};
const decide = (approval: WindowApproval | null, actor: string, decision: "approve" | "reject" = "approve") =>
  decideApproval(approval, { window: "w", actor, decision, comment: "fine", now: 2 });
const codeOf = (work: () => unknown): unknown => {
  try {
    work();
  } catch (error) {
    return (error as { code: string }).code;
  }
  return undefined;
};

describe("which policies fit", () => {
  test.each<[string, Partial<ApprovalPolicy>, boolean]>([
    ["one that restricts nothing", {}, true],
    ["one of this kind", { kinds: ["maintenance", "change"] }, true],
    ["one of another kind", { kinds: ["freeze"] }, false],
    ["one of a tag that it covers", { tags: ["finance"] }, true],
    ["one of another tag", { tags: ["eu"] }, false],
    ["one of a system that it means", { systems: ["billing"] }, true],
    ["one of another system", { systems: ["shop"] }, false],
    ["one from a criticality on that it reaches", { minimumCriticality: "high" }, true],
    ["one from a higher criticality on", { minimumCriticality: "critical" }, false],
    ["one of which only one part fits", { kinds: ["maintenance"], systems: ["shop"] }, false],
  ])("%s: %s", (_, part, fits) => {
    expect(fittingPolicies([{ ...policy, ...part }], reach)).toHaveLength(fits ? 1 : 0);
  });

  test("what touches nothing has no criticality", () => {
    const none = { ...reach, criticalities: [] };
    expect(fittingPolicies([{ ...policy, minimumCriticality: "low" }], none)).toEqual([]);
    expect(fittingPolicies([policy], none)).toHaveLength(1);
  });
});

describe("which edits need approval again", () => {
  test.each<[string, Partial<ApprovedPlan>, boolean]>([
    ["nothing changed", {}, false],
    ["the scope in another order", { scope: { systems: ["crm", "erp"] } }, false],
    ["a default that is written out", { series: { ...plan.series, dstPolicy: "cover", exdates: [] } }, false],
    ["a shorter occurrence", { series: { ...plan.series, end: "2026-01-04T05:00" } }, false],
    ["a shorter occurrence, by a duration", { series: { ...plan.series, end: undefined, duration: "PT3H" } }, false],
    ["the step to observing", { mode: "observe" }, false],
    ["a longer occurrence", { series: { ...plan.series, end: "2026-01-04T06:01" } }, true],
    ["another start", { series: { ...plan.series, start: "2026-01-04T01:00", end: "2026-01-04T05:00" } }, true],
    ["another rule", { series: { ...plan.series, rrule: "FREQ=DAILY" } }, true],
    ["one date less", { series: { ...plan.series, exdates: ["2026-01-11T02:00"] } }, true],
    ["another zone", { series: { ...plan.series, timeZone: "UTC" } }, true],
    ["less scope", { scope: { systems: ["erp"] } }, true],
    ["another kind", { kind: "change" }, true],
  ])("%s: %s", (_, part, again) => {
    expect(needsApprovalAgain(plan, { ...plan, ...part })).toBe(again);
  });

  test("the step from observing to enforcing does", () => {
    expect(needsApprovalAgain({ ...plan, mode: "observe" }, plan)).toBe(true);
  });

  test("an edit that needs none keeps what there is, also for a policy that came later; a rejected window asks again", () => {
    const approved = decide(asked([policy]), "ben");
    const save = (approval: WindowApproval | null, after = plan) =>
      approvalOnSave({ before: { plan, approval }, after, policies: [policy], actor: "cai", now: 3 });
    expect(save(approved)).toBe(approved);
    expect(save(null)).toBeNull();
    expect(save(decide(asked([policy]), "ben", "reject"))).toMatchObject({
      state: "pending",
      requestedBy: "cai",
      given: [],
      rejected: null,
    });
    expect(save(approved, { ...plan, kind: "change" })).toMatchObject({ state: "pending", requestedBy: "cai", given: [] });
    expect(
      approvalOnSave({ before: { plan, approval: approved }, after: { ...plan, kind: "freeze" }, policies: [], actor: "a", now: 3 }),
    ).toBeNull();
  });
});

describe("who may approve", () => {
  test("not who asked for it, unless the policy allows it", () => {
    expect(codeOf(() => decide(asked([policy]), "ana"))).toBe("QSC_WINDOW_OWN_APPROVAL");
    expect(decide(asked([{ ...policy, ownAllowed: true }]), "ana").state).toBe("approved");
    expect(decide(asked([policy]), "ben")).toMatchObject({
      state: "approved",
      given: [{ policy: "p", by: "ben", at: 2, comment: "fine" }],
    });
  });

  test("only who is named, where names are", () => {
    const named = asked([{ ...policy, by: ["ben", "cai"] }]);
    expect(codeOf(() => decide(named, "dov"))).toBe("QSC_WINDOW_APPROVER_NOT_NAMED");
    expect(codeOf(() => decide(named, "dov", "reject"))).toBe("QSC_WINDOW_APPROVER_NOT_NAMED");
    expect(decide(named, "cai").state).toBe("approved");
  });

  test("every policy wants its word, and one rejection is enough", () => {
    const two = asked([
      { ...policy, key: "finance", by: ["ben"] },
      { ...policy, key: "platform", by: ["cai"] },
    ]);
    const half = decide(two, "ben");
    expect(half.state).toBe("pending");
    expect(codeOf(() => decide(half, "ben"))).toBe("QSC_WINDOW_APPROVER_NOT_NAMED");
    expect(decide(half, "cai").state).toBe("approved");
    expect(decide(half, "cai", "reject")).toMatchObject({ state: "rejected", rejected: { by: "cai" } });
    expect(speaksForAll(two, "ben")).toBe(false);
    expect(speaksForAll(asked([policy]), "ben")).toBe(true);
    expect(speaksForAll(asked([policy]), "ana")).toBe(false);
  });

  test("only while it is pending", () => {
    for (const done of [decide(asked([policy]), "ben"), decide(asked([policy]), "ben", "reject"), null])
      expect(codeOf(() => decide(done, "cai"))).toBe("QSC_WINDOW_NOT_PENDING");
  });

  test("it is approved exactly when every policy has the word of somebody it accepts", () => {
    const people = ["ana", "ben", "cai"];
    const policies = fc.uniqueArray(
      fc.record({ key: fc.constantFrom("a", "b", "c"), by: fc.uniqueArray(fc.constantFrom(...people)), ownAllowed: fc.boolean() }),
      { selector: (one) => one.key, minLength: 1 },
    );
    fc.assert(
      fc.property(policies, fc.array(fc.constantFrom(...people)), (list, voices) => {
        let approval = asked(list.map((one) => ({ ...policy, ...one })));
        for (const voice of voices) {
          try {
            approval = decide(approval, voice);
          } catch {
            // Refused: it changes nothing.
          }
        }
        const satisfied = list.every((one) =>
          voices.some((voice) => (one.by.length === 0 || one.by.includes(voice)) && (one.ownAllowed || voice !== "ana")),
        );
        expect(approval.state).toBe(satisfied ? "approved" : "pending");
      }),
    );
  });
});
