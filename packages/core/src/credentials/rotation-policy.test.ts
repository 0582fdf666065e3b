import { describe, expect, it } from "vitest";
import { credentialFindings } from "./credential-findings.js";
import { rotationDue, rotationPolicySchema } from "./rotation-policy.js";

const day = 86_400_000;
const facts = { policy: rotationPolicySchema.parse({ every: "30d" }), since: 0, expiresAt: null, failedAt: null };

describe("a rotation is due", () => {
  it("when the secrets are as old as they may be, not a moment before", () => {
    expect(rotationDue(facts, 30 * day - 1)).toBeNull();
    expect(rotationDue(facts, 30 * day)).toBe("schedule");
  });

  it("before a certificate ends, whatever its age, and never where a person does it", () => {
    const ending = { ...facts, policy: rotationPolicySchema.parse({}), expiresAt: 100 * day };
    expect(rotationDue(ending, 79 * day - 1)).toBeNull();
    expect(rotationDue(ending, 79 * day)).toBe("expiry");
    expect(rotationDue({ ...ending, policy: rotationPolicySchema.parse({ beforeExpiry: null }) }, 200 * day)).toBeNull();
  });

  it("again some hours after a failure, sooner where it is renewed often", () => {
    const failedAt = 31 * day;
    expect(rotationDue({ ...facts, failedAt }, failedAt + 6 * 3_600_000 - 1)).toBeNull();
    expect(rotationDue({ ...facts, failedAt }, failedAt + 6 * 3_600_000)).toBe("schedule");
    const often = { ...facts, policy: rotationPolicySchema.parse({ every: "1h" }), failedAt };
    expect(rotationDue(often, failedAt + 15 * 60_000)).toBe("schedule");
  });
});

describe("a finding about a credential", () => {
  it("says that it is older than it should be, once a quarter of its time has passed beyond it", () => {
    expect(credentialFindings(facts, 37 * day)).toEqual([]);
    expect(credentialFindings(facts, 38 * day)).toMatchObject([{ kind: "credential-age", severity: "medium" }]);
  });

  it("gets worse as the end comes near", () => {
    const ending = { ...facts, expiresAt: 20 * day };
    expect([0, 10, 19.5, 21].map((at) => credentialFindings(ending, at * day)[0]?.severity)).toEqual([
      "low",
      "medium",
      "critical",
      "critical",
    ]);
  });
});

describe("a policy", () => {
  it.each([{ every: "10s" }, { every: "often" }, { overlap: "-1s" }, { beforeExpiry: "2" }, { nightly: true }])("refuses %j", (policy) => {
    expect(rotationPolicySchema.safeParse(policy).success).toBe(false);
  });
});
