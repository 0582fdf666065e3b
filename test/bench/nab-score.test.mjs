import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bestOf, profiles, readCorpus, scoreAt, scoresByThreshold } from "./nab-score.mjs";

const ROWS = 1_000;
const folder = mkdtempSync(join(tmpdir(), "quiesce-nab-"));
const timeOf = (row) => new Date(Date.UTC(2027, 0, 1) + row * 300_000).toISOString().slice(0, 19).replace("T", " ");
/** Two windows in one file, one in another; rows up to 149 are the probation. */
const windows = {
  "a/one.csv": [
    [300, 399],
    [600, 699],
  ],
  "a/two.csv": [[500, 549]],
};

let files;
beforeAll(() => {
  mkdirSync(join(folder, "data", "a"), { recursive: true });
  mkdirSync(join(folder, "labels"));
  const rows = Array.from({ length: ROWS }, (_, row) => `${timeOf(row)},1`).join("\n");
  for (const name of Object.keys(windows)) writeFileSync(join(folder, "data", name), `timestamp,value\n${rows}\n`);
  const labels = Object.entries(windows).map(([name, list]) => [name, list.map((one) => one.map((row) => `${timeOf(row)}.000000`))]);
  writeFileSync(join(folder, "labels", "combined_windows.json"), JSON.stringify(Object.fromEntries(labels)));
  files = readCorpus(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The score of a detector that detects these rows of the files, and nothing else. */
function scoreOf(detections, profile = profiles.standard) {
  const scores = files.map(({ name }) => {
    const rows = new Set(detections[name] ?? []);
    return Array.from({ length: ROWS }, (_, row) => (rows.has(row) ? 1 : 0));
  });
  return scoreAt(scoresByThreshold(files, scores, profile), 1);
}
const perfect = { "a/one.csv": [300, 600], "a/two.csv": [500] };

describe("the scoring of the benchmark", () => {
  it.each(Object.entries(profiles))(
    "is 100 for a perfect detector and 0 for one that detects nothing, by the profile %s",
    (_name, profile) => {
      expect(scoreOf(perfect, profile)).toBeCloseTo(100, 3);
      expect(scoreOf({}, profile)).toBe(0);
    },
  );

  it("is worth less the later a window is detected, and at its end no more than not to have missed it", () => {
    const at = (row) => scoreOf({ ...perfect, "a/two.csv": [row] });
    expect(at(510)).toBeLessThan(at(500));
    expect(at(540)).toBeLessThan(at(510));
    // A third of the windows; half of what it may have is not to be missed, and a fiftieth before the end of 50 rows nearly nothing more.
    expect(at(549)).toBeGreaterThan(100 - 100 / 6);
    expect(at(549)).toBeLessThan(100 - 100 / 6 + 1);
    expect(scoreOf({ ...perfect, "a/two.csv": [] })).toBeCloseTo((100 * 2) / 3, 3);
  });

  it("counts the best detection of a window, and no other of it", () => {
    expect(scoreOf({ ...perfect, "a/two.csv": [500, 510, 520, 549] })).toBeCloseTo(100, 3);
  });

  it("takes a false detection's weight away, of the sum of two for each window: all of it far from windows, less shortly after one", () => {
    const falsely = (row, profile) => scoreOf({ ...perfect, "a/one.csv": [300, 600, row] }, profile);
    expect(falsely(200)).toBeCloseTo(100 - (100 * 0.11) / 6, 3);
    expect(falsely(200, profiles["reward low FP"])).toBeCloseTo(100 - (100 * 0.22) / 6, 3);
    expect(falsely(200, profiles["reward low FN"])).toBeCloseTo(100 - (100 * 0.11) / 9, 3);
    expect(falsely(405)).toBeGreaterThan(falsely(470));
    expect(falsely(470)).toBeGreaterThan(falsely(200));
    expect(falsely(405)).toBeLessThan(100);
  });

  it("does not score the probation, the first 15 % of a file", () => {
    expect(scoreOf({ ...perfect, "a/one.csv": [10, 149, 300, 600] })).toBeCloseTo(100, 3);
    expect(scoreOf({ ...perfect, "a/one.csv": [150, 300, 600] })).toBeLessThan(99);
  });

  it("chooses one threshold for the whole corpus", () => {
    const scores = files.map(({ name }) =>
      Array.from({ length: ROWS }, (_, row) => (perfect[name].includes(row) ? 0.9 : row === 200 ? 0.5 : 0)),
    );
    const found = scoresByThreshold(files, scores);
    expect(bestOf(found)).toMatchObject({ threshold: 0.9 });
    expect(scoreAt(found, 0.5)).toBeLessThan(scoreAt(found, 0.9));
    expect(scoreAt(found, 2)).toBe(0);
  });
});
