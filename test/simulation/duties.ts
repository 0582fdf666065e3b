import { pino } from "pino";
import type { CommandContext } from "../../packages/server/src/command.js";
import type { ReadinessProbe } from "../../packages/server/src/windows/check-readiness.js";
import { controlPasses } from "../../packages/server/src/scheduler/control-passes.js";
import { advanceWindows } from "../../packages/server/src/windows/advance.js";

/** One thing that a server of the story does by itself. */
export interface Duty {
  readonly name: string;
  /** Against the other tasks of a server, when one is chosen. */
  readonly weight: number;
  /** It writes holds ahead: what is held may change by it. */
  readonly expands: boolean;
  /** It makes rows of due times. */
  readonly makesRuns: boolean;
  /** When it is done, no hold is left whose end has passed. */
  readonly releases: boolean;
  run(): Promise<void>;
}

/** Beside these every pass of the product has the usual weight: a new one takes part in every story from its first day on. */
const weights: ReadonlyMap<string, number> = new Map([
  ["windows.expand", 1],
  ["runs.materialise", 3],
  ["runs.reap", 1],
]);
const usualWeight = 2;
const expanding = "windows.expand";
const materialising = "runs.materialise";
const releasing = "windows.reconcile";

/**
 * The product's own control passes, and the first part of one: a server that stops after it leaves the rest to another, so it is told apart as
 * well.
 */
export function dutiesOf(
  context: CommandContext,
  marginMs: number,
  probe: ReadinessProbe,
): { readonly passes: readonly Duty[]; readonly parts: readonly Duty[] } {
  const passes = controlPasses({
    ...context,
    lease: { marginMs },
    log: pino({ enabled: false }),
    probe,
    wakeDispatcher: () => undefined,
    lookForAborts: () => undefined,
  });
  for (const known of [...weights.keys(), releasing]) {
    if (!passes.some((pass) => pass.name === known))
      throw new Error(`The product has no control pass ${known} any more: look at the story's duties.`);
  }
  const duty = (name: string, run: () => Promise<unknown>): Duty => ({
    name,
    weight: weights.get(name) ?? usualWeight,
    expands: name === expanding,
    makesRuns: name === materialising,
    releases: name === releasing || name === "windows.advance",
    run: async () => void (await run()),
  });
  return {
    passes: passes.map((pass) => duty(pass.name, () => pass.run())),
    parts: [duty("windows.advance", () => advanceWindows(context))],
  };
}
