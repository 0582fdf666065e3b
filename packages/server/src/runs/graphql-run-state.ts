import { type RunState, runStates } from "@quiesce/core";
import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";

export const RunStateEnum = capsEnum("RunState", "Where a run is; every due time ends in exactly one of the final ones.", runStates, {
  queued: "Waits for its time or its turn.",
  running: "In flight.",
  held: "A hold covers it; it goes when none does.",
  succeeded: "Done.",
  failed: "Failed; the job's next due time comes all the same.",
  skipped: "Its job skips what was held or came too late.",
  coalesced: "Another run stands for it.",
  cancelled: "Somebody cancelled it before it started.",
  lost: "Its worker died and the work may not be repeated without a person.",
  dead: "Failed as often as the job's policy allows.",
});
/** How many due times are in one state. */
export const RunStateCountRef = builder.objectRef<{ readonly state: RunState; readonly count: number }>("RunStateCount");

/** Counts by state, as a list that GraphQL can show. */
export const stateCounts = (byState: { readonly [state: string]: number }) =>
  runStates.flatMap((state) => (byState[state] === undefined ? [] : [{ state, count: byState[state] }]));
