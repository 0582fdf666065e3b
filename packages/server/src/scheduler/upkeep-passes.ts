import { traceRetentionDays, type ZoneData } from "@quiesce/core";
import type { Logger } from "pino";
import { tellOverdueReviews } from "../access/reviews/tell-overdue.js";
import { clock } from "../clock.js";
import { warnOfCertificates } from "../catalog/endpoint-finding-store.js";
import type { Database } from "../db/client.js";
import { renewStatistics } from "../db/renew-statistics.js";
import { letSamplesGo } from "../kpis/retention/let-samples-go.js";
import { forgetSettled } from "../inbox/keep-inboxes.js";
import { forgetMessages } from "../notifications/deliver-outbox.js";
import { forgetTrace } from "../pipeline/record-trace.js";
import { forgetUnseen } from "../pipeline/sent-records.js";
import { letDaysGo } from "../retention/let-days-go.js";
import { type RetentionDays, usualRetention } from "../retention/settings.js";
import { raiseOpenSince } from "../runs/open-since.js";
import { checkConservation } from "../runs/conservation-round.js";
import type { ControlPass } from "./control-passes.js";

/** The running check of the ledger works for so long at a time, and less when a piece takes long. */
const checkBudgetMs = 1_000;
/** A piece of the check that takes longer than this is made smaller, one that takes a quarter of it larger. */
const pieceMs = 400;
const mostJobsAtOnce = 2_000;

/** Duties that keep the house in order and decide nothing about a run. */
export function upkeepPasses(context: {
  readonly database: Database;
  readonly zones: ZoneData;
  readonly retention?: RetentionDays;
  /** Days for which it is known what became of each record */
  readonly traceDays?: number;
  readonly log: Logger;
}): readonly ControlPass[] {
  let jobs = 100;
  return [
    {
      name: "retention.days",
      everyMs: 3_600_000,
      run: async () => {
        for (const { name, rows, result } of await letDaysGo(context, context.retention ?? usualRetention)) {
          if (result === "dropped") context.log.info({ partition: name, rows }, "A day that is no longer kept was dropped.");
          else
            context.log.warn(
              { partition: name, why: result },
              "A day is old enough to go and stays: runs in it have not ended, or stand for later due times.",
            );
        }
      },
    },
    {
      name: "retention.samples",
      everyMs: 60_000,
      run: async () => {
        const { kpi_sample: sampleDays } = context.retention ?? usualRetention;
        for (const { metric, samples } of await letSamplesGo(context, { sampleDays }))
          context.log.info({ metric, samples }, "Samples of a metric that is kept for a shorter time than others were deleted.");
      },
    },
    {
      name: "runs.open-since",
      everyMs: 30_000,
      run: () => raiseOpenSince(context),
    },
    {
      name: "notifications.forget",
      everyMs: 3_600_000,
      run: async () => {
        const forgotten = await forgetMessages(context);
        if (forgotten > 0) context.log.info({ forgotten }, "Messages to teams that ended long ago were removed.");
      },
    },
    {
      name: "trace.forget",
      everyMs: 600_000,
      run: async () => {
        const forgotten = await forgetTrace(context, context.traceDays ?? traceRetentionDays.usual);
        if (forgotten > 0) context.log.info({ forgotten }, "What became of the records of old pages was forgotten.");
      },
    },
    {
      name: "sent.forget",
      everyMs: 3_600_000,
      run: async () => {
        const forgotten = await forgetUnseen(context);
        if (forgotten > 0) context.log.info({ forgotten }, "Records that no source has shown for over a year were forgotten.");
      },
    },
    {
      name: "inbox.forget",
      everyMs: 600_000,
      run: async () => {
        const forgotten = await forgetSettled(context);
        if (forgotten > 0) context.log.info({ forgotten }, "Pushed records that were settled long ago were removed.");
      },
    },
    {
      name: "endpoints.certificates",
      everyMs: 3_600_000,
      run: async () => {
        const warned = await warnOfCertificates(context);
        if (warned > 0) context.log.warn({ warned }, "Certificates of endpoints end soon.");
      },
    },
    {
      name: "access.reviews",
      everyMs: 60_000,
      run: async () => {
        const overdue = await tellOverdueReviews(context);
        if (overdue > 0) context.log.warn({ overdue }, "Access reviews are open after they were due.");
      },
    },
    {
      name: "statistics.renew",
      everyMs: 15_000,
      run: async () => {
        const tables = await renewStatistics(context, "bulk-load");
        if (tables.length > 0) context.log.info({ tables }, "Much was written: the planner's statistics were renewed.");
      },
    },
    {
      name: "ledger.check",
      everyMs: 10_000,
      run: async () => {
        const endsAtMs = clock.monotonicMs() + checkBudgetMs;
        while (clock.monotonicMs() < endsAtMs) {
          const beganAtMs = clock.monotonicMs();
          const result = await checkConservation(context, jobs);
          const tookMs = clock.monotonicMs() - beganAtMs;
          if (tookMs > pieceMs) jobs = Math.max(1, Math.floor(jobs / 2));
          else if (tookMs < pieceMs / 4) jobs = Math.min(mostJobsAtOnce, jobs * 2);
          if (result === "under-way") continue;
          if (result !== "rests" && result.difference > 0) {
            const { difference, from, to, differences } = result;
            context.log.error({ difference, from, to, differences }, "Due times are not accounted for: this is a fault of Quiesce.");
          }
          return;
        }
      },
    },
  ];
}
