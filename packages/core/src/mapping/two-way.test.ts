import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { streamSchema } from "../catalog/workspace-schema.js";
import { type FieldValues, mergeFields as mergeBy, type MergeFacts, type SameValue } from "./merge-fields.js";
import { reverseValue } from "./reverse-value.js";
import { twoWayProblems } from "./two-way-problems.js";
import type { ConflictRule, TwoWay } from "./two-way-schema.js";

/** Two systems may write one value as a number and as a text. */
const isSame: SameValue = (a, b) => JSON.stringify(a).replaceAll('"', "") === JSON.stringify(b).replaceAll('"', "");
const mergeFields = (twoWay: TwoWay, known: MergeFacts) => mergeBy(twoWay, known, isSame);

const facts = (given: Partial<MergeFacts>): MergeFacts => ({
  agreed: {},
  source: {},
  target: {},
  sourceAt: null,
  targetAt: null,
  sentToSource: {},
  sentToTarget: {},
  ...given,
});
const byRule = (conflict: ConflictRule) => ({ fields: { name: { conflict } }, times: {} });

describe("merging one field", () => {
  const agreed = { name: "a" };
  it("lets the side win that changed it alone", () => {
    expect(mergeFields(byRule("review"), facts({ agreed, source: { name: "b" }, target: { name: "a" } }))).toEqual({
      agreed: { name: "b" },
      toSource: {},
      toTarget: { name: "b" },
      conflicts: [],
    });
    expect(mergeFields(byRule("source"), facts({ agreed, source: { name: "a" }, target: { name: "c" } }))).toMatchObject({
      toSource: { name: "c" },
      toTarget: {},
      conflicts: [],
    });
  });

  it("agrees without a write when both sides came to one value, however it is written", () => {
    const verdict = mergeFields(byRule("review"), facts({ agreed: { name: 1 }, source: { name: "12.5" }, target: { name: 12.5 } }));
    expect(verdict).toEqual({ agreed: { name: "12.5" }, toSource: {}, toTarget: {}, conflicts: [] });
  });

  test.each([
    ["source", null, null, "source"],
    ["target", null, null, "target"],
    ["newest", 5, 6, "target"],
    ["newest", 6, 5, "source"],
    ["newest", 5, 5, "source"],
    ["newest", null, 5, null],
    ["newest", 5, null, null],
    ["review", 5, 6, null],
  ] as const)("when both changed it, %s with times %s and %s gives %s", (rule, sourceAt, targetAt, winner) => {
    const given = facts({ agreed, source: { name: "s" }, target: { name: "t" }, sourceAt, targetAt });
    const verdict = mergeFields(byRule(rule), given);
    expect(verdict.conflicts).toEqual([{ field: "name", agreed: "a", source: "s", target: "t", rule, winner }]);
    expect(verdict.toTarget).toEqual(winner === "source" ? { name: "s" } : {});
    expect(verdict.toSource).toEqual(winner === "target" ? { name: "t" } : {});
    expect(verdict.agreed).toEqual({ name: winner === "source" ? "s" : winner === "target" ? "t" : "a" });
  });

  it("takes a write of its own that comes back unconfirmed for no change", () => {
    // The source changed again before the first write was confirmed: nobody changed the target.
    const given = facts({ agreed, source: { name: "s2" }, target: { name: "s1" }, sentToTarget: { name: "s1" } });
    expect(mergeFields(byRule("target"), given)).toMatchObject({ toTarget: { name: "s2" }, conflicts: [] });
    // Nor does it flow back when the source has taken its change back.
    const undone = facts({ agreed, source: { name: "a" }, target: { name: "s1" }, sentToTarget: { name: "s1" } });
    expect(mergeFields(byRule("target"), undone)).toMatchObject({ toTarget: { name: "a" }, toSource: {} });
    const back = facts({ agreed, source: { name: "t1" }, target: { name: "t2" }, sentToSource: { name: "t1" } });
    expect(mergeFields(byRule("source"), back)).toMatchObject({ toSource: { name: "t2" }, conflicts: [] });
  });

  it("leaves a field alone of which a side is not known", () => {
    expect(mergeFields(byRule("source"), facts({ agreed, source: { name: "b" } }))).toMatchObject({ toTarget: {}, toSource: {} });
  });

  it("asks the rule about records that differ before they ever agreed", () => {
    expect(mergeFields(byRule("review"), facts({ source: { name: "s" }, target: { name: "t" } })).conflicts).toHaveLength(1);
    expect(mergeFields(byRule("review"), facts({ source: { name: "s" }, target: { name: "s" } })).conflicts).toHaveLength(0);
  });
});

describe("laws of the merge", () => {
  const value = fc.constantFrom("a", "b", "c", null, 1, "1", true);
  const values = fc.dictionary(fc.constantFrom("x", "y", "z"), value);
  const rule = fc.constantFrom<ConflictRule>("source", "target", "newest", "review");
  const given = fc.record({
    agreed: values,
    source: values,
    target: values,
    sourceAt: fc.option(fc.integer({ min: 0, max: 3 })),
    targetAt: fc.option(fc.integer({ min: 0, max: 3 })),
    sentToSource: values,
    sentToTarget: values,
  });
  const declared = fc.record({ x: rule, y: rule, z: rule }).map((rules) => ({
    times: {},
    fields: Object.fromEntries(Object.entries(rules).map(([field, conflict]) => [field, { conflict }])),
  }));

  it("converges: a verdict that was carried out gives an empty one, save what a person decides", () => {
    fc.assert(
      fc.property(declared, given, (twoWay, before) => {
        const verdict = mergeFields(twoWay, before);
        const source: FieldValues = { ...before.source, ...verdict.toSource };
        const target: FieldValues = { ...before.target, ...verdict.toTarget };
        const after = mergeFields(twoWay, { ...before, agreed: verdict.agreed, source, target, sentToSource: {}, sentToTarget: {} });
        const doubtful = verdict.conflicts.filter(({ winner }) => winner === null).map(({ field }) => field);
        expect(after.toSource).toEqual({});
        expect(after.toTarget).toEqual({});
        expect(after.conflicts.map(({ field }) => field)).toEqual(doubtful);
      }),
    );
  });

  it("loses nothing: a value that is written over was agreed, or our own, or stands in a conflict", () => {
    fc.assert(
      fc.property(declared, given, (twoWay, before) => {
        const verdict = mergeFields(twoWay, before);
        const told = (field: string) => verdict.conflicts.some((one) => one.field === field);
        const known = (field: string) => [before.agreed[field], before.sentToSource[field], before.sentToTarget[field]];
        const isKnown = (field: string, overwritten: FieldValues) =>
          known(field).some((one) => one !== undefined && isSame(one, overwritten[field] ?? null));
        for (const field of Object.keys(verdict.toSource)) expect(told(field) || isKnown(field, before.source)).toBe(true);
        for (const field of Object.keys(verdict.toTarget)) expect(told(field) || isKnown(field, before.target)).toBe(true);
      }),
    );
  });
});

describe("the way back of a value", () => {
  const rule = { table: { "1": "new", "2": "done" } };
  it("goes through the value table, then to the type of the source", () => {
    expect(reverseValue(rule, undefined, "done")).toEqual({ ok: true, value: "2" });
    expect(reverseValue(rule, "integer", "done")).toEqual({ ok: true, value: 2 });
    expect(reverseValue(rule, "integer", null)).toEqual({ ok: true, value: null });
    expect(reverseValue(rule, "integer", "lost")).toMatchObject({ ok: false, found: '"lost"' });
    expect(reverseValue({ cast: "string" }, "integer", "seven")).toMatchObject({ ok: false });
  });

  it("gives the value that the mapping made it of, for every table without losses", () => {
    const table = fc
      .uniqueArray(fc.tuple(fc.string({ minLength: 1, maxLength: 5 }), fc.integer()), { minLength: 1, selector: ([from]) => from })
      .filter((pairs) => new Set(pairs.map(([, to]) => to)).size === pairs.length);
    fc.assert(
      fc.property(table, (pairs) => {
        for (const [from, to] of pairs)
          expect(reverseValue({ table: Object.fromEntries(pairs) }, undefined, to)).toEqual({ ok: true, value: from });
      }),
    );
  });
});

describe("declaring what flows both ways", () => {
  const stream = (fields: object, more: object = {}) =>
    streamSchema.parse({
      stream: "items",
      deletes: "apply",
      mapping: { fields: { name: { from: "name" }, state: { from: "state", table: { "1": "new", "2": "done" } }, ...fields } },
      twoWay: { fields: { name: {}, state: { conflict: "newest", cast: "integer" } } },
      ...more,
    });
  it("accepts plain fields and tables that can be turned round, with review as the usual rule", () => {
    expect(twoWayProblems(stream({}))).toEqual([]);
    expect(stream({}).twoWay?.fields["name"]).toEqual({ conflict: "review" });
  });

  test.each([
    ["mapping", { name: { const: 1 } }, {}, "is made by a const"],
    ["mapping", { name: { expression: "a" } }, {}, "is made by an expression"],
    ["mapping", { name: { from: "a.b" } }, {}, "is nested"],
    ["mapping", { name: { from: "a", default: 1 } }, {}, "it has a default"],
    ["mapping", { name: { from: "a", when: "true" } }, {}, "it has a condition"],
    ["mapping", { name: { from: "a", cast: "integer" } }, {}, "say in cast"],
    ["mapping", { name: { from: "state" } }, {}, "would both flow back to state"],
    ["mapping", { state: { from: "state", table: { "1": "new", "2": "new" } } }, {}, "cannot be turned round"],
    ["stream", {}, { deletes: "ignore" }, "expected apply"],
    ["stream", {}, { push: true }, "no source that could be written to"],
    ["stream", {}, { mapping: { key: "name", fields: { name: { from: "a" }, state: { from: "b" } } } }, "one key at both sides"],
    ["stream", {}, { mapping: { when: "true", fields: { name: { from: "a" }, state: { from: "b" } } } }, "passed over"],
    ["stream", {}, { twoWay: { fields: { other: {} } } }, 'makes no field "other"'],
  ])("refuses a %s that could not flow back: %j %j", (_what, fields, more, message) => {
    expect(
      twoWayProblems(stream(fields, more))
        .map((problem) => problem.message)
        .join("; "),
    ).toContain(message);
  });
});
