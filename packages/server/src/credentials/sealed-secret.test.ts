import { randomBytes } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { masterKeyOf, type KeyRing } from "./master-key.js";
import {
  fingerprint,
  isSealedValue,
  open,
  rewrap,
  seal,
  sealedSecretSchema,
  SECRET_MAX_BYTES,
  type SealedSecret,
} from "./sealed-secret.js";

const ring: KeyRing = { current: masterKeyOf(randomBytes(32)), previous: [] };
const address = { endpoint: "erp-main", name: "password" };

const flip = (base64: string): string => {
  const bytes = Buffer.from(base64, "base64");
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  return bytes.toString("base64");
};

describe("a sealed secret", () => {
  test("opens to exactly what was sealed, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), fc.integer({ min: 1, max: 1_000_000 }), (value, version) => {
        const sealed = sealedSecretSchema.parse(JSON.parse(JSON.stringify(seal(ring, { ...address, version }, value))));
        expect(open(ring, address, sealed)).toBe(value);
      }),
    );
  });

  test("never repeats a ciphertext and never contains the value", () => {
    const one = seal(ring, { ...address, version: 1 }, "correct horse");
    const two = seal(ring, { ...address, version: 1 }, "correct horse");
    expect(one.value.text).not.toBe(two.value.text);
    expect(JSON.stringify(one)).not.toContain("correct horse");
  });

  test("does not open when any part of it was changed", () => {
    const sealed = seal(ring, { ...address, version: 3 }, "correct horse");
    const tampered: SealedSecret[] = [
      { ...sealed, version: 4 },
      ...(["iv", "tag", "text"] as const).flatMap((part) => [
        { ...sealed, value: { ...sealed.value, [part]: flip(sealed.value[part]) } },
        { ...sealed, dataKey: { ...sealed.dataKey, [part]: flip(sealed.dataKey[part]) } },
      ]),
    ];
    for (const bad of tampered)
      expect(() => open(ring, address, bad)).toThrow(expect.objectContaining({ code: "QSC_CREDENTIALS_TAMPERED" }));
  });

  test("a truncated authentication tag is not accepted", () => {
    const sealed = seal(ring, { ...address, version: 1 }, "correct horse");
    const tag = Buffer.from(sealed.value.tag, "base64").subarray(0, 4).toString("base64");
    expect(() => open(ring, address, { ...sealed, value: { ...sealed.value, tag } })).toThrow(
      expect.objectContaining({ code: "QSC_CREDENTIALS_TAMPERED" }),
    );
  });

  test("does not open at another endpoint or under another name", () => {
    const sealed = seal(ring, { ...address, version: 1 }, "correct horse");
    for (const other of [
      { ...address, endpoint: "erp-test" },
      { ...address, name: "token" },
    ]) {
      expect(() => open(ring, other, sealed)).toThrow(expect.objectContaining({ code: "QSC_CREDENTIALS_TAMPERED" }));
    }
  });

  test("a wrong master key is named by id, with what to do", () => {
    const sealed = seal(ring, { ...address, version: 1 }, "correct horse");
    const other: KeyRing = { current: masterKeyOf(randomBytes(32)), previous: [] };
    expect(() => open(other, address, sealed)).toThrow(new RegExp(`${ring.current.id}.*${other.current.id}`));
  });

  test("rotating the master key rewraps the data key only and keeps the fingerprint", () => {
    const sealed = seal(ring, { ...address, version: 1 }, "correct horse");
    const before = fingerprint(ring, address, sealed, "correct horse");
    const next: KeyRing = { current: masterKeyOf(randomBytes(32)), previous: [ring.current] };
    const moved = rewrap(next, address, sealed);
    expect(moved.value).toEqual(sealed.value);
    const alone: KeyRing = { current: next.current, previous: [] };
    expect(open(alone, address, moved)).toBe("correct horse");
    expect(fingerprint(alone, address, moved, "correct horse")).toBe(before);
    expect(() => open(alone, address, sealed)).toThrow(expect.objectContaining({ code: "QSC_CREDENTIALS_OTHER_MASTER_KEY" }));
    expect(rewrap(next, address, moved)).toBe(moved);
  });

  test("its fingerprint tells a right value from a wrong one and differs between two secrets of the same value", () => {
    const sealed = seal(ring, { ...address, version: 1 }, "correct horse");
    const stored = fingerprint(ring, address, sealed, "correct horse");
    expect(isSealedValue({ ring, address, sealed, fingerprint: stored, value: "correct horse" })).toBe(true);
    expect(isSealedValue({ ring, address, sealed, fingerprint: stored, value: "correct horsf" })).toBe(false);
    const twin = seal(ring, { ...address, name: "token", version: 1 }, "correct horse");
    expect(fingerprint(ring, { ...address, name: "token" }, twin, "correct horse")).not.toBe(stored);
  });

  test("an empty or oversized value is refused", () => {
    expect(() => seal(ring, { ...address, version: 1 }, "")).toThrow(/expected 1 to/);
    expect(() => seal(ring, { ...address, version: 1 }, "x".repeat(SECRET_MAX_BYTES + 1))).toThrow(/expected 1 to/);
  });
});
