import { type RunTrigger, type StreamEntry, streamSchema } from "@quiesce/core";
import { ConnectorError } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import type { RunFigures } from "../runs/run-figures.js";
import type { RunToExecute } from "../scheduler/run-executor.js";

/** What a run has to do: from where, to where, which streams; and what its earlier attempts have done. */
export interface Route {
  /** null: its records are pushed. */
  readonly sourceEndpointId: number | null;
  readonly targetEndpointId: number;
  /** The streams that are pushed for a run of the push job, those that are read for any other. */
  readonly streams: readonly StreamEntry[];
  readonly figures: RunFigures | null;
  /**
   * What it does: reads the source, delivers what was pushed, or dead letters once more, or only looks what mappings would make of a sample; compares
   * both sides, or mends what a comparison found.
   */
  readonly work: "read" | "push" | "replay" | "dry-run" | "reconcile" | "resync";
  /** Somebody said that what the source no longer has may be deleted, however much it is. */
  readonly confirmsDeletions: boolean;
}

/** What a run of an integration without target and streams has to do: look at a monitor. */
export interface AlertRoute {
  readonly work: "alerts";
  readonly sourceEndpointId: number;
  readonly figures: RunFigures | null;
}

/** Loads the integration of a run. One without source, target or streams gives a `config` error: there is nothing that it could run. */
export async function loadRoute(tx: Tx, run: RunToExecute): Promise<Route | AlertRoute> {
  const rows = await tx.execute<{
    source: number | null;
    target: number | null;
    streams: readonly unknown[];
    figures: RunFigures | null;
    push: boolean;
    trigger: RunTrigger;
    confirmsDeletions: boolean;
    isDryRun: boolean;
    isReconciling: boolean;
    isResync: boolean;
  }>(sql`
    select i.source_endpoint_id as source, i.target_endpoint_id as target, i.streams, r.figures, coalesce(j.push, false) as push, r.trigger,
      r.confirms_deletions as "confirmsDeletions", exists (select from integration_trial as t where t.run_id = r.id) as "isDryRun",
      coalesce(j.reconcile, false) or exists (select from reconciliation as c where c.run_id = r.id) as "isReconciling",
      exists (select from reconciliation_resync as s where s.run_id = r.id) as "isResync"
    from integration as i join run as r on r.id = ${run.runId}::uuid and r.due_at = ${run.dueAt}::timestamptz
    left join job as j on j.id = r.job_id
    where i.id = ${run.integrationId}`);
  const row = rows[0];
  if (row === undefined) throw new Error(`The integration of run ${run.runId} is gone.`);
  const { source, target, figures, push, confirmsDeletions } = row;
  const work = workOf(row);
  const reads = work !== "push" && work !== "replay";
  // What an older server has written has its defaults filled in.
  const streams = row.streams.map((stream) => streamSchema.parse(stream)).filter((stream) => stream.push === push);
  if (source !== null && target === null && row.streams.length === 0) return { work: "alerts", sourceEndpointId: source, figures };
  if ((source === null && reads) || target === null || (streams.length === 0 && work !== "dry-run")) {
    const which = push ? "streams with push: true" : "streams that are read";
    const lacks = [source === null && reads ? "a source" : "", target === null ? "a target" : "", streams.length === 0 ? which : ""].filter(
      (word) => word !== "",
    );
    throw new ConnectorError(
      "config",
      `Integration "${run.integrationKey}" has a job but lacks ${lacks.join(" and ")}. Add them, or take the job's schedule away.`,
    );
  }
  return { sourceEndpointId: reads ? source : null, targetEndpointId: target, streams, figures, work, confirmsDeletions };
}

function workOf(row: {
  readonly trigger: RunTrigger;
  readonly push: boolean;
  readonly isDryRun: boolean;
  readonly isReconciling: boolean;
  readonly isResync: boolean;
}): Route["work"] {
  if (row.trigger === "replay") return "replay";
  if (row.isDryRun) return "dry-run";
  if (row.isResync) return "resync";
  if (row.isReconciling) return "reconcile";
  return row.push ? "push" : "read";
}
