import { sql } from "drizzle-orm";
import type { Database } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";

/** A run in a worker's hands. */
export interface RunInHand {
  readonly runId: string;
  readonly dueAt: number;
  readonly attempt: number;
}

/** Which of the runs in a worker's hands are to stop, and why. Asked every second by every busy worker: by key, in the partitions of those runs only. */
export async function readAbortRequests(
  database: Database,
  input: { readonly workerId: string; readonly runs: readonly RunInHand[] },
): Promise<readonly { readonly runId: string; readonly attempt: number; readonly reason: "window" }[]> {
  if (input.runs.length === 0) return [];
  const dues = input.runs.map((one) => one.dueAt);
  const ids = input.runs.map((one) => one.runId);
  return selectRows(
    database.db,
    sql`
    select r.id as "runId", r.attempt, r.abort_reason as reason
    from unnest(${sql.param(ids)}::uuid[], ${sql.param(dues)}::timestamptz[]) as mine(id, due_at)
    join run as r on r.id = mine.id and r.due_at = mine.due_at
    where r.due_at between ${Math.min(...dues)}::timestamptz and ${Math.max(...dues)}::timestamptz
      and r.state = 'running' and r.worker_id = ${input.workerId}::uuid and r.abort_requested_at is not null`,
  );
}
