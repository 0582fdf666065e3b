import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decideCanaries } from "./decide-canaries.js";
import { isReady, readinessRetryMs, systemsToCheck } from "./decide-readiness.js";
import { defaultResumePolicy, resumePolicySchema } from "./resume-policy.js";

describe("resumePolicySchema", () => {
  it("what is left out is as in the default", () => {
    expect(resumePolicySchema.parse({})).toEqual(defaultResumePolicy);
    expect(resumePolicySchema.parse({ readiness: { maxWaitMinutes: 5 }, canaries: 0 })).toEqual({
      ...defaultResumePolicy,
      readiness: { check: true, maxWaitMinutes: 5 },
      canaries: 0,
    });
  });

  it.each([[{ canaries: -1 }], [{ canaries: 1.5 }], [{ failureBound: 1.1 }], [{ readiness: { maxWaitMinutes: 0 } }], [{ canary: 1 }]])(
    "refuses %j",
    (input) => {
      expect(resumePolicySchema.safeParse(input).success).toBe(false);
    },
  );
});

describe("systemsToCheck", () => {
  const facts = {
    systems: [
      { id: 1, key: "erp" },
      { id: 2, key: "crm" },
      { id: 3, key: "shop" },
    ],
    integrations: [
      { key: "orders", tags: ["night"], systemIds: [1, 2] },
      { key: "stock", tags: [], systemIds: [1, 3] },
    ],
  };

  it.each([
    [{ systems: ["erp"] }, [1]],
    [{ integrations: ["orders"] }, [1, 2]],
    [{ tags: ["night"], systems: ["shop"] }, [1, 2, 3]],
    [{ all: true }, [1, 2, 3]],
    [{ systems: ["gone"] }, []],
  ] as const)("%j asks %j", (scope, systems) => {
    expect(systemsToCheck(facts, scope)).toEqual(systems);
  });
});

describe("readiness", () => {
  it("is asked again after 5 s, then twice as long each time, at most 5 minutes", () => {
    expect([1, 2, 3, 6, 7, 1_000].map(readinessRetryMs)).toEqual([5_000, 10_000, 20_000, 160_000, 300_000, 300_000]);
  });

  it("a system that is up but says that it is in maintenance is not ready", () => {
    expect(isReady({ status: "up" })).toBe(true);
    expect(isReady({ status: "degraded" })).toBe(true);
    expect(isReady({ status: "up", inMaintenance: true })).toBe(false);
    expect(isReady({ status: "unknown" })).toBe(false);
    expect(isReady({ status: "down" })).toBe(false);
  });
});

describe("decideCanaries", () => {
  const none = { systemId: 1, succeeded: 0, failed: 0, pending: 0, available: 0 };
  const policy = { canaries: 2, failureBound: 0.5 };

  it.each([
    ["with nothing to try there is nothing to wait for", none, { kind: "passed" }],
    ["as many go ahead as the policy wants", { ...none, available: 9 }, { kind: "wait", choose: 2 }],
    ["or as there are", { ...none, available: 1 }, { kind: "wait", choose: 1 }],
    ["those under way are waited for", { ...none, pending: 2, available: 9 }, { kind: "wait", choose: 0 }],
    ["one of two may fail", { ...none, succeeded: 1, failed: 1, available: 9 }, { kind: "passed" }],
    ["two of two may not", { ...none, failed: 2, available: 9 }, { kind: "failed", failed: 2, ended: 2 }],
    ["one that failed while the other runs decides nothing", { ...none, failed: 1, pending: 1 }, { kind: "wait", choose: 0 }],
  ] as const)("%s", (_name, facts, verdict) => {
    expect(decideCanaries(facts, policy)).toEqual(verdict);
  });

  it("with a bound of 1 nothing is ever held again", () => {
    expect(decideCanaries({ ...none, failed: 2 }, { canaries: 2, failureBound: 1 }).kind).toBe("passed");
  });

  it("it always ends: choosing what it asks for and ending it leads to passed or failed", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 10 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.nat(20),
        fc.infiniteStream(fc.boolean()),
        (canaries, failureBound, available, outcomes) => {
          const facts = { ...none, available };
          for (let steps = 0; steps < 50; steps += 1) {
            const verdict = decideCanaries(facts, { canaries, failureBound });
            if (verdict.kind !== "wait") return;
            facts.available -= verdict.choose;
            facts.pending += verdict.choose;
            facts.pending -= 1;
            if (outcomes.next().value === true) facts.succeeded += 1;
            else facts.failed += 1;
          }
          expect.unreachable();
        },
      ),
    );
  });
});
