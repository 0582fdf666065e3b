import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bucketOf, compareKeys, digestOf, recordHash, type Json, type JsonObject } from "./index.js";

const sha = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 32);

describe("recordHash", () => {
  test("is what its description says, so that another language can compute it", () => {
    expect(recordHash({ b: 1, a: "x", c: true }, ["b", "a"])).toBe(sha('[["a","x"],["b","1"]]'));
    expect(recordHash({ a: { z: [1.5, null], b: "é" } }, ["a"])).toBe(sha('[["a",{"b":"é","z":["1.5",null]}]]'));
  });

  test("names of members that look like numbers are ordered as texts, not as JavaScript orders them", () => {
    expect(recordHash({ a: { "10": 1, "9": 2, b: 3 } }, ["a"])).toBe(sha('[["a",{"10":"1","9":"2","b":"3"}]]'));
  });

  test("an absent field is null, also one that every object inherits", () => {
    expect(recordHash({}, ["a"])).toBe(recordHash({ a: null }, ["a"]));
    for (const name of ["constructor", "__proto__", "toString"]) expect(recordHash({}, [name])).toBe(sha(`[["${name}",null]]`));
  });

  test("does not depend on the order of fields or members, and changes with any value", () => {
    const value = fc.jsonValue() as fc.Arbitrary<Json>;
    const record = fc.dictionary(fc.string({ maxLength: 3 }), value, { minKeys: 1, maxKeys: 4 });
    fc.assert(
      fc.property(record, (data) => {
        const fields = Object.keys(data);
        const reversed = Object.fromEntries(Object.entries(data).toReversed());
        const hash = recordHash(data, fields);
        expect(recordHash(reversed, fields.toReversed())).toBe(hash);
        expect(recordHash(JSON.parse(JSON.stringify(data)) as JsonObject, fields)).toBe(hash);
        const [first = ""] = fields;
        expect(recordHash({ ...(data as JsonObject), [first]: ["something else"] }, fields)).not.toBe(hash);
      }),
    );
  });
});

describe("buckets and digests", () => {
  test("a bucket is the first 32 bits of SHA-256 modulo the number of buckets", () => {
    const expected = Number(BigInt(`0x${createHash("sha256").update("order-7").digest("hex").slice(0, 8)}`) % 64n);
    expect(bucketOf("order-7", 64)).toBe(expected);
    fc.assert(fc.property(fc.string(), fc.integer({ min: 1, max: 4096 }), (key, buckets) => bucketOf(key, buckets) < buckets));
  });

  test("keys are spread evenly enough to find a difference by halves", () => {
    const counts = Array.from({ length: 16 }, () => 0);
    for (let index = 0; index < 16_000; index += 1)
      counts[bucketOf(`order-${index}`, 16)] = (counts[bucketOf(`order-${index}`, 16)] ?? 0) + 1;
    expect(Math.min(...counts)).toBeGreaterThan(850);
    expect(Math.max(...counts)).toBeLessThan(1150);
  });

  test("a digest is over the pairs in order of the key, empty for none", () => {
    expect(digestOf([])).toBe("");
    expect(
      digestOf([
        { key: "b", hash: "2" },
        { key: "a", hash: "1" },
      ]),
    ).toBe(sha("a\u00001\nb\u00002\n"));
  });

  test("a digest does not depend on the order, though a key be there twice, and tells a pair from another", () => {
    const pair = fc.record({ key: fc.constantFrom("a", "b", "ab", ""), hash: fc.constantFrom("1", "2") });
    fc.assert(
      fc.property(fc.array(pair, { minLength: 1, maxLength: 5 }), (pairs) => {
        expect(digestOf(pairs.toReversed())).toBe(digestOf(pairs));
        expect(digestOf([...pairs, { key: "c", hash: "1" }])).not.toBe(digestOf(pairs));
      }),
    );
  });
});

test("keys are ordered as their bytes in UTF-8 are", () => {
  const key = fc.string({ unit: "binary" });
  fc.assert(
    fc.property(key, key, (left, right) => {
      const bytes = Buffer.compare(Buffer.from(left), Buffer.from(right));
      expect(Math.sign(compareKeys(left, right))).toBe(bytes);
    }),
  );
  expect(["\u{10000}", "\uffff", "\ud7ff"].toSorted(compareKeys)).toEqual(["\ud7ff", "\uffff", "\u{10000}"]);
});
