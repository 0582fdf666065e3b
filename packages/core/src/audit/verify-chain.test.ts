import { createHash } from "node:crypto";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AuditDeed, chainStart, erasedMark, type SealedEntry, type Sha256 } from "./audit-entry.js";
import { canonicalJson } from "./canonical-json.js";
import { canonicalEntry, chainHash, sealDeeds } from "./chain-hash.js";
import { valuesToErase } from "./erasure.js";
import { isLate } from "./judge-lateness.js";
import { personalValuesOf, withValues } from "./personal-values.js";
import { erasedValue, verifyChain } from "./verify-chain.js";

const sha256: Sha256 = (text) => createHash("sha256").update(text, "utf8").digest("hex");

const deedOf = (id: number, more: Partial<AuditDeed> = {}): AuditDeed => ({
  id,
  at: 1_800_000_000_000 + id,
  actor: "token:ada",
  action: "window.create",
  subjectKind: "window",
  subjectKey: `w${id}`,
  reason: "patches",
  before: null,
  after: { requestedBy: "ada", scope: { systems: ["erp"] } },
  ...more,
});

const seal = (deeds: readonly AuditDeed[]): readonly SealedEntry[] => {
  let salts = 0;
  const salt = () => sha256(`salt ${(salts += 1)}`).slice(0, 32);
  return sealDeeds(chainStart, deeds, { sealedAt: 1_800_000_100_000, isLate: () => false, salt, sha256 });
};
const entryAt = (entries: readonly SealedEntry[], position: number): SealedEntry => {
  const found = entries[position - 1];
  if (found === undefined) throw new Error(`There is no entry ${position}.`);
  return found;
};
const chainOf = (length: number) => seal(Array.from({ length }, (_, index) => deedOf(index + 1)));
const kindsOf = (entries: readonly SealedEntry[]) =>
  verifyChain(chainStart, entries, { sha256 }).problems.map(({ kind, position }) => `${kind} ${position}`);

const deeds = fc.array(
  fc.record({
    actor: fc.constantFrom("token:ada", "token:ben", "system:quiesce"),
    action: fc.constantFrom("window.create", "hold.release"),
    reason: fc.option(fc.string()),
    before: fc.jsonValue({ maxDepth: 3 }),
    after: fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.record({ by: fc.string(), list: fc.array(fc.record({ reason: fc.string() })) })),
  }),
  { minLength: 3, maxLength: 12 },
);
const changes: Record<string, (entry: SealedEntry) => SealedEntry> = {
  id: (entry) => ({ ...entry, id: entry.id + 1_000 }),
  at: (entry) => ({ ...entry, at: entry.at + 1 }),
  sealedAt: (entry) => ({ ...entry, sealedAt: entry.sealedAt + 1 }),
  late: (entry) => ({ ...entry, late: !entry.late }),
  actor: (entry) => ({ ...entry, actor: `${entry.actor}x` }),
  action: (entry) => ({ ...entry, action: `${entry.action}x` }),
  subjectKind: (entry) => ({ ...entry, subjectKind: "other" }),
  subjectKey: (entry) => ({ ...entry, subjectKey: `${entry.subjectKey}x` }),
  reason: (entry) => ({ ...entry, reason: `${entry.reason ?? ""}x` }),
  before: (entry) => ({ ...entry, before: [entry.before] }),
  after: (entry) => ({ ...entry, after: { was: entry.after } }),
  hash: (entry) => ({ ...entry, hash: sha256(entry.hash) }),
  commitment: (entry) => ({ ...entry, personal: entry.personal.map((one) => ({ ...one, commitment: sha256(one.commitment) })) }),
  salt: (entry) => ({ ...entry, personal: entry.personal.map((one) => ({ ...one, salt: sha256(one.field).slice(0, 32) })) }),
  personal: (entry) => ({ ...entry, personal: entry.personal.slice(1) }),
};

describe("the chain of the audit trail", () => {
  it("holds as it was sealed, also when it is read in pages", () => {
    fc.assert(
      fc.property(deeds, fc.integer({ min: 1, max: 12 }), (some, cut) => {
        const chain = seal(some.map((one, index) => deedOf(index + 1, one)));
        const first = verifyChain(chainStart, chain.slice(0, cut), { sha256 });
        const rest = verifyChain(first.place, chain.slice(cut), { sha256 });
        expect([...first.problems, ...rest.problems]).toEqual([]);
        expect(first.checked + rest.checked).toBe(chain.length);
      }),
    );
  });

  it("names the entry of which any one thing was changed, and no entry before it", () => {
    fc.assert(
      fc.property(deeds, fc.nat(), fc.constantFrom(...Object.keys(changes)), (some, where, what) => {
        const chain = seal(some.map((one, index) => deedOf(index + 1, one)));
        const index = where % chain.length;
        const changed = chain.map((entry, at) => (at === index ? (changes[what]?.(entry) ?? entry) : entry));
        const [first] = verifyChain(chainStart, changed, { sha256 }).problems;
        expect(first).toMatchObject({ kind: "edited", position: index + 1 });
      }),
    );
  });

  it("names the position of a deleted entry, two that were exchanged, and one that was put in", () => {
    const chain = chainOf(6);
    expect(kindsOf(chain.filter(({ position }) => position !== 3))).toEqual(["missing 3"]);
    const at = (position: number, contentOf: number) => ({ ...entryAt(chain, contentOf), position });
    const exchanged = chain.map((entry) => (entry.position === 2 ? at(2, 5) : entry.position === 5 ? at(5, 2) : entry));
    expect(kindsOf(exchanged)[0]).toBe("reordered 2");
    const forged = { ...at(3, 1), id: 99, hash: sha256("forged") };
    const inserted = [...chain.slice(0, 2), forged, ...chain.slice(2).map((entry) => ({ ...entry, position: entry.position + 1 }))];
    expect(kindsOf(inserted)[0]).toBe("inserted 3");
  });

  it("names the next entry when somebody changed one and made its hash anew", () => {
    const chain = chainOf(5);
    const forged = { ...entryAt(chain, 3), action: "nothing.happened" };
    const withHash = { ...forged, hash: chainHash(chain[1]?.hash ?? "", forged, sha256) };
    expect(kindsOf(chain.map((entry) => (entry.position === 3 ? withHash : entry)))).toEqual(["edited 4"]);
  });

  it("names at most twenty", () => {
    const broken = chainOf(100).map((entry) => ({ ...entry, action: "x" }));
    expect(verifyChain(chainStart, broken, { sha256 }).problems).toHaveLength(20);
  });
});

describe("an erased value", () => {
  const chain = chainOf(4);
  const erased = (more: { readonly value?: string; readonly erasedBy?: number | null } = {}) =>
    chain.map((entry) =>
      entry.position === 2
        ? {
            ...withValues(entry, new Map([["/after/requestedBy", more.value ?? erasedMark]])),
            personal: entry.personal.map((one) =>
              one.field === "/after/requestedBy" ? { ...one, salt: null, erasedBy: more.erasedBy === undefined ? 4 : more.erasedBy } : one,
            ),
          }
        : entry,
    );
  const check = (entries: readonly SealedEntry[], ordered: readonly string[]) =>
    verifyChain(chainStart, entries, { sha256, orders: new Map([[4, new Set(ordered)]]) }).problems.map(
      ({ kind, position, field }) => `${kind} ${position} ${field ?? ""}`,
    );

  it("leaves the chain as it was when an entry orders its erasure", () => {
    expect(check(erased(), [erasedValue(2, "/after/requestedBy")])).toEqual([]);
  });

  it("is named when no entry orders it, and when something stands in its place", () => {
    expect(check(erased(), [erasedValue(3, "/after/requestedBy")])).toEqual(["erased 2 /after/requestedBy"]);
    expect(check(erased({ erasedBy: null }), [erasedValue(2, "/after/requestedBy")])).toEqual(["erased 2 /after/requestedBy"]);
    expect(check(erased({ value: "ben" }), [erasedValue(2, "/after/requestedBy")])).toEqual(["edited 2 /after/requestedBy"]);
  });

  it("is in no canonical text, erased or not", () => {
    const entry = entryAt(chain, 2);
    expect(canonicalEntry(entry)).not.toMatch(/ada|patches/);
    expect(canonicalEntry(entryAt(erased(), 2))).toBe(canonicalEntry(entry));
  });
});

describe("the canonical text", () => {
  it("has members in the order of their names, numbers and texts as RFC 8785 has them", () => {
    const value = { "\u20ac": "Euro", "\r": "CR", "\ufb33": "Dalet", "1": "One", "\ud83d\ude00": "Smiley", "\u0080": "C", "\u00f6": "O" };
    expect(Object.keys(JSON.parse(canonicalJson(value)) as object)).toHaveLength(7);
    expect(canonicalJson(value)).toBe(
      '{"\\r":"CR","1":"One","\u0080":"C","\u00f6":"O","\u20ac":"Euro","\ud83d\ude00":"Smiley","\ufb33":"Dalet"}',
    );
    expect(canonicalJson({ b: [1e30, 4.5, 0.002, 1e-27, true, null], a: { d: undefined, c: -0 } })).toBe(
      '{"a":{"c":0},"b":[1e+30,4.5,0.002,1e-27,true,null]}',
    );
    expect(canonicalJson(JSON.parse('{"__proto__":{"b":1,"a":2}}'))).toBe('{"__proto__":{"a":2,"b":1}}');
  });

  it("is the same for the same value whatever the order of its members", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const turned = Object.fromEntries(Object.entries(value).toReversed());
        expect(canonicalJson(turned)).toBe(canonicalJson(value));
      }),
    );
  });
});

describe("personal values", () => {
  it("are the actor, the reason and members that hold names or free words, at any depth", () => {
    const deed = deedOf(1, {
      after: { given: [{ "by/me": { by: "ben" } }, { by: 7 }], comment: "c", title: "t", by: ["ada", ["x"]] },
      before: "text",
    });
    expect(personalValuesOf(deed)).toEqual([
      { field: "/actor", value: "token:ada" },
      { field: "/reason", value: "patches" },
      { field: "/after/given/0/by~1me/by", value: "ben" },
      { field: "/after/comment", value: "c" },
      { field: "/after/by/0", value: "ada" },
      { field: "/after/by/1/0", value: "x" },
    ]);
    const replaced = withValues(deed, new Map([["/after/given/0/by~1me/by", erasedMark]]));
    expect(replaced.after).toEqual({
      given: [{ "by/me": { by: erasedMark } }, { by: 7 }],
      comment: "c",
      title: "t",
      by: ["ada", ["x"]],
    });
  });
});

describe("an entry is late", () => {
  const minute = 60_000;
  it.each([
    [
      "that is older than ten minutes when all before it was sealed",
      { drainedAt: 100 * minute, now: 101 * minute, clockChanged: false },
      true,
    ],
    ["not when nothing was sealed before", { drainedAt: null, now: 101 * minute, clockChanged: false }, false],
    ["not after somebody put the clock right", { drainedAt: 100 * minute, now: 101 * minute, clockChanged: true }, false],
    ["not when the clock went back unseen", { drainedAt: 100 * minute, now: 99 * minute, clockChanged: false }, false],
  ])("%s", (_name, sealing, late) => {
    expect(isLate(89 * minute, sealing)).toBe(late);
    expect(isLate(91 * minute, sealing)).toBe(false);
  });
});

describe("an erasure takes", () => {
  const [entry] = seal([
    deedOf(1, {
      subjectKind: "hold",
      before: { owner: "ada", by: "ben" },
      after: { requestedBy: "ada", comment: "for ben", title: "ada" },
    }),
  ]) as [SealedEntry];

  it("of an actor the name wherever it stands, and the words of the actor's own entries", () => {
    expect(valuesToErase(entry, { kind: "actor", actor: "token:ada" })).toEqual([
      "/actor",
      "/reason",
      "/before/owner",
      "/after/requestedBy",
      "/after/comment",
    ]);
    expect(valuesToErase(entry, { kind: "actor", actor: "token:ben" })).toEqual(["/before/by"]);
    expect(valuesToErase(entry, { kind: "actor", actor: "gate:ada" })).toEqual(["/before/owner", "/after/requestedBy"]);
  });

  it("of a subject every personal value, and nothing twice", () => {
    expect(valuesToErase(entry, { kind: "subject", subjectKind: "hold", subjectKey: "w1" })).toHaveLength(6);
    const gone = { ...entry, personal: entry.personal.map((one) => ({ ...one, salt: null, erasedBy: 2 })) };
    expect(valuesToErase(gone, { kind: "subject", subjectKind: "hold", subjectKey: "w1" })).toEqual([]);
  });
});

describe("the format", () => {
  it("does not change: an entry of today has the hash that it has in every release", () => {
    const [entry] = sealDeeds(chainStart, [deedOf(1)], {
      sealedAt: 1_800_000_100_000,
      isLate: () => false,
      salt: () => "00112233445566778899aabbccddeeff",
      sha256,
    }) as readonly [SealedEntry];
    expect(canonicalEntry(entry)).toBe(
      `{"action":"window.create","actor":null,"after":{"requestedBy":null,"scope":{"systems":["erp"]}},"at":"2027-01-15T08:00:00.001Z","before":null,"id":1,"late":false,` +
        `"personal":{"/actor":"${sha256("00112233445566778899aabbccddeefftoken:ada")}","/after/requestedBy":"${sha256("00112233445566778899aabbccddeeffada")}",` +
        `"/reason":"${sha256("00112233445566778899aabbccddeeffpatches")}"},"position":1,"reason":null,"sealedAt":"2027-01-15T08:01:40.000Z",` +
        `"subjectKey":"w1","subjectKind":"window","version":1}`,
    );
    expect(entry.hash).toBe(sha256(`${"0".repeat(64)}${canonicalEntry(entry)}`));
  });
});
