import type { ZoneData } from "@quiesce/core";
import type { Logger } from "pino";
import type { Database } from "../db/client.js";
import { materialiseRuns } from "../runs/materialise.js";
import { sweepReleased } from "../runs/sweep-released.js";
import { type LeaseSettings, reapRuns } from "../runs/worker-lease.js";
import { advanceWindows } from "../windows/advance.js";
import { expandWindows } from "../windows/expand.js";

/** One idempotent duty of the control plane. Running it twice, late, or on two servers at once changes nothing. */
export interface ControlPass {
  readonly name: string;
  readonly everyMs: number;
  run(): Promise<void>;
}

/** The duties beside dispatching itself, in the order in which a server that was down does them at its start. */
export function controlPasses(context: {
  readonly database: Database;
  readonly zones: ZoneData;
  readonly lease: Pick<LeaseSettings, "marginMs">;
  readonly log: Logger;
  readonly wakeDispatcher: () => void;
}): readonly ControlPass[] {
  return [
    {
      name: "windows.expand",
      everyMs: 60_000,
      run: async () => {
        const { expanded } = await expandWindows(context);
        if (expanded) context.log.info("Windows are expanded: occurrences 100 days ahead, holds 7.");
      },
    },
    {
      name: "runs.materialise",
      everyMs: 2_000,
      run: async () => {
        for (let after: number | null = 0; after !== null;) after = (await materialiseRuns(context, after)).next;
        context.wakeDispatcher();
      },
    },
    {
      name: "runs.reap",
      everyMs: 2_000,
      run: async () => {
        const { requeued, lost } = await reapRuns(context, context.lease);
        if (requeued + lost === 0) return;
        context.log.warn({ requeued, lost }, "Runs of a worker that lost its lease were taken back.");
        context.wakeDispatcher();
      },
    },
    {
      name: "windows.reconcile",
      everyMs: 500,
      run: async () => {
        await advanceWindows(context);
        const { integrations, ...swept } = await sweepReleased(context);
        if (integrations === 0) return;
        context.log.info({ integrations, ...swept }, "Held runs were let go.");
        // What the sweep let go may have been the last that a released occurrence held.
        await advanceWindows(context);
        context.wakeDispatcher();
      },
    },
  ];
}
