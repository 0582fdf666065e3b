import type { ZoneData } from "@quiesce/core";
import type { Database } from "../db/client.js";
import type { Log } from "../log.js";
import { learnBaselines } from "./baselines/learn-baselines.js";
import { lookRegularly } from "../look-regularly.js";
import { lookAtObjective } from "./objectives/look-at-objectives.js";
import { lookAtThreshold } from "./thresholds/look-at-thresholds.js";

const everyMs = 2_000;

/** Looks at objectives, thresholds and baselines that are due, until the answered function is called. Several servers may do so at once. */
export function followObjectives(
  context: { readonly database: Database; readonly zones: ZoneData; readonly log: Log },
  { afterWrite }: { readonly afterWrite: () => void },
): () => Promise<void> {
  const work = async (signal: AbortSignal): Promise<void> => {
    let looked = false;
    try {
      for (let more = true; more && !signal.aborted;) {
        const learned = await learnBaselines(context);
        looked ||= learned.series > 0;
        ({ more } = learned);
      }
      while (!signal.aborted && (await lookAtThreshold(context))) looked = true;
      while (!signal.aborted && (await lookAtObjective(context))) looked = true;
    } finally {
      if (looked) afterWrite();
    }
  };
  return lookRegularly(work, {
    everyMs,
    onFailure: (error) => context.log.warn({ err: error }, "Objectives, thresholds or baselines could not be looked at; trying again."),
  });
}
