import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import type { SchedulerCheck } from "../scheduler/scheduler-health.js";

/** Windows that the health check names. */
const maxNamed = 5;

/** Whether windows are overrun: their end was reached, and their systems are not ready, or their first runs failed. */
export async function overrunHealth(tx: Tx): Promise<SchedulerCheck> {
  const name = "windows.overrun";
  const overrun = await tx.execute<{ key: string; localStart: string; since: number; owner: string }>(sql`
    select w.key, o.local_start as "localStart", coalesce(o.reheld_at, o.verifying_at) as since, w.owner
    from occurrence as o join maintenance_window as w on w.id = o.window_id
    where o.closed_at is null and o.overrun_at is not null and (o.reheld_at is not null or (o.verifying_at is not null and o.released_at is null))
    order by since limit ${maxNamed + 1}`);
  if (overrun.length === 0) return { name, status: "pass" };
  const named = overrun
    .slice(0, maxNamed)
    .map((one) => `${one.key}@${one.localStart} (${one.owner}, since ${new Date(one.since).toISOString()})`);
  const more = overrun.length > maxNamed ? " and others" : "";
  return {
    name,
    status: "fail",
    detail: `Overrun: ${named.join(", ")}${more}. Their runs stay held until their systems are ready. See why with quiesce window resume <window> --watch, and release by hand with --skip-readiness --reason.`,
    servesAllTheSame: true,
  };
}
