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
  /** What it does: reads the source, delivers what was pushed, or dead letters once more. */
  readonly work: "read" | "push" | "replay";
  /** Somebody said that what the source no longer has may be deleted, however much it is. */
  readonly confirmsDeletions: boolean;
}

/** Loads the integration of a run. One without source, target or streams gives a `config` error: there is nothing that it could run. */
export async function loadRoute(tx: Tx, run: RunToExecute): Promise<Route> {
  const rows = await tx.execute<{
    source: number | null;
    target: number | null;
    streams: readonly unknown[];
    figures: RunFigures | null;
    push: boolean;
    trigger: RunTrigger;
    confirmsDeletions: boolean;
  }>(sql`
    select i.source_endpoint_id as source, i.target_endpoint_id as target, i.streams, r.figures, coalesce(j.push, false) as push, r.trigger,
      r.confirms_deletions as "confirmsDeletions"
    from integration as i join run as r on r.id = ${run.runId}::uuid and r.due_at = ${run.dueAt}::timestamptz
    left join job as j on j.id = r.job_id
    where i.id = ${run.integrationId}`);
  const row = rows[0];
  if (row === undefined) throw new Error(`The integration of run ${run.runId} is gone.`);
  const { source, target, figures, push, confirmsDeletions } = row;
  const work = row.trigger === "replay" ? "replay" : push ? "push" : "read";
  // What an older server has written has its defaults filled in.
  const streams = row.streams.map((stream) => streamSchema.parse(stream)).filter((stream) => stream.push === push);
  if ((source === null && work === "read") || target === null || streams.length === 0) {
    const which = push ? "streams with push: true" : "streams that are read";
    const lacks = [
      source === null && work === "read" ? "a source" : "",
      target === null ? "a target" : "",
      streams.length === 0 ? which : "",
    ].filter((word) => word !== "");
    throw new ConnectorError(
      "config",
      `Integration "${run.integrationKey}" has a job but lacks ${lacks.join(" and ")}. Add them, or take the job's schedule away.`,
    );
  }
  return { sourceEndpointId: work === "read" ? source : null, targetEndpointId: target, streams, figures, work, confirmsDeletions };
}
