import type { StreamEntry } from "@quiesce/core";
import { ConnectorError } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import type { RunFigures } from "../runs/run-figures.js";
import type { RunToExecute } from "../scheduler/run-executor.js";

/** What a run has to do: from where, to where, which streams; and what its earlier attempts have done. */
export interface Route {
  readonly sourceEndpointId: number;
  readonly targetEndpointId: number;
  readonly streams: readonly StreamEntry[];
  readonly figures: RunFigures | null;
}

/** Loads the integration of a run. One without source, target or streams gives a `config` error: there is nothing that it could run. */
export async function loadRoute(tx: Tx, run: RunToExecute): Promise<Route> {
  const rows = await tx.execute<{
    source: number | null;
    target: number | null;
    streams: readonly StreamEntry[];
    figures: RunFigures | null;
  }>(sql`
    select i.source_endpoint_id as source, i.target_endpoint_id as target, i.streams, r.figures
    from integration as i join run as r on r.id = ${run.runId}::uuid and r.due_at = ${run.dueAt}::timestamptz
    where i.id = ${run.integrationId}`);
  const row = rows[0];
  if (row === undefined) throw new Error(`The integration of run ${run.runId} is gone.`);
  const { source, target, streams, figures } = row;
  if (source === null || target === null || streams.length === 0) {
    const lacks = [source === null ? "a source" : "", target === null ? "a target" : "", streams.length === 0 ? "streams" : ""].filter(
      (word) => word !== "",
    );
    throw new ConnectorError(
      "config",
      `Integration "${run.integrationKey}" has a job but lacks ${lacks.join(" and ")}. Add them, or take the job's schedule away.`,
    );
  }
  return { sourceEndpointId: source, targetEndpointId: target, streams, figures };
}
