import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { windowKindEffects, windowKinds } from "./window-kinds.js";

test("the page for operators shows the table of kinds as it stands in the code", () => {
  const page = readFileSync(new URL("../../../../docs/operators.md", import.meta.url), "utf8");
  const word = (value: boolean) => (value ? "yes" : "no");
  for (const kind of windowKinds) {
    const { holds, mutesAlerts, leavesNetSla, blocksChanges, announces } = windowKindEffects[kind];
    const cells = [`\`${kind}\``, holds, ...[mutesAlerts, leavesNetSla, blocksChanges, announces].map(word)];
    expect(page).toContain(`| ${cells.join(" | ")} |`);
  }
});

test("every kind has a row, and a freeze holds writes and blocks changes, nothing else", () => {
  expect([...windowKinds].toSorted()).toEqual(Object.keys(windowKindEffects).toSorted());
  expect(windowKindEffects.freeze).toEqual({
    holds: "writes",
    mutesAlerts: false,
    leavesNetSla: false,
    blocksChanges: true,
    changes: false,
    announces: false,
  });
});
