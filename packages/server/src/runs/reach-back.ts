import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";

/** What is kept: due times before this instant (epoch ms) may be gone; null while nothing has been dropped yet. */
export async function runsRetainedFrom(tx: Tx): Promise<number | null> {
  const rows = await tx.execute<{ at: number | null }>(sql`select nullif(runs_retained_from, '-infinity') as at from control`);
  return rows[0]?.at ?? null;
}

/** The first due time of all ranges that reach into a period from before it; the period's beginning when none does. */
export async function reachBack(tx: Tx, from: number): Promise<number> {
  const rows = await tx.execute<{ at: number | null }>(sql`
    select min(r.due_at) as at from run as r where r.due_count > 1 and r.last_due_at >= ${from}::timestamptz and r.due_at < ${from}::timestamptz`);
  return rows[0]?.at ?? from;
}
