import { describe, expect, it } from "vitest";
import { displayWidth, plainText, truncate } from "./plain-text.js";
import { type Column, renderTable } from "./render-table.js";
import { stylesOf } from "./styles.js";

const plain = stylesOf(false);
type Row = { readonly key: string; readonly title: string; readonly count: number };
const columns: readonly Column<Row>[] = [
  { title: "KEY", value: (row) => row.key },
  { title: "TITLE", value: (row) => row.title, flexible: true },
  { title: "COUNT", value: (row) => String(row.count), align: "right" },
];
const rows: readonly Row[] = [
  { key: "erp", title: "Enterprise resource planning, the old one", count: 5 },
  { key: "warehouse-east", title: "倉庫", count: 1_200 },
];

describe("a table for people", () => {
  it("lines its columns up, wide characters included", () => {
    const lines = renderTable(columns, rows, { width: undefined, styles: plain });
    expect(new Set(lines.map(displayWidth)).size).toBe(1);
    expect(lines[2]).toMatch(/^warehouse-east  倉庫 +1200$/);
  });

  it.each([100, 60, 40, 30, 20, 10, 3])("is never wider than a terminal of %i cells", (width) => {
    for (const line of renderTable(columns, rows, { width, styles: plain })) expect(displayWidth(line)).toBeLessThanOrEqual(width);
  });

  it("cuts flexible columns before it touches keys", () => {
    const lines = renderTable(columns, rows, { width: 36, styles: plain });
    expect(lines[1]).toContain("erp ");
    expect(lines[1]).toContain("…");
    expect(lines[2]).toContain("warehouse-east");
  });

  it("cuts nothing in a pipe", () => {
    expect(renderTable(columns, rows, { width: undefined, styles: plain })[1]).toContain("the old one");
  });

  it("does not let a title steer the terminal", () => {
    const [, line = ""] = renderTable(columns, [{ key: "a", title: "\u001b[2J\u001b]0;owned\u0007\u202Egnp\nnext", count: 1 }], {
      width: undefined,
      styles: plain,
    });
    // oxlint-disable-next-line no-control-regex -- that none is left is the point
    expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/);
  });

  it("styles only what a terminal asked for", () => {
    const styled: readonly Column<Row>[] = [{ title: "KEY", value: (row) => row.key, style: (text) => stylesOf(true).red(text) }];
    expect(renderTable(styled, rows, { width: undefined, styles: plain })[1]).toBe("\u001b[31merp\u001b[39m");
    expect(stylesOf(false).red("x")).toBe("x");
  });
});

describe("text in cells", () => {
  it("is cut between characters, never inside one", () => {
    expect(truncate("👩‍🔧👩‍🔧👩‍🔧", 4)).toBe("👩‍🔧…");
    expect(truncate("abc", 3)).toBe("abc");
    expect(truncate("abcd", 3)).toBe("ab…");
    expect(truncate("abcd", 0)).toBe("");
  });

  it("keeps letters of every script", () => {
    expect(plainText("Überprüfung ž 倉庫 🚚")).toBe("Überprüfung ž 倉庫 🚚");
  });
});
