import { existsSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { Baseline, baselineSettings } from "../../packages/core/dist/index.js";
import { bestOf, profiles, readCorpus, scoreAt, scoresByThreshold } from "./nab-score.mjs";

/**
 * `npm run bench:nab -- <folder>`: scores the baselines on the Numenta Anomaly Benchmark, from a folder with its files (data/ and labels/). The settings
 * are those of the code, and every file is read by the same ones; the folder is no part of this project.
 */
const FOLDS = 5;
const folder = process.argv[2];
const line = (text) => console.log(text);

if (folder === undefined || !existsSync(join(folder, "labels", "combined_windows.json"))) {
  console.error(
    `Found no labels/combined_windows.json in ${folder ?? "(no folder)"}. Give the folder of the benchmark's files: npm run bench:nab -- <folder>`,
  );
  process.exit(2);
}

const files = readCorpus(folder);
const points = files.reduce((sum, { values }) => sum + values.length, 0);
const before = process.cpuUsage();
const scores = files.map(({ times, values }) => {
  const baseline = new Baseline();
  return values.map((value, row) => {
    const reading = baseline.observe({ at: times[row], value });
    return reading.kind === "scored" ? reading.score : 0;
  });
});
const { user, system } = process.cpuUsage(before);
const windows = files.reduce((sum, file) => sum + file.windows.length, 0);
line(
  `${files.length} files, ${points} points, ${windows} windows; ${((user + system) / points).toFixed(2)} us of CPU a point (goal 10), load ${loadavg()[0].toFixed(1)}`,
);

for (const [name, profile] of Object.entries(profiles)) {
  const best = bestOf(scoresByThreshold(files, scores, profile));
  line(
    `${name}: ${best.score.toFixed(1)} at the threshold ${best.threshold.toFixed(3)}, the best for these files, as the benchmark chooses it`,
  );
}
const found = scoresByThreshold(files, scores);
line(`standard: ${scoreAt(found, baselineSettings.threshold).toFixed(1)} at the threshold of the code, ${baselineSettings.threshold}`);

// Each fold by the threshold that is best for the others, and the sum of all.
let sum = 0;
const folds = Array.from({ length: FOLDS }, (_, fold) => {
  const inFold = (_file, index) => index % FOLDS === fold;
  const others = (_file, index) => index % FOLDS !== fold;
  const { threshold } = bestOf(scoresByThreshold(files.filter(others), scores.filter(others)));
  const own = files.filter(inFold);
  const score = scoreAt(scoresByThreshold(own, scores.filter(inFold)), threshold);
  sum += score * own.reduce((count, file) => count + file.windows.length, 0);
  return score;
});
line(
  `standard, cross-folds: ${(sum / windows).toFixed(1)}; each of ${FOLDS} parts of the files by the threshold of the others: ${folds.map((score) => score.toFixed(1)).join(", ")}`,
);
