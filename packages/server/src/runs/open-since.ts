import { sql } from "drizzle-orm";
import type { Database, Tx } from "../db/client.js";

/**
 * No run that has not ended was due before this instant (epoch ms). A statement about open runs says `r.due_at >= ${since}::timestamptz` with it:
 * PostgreSQL plans every day that it cannot leave out by a plain value, and of a year of days that takes longer than the statement itself. Read
 * it in the same pass, right before: a run that is inserted meanwhile may move it back, and is seen by the next pass.
 */
export async function readOpenSince(tx: Tx): Promise<number> {
  const rows = await tx.execute<{ since: number }>(sql`select runs_open_since as since from control`);
  const since = rows[0]?.since;
  if (since === undefined) throw new Error("The control row is missing.");
  return since;
}

/** Moves the instant ahead, past the days all of whose runs have ended. */
export async function raiseOpenSince(context: { readonly database: Database }): Promise<void> {
  await context.database.db.execute(sql`select raise_runs_open_since()`);
}

/** What is put back into the run table by other means than inserting may hold open runs from this instant on. */
export async function lowerOpenSince(tx: Tx, due: number): Promise<void> {
  await tx.execute(sql`select lower_runs_open_since(${due}::timestamptz)`);
}
