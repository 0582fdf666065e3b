import type { Json, JsonObject } from "@quiesce/sdk";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { mappingSchema } from "../mapping/mapping-schema.js";
import { accuracyRatio, noReconciliationCounts } from "./accuracy.js";
import { chooseMethod, type SideOffer } from "./choose-method.js";
import { comparedFields, pickFields } from "./compared-fields.js";
import { type Comparison, compareSides, differingBuckets, type SideEntry } from "./compare-sides.js";
import { judgeAgain } from "./second-look.js";

const order = (left: string, right: string) => (left < right ? -1 : left > right ? 1 : 0);

async function* listed(entries: readonly SideEntry[]): AsyncGenerator<SideEntry> {
  yield* entries;
}

const side = (records: ReadonlyMap<string, string>): readonly SideEntry[] =>
  [...records].map(([key, hash]) => ({ key, hash })).toSorted((a, b) => order(a.key, b.key));

describe("comparing two sides", () => {
  const records = fc
    .array(fc.tuple(fc.string({ maxLength: 2 }), fc.constantFrom("1", "2")), { maxLength: 30 })
    .map((pairs) => new Map(pairs));

  it("says of every key of either side exactly once what is so, however the sides look", async () => {
    await fc.assert(
      fc.asyncProperty(records, records, async (source, target) => {
        const found = new Map<string, Comparison>();
        let steps = 0;
        for await (const one of compareSides({ source: listed(side(source)), target: listed(side(target)) }, order)) {
          found.set(one.key, one);
          steps += 1;
        }
        expect(steps).toBe(new Set([...source.keys(), ...target.keys()]).size);
        for (const [key, one] of found) {
          const [here, there] = [source.get(key) ?? null, target.get(key) ?? null];
          const kind = here === there ? "equal" : there === null ? "only-source" : here === null ? "only-target" : "different";
          expect(one).toEqual(kind === "equal" ? { kind, key } : { kind, key, source: here, target: there });
        }
      }),
    );
  });

  it.each([
    ["a", "a"],
    ["b", "a"],
  ])("refuses a side that gives %s and then %s", async (first, second) => {
    const wrong = listed([
      { key: first, hash: "" },
      { key: second, hash: "" },
    ]);
    const reading = async () => {
      for await (const one of compareSides({ source: listed([]), target: wrong }, order)) void one;
    };
    await expect(reading()).rejects.toThrow(/The target gave the key "a" behind/);
  });

  it("releases both sides when it is left", async () => {
    let released = 0;
    async function* endless(): AsyncGenerator<SideEntry> {
      try {
        for (let n = 0; ; n += 1) yield { key: String(n).padStart(9, "0"), hash: "" };
      } finally {
        released += 1;
      }
    }
    for await (const one of compareSides({ source: endless(), target: endless() }, order)) if (one.key.endsWith("5")) break;
    expect(released).toBe(2);
  });

  it("finds the buckets that differ, and refuses lists of another length", () => {
    expect(differingBuckets(["a", "b", ""], ["a", "c", "d"], 3)).toEqual([1, 2]);
    expect(() => differingBuckets(["a"], ["a", "b"], 2)).toThrow("The source gave 1 digests, expected one for each of 2 buckets.");
  });
});

describe("the second look", () => {
  it("keeps what stood still and differs, and nothing else", () => {
    const first = { source: "1", target: "2" };
    expect(judgeAgain(first, first)).toEqual({ kind: "stands", difference: "different" });
    expect(judgeAgain(first, { source: "2", target: "2" })).toEqual({ kind: "equal" });
    expect(judgeAgain(first, { source: "3", target: "2" })).toEqual({ kind: "changing" });
    expect(judgeAgain(first, { source: "1", target: null })).toEqual({ kind: "changing" });
    expect(judgeAgain(first, { source: null, target: null })).toEqual({ kind: "gone" });
    expect(judgeAgain({ source: null, target: "2" }, { source: null, target: "2" })).toEqual({ kind: "stands", difference: "only-target" });
  });
});

describe("the accuracy", () => {
  it("is the share of equal records among all that stood still, and whole where there are none", () => {
    expect(accuracyRatio(noReconciliationCounts)).toBe(1);
    expect(accuracyRatio({ equal: 6, onlySource: 1, onlyTarget: 2, different: 3, changing: 100 })).toBe(0.5);
  });
});

describe("the fields that are compared", () => {
  const of = (mapping: object) => comparedFields(mappingSchema.parse(mapping));

  it("are hashed where they are only if the mapping changes nothing", () => {
    const same = { sourceInPlace: true, targetInPlace: true, sameKeys: true };
    expect(of({ fields: { b: { from: "b" }, a: { from: "a" } } })).toEqual({ fields: ["a", "b"], ...same });
    expect(of({ fields: { a: { from: "b" } } })).toMatchObject({ ...same, sourceInPlace: false });
    expect(of({ fields: { a: { from: "a", default: 1 } } })).toMatchObject({ ...same, sourceInPlace: false });
    expect(of({ fields: { a: { from: "a", cast: "number" } } })).toMatchObject({ ...same, sourceInPlace: false });
    expect(of({ fields: { "a.b": { from: "a.b" } } })).toMatchObject({ sourceInPlace: false, targetInPlace: false, sameKeys: true });
    expect(of({ fields: { a: { from: "a" } }, when: "a = 1" })).toMatchObject({ sourceInPlace: false, sameKeys: false });
    expect(of({ fields: { a: { from: "a" } }, key: "a" })).toMatchObject({ sourceInPlace: false, sameKeys: false });
  });

  it("are picked by their paths, absent ones as null", () => {
    const data: JsonObject = { a: { b: [1, { c: 2 }] as Json }, d: null };
    expect(pickFields(data, ["a.b", "a.x", "d", "toString"])).toEqual({ "a.b": [1, { c: 2 }], "a.x": null, d: null, toString: null });
  });
});

describe("the method", () => {
  const all: SideOffer = { digest: true, keys: true, listKeys: true, count: true, read: true, records: null };
  const nothing: SideOffer = { digest: false, keys: false, listKeys: false, count: false, read: false, records: null };
  const plain = { sourceInPlace: true, targetInPlace: true, sameKeys: true };
  const mapped = { ...plain, sourceInPlace: false };
  const choose = (source: SideOffer, target: SideOffer, fields = plain) => chooseMethod({ source, target, fields, maxRead: 100 });

  it("is the best that both sides have", () => {
    expect(choose(all, all)).toEqual({ kind: "digest", source: "keys", target: "keys" });
    expect(choose(all, all, mapped)).toEqual({ kind: "hashes", source: "read", target: "keys" });
    expect(choose({ ...nothing, read: true }, all)).toEqual({ kind: "hashes", source: "read", target: "keys" });
    expect(choose({ ...all, records: 101 }, { ...nothing, listKeys: true }, mapped)).toEqual({
      kind: "keys",
      source: "keys",
      target: "listKeys",
    });
    expect(choose({ ...nothing, count: true }, all)).toEqual({ kind: "counts" });
  });

  it("reads nothing beyond the limit, and says so", () => {
    expect(choose({ ...nothing, read: true, records: 100 }, all)).toMatchObject({ source: "read" });
    expect(choose({ ...nothing, read: true, records: 101 }, all)).toMatchObject({
      kind: "none",
      source: expect.stringContaining("101 records, and at most 100"),
    });
  });

  it("does not compare keys that the mapping or its condition makes others of", () => {
    const big = { ...all, records: 101 };
    expect(choose(big, { ...nothing, listKeys: true, count: true }, { ...mapped, sameKeys: false })).toEqual({ kind: "counts" });
  });

  it("never claims what a side does not offer", () => {
    const offer = fc.record<SideOffer>({
      digest: fc.boolean(),
      keys: fc.boolean(),
      listKeys: fc.boolean(),
      count: fc.boolean(),
      read: fc.boolean(),
      records: fc.option(fc.nat(200)),
    });
    const fields = fc.record({ sourceInPlace: fc.boolean(), targetInPlace: fc.boolean(), sameKeys: fc.boolean() });
    fc.assert(
      fc.property(offer, offer, fields, (source, target, has) => {
        const verdict = chooseMethod({ source, target, fields: has, maxRead: 100 });
        if (verdict.kind === "counts") expect(source.count && target.count).toBe(true);
        if (verdict.kind === "none" || verdict.kind === "counts") return;
        if (verdict.kind === "digest") expect(source.digest && target.digest && has.sourceInPlace && has.targetInPlace).toBe(true);
        for (const [one, from, inPlace] of [
          [source, verdict.source, has.sourceInPlace],
          [target, verdict.target, has.targetInPlace],
        ] as const) {
          expect(one[from]).toBe(true);
          if (from === "read") expect(one.records ?? 0).toBeLessThanOrEqual(100);
          if (from === "keys" && verdict.kind !== "keys") expect(inPlace).toBe(true);
        }
      }),
    );
  });
});
