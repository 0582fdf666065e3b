import { sql } from "drizzle-orm";
import type { Database } from "../db/client.js";

/** What the scheduling of the whole deployment shows of itself; the same shape as the API's health checks. */
export interface SchedulerCheck {
  readonly name: string;
  readonly status: "pass" | "warn" | "fail";
  readonly detail?: string;
  readonly observed?: unknown;
}

/**
 * A run that may start since this long and is still queued means that nobody dispatches, or not enough. Held runs are not queued; one that waits
 * for a system's cap or for the run before it is, and counts.
 */
const lateAfterMs = 60_000;

interface Facts {
  readonly expandedUntil: number;
  readonly overriddenUntil: number;
  readonly stale: boolean;
  readonly overridden: boolean;
  readonly workers: number;
  readonly running: number;
  readonly held: number;
  readonly oldestLateMs: number | null;
}

/** Looks at the facts that dispatch depends on: the expansion, the workers, the age of what waits. */
export async function schedulerHealth(database: Database): Promise<readonly SchedulerCheck[]> {
  const rows = await database.db.execute<Facts & { readonly [column: string]: unknown }>(sql`
    select c.expanded_until as "expandedUntil", c.expansion_override_until as "overriddenUntil",
      c.expanded_until <= app_now() as stale, c.expansion_override_until > app_now() as overridden,
      (select count(*)::integer from worker where stopped_at is null and lease_until > app_now()) as workers,
      (select count(*)::integer from run where state = 'running') as running,
      (select count(*)::integer from run where state = 'held') as held,
      (select (extract(epoch from app_now() - min(ready_at)) * 1000)::float8 from run where state = 'queued' and ready_at <= app_now()) as "oldestLateMs"
    from control as c`);
  const found = rows[0];
  if (found === undefined)
    return [{ name: "scheduler", status: "fail", detail: "The control row is missing: the database is not migrated." }];
  return [expansionCheck(found), workersCheck(found), latenessCheck(found)];
}

function expansionCheck({ stale, overridden, expandedUntil, overriddenUntil }: Facts): SchedulerCheck {
  const name = "windows.expansion";
  if (!stale) return { name, status: "pass", observed: { expandedUntil: new Date(expandedUntil).toISOString() } };
  const problem = "Windows are not computed past now";
  if (overridden)
    return {
      name,
      status: "warn",
      detail: `${problem}. Runs start all the same, by an operator's order: new windows do not hold. Start a server with the role dispatcher.`,
      observed: { overriddenUntil: new Date(overriddenUntil).toISOString() },
    };
  return { name, status: "fail", detail: `${problem}, so nothing is dispatched. Start a server with the role dispatcher.` };
}

function workersCheck({ workers, running, held }: Facts): SchedulerCheck {
  const name = "scheduler.workers";
  if (workers > 0) return { name, status: "pass", observed: { workers, running, held } };
  return {
    name,
    status: "warn",
    detail: "No worker is alive; nothing runs. Start a server with the role dispatcher.",
    observed: { workers: 0 },
  };
}

function latenessCheck({ oldestLateMs }: Facts): SchedulerCheck {
  const name = "scheduler.lateness";
  const lateMs = Math.round(oldestLateMs ?? 0);
  if (lateMs <= lateAfterMs) return { name, status: "pass", observed: { lateMs } };
  return {
    name,
    status: "warn",
    detail: `The oldest due run waits for ${Math.round(lateMs / 1_000)} s. Raise QUIESCE_MAX_CONCURRENT_RUNS, a system's cap, or add a server.`,
    observed: { lateMs },
  };
}
