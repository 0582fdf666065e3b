import type { Admission } from "@quiesce/core";
import type { RunToExecute } from "../../scheduler/run-executor.js";

/** Until when a run is put off because of an endpoint that it calls, and why. */
export type RunPause = Omit<Extract<Admission, { kind: "wait" }>, "kind">;

const pauses = new WeakMap<RunToExecute, RunPause>();

/** Notes that a run has to wait; the longest wait counts. */
export function noteRunPause(run: RunToExecute, { until, why }: RunPause): void {
  const before = pauses.get(run);
  if (before === undefined || before.until < until) pauses.set(run, { until, why });
}

/** Why a run that failed with such an error is put off instead; undefined: it has failed. */
export function runPauseOf(run: RunToExecute, kind: string): RunPause | undefined {
  return kind === "unavailable" || kind === "timeout" || kind === "rate_limited" ? pauses.get(run) : undefined;
}
