import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AccessSecurity, type EndpointSecurity, securityScore, securityWeights } from "./security-score.js";

const day = 86_400_000;
const now = Date.parse("2027-03-30T12:00:00Z");
const way = { checkedAt: now - day, certificateEndsAt: now + 90 * day, hasBadTls: false, isPlainText: false };
const good: EndpointSecurity = { credential: { since: now - day, everyMs: 30 * day }, isWeb: true, way };
const access: AccessSecurity = { reviewedAt: now - day, reviewed: 10, leftWide: 0 };
const partsOf = (endpoints: readonly EndpointSecurity[], more = access) =>
  new Map(securityScore(endpoints, more, now).parts.map(({ part, value }) => [part, value]));

describe("the security score", () => {
  it("has weights that add up to 100, and is 100 where everything is well", () => {
    expect(Object.values(securityWeights).reduce((sum, one) => sum + one, 0)).toBe(100);
    expect(securityScore([good], access, now)).toMatchObject({ score: 100, caps: [] });
  });

  it("falls with the age of a credential, from its time on, to nothing at twice that, which also caps it at 69", () => {
    const aged = (days: number) => [{ ...good, credential: { since: now - days * day, everyMs: 30 * day } }];
    expect(partsOf(aged(30)).get("credential-age")).toBe(1);
    expect(partsOf(aged(45)).get("credential-age")).toBe(0.5);
    expect(securityScore(aged(45), access, now).score).toBe(87.5);
    expect(securityScore(aged(60), access, now)).toMatchObject({ score: 69, caps: [{ reason: "credential-twice-over-age", most: 69 }] });
  });

  it("is capped at 49 by an expired certificate, and by a credential that goes over plain text", () => {
    expect(securityScore([good, { ...good, way: { ...way, certificateEndsAt: now } }], access, now).score).toBe(49);
    const plain = { ...good, way: { ...way, certificateEndsAt: null, isPlainText: true } };
    expect(securityScore([good, plain], access, now).caps).toEqual([{ reason: "plain-text-credential", most: 49 }]);
    expect(securityScore([good, { ...plain, credential: null }], access, now).caps).toEqual([]);
  });

  it("takes what nobody looked at for seven days for bad", () => {
    const stale = { ...good, way: { ...way, checkedAt: now - 7 * day - 1 } };
    const parts = partsOf([stale]);
    expect([parts.get("tls"), parts.get("certificate"), parts.get("encrypted-endpoints")]).toEqual([0, 0, 0]);
    expect(partsOf([{ ...good, way: null }]).get("tls")).toBe(0);
    expect(securityScore([stale], access, now).score).toBeCloseTo(55, 9);
  });

  it("leaves out what cannot be had: a folder has no certificate and no credential", () => {
    const folder = { credential: null, isWeb: false, way: null };
    expect(partsOf([folder]).get("tls")).toBeNull();
    expect(securityScore([folder], access, now).score).toBe(100);
    expect(securityScore([], access, now).score).toBeNull();
  });

  it("counts a review of access for three months, less and less until six, and grants that stayed wide", () => {
    const reviewed = (days: number, leftWide = 0) => partsOf([good], { reviewedAt: now - days * day, reviewed: 10, leftWide });
    expect(reviewed(90).get("access-review")).toBe(1);
    expect(reviewed(135).get("access-review")).toBe(0.5);
    expect(reviewed(180).get("access-review")).toBe(0);
    expect(reviewed(1, 4).get("least-privilege")).toBe(0.6);
    const never = partsOf([good], { reviewedAt: null, reviewed: 0, leftWide: 0 });
    expect([never.get("access-review"), never.get("least-privilege")]).toEqual([0, 0]);
  });

  it("lies between 0 and 100, and never rises when something becomes worse", () => {
    const endpoint = fc.record({
      credential: fc.option(
        fc.record({ since: fc.integer({ min: 0, max: 400 }).map((ago) => now - ago * day), everyMs: fc.constantFrom(null, 30 * day) }),
      ),
      isWeb: fc.boolean(),
      way: fc.option(
        fc.record({
          checkedAt: fc.nat(20).map((ago) => now - ago * day),
          certificateEndsAt: fc.option(fc.integer({ min: -10, max: 100 }).map((days) => now + days * day)),
          hasBadTls: fc.boolean(),
          isPlainText: fc.boolean(),
        }),
      ),
    });
    fc.assert(
      fc.property(fc.array(endpoint, { minLength: 1, maxLength: 8 }), fc.nat(7), (endpoints, at) => {
        const { score } = securityScore(endpoints, access, now);
        expect(score).toBeGreaterThanOrEqual(0);
        expect(score).toBeLessThanOrEqual(100);
        const worse = endpoints.map((one, n) =>
          n === at && one.way !== null ? { ...one, way: { ...one.way, isPlainText: true, hasBadTls: true } } : one,
        );
        expect(securityScore(worse, access, now).score ?? 0).toBeLessThanOrEqual((score ?? 0) + 1e-9);
      }),
    );
  });
});
