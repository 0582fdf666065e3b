import { type SQL, sql } from "drizzle-orm";

/**
 * Whether an integration fails, as `failing` counts it: an enabled job's last run of a day that ended did so in failure.
 * `integrationId` is a column of the statement that asks.
 */
export function failsNow(integrationId: SQL): SQL {
  return sql`exists (
    select from job as fj cross join lateral (
      select fr.state from run as fr
      where fr.integration_id = fj.integration_id and fr.job_id = fj.id and fr.due_at > app_now() - interval '1 day' and fr.due_at <= app_now()
        and fr.state in ('succeeded', 'failed', 'dead', 'lost')
      order by fr.due_at desc limit 1) as ended
    where fj.integration_id = ${integrationId} and fj.enabled and ended.state <> 'succeeded')`;
}
