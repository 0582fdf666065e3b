import { expect, test } from "vitest";
import { readPackageManifest } from "./index.js";

const GOOD = {
  name: "@acme/quiesce-connector-orders",
  version: "1.2.3-beta.1",
  type: "module",
  quiesce: { apiVersion: 1, id: "orders", entry: "./dist/index.js", facets: ["check", "read"], stability: "beta" },
};
const problemsOf = (packageJson: unknown, versions?: readonly number[]): readonly string[] => {
  const found = readPackageManifest(packageJson, versions);
  return found.ok ? [] : found.problems;
};
const changed = (quiesce: object): unknown => ({ ...GOOD, quiesce: { ...GOOD.quiesce, ...quiesce } });

test("a good one is read with the package's name and version", () => {
  expect(readPackageManifest(GOOD)).toEqual({ ok: true, name: GOOD.name, version: GOOD.version, manifest: GOOD.quiesce });
});

test.each([null, 7, "text", []])("%j is no package.json", (found) => {
  expect(problemsOf(found)).toEqual(["package.json: found no object"]);
});

test("a package that is no connector is told what a connector says", () => {
  for (const quiesce of [undefined, null, "yes", []]) {
    const [problem = "", ...others] = problemsOf({ ...GOOD, quiesce });
    expect(others).toEqual([]);
    const example = JSON.parse(`{${problem.slice(problem.indexOf('"quiesce": {'))}}`) as object;
    expect(problemsOf({ ...GOOD, ...example })).toEqual([]);
  }
});

test.each<[string, unknown, string]>([
  ["name", { ...GOOD, name: "" }, 'name: found ""'],
  ["version", { ...GOOD, version: "1.2" }, 'version: found "1.2"'],
  ["type", { ...GOOD, type: "commonjs" }, '"module": connectors are ES modules'],
  ["id", changed({ id: "Orders" }), 'quiesce.id: found "Orders"'],
  ["facets", changed({ facets: ["check", "reed"] }), 'quiesce.facets: found "reed", expected a list of check'],
  ["no facets", changed({ facets: [] }), "quiesce.facets: found []"],
  ["facets in one text", changed({ facets: "check" }), 'quiesce.facets: found "check"'],
  ["a facet in a list", changed({ facets: [["check"]] }), 'quiesce.facets: found ["check"]'],
  ["stability", changed({ stability: ["beta"] }), 'quiesce.stability: found ["beta"], expected experimental, beta, stable, deprecated'],
])("%s is refused with what was found", (_name, packageJson, expected) => {
  expect(problemsOf(packageJson)).toHaveLength(1);
  expect(problemsOf(packageJson)[0]).toContain(expected);
});

test.each(["dist/index.js", "../index.js", "./../../etc/x.js", "./dist/../../x.js", "/etc/x.js", "./dist/index.ts", "./dist\\x.js", "", 7])(
  "the entry %j does not lead out of the package",
  (entry) => expect(problemsOf(changed({ entry }))[0]).toContain("quiesce.entry"),
);

test("an entry may be .mjs and hold dots", () => {
  for (const entry of ["./index.mjs", "./dist/orders.v2.js"]) expect(problemsOf(changed({ entry }))).toEqual([]);
});

test("a contract that is too new, or too old, says which of the two sides to change", () => {
  expect(problemsOf(changed({ apiVersion: 2 }))[0]).toContain("upgrade the server, or install an older version of the connector");
  expect(problemsOf(GOOD, [2, 3])[0]).toContain("expected 2 or 3: the connector is too old for this server");
  expect(problemsOf(changed({ apiVersion: "1" }))[0]).toContain('quiesce.apiVersion: found "1", expected 1');
});

test("everything that is wrong is said at once", () => {
  expect(problemsOf({ name: 1, version: 2, type: 3, quiesce: {} })).toHaveLength(8);
});
