import type { DrawnRunFragment, IntegrationBandsQuery } from "./runs.generated.js";

export type DrawnRun = DrawnRunFragment;
export type Band = IntegrationBandsQuery["holds"]["nodes"][number];

/** What is drawn, in epoch milliseconds. */
export interface Range {
  readonly from: number;
  readonly to: number;
}

/**
 * A mark in a lane, in percent of its width. `tick`: when it was due; `wait`: the thin line from there to where it ran; `bracket`: due times that one
 * run stands for; the others are the run itself.
 */
export interface Shape {
  readonly kind: "tick" | "wait" | "bracket" | "ran" | "failed" | "running" | "queued" | "skipped";
  readonly left: number;
  readonly width: number;
}

const failedStates: readonly string[] = ["FAILED", "DEAD", "LOST"];

export function share(at: number, { from, to }: Range): number {
  return ((at - from) / (to - from)) * 100;
}

/** The marks of one run. `startOf`: when the run began that this one became a part of; null when that is not known. */
export function shapesOf(
  run: DrawnRun,
  input: { readonly range: Range; readonly now: number; readonly startOf: (key: string) => number | null },
): readonly Shape[] {
  const { range, now, startOf } = input;
  const [dueAt, lastDueAt] = [Date.parse(run.dueAt), Date.parse(run.lastDueAt)];
  const startedAt = run.startedAt === null ? null : Date.parse(run.startedAt);
  const finishedAt = run.finishedAt === null ? null : Date.parse(run.finishedAt);
  const pieces: (readonly [Shape["kind"], number, number])[] = [];
  const into = run.coalescedInto === null ? null : startOf(run.coalescedInto.key);
  const wasHeld = run.heldSince !== null || run.state === "HELD" || run.state === "COALESCED";
  if (wasHeld) {
    pieces.push(["wait", dueAt, startedAt ?? into ?? finishedAt ?? now], ["tick", dueAt, dueAt]);
    if (lastDueAt > dueAt) pieces.push(["tick", lastDueAt, lastDueAt]);
  }
  if (run.dueCount > 1) pieces.push(["bracket", dueAt, lastDueAt]);
  if (startedAt !== null && run.state !== "COALESCED") {
    const kind = failedStates.includes(run.state) ? "failed" : run.state === "RUNNING" ? "running" : "ran";
    pieces.push([kind, startedAt, finishedAt ?? now]);
  } else if (run.state === "QUEUED") pieces.push(["queued", dueAt, dueAt]);
  else if (run.state === "SKIPPED" || run.state === "CANCELLED") pieces.push(["skipped", dueAt, dueAt]);
  return pieces.flatMap(([kind, from, to]) => {
    if (to < range.from || from > range.to) return [];
    const left = Math.max(0, share(from, range));
    return [{ kind, left, width: Math.min(100, share(to, range)) - left }];
  });
}

/** One lane a job, in the jobs' order; runs of no job (of a gate, say) come last. The runs of a lane go from left to right. */
export function lanesOf(
  runs: readonly DrawnRun[],
  jobs: readonly string[],
): readonly { readonly job: string | null; readonly runs: readonly DrawnRun[] }[] {
  const lanes = new Map<string | null, DrawnRun[]>(jobs.map((job) => [job, []]));
  for (const run of runs) {
    const key = run.job?.key ?? null;
    lanes.set(key, [run, ...(lanes.get(key) ?? [])]);
  }
  return [...lanes].map(([job, found]) => ({ job, runs: found.toSorted((a, b) => Date.parse(a.dueAt) - Date.parse(b.dueAt)) }));
}

/** Holds that the range touches, as bands behind the lanes. */
export function bandsOf(
  bands: readonly Band[],
  range: Range,
): readonly { readonly band: Band; readonly left: number; readonly width: number }[] {
  return bands.flatMap((band) => {
    const from = Date.parse(band.beginsAt);
    const end = band.releasedAt ?? band.expiresAt;
    const to = end === null ? range.to : Date.parse(end);
    if (to <= range.from || from >= range.to) return [];
    const left = Math.max(0, share(from, range));
    return [{ band, left, width: Math.min(100, share(to, range)) - left }];
  });
}

/** The range that is drawn: the one that was asked for, or from the oldest run on when there were more than could be had. */
export function drawnRange(asked: Range, runs: readonly DrawnRun[], isCut: boolean): Range {
  if (!isCut || runs.length === 0) return asked;
  return { from: Math.max(asked.from, Math.min(...runs.map(({ dueAt }) => Date.parse(dueAt)))), to: asked.to };
}

const STEPS_MS = [10, 30, 60, 300, 600, 1_800, 3_600, 7_200, 21_600, 43_200, 86_400].map((seconds) => seconds * 1_000);
const MOST_MARKS = 8;

/** Round times for the scale, at most eight. */
export function scaleOf({ from, to }: Range): readonly number[] {
  const step = STEPS_MS.find((ms) => (to - from) / ms <= MOST_MARKS) ?? 86_400_000;
  const first = Math.ceil(from / step) * step;
  return Array.from({ length: Math.max(0, Math.floor((to - first) / step) + 1) }, (_, index) => first + index * step);
}
