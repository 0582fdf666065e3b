import type { ZoneData } from "@quiesce/core";
import type { Logger } from "pino";
import type { Database } from "../db/client.js";
import { lookAtAlerts } from "../incidents/look-at-alerts.js";
import { queuePushRuns } from "../inbox/keep-inboxes.js";
import { announceWindows } from "../notifications/announce-windows.js";
import type { RetentionDays } from "../retention/settings.js";
import { freePostponed } from "../runs/free-postponed.js";
import { materialiseRuns } from "../runs/materialise.js";
import { measureDurations } from "../runs/measure-durations.js";
import { sweepReleased } from "../runs/sweep-released.js";
import { type LeaseSettings, reapRuns } from "../runs/worker-lease.js";
import { advanceWindows } from "../windows/advance.js";
import { checkReadiness, type ReadinessProbe } from "../windows/check-readiness.js";
import { meetDrainDeadlines } from "../windows/drain-deadlines.js";
import { expandWindows } from "../windows/expand.js";
import { upkeepPasses } from "./upkeep-passes.js";
import { tellUnapproved } from "../windows/tell-unapproved.js";

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
  readonly retention?: RetentionDays;
  /** Days for which it is known what became of each record. */
  readonly traceDays?: number;
  readonly log: Logger;
  readonly probe: ReadinessProbe;
  readonly wakeDispatcher: () => void;
  /** Runs were told to stop, perhaps some of this server's. */
  readonly lookForAborts: () => void;
  /** What begins or ends before the next pass is told in time. */
  readonly lookForBoundary?: () => Promise<void>;
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
      name: "windows.unapproved",
      everyMs: 15_000,
      run: async () => {
        const { told } = await tellUnapproved(context);
        if (told > 0)
          context.log.warn({ occurrences: told }, "Windows that nobody has approved are about to begin, or have begun: they hold nothing.");
      },
    },
    {
      name: "windows.announce",
      everyMs: 5_000,
      run: async () => {
        const told = await announceWindows(context);
        if (told > 0) context.log.info({ occurrences: told }, "Coming windows were announced, or what was announced changed.");
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
      name: "runs.measure",
      everyMs: 30_000,
      run: async () => {
        await measureDurations(context);
      },
    },
    {
      name: "windows.reconcile",
      everyMs: 500,
      run: async () => {
        const { aborted } = await meetDrainDeadlines(context);
        if (aborted > 0) {
          context.log.warn({ aborted }, "Runs in flight were told to stop at the drain deadline of a window.");
          context.lookForAborts();
        }
        await advanceWindows(context);
        if ((await freePostponed(context)) > 0) context.wakeDispatcher();
        await context.lookForBoundary?.();
        await sweepInParts(context, { thorough: false });
      },
    },
    {
      name: "incidents.look",
      everyMs: 5_000,
      run: async () => {
        const { looked, ...found } = await lookAtAlerts(context);
        if (looked && found.opened + found.told > 0) context.log.info(found, "Alerts came to incidents, or teams were told of some.");
      },
    },
    {
      name: "inbox.queue",
      everyMs: 5_000,
      run: async () => {
        const queued = await queuePushRuns(context);
        if (queued === 0) return;
        context.log.info({ queued }, "Pushed records waited without a run; one was queued.");
        context.wakeDispatcher();
      },
    },
    {
      // Whatever a released hold did not lead to: a net under the pass above, which looks only where one was released.
      name: "runs.sweep",
      everyMs: 15_000,
      run: () => sweepInParts(context, { thorough: true }),
    },
    {
      name: "windows.verify",
      everyMs: 1_000,
      run: async () => {
        if ((await checkReadiness(context)) === 0) return;
        await advanceWindows(context);
      },
    },
    ...upkeepPasses(context),
  ];
}

/** Transactions of the sweep between two looks at the windows: a long resume must not keep the others from opening and ending. */
const sweepTransactions = 20;

async function sweepInParts(
  context: { readonly database: Database; readonly zones: ZoneData; readonly log: Logger; readonly wakeDispatcher: () => void },
  options: { readonly thorough: boolean },
): Promise<void> {
  for (let more = true; more;) {
    const { integrations, ...swept } = await sweepReleased(context, { ...options, maxTransactions: sweepTransactions });
    more = swept.more;
    if (swept.queued + swept.skipped + swept.coalesced === 0) return;
    context.log.info({ integrations, ...swept }, "Held runs were let go.");
    // What the sweep let go may have been the last that a released occurrence held.
    await advanceWindows(context);
    context.wakeDispatcher();
  }
}
