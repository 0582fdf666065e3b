import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import type { SchedulerCheck } from "../scheduler/scheduler-health.js";

/** A message that waits longer means a receiver that is down. */
const slowMs = 600_000;

/** Whether teams hear what they should. It is no reason to keep anybody from this server. */
export async function deliveryHealth(tx: Tx): Promise<SchedulerCheck> {
  const name = "notifications.deliveries";
  const [found] = await tx.execute<{ pending: number; waitingMs: number | null; failed: number; disabled: readonly string[] }>(sql`
    select (select count(*)::integer from outbox where delivered_at is null and failed_at is null) as pending,
      (select (extract(epoch from app_now() - min(patience_from)) * 1000)::float8 from outbox where delivered_at is null and failed_at is null) as "waitingMs",
      (select count(*)::integer from outbox where coalesce(delivered_at, failed_at) > app_now() - interval '24 hours' and failed_at is not null) as failed,
      array(select distinct t.key from team_webhook as k join team as t on t.id = k.team_id where k.disabled_at is not null order by t.key limit 5) as disabled`);
  if (found === undefined) throw new Error("A row of aggregates is missing.");
  const { pending, failed, disabled } = found;
  const waitingMs = Math.round(found.waitingMs ?? 0);
  const observed = { pending, waitingMs, failed };
  const problems = [
    ...(waitingMs > slowMs ? [`The oldest message to a team waits for ${Math.round(waitingMs / 60_000)} min.`] : []),
    ...(failed > 0 ? [`${failed} messages of the last 24 hours were given up.`] : []),
    ...(disabled.length > 0 ? [`Webhooks of ${disabled.join(", ")} are disabled: their receivers said 410 Gone.`] : []),
  ];
  if (problems.length === 0) return { name, status: "pass", observed };
  return {
    name,
    status: "warn",
    detail: `${problems.join(" ")} Look with the query deliveries, and try with: quiesce team test <team>`,
    observed,
  };
}
