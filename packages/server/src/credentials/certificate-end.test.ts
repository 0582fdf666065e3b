import { X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { issueCertificate, makeAuthority } from "../../../../test/tls/certificates.js";
import { certificateEnd, firstEnd } from "./certificate-end.js";

const end = new Date("2031-02-03T04:05:06Z");

describe("the end of a certificate", () => {
  const authority = makeAuthority("Test");
  const { cert, key } = issueCertificate(authority, { name: "client", notAfter: end });

  it("is read from a value, of a chain the client's own, and of nothing else", () => {
    expect(new X509Certificate(cert).verify(new X509Certificate(authority.cert).publicKey)).toBe(true);
    expect(certificateEnd(cert)).toBe(end.getTime());
    expect(certificateEnd(`${key}\n${cert}\n${authority.cert}`)).toBe(end.getTime());
    for (const text of ["", "a token", key, "-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----"])
      expect(certificateEnd(text)).toBeNull();
  });

  it("is the first of several", () => {
    const sooner = issueCertificate(authority, { name: "sooner", notAfter: new Date(end.getTime() - 86_400_000) });
    expect(firstEnd([cert, sooner.cert, "token"], [null])).toBe(end.getTime() - 86_400_000);
    expect(firstEnd(["token"], [5])).toBe(5);
    expect(firstEnd(["token"], [null])).toBeNull();
  });
});
