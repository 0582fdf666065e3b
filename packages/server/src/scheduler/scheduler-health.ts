import { sql } from "drizzle-orm";
import type { Database } from "../db/client.js";

/** What the scheduling of the whole deployment shows of itself; the same shape as the API's health checks. */
export interface SchedulerCheck {
  readonly name: string;
  readonly status: "pass" | "warn" | "fail";
  readonly detail?: string;
  readonly observed?: unknown;
}

/** A run that is due this long and neither held nor capped means that nobody dispatches. */
const lateAfterMs = 60_000;

/** Looks at the facts that dispatch depends on: the expansion, the workers, the age of what waits. */
export async function schedulerHealth(database: Database): Promise<readonly SchedulerCheck[]> {
  const rows = await database.db.execute<{ expandedUntil: number; stale: boolean; workers: number; running: number; held: number; oldestLateMs: number | null }>(sql`
    select c.expanded_until as "expandedUntil", c.expanded_until <= app_now() as stale,
      (select count(*)::integer from worker where stopped_at is null and lease_until > app_now()) as workers,
      (select count(*)::integer from run where state = 'running') as running,
      (select count(*)::integer from run where state = 'held') as held,
      (select (extract(epoch from app_now() - min(ready_at)) * 1000)::float8 from run where state = 'queued' and ready_at <= app_now()) as "oldestLateMs"
    from control as c`);
  const found = rows[0];
  if (found === undefined) return [{ name: "scheduler", status: "fail", detail: "The control row is missing: the database is not migrated." }];
  const late = found.oldestLateMs ?? 0;
  return [
    found.stale
      ? { name: "windows.expansion", status: "fail", detail: "Windows are not computed past now; nothing is dispatched. Start a server with the role dispatcher." }
      : { name: "windows.expansion", status: "pass", observed: { expandedUntil: new Date(found.expandedUntil).toISOString() } },
    found.workers === 0
      ? { name: "scheduler.workers", status: "warn", detail: "No worker is alive; nothing runs. Start a server with the role dispatcher.", observed: { workers: 0 } }
      : { name: "scheduler.workers", status: "pass", observed: { workers: found.workers, running: found.running, held: found.held } },
    late > lateAfterMs
      ? { name: "scheduler.lateness", status: "warn", detail: `The oldest due run waits for ${Math.round(late / 1_000)} s. Raise QUIESCE_MAX_CONCURRENT_RUNS, a system's cap, or add a server.`, observed: { lateMs: late } }
      : { name: "scheduler.lateness", status: "pass", observed: { lateMs: late } },
  ];
}
