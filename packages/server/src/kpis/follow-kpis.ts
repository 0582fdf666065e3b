import { clock } from "../clock.js";
import type { Database } from "../db/client.js";
import { sampleEndedRuns } from "../ingest/samples-of-runs.js";
import type { Log } from "../log.js";
import { lookRegularly } from "../look-regularly.js";
import { forgetSums } from "./retention/forget-sums.js";
import { rollUp } from "./roll-up.js";

const everyMs = 1_000;
const forgetEveryMs = 600_000;

/** Makes samples of ended runs and sums up what was measured, until the answered function is called. Several servers may do so at once. */
export function followKpis(context: { readonly database: Database; readonly log: Log }): () => Promise<void> {
  const { log } = context;
  let forgetsAtMs = clock.monotonicMs() + forgetEveryMs;
  const work = async (signal: AbortSignal): Promise<void> => {
    for (let more = true; more && !signal.aborted;) ({ more } = await sampleEndedRuns(context));
    for (let more = true; more && !signal.aborted;) ({ more } = await rollUp(context));
    if (signal.aborted || clock.monotonicMs() < forgetsAtMs) return;
    forgetsAtMs = clock.monotonicMs() + forgetEveryMs;
    await forgetSums(context);
  };
  return lookRegularly(work, {
    everyMs,
    onFailure: (error) => log.warn({ err: error }, "What was measured could not be summed up; trying again."),
  });
}
