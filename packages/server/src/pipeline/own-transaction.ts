import { ConnectorError, isConnectorError } from "@quiesce/sdk";
import { type SQL, sql } from "drizzle-orm";
import { inTransaction } from "../command.js";
import { RunLostError } from "../connector-host/run-permit.js";
import type { Tx } from "../db/client.js";
import { formatInstant } from "../db/instant-text.js";
import type { RunWork } from "./pipeline-run.js";

/** What a transaction of a run needs of it. */
type OwnRun = Pick<RunWork, "database" | "pages" | "run" | "log">;

/**
 * One transaction of a run, fenced: its first statement locks the run's row, and if the run is not running under this worker and attempt any more
 * nothing is written and a RunLostError is thrown (law 5). Trouble with our own database is `transient`: the run is tried again.
 */
export async function ownTransaction<T>(run: OwnRun, work: (tx: Tx) => Promise<T>): Promise<T> {
  return orTransient(run, () =>
    inTransaction(run, async (tx) => {
      await lockOwnRun(tx, run);
      return work(tx);
    }),
  );
}

/**
 * The same for what every page repeats: on connections where it is prepared, and `work` begins while the lock is still on its way. Statements are done in the
 * order in which they are sent, so nothing comes before the lock, and without it nothing of them stays.
 */
export async function ownPageTransaction(run: OwnRun, work: (tx: Tx) => Promise<unknown>): Promise<void> {
  await orTransient(run, () =>
    // Every connection is read committed from the start.
    (run.pages ?? run.database).db.transaction(async (tx) => {
      await together([lockOwnRun(tx, run), work(tx)]);
    }),
  );
}

/**
 * Waits for statements that went out together, and throws what the first of them threw: the others only tell of a transaction that is aborted. All of them
 * are at their end then, for a statement that came after its transaction would stand alone.
 */
export async function together(statements: readonly Promise<unknown>[]): Promise<void> {
  for (const one of await Promise.allSettled(statements)) if (one.status === "rejected") throw one.reason;
}

/** Throws a RunLostError unless the run is running under this worker and attempt right now. */
export async function requireOwnRunNow(run: OwnRun): Promise<void> {
  await orTransient(run, async () => {
    const rows = await (run.pages ?? run.database).db.execute(sql`select ${ownRun(run)}`);
    if (rows.length === 0) throw new RunLostError(run.run);
  });
}

async function orTransient<T>(run: OwnRun, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
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

async function lockOwnRun(tx: Tx, work: OwnRun): Promise<void> {
  const rows = await tx.execute(sql`select ${ownRun(work)} for no key update`);
  if (rows.length === 0) throw new RunLostError(work.run);
}

function ownRun({ run }: OwnRun): SQL {
  // Without parameters it is one message there and one back, and planned for the one day that it concerns.
  return sql`from run where id = ${run.runId}::uuid and due_at = ${formatInstant(run.dueAt)}::timestamptz
      and state = 'running' and worker_id = ${run.workerId}::uuid and attempt = ${run.attempt}`.inlineParams();
}
