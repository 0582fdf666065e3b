import { type CommandContext, systemActor } from "../command.js";
import type { RotationCalls } from "../connector-host/rotation-calls.js";
import type { Log } from "../log.js";
import { clock } from "../clock.js";
import type { KeyRing } from "./master-key.js";
import { forgetRotations, planRotations, warnOfCredentials } from "./plan-rotations.js";
import { runRotationStep } from "./run-rotation-step.js";
import { lookRegularly } from "../look-regularly.js";

const lookEveryMs = 1_000;
const planEveryMs = 30_000;
const tidyEveryMs = 3_600_000;
/** Steps at the same time: a system that does not answer keeps one of them for half a minute, and no more. */
const parallelSteps = 4;
/** Steps between two looks at what else there is to do: one rotation must not keep the planning waiting. */
const stepsAtOnce = 200;

/**
 * Begins rotations and does their steps until the answered function is called. Several servers may do so at once: each takes what is due. It is no pass of
 * the scheduler, because a system that does not answer must keep nothing else waiting.
 */
export function followRotations(
  context: Omit<CommandContext, "actor"> & { readonly keys: KeyRing; readonly calls: RotationCalls; readonly log: Log },
  options: { readonly everyMs?: number; readonly planEveryMs?: number; readonly afterWrite?: () => void } = {},
): () => Promise<void> {
  const told = new Map<string, number>();
  let plannedAtMs = Number.NEGATIVE_INFINITY;
  let tidiedAtMs = Number.NEGATIVE_INFINITY;
  const work = async (signal: AbortSignal): Promise<void> => {
    const now = clock.monotonicMs();
    if (now - plannedAtMs >= (options.planEveryMs ?? planEveryMs)) {
      plannedAtMs = now;
      const begun = await planRotations({ ...context, actor: systemActor, told });
      const warned = await warnOfCredentials(context);
      if (begun > 0) context.log.info({ rotations: begun }, "Credentials whose time has come are being renewed.");
      if (warned > 0) context.log.warn({ warned }, "Credentials of endpoints end soon.");
      if (begun + warned > 0) options.afterWrite?.();
    }
    if (now - tidiedAtMs >= tidyEveryMs) {
      tidiedAtMs = now;
      await forgetRotations(context);
    }
    // All of them end before one that failed is told of: none goes on after a stop.
    const ended = await Promise.allSettled(Array.from({ length: parallelSteps }, () => stepByStep(signal)));
    for (const one of ended) if (one.status === "rejected") throw one.reason;
  };
  const stepByStep = async (signal: AbortSignal): Promise<void> => {
    for (let steps = 0; steps < stepsAtOnce && !signal.aborted; steps += 1) {
      if (!(await runRotationStep({ ...context, signal }))) return;
      options.afterWrite?.();
    }
  };
  return lookRegularly(work, {
    everyMs: options.everyMs ?? lookEveryMs,
    onFailure: (error) => context.log.warn({ err: error }, "Rotations of credentials could not go on; trying again."),
  });
}
