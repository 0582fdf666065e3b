import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { type QueuingIntegration, queueReconciliation } from "./queue-runs.js";

/** Integrations that are compared after one occurrence. */
const MAX_INTEGRATIONS = 1_000;

/**
 * Queues the comparisons that occurrences ask for by their windows' resume policies: of every integration that they held which has two sides and a
 * job. Call it in the transaction that closes them. Answers how many.
 */
export async function reconcileAfterWindows(tx: Tx, occurrenceIds: readonly number[]): Promise<number> {
  if (occurrenceIds.length === 0) return 0;
  const wanted = await tx.execute<
    QueuingIntegration & { readonly [column: string]: unknown; readonly occurrenceId: number; readonly window: string }
  >(sql`
    select * from (
      select o.id::float8 as "occurrenceId", w.key as window, i.id as "integrationId", i.key as "integrationKey", i.bucket, j.id as "jobId", j.key as "jobKey",
        row_number() over (partition by o.id order by i.id) as place
      from occurrence as o join maintenance_window as w on w.id = o.window_id and (w.resume -> 'reconcile')::boolean
      join integration as i on i.source_endpoint_id is not null and i.target_endpoint_id is not null
        and exists (select from hold as h join hold_member as m on m.hold_id = h.id where h.occurrence_id = o.id and m.integration_id = i.id)
        and exists (select from jsonb_array_elements(i.streams) as s(stream) where not coalesce((s.stream -> 'push')::boolean, false))
      cross join lateral (select id, key from job where integration_id = i.id and not push and enabled order by reconcile desc, continuous, id limit 1) as j
      where o.id = any (${sql.param(occurrenceIds)}::bigint[])) as wanted
    where place <= ${MAX_INTEGRATIONS} order by "integrationId"`);
  for (const { occurrenceId, window, integrationId, integrationKey, bucket, jobId, jobKey } of wanted) {
    const order = { integrationId, integrationKey, bucket, jobId, jobKey };
    await queueReconciliation(tx, {
      ...order,
      origin: "window",
      occurrenceId,
      requestedBy: "quiesce",
      reason: `After the window ${window}.`,
    });
  }
  return wanted.length;
}
