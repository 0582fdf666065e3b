import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The scoring of the Numenta Anomaly Benchmark, from its published definition (Lavin and Ahmad, "Evaluating Real-time Anomaly Detection Algorithms", 2015).
 * In each labelled window the earliest detections count most and only the best counts; outside, each detection costs, less so shortly after a window.
 */
export const profiles = {
  standard: { tp: 1, fn: 1, fp: 0.11 },
  "reward low FP": { tp: 1, fn: 1, fp: 0.22 },
  "reward low FN": { tp: 1, fn: 2, fp: 0.11 },
};

/** The first part of a file is for learning and is not scored: 15 %, of at most 5,000 rows. */
const PROBATION = { share: 0.15, mostRows: 750 };
/** So many window widths past a window a detection costs in full. */
const FULL_COST_WIDTHS = 3;
/** The best that a detection can have, at the left edge of its window: the sigmoid there. */
const BEST = 0.98661;

const sigmoid = (x) => 2 / (1 + Math.exp(5 * x)) - 1;
const instantOf = (text) => Date.parse(`${text.trim().slice(0, 19).replace(" ", "T")}Z`);

/** The files of a folder laid out as the original is: data/<group>/<file>.csv and labels/combined_windows.json. */
export function readCorpus(folder) {
  const labels = JSON.parse(readFileSync(join(folder, "labels", "combined_windows.json"), "utf8"));
  return Object.keys(labels)
    .toSorted()
    .map((name) => {
      const rows = readFileSync(join(folder, "data", name), "utf8")
        .trim()
        .split("\n")
        .slice(1)
        .map((line) => line.split(","));
      const times = rows.map(([time]) => instantOf(time));
      const windows = labels[name].map(([from, until]) => ({
        first: times.findIndex((time) => time >= instantOf(from)),
        last: times.findLastIndex((time) => time <= instantOf(until)),
      }));
      const probation = Math.min(PROBATION.mostRows, Math.floor(PROBATION.share * rows.length));
      return { name, times, values: rows.map(([, value]) => Number(value)), windows, weights: weightsOf(rows.length, windows), probation };
    });
}

/** For each row the window that it is in (-1: none), and what a detection there is worth. */
function weightsOf(count, windows) {
  let past = null;
  return Array.from({ length: count }, (_, row) => {
    const window = windows.findIndex(({ first, last }) => row >= first && row <= last);
    if (window !== -1) {
      past = windows[window];
      return { window, worth: sigmoid(-(past.last - row + 1) / (past.last - past.first + 1)) / BEST };
    }
    const widths = past === null ? Infinity : (row - past.last) / Math.max(1, past.last - past.first);
    return { window, worth: widths > FULL_COST_WIDTHS ? -1 : sigmoid(widths) };
  });
}

/**
 * The score of each threshold, from the highest down: { threshold, score }, 100 being every window detected at its left edge and nothing else, 0 nothing
 * detected at all. `scores[n]` are the anomaly scores of the rows of `files[n]`.
 */
export function scoresByThreshold(files, scores, profile = profiles.standard) {
  const rows = files.flatMap(({ probation }, file) =>
    scores[file].flatMap((score, row) => (row >= probation && score > 0 ? [{ score, file, row }] : [])),
  );
  rows.sort((a, b) => b.score - a.score);
  const windows = files.reduce((sum, file) => sum + file.windows.length, 0);
  const best = files.map((file) => file.windows.map(() => null));
  const found = [{ threshold: Infinity, score: 0 }];
  let sum = 0;
  for (const [index, { score, file, row }] of rows.entries()) {
    const { window, worth } = files[file].weights[row];
    if (window === -1) sum += profile.fp * worth;
    else {
      const before = best[file][window];
      // The first detection of a window also saves the cost of a miss.
      if (before === null) sum += profile.fn + profile.tp * worth;
      else sum += profile.tp * Math.max(0, worth - before);
      best[file][window] = Math.max(before ?? -Infinity, worth);
    }
    if (rows[index + 1]?.score !== score) found.push({ threshold: score, score: (100 * sum) / ((profile.tp + profile.fn) * windows) });
  }
  return found;
}

/** The threshold with the best score, as the benchmark chooses it: one for the whole corpus. */
export const bestOf = (found) => found.reduce((best, one) => (one.score > best.score ? one : best));

/** The score at a threshold that was chosen elsewhere. */
export const scoreAt = (found, threshold) => found.findLast((one) => one.threshold >= threshold)?.score ?? 0;
