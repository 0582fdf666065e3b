import { parseWorkspace, type WorkspaceDocument } from "@quiesce/core";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { arbitraryWorkspace } from "../../../../test/catalog/arbitrary-workspace.js";
import { readWorkspaceText, WORKSPACE_TEXT_MAX_BYTES, workspaceLocator, writeWorkspaceText } from "./workspace-text.js";

const read = (text: string) => readWorkspaceText(text, { fileName: "quiesce.yaml" });
function problemsOf(text: string) {
  const result = read(text);
  return result.ok ? [] : result.problems;
}
function documentOf(text: string): WorkspaceDocument {
  const result = read(text);
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.document;
}

const file = `# our workspace
quiesce: 1
systems:
  - key: erp
    criticality: hihg
  - key: shop
    dependOn: []
endpoints:
  - key: erp-api
    system: erp
`;

describe("the text of a workspace", () => {
  test("every problem has its line, column, path and what to do", () => {
    expect(problemsOf(file)).toEqual([
      {
        line: 5,
        column: 18,
        path: "systems[0].criticality",
        message: 'Found "hihg". Expected one of low, medium, high, critical. Did you mean high?',
      },
      { line: 7, column: 5, path: "systems[1]", message: expect.stringContaining('"dependOn" (did you mean dependsOn?)') },
      { line: 9, column: 5, path: "endpoints[0].connector", message: "Missing. Expected a text." },
    ]);
  });

  test("an unknown reference is shown at the value that refers", () => {
    const text = "quiesce: 1\nsystems:\n  - key: erp\nendpoints:\n  - { key: a, connector: http,\n      system: erq }\n";
    expect(problemsOf(text)).toEqual([
      { line: 6, column: 15, path: "endpoints[0].system", message: 'Found "erq", but there is no system of that key. Did you mean "erp"?' },
    ]);
  });

  test("without a check of references, as for a part of a workspace, the same text is fine", () => {
    const result = readWorkspaceText("quiesce: 1\njobs: [{ key: a, integration: elsewhere }]", { fileName: "x", references: false });
    expect(result.ok).toBe(true);
  });

  test("JSON is read too, with lines", () => {
    const text = JSON.stringify({ quiesce: 1, systems: [{ key: "erp" }] }, undefined, "\t");
    expect(documentOf(text).systems[0]?.key).toBe("erp");
    expect(problemsOf('{\n\t"quiesce": 1,\n\t"systems": [\n\t\t{ "key": 7 }\n\t]\n}')).toEqual([
      { line: 4, column: 12, path: "systems[0].key", message: expect.stringContaining("Found 7") },
    ]);
  });

  test.each<[string, string, number]>([
    ["a broken quote", 'quiesce: 1\nsystems: [{ key: "erp }]\n', 3],
    ["a repeated key", "quiesce: 1\nsystems: []\nsystems: []\n", 3],
    ["several documents", "quiesce: 1\n---\nquiesce: 1\n", 2],
    ["an unknown tag", "quiesce: 1\nsystems: !!js/function []\n", 2],
    ["an alias without an anchor", "quiesce: 1\nsystems: *none\n", 2],
    ["nothing at all", "# empty\n", 1],
    ["a list instead of an object", "- a\n", 1],
  ])("%s is refused with its line", (_, text, line) => {
    const problems = problemsOf(text);
    expect(problems.length).toBeGreaterThan(0);
    expect(problems[0]?.line).toBe(line);
  });

  test("a problem never repeats a secret, not even a broken one", () => {
    const texts = [
      'quiesce: 1\nendpoints:\n  - key: a\n    system: a\n    connector: http\n    secrets:\n      token: { value: "hunter2 }\n',
      "quiesce: 1\nendpoints:\n  - key: a\n    system: a\n    connector: http\n    secrets: { token: hunter2 }\n",
      "quiesce: 1\nendpoints:\n  - key: a\n    system: a\n    connector: http\n    secrets:\n      token: hunter2: x\n",
    ];
    for (const text of texts) {
      expect(problemsOf(text).length).toBeGreaterThan(0);
      expect(JSON.stringify(problemsOf(text))).not.toContain("hunter2");
    }
  });

  test("aliases that would unfold into gigabytes are refused at once, a few plain ones are fine", () => {
    const levels = Array.from(
      { length: 12 },
      (_, level) => `  l${level + 1}: &l${level + 1} [${Array.from({ length: 10 }, () => `*l${level}`).join(", ")}]`,
    );
    expect(problemsOf(`quiesce: 1\nx:\n  l0: &l0 [a]\n${levels.join("\n")}\n`)).toEqual([
      expect.objectContaining({ message: expect.stringContaining("unfold too far") }),
    ]);
    expect(documentOf("quiesce: 1\nsystems:\n  - { key: a, tags: &tags [eu] }\n  - { key: b, tags: *tags }\n").systems[1]?.tags).toEqual([
      "eu",
    ]);
  });

  test("a text that is too large is refused unread", () => {
    expect(problemsOf(`quiesce: 1\n#${"x".repeat(WORKSPACE_TEXT_MAX_BYTES)}`)).toEqual([
      expect.objectContaining({ message: expect.stringContaining("larger than 5 MiB") }),
    ]);
  });

  test("a path that the server names is found in the text, or else what is written down of it", () => {
    const locate = workspaceLocator('quiesce: 1\nendpoints:\n  - key: a\n    config:\n      "x.y": 1\n      z: 2\n');
    expect(locate('endpoints[0].config["x.y"]')).toEqual({ line: 5, column: 14 });
    expect(locate("endpoints[0].config.z")).toEqual({ line: 6, column: 10 });
    expect(locate("endpoints[0].secrets.token")).toEqual({ line: 3, column: 5 });
    expect(locate("")).toEqual({ line: 1, column: 1 });
  });

  test("${...} means nothing", () => {
    expect(documentOf("quiesce: 1\nsystems: [{ key: a, name: '${HOME}' }]").systems[0]?.name).toBe("${HOME}");
  });

  test("what is written reads back as the same document, and is written the same again, whatever it says", () => {
    fc.assert(
      fc.property(arbitraryWorkspace, (input) => {
        const parsed = parseWorkspace(input);
        if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
        const text = writeWorkspaceText(parsed.document);
        const again = documentOf(text);
        expect(writeWorkspaceText(again)).toBe(text);
        const byKey = (a: { key: string }, b: { key: string }) => (a.key < b.key ? -1 : 1);
        const { systems, sampleRetention } = parsed.document;
        expect(again).toEqual({ ...parsed.document, systems: systems.toSorted(byKey), sampleRetention: sampleRetention.toSorted(byKey) });
      }),
      { numRuns: 300 },
    );
  });
});
