import { ConnectorError, isConnectorError } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import { inTransaction } from "../command.js";
import { RunLostError } from "../connector-host/run-permit.js";
import type { Tx } from "../db/client.js";
import type { RunWork } from "./pipeline-run.js";

/**
 * One transaction of a run, fenced: its first statement locks the run's row, and if the run is not running under this worker and attempt any more
 * nothing is written and a RunLostError is thrown (law 5). Trouble with our own database is `transient`: the run is tried again.
 */
export async function ownTransaction<T>(run: RunWork, work: (tx: Tx) => Promise<T>): Promise<T> {
  try {
    return await inTransaction(run, async (tx) => {
      await lockOwnRun(tx, run);
      return work(tx);
    });
  } catch (error) {
    if (error instanceof RunLostError || isConnectorError(error)) throw error;
    run.log.error({ err: error }, "A transaction of a run failed; the run is tried again from its last committed page.");
    throw ownDatabaseError(error);
  }
}

/** Trouble with Quiesce's own database, as a run's error. */
export function ownDatabaseError(cause: unknown): ConnectorError {
  return new ConnectorError("transient", "Quiesce could not use its own database. The run goes on from the last committed page.", {
    cause,
  });
}

async function lockOwnRun(tx: Tx, { run }: RunWork): Promise<void> {
  const rows = await tx.execute(sql`
    select from run where id = ${run.runId}::uuid and due_at = ${run.dueAt}::timestamptz
      and state = 'running' and worker_id = ${run.workerId}::uuid and attempt = ${run.attempt}
    for no key update`);
  if (rows.length === 0) throw new RunLostError(run);
}
