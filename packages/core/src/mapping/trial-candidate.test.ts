import { describe, expect, it } from "vitest";
import { integrationSchema } from "../catalog/workspace-schema.js";
import { trialKinds } from "./mapping-trial.js";
import { checkDefinition, checkMappings } from "./trial-candidate.js";

const plain = { fields: { a: { from: "a" } } };
const other = { fields: { a: { from: "b" } } };
const entry = (streams: readonly object[], more: object = {}) =>
  integrationSchema.parse({ key: "orders", source: "a", target: "b", streams, ...more });
const one = (more: object = {}) => ({ stream: "x", mapping: plain, ...more });
const rules = (conflict: string, more: object = {}) => ({ fields: { a: { conflict } }, ...more });
const both = (twoWay: object, more: object = {}) => one({ deletes: "apply", twoWay, ...more });

const problemsOf = (kind: (typeof trialKinds)[number], before: object, after: object | null, more: object = {}) => {
  const check = checkDefinition(entry([before]), entry(after === null ? [] : [after], more), kind);
  return check.ok ? "" : check.problems.join();
};

describe("a definition to be tried", () => {
  it("says which streams it treats otherwise, and takes the rest along", () => {
    const current = entry([one(), { stream: "y", mapping: plain }]);
    const wanted = entry([one({ mapping: other, deleteLimit: { percent: 1 } }), { stream: "y", mapping: plain }], {
      tags: ["new"],
      via: ["hub"],
    });
    expect(checkDefinition(current, wanted, "canary")).toEqual({ ok: true, candidate: { x: other }, definition: wanted, streams: ["x"] });
  });

  it.each<[string, object, object | null, string, readonly string[]]>([
    ["another mapping", one(), one({ mapping: other }), "", trialKinds],
    ["deletions that are applied", one(), one({ deletes: "apply" }), "", trialKinds],
    ["deletions that are not applied any more", one({ deletes: "apply" }), one(), "", ["dry-run", "shadow"]],
    ["deletions that are not applied any more", one({ deletes: "apply" }), one(), "nobody tells again", ["canary"]],
    [
      "another key while deletions are applied",
      one({ deletes: "apply" }),
      one({ deletes: "apply", mapping: { ...plain, key: "a" } }),
      "",
      ["shadow"],
    ],
    [
      "another key while deletions are applied",
      one({ deletes: "apply" }),
      one({ deletes: "apply", mapping: { ...plain, key: "a" } }),
      "left behind",
      ["canary"],
    ],
    ["other conflict rules", both(rules("source")), both(rules("target")), "", ["shadow", "canary"]],
    ["other conflict rules", both(rules("source")), both(rules("target")), "meets no conflict", ["dry-run"]],
    [
      "other times of changes",
      both(rules("newest")),
      both(rules("newest", { times: { source: "at" } })),
      "noted as it is read",
      ["shadow"],
    ],
    ["other times of changes", both(rules("newest")), both(rules("newest", { times: { source: "at" } })), "", ["canary"]],
    ["fields that flow back", one({ deletes: "apply" }), both(rules("source")), "read in full", trialKinds],
    [
      "another rule of a field that flows back",
      both(rules("source")),
      both(rules("source"), { mapping: other }),
      "flows both ways",
      ["canary"],
    ],
    ["another place at the target", one(), one({ target: "z" }), "at two places", trialKinds],
    ["records that are pushed", one(), one({ push: true }), "either pushed or read", trialKinds],
    ["another mapping of pushed records", one({ push: true }), one({ push: true, mapping: other }), "", ["shadow", "canary"]],
    ["another mapping of pushed records", one({ push: true }), one({ push: true, mapping: other }), "no sample", ["dry-run"]],
    ["no stream any more", one(), null, "", ["dry-run", "shadow"]],
    ["no stream any more", one(), null, "nobody sends again", ["canary"]],
    [
      "a mapping that is wrong",
      one(),
      one({ mapping: { fields: { a: { expression: "a +" } } } }),
      "x: fields.a.expression: character 3",
      trialKinds,
    ],
    ["two-way fields that cannot be", both(rules("source")), both(rules("source"), { deletes: "ignore" }), "expected apply", trialKinds],
    ["nothing that records show", one(), one({ deleteLimit: { percent: 1 } }), "nothing to try", trialKinds],
  ])("with %s: %j -> %j: %j for %j", (_what, before, after, problem, kinds) => {
    for (const kind of trialKinds.filter((each) => kinds.includes(each))) {
      const found = problemsOf(kind, before, after);
      if (problem === "") expect(found).toBe("");
      else expect(found).toContain(problem);
    }
  });

  it.each([
    [{ source: "c" }, "source: another endpoint"],
    [{ target: "c" }, "target: another endpoint"],
    [{ key: "else" }, 'the definition of "else"'],
  ])("with %j is refused", (more, problem) => {
    expect(problemsOf("shadow", one(), one({ mapping: other }), more)).toContain(problem);
  });

  it("with a stream that is new is tried before it is written at all", () => {
    const withNew = (more: object) => [one(), { stream: "y", mapping: plain, ...more }];
    const check = (kind: (typeof trialKinds)[number], more: object) => checkDefinition(entry([one()]), entry(withNew(more)), kind);
    expect(check("shadow", {})).toMatchObject({ ok: true, streams: ["y"], candidate: { y: plain } });
    expect(check("canary", {})).toMatchObject({ ok: false, problems: [expect.stringContaining("y: it is new")] });
    expect(check("shadow", { push: true })).toMatchObject({ ok: false, problems: [expect.stringContaining("new and pushed")] });
    expect(check("shadow", { deletes: "apply", twoWay: rules("source") })).toMatchObject({
      ok: false,
      problems: [expect.stringContaining("flows both ways")],
    });
  });

  it("that is none, or names a stream twice, says where", () => {
    expect(checkDefinition(entry([one()]), "x", "shadow")).toMatchObject({
      ok: false,
      problems: [expect.stringContaining("definition: ")],
    });
    expect(checkDefinition(entry([one()]), { key: "orders", streams: [{}] }, "shadow")).toMatchObject({
      ok: false,
      problems: expect.arrayContaining([expect.stringContaining("streams.0.stream")]),
    });
    const twice = { ...entry([one()]), streams: [one({ mapping: other }), one({ mapping: other })] };
    expect(checkDefinition(entry([one()]), twice, "shadow")).toMatchObject({ ok: false, problems: ["streams: one is named twice."] });
  });
});

describe("mappings to be tried", () => {
  it("leave the rest of the definition as it is", () => {
    const current = entry([one(), { stream: "y", mapping: plain }]);
    expect(checkMappings(current, { y: other }, "canary")).toMatchObject({
      ok: true,
      streams: ["y"],
      definition: entry([one(), { stream: "y", mapping: other }]),
    });
  });
  it.each([
    [{ z: plain }, 'There is no stream "z"; there are x.'],
    [{ x: { fields: { a: { expression: "a +" } } } }, "x: fields.a.expression: character 3"],
    [{}, "No mapping"],
    [{ x: plain }, "nothing to try"],
  ])("%j is refused", (mappings, problem) => {
    const check = checkMappings(entry([one()]), mappings, "canary");
    expect(check.ok ? "" : check.problems.join()).toContain(problem);
  });
});
