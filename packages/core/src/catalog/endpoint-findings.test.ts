import { describe, expect, it } from "vitest";
import { dueWarning, endpointFindings, expirySeverity, type OriginFacts, type TlsFacts } from "./endpoint-findings.js";

const day = 86_400_000;
const now = Date.parse("2026-11-20T12:00:00Z");
const good: TlsFacts = { protocol: "TLSv1.3", untrusted: null, otherNames: null, expiresAt: now + 90 * day, issuer: "Test CA" };
const found = (facts: Partial<OriginFacts>) =>
  endpointFindings({ origin: "https://erp.example.com", transport: "https", authentication: "bearer", tls: good, ...facts }, now).map(
    ({ kind, severity }) => `${kind} ${severity}`,
  );

describe("the way to a system", () => {
  it.each([
    [{}, ["certificate-expiry info"]],
    [{ tls: { ...good, expiresAt: now + 30 * day } }, ["certificate-expiry low"]],
    [{ tls: { ...good, expiresAt: now - day, untrusted: "CERT_HAS_EXPIRED" } }, ["certificate-expiry critical"]],
    [{ tls: { ...good, untrusted: "DEPTH_ZERO_SELF_SIGNED_CERT" } }, ["certificate-expiry info", "certificate-untrusted high"]],
    [{ tls: { ...good, otherNames: "DNS:other.example" } }, ["certificate-expiry info", "certificate-name high"]],
    [{ tls: { ...good, protocol: "TLSv1.1" } }, ["certificate-expiry info", "protocol-old high"]],
    [{ transport: "http", tls: null, authentication: "basic" }, ["plain-text critical", "authentication low"]],
    [{ transport: "http", tls: null, authentication: "none" }, ["plain-text medium", "authentication medium"]],
    [{ transport: "http-loopback", tls: null, authentication: "none" }, ["authentication info"]],
    [{ authentication: "unseen", tls: null }, []],
  ] as const)("%j has %j", (facts, expected) => {
    expect(found(facts)).toEqual(expected);
  });

  it("is worse the nearer the end of the certificate is", () => {
    expect([31, 30, 14, 7, 1, 0, -3].map((days) => expirySeverity(now + days * day, now))).toEqual([
      "info",
      "low",
      "medium",
      "high",
      "critical",
      "critical",
      "critical",
    ]);
  });
});

describe("a warning before the end of a certificate", () => {
  it("is given once at 30, 14, 7 and 1 days, and only the nearest after a silence", () => {
    const due = (days: number, toldDays: number | null) => dueWarning({ expiresAt: now + days * day, toldDays }, now);
    expect([due(31, null), due(30, null), due(29, 30), due(14, 30), due(7, 14), due(0.5, 7), due(-5, 1)]).toEqual([
      null,
      30,
      null,
      14,
      7,
      1,
      null,
    ]);
    expect(due(3, null)).toBe(7);
    expect(due(-5, null)).toBe(1);
  });
});
