import { sql } from "drizzle-orm";
import { inTransaction, readNow } from "../command.js";
import type { Database } from "./client.js";

/** Statistics are renewed at most this often in the whole deployment, whoever asks. */
const pauseMs = 600_000;
/** After a bulk load: when so many rows, and a fifth of the table, have changed. */
const bulkRows = 10_000;
const bulkShare = 0.2;
/** What the claim and the peek read; of the run table the days that changed. */
const tables = "^(run_[0-9]{8}|hold|hold_member|job|integration|integration_system|inbox_record)$";
const maxTables = 20;

/**
 * Tells the planner of what changed: the plan of an empty table, kept for a full one, made a claim take seconds. `why`: after a bulk load only
 * tables that changed much, after a slow claim all that changed. PostgreSQL's own autovacuum does it too, but a minute late, or not at all where it
 * is switched off. Answers the tables; none when there is nothing to do, or it was done less than ten minutes ago.
 */
export async function renewStatistics(
  context: { readonly database: Database },
  why: "bulk-load" | "slow-claim",
): Promise<readonly string[]> {
  const least = why === "bulk-load" ? bulkRows : 1;
  const share = why === "bulk-load" ? bulkShare : 0;
  const changed = await context.database.sql<{ name: string }[]>`
    select relname::text as name from pg_stat_user_tables
    where schemaname = current_schema() and relname ~ ${tables} and n_mod_since_analyze >= greatest(${least}::float8, ${share}::float8 * n_live_tup)
    order by n_mod_since_analyze desc limit ${maxTables}`;
  if (changed.length === 0 || !(await takeTurn(context))) return [];
  // Each for itself: none keeps a lock while the others are read. A table that somebody else analyses or vacuums now is left to them.
  for (const { name } of changed) await context.database.sql.unsafe(`analyze (skip_locked) ${name}`);
  return changed.map((one) => one.name);
}

function takeTurn(context: { readonly database: Database }): Promise<boolean> {
  return inTransaction(context, async (tx) => {
    const rows = await tx.execute<{ at: number | null }>(sql`
      select nullif(analyzed_at, '-infinity') as at from control for no key update skip locked`);
    const row = rows[0];
    if (row === undefined) return false;
    const now = await readNow(tx);
    // A clock that went back must not keep the turn for ever.
    if (row.at !== null && row.at <= now && row.at > now - pauseMs) return false;
    await tx.execute(sql`update control set analyzed_at = ${now}::timestamptz`);
    return true;
  });
}
