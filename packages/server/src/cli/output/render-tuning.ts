import type { TuningAnswer } from "../operations/tuning-operations.js";
import { formatLength } from "./format-time.js";
import { plainText } from "./plain-text.js";

/** `booked 4h 00m, used 1h 10m (median of 8)` with what it is made of and what to do about it. */
export function renderTuning({ occurrences, figures, advice }: TuningAnswer): readonly string[] {
  if (figures === null) return advice.map(plainText);
  const known = (ms: number | null): string => (ms === null ? "unknown" : formatLength(ms));
  return [
    `booked ${formatLength(figures.bookedMs)}, used ${formatLength(figures.usedMs)} (median of ${occurrences}), 95 of 100 within ${formatLength(figures.usedP95Ms)}`,
    `until nothing was in flight ${known(figures.drainMs)}, from then to the release ${known(figures.workMs)}, unused ${formatLength(figures.unusedMs)}`,
    `released later than booked: ${figures.overruns}${figures.overruns === 0 ? "" : `, by ${formatLength(figures.longestOverrunMs)} at most`}`,
    ...advice.map(plainText),
  ];
}
