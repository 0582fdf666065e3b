import { expect, it } from "vitest";
import { defaultDrainPolicy, drainPolicySchema } from "./drain-policy.js";

it("a policy of nothing is the default, and a part of one keeps the rest of it", () => {
  expect(drainPolicySchema.parse({})).toEqual(defaultDrainPolicy);
  expect(drainPolicySchema.parse({ deadlineMinutes: 15 })).toEqual({ leadLimitMinutes: 30, deadlineMinutes: 15, atDeadline: "abort" });
  expect(drainPolicySchema.parse({ deadlineMinutes: null, leadLimitMinutes: 0, atDeadline: "leave" })).toEqual({
    leadLimitMinutes: 0,
    deadlineMinutes: null,
    atDeadline: "leave",
  });
});

it.each([
  { leadLimitMinutes: -1 },
  { leadLimitMinutes: 1_441 },
  { leadLimitMinutes: 2.5 },
  { deadlineMinutes: -1 },
  { deadlineMinutes: 44_641 },
  { atDeadline: "kill" },
  { deadline: 5 },
])("refuses %j", (policy) => {
  expect(drainPolicySchema.safeParse(policy).success).toBe(false);
});
