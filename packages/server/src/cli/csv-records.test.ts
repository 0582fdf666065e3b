import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { csvLine } from "../csv-text.js";
import { csvRecords } from "./csv-records.js";

async function read(pieces: readonly string[]): Promise<readonly { readonly line: number; readonly cells: readonly string[] }[]> {
  const all = [];
  for await (const records of csvRecords(pieces, "x.csv")) all.push(...records);
  return all;
}

describe("a CSV file", () => {
  it("law: what was written is read again, wherever it is cut into pieces", async () => {
    const cell = fc.oneof(fc.string(), fc.constantFrom("", '"', '""', ",", "\r\n", "\n", "\r", 'a"b', " x ", "ü€😀"));
    const table = fc.array(fc.array(cell, { minLength: 2, maxLength: 4 }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(table, fc.array(fc.nat(60), { maxLength: 10 }), async (rows, cuts) => {
        const text = rows.map((cells) => csvLine(cells)).join("");
        const places = [0, ...cuts.map((cut) => Math.min(cut, text.length)), text.length].toSorted((a, b) => a - b);
        const pieces = places.map((from, n) => text.slice(from, places[n + 1] ?? text.length));
        const records = await read(pieces);
        // The apostrophe before what a spreadsheet would run is the reader's business.
        const plain = (list: readonly string[]) => list.map((one) => one.replace(/^'(?=[=+\-@\t\r])/, ""));
        expect(records.map(({ cells }) => plain(cells))).toEqual(rows.map(plain));
        // Each begins on the line that its text begins on.
        let line = 1;
        for (const [n, record] of records.entries()) {
          expect(record.line).toBe(line);
          line += csvLine(rows[n] ?? []).split("\n").length - 1;
        }
      }),
    );
  });

  it("may end its lines as on any system, have blank ones, and do without the last end", async () => {
    expect(await read(["a,b\r\n\r\n1,2\n", '\n"3","4"'])).toEqual([
      { line: 1, cells: ["a", "b"] },
      { line: 3, cells: ["1", "2"] },
      { line: 5, cells: ["3", "4"] },
    ]);
  });

  it.each([
    ["a cell that goes on behind its quote", 'a,b\n"1"x,2\n', /x\.csv:2: a cell goes on/],
    ["a quote that is never closed", 'a,b\n1,2\n"3,4\n', /x\.csv:3: a quote is opened/],
    ["a quote that is never closed, in a long file", `a,b\n"1,${"2,3\n".repeat(9_000)}`, /x\.csv:2: this record/],
    ["a line without end", "a".repeat(10_001), /x\.csv:1: this record/],
  ])("is refused for %s, with the line", async (_name, text, message) => {
    await expect(read([text])).rejects.toThrow(message);
  });
});
