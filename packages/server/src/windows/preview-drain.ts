import { type DrainPolicyInput, drainPolicySchema } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";

/** A job whose runs are kept back before a window, because they would not finish. */
export interface KeptBackJob {
  readonly job: string;
  readonly integration: string;
  /** 95 of 100 of its last runs took at most so long. */
  readonly p95Ms: number;
  readonly samples: number;
  /** So long before the start none of its runs begins. */
  readonly keptBackMs: number;
  /** Its runs take longer than the lead limit: one that starts before it is in flight when the window begins. */
  readonly mayRunOn: boolean;
}

const maxListed = 1_000;

/** Which jobs of the covered integrations the window would keep back, the slowest first. */
export function keptBackJobs(
  tx: Tx,
  input: { readonly drain: DrainPolicyInput | undefined; readonly enforces: boolean; readonly integrationIds: readonly number[] },
): Promise<readonly KeptBackJob[]> {
  const limitMs = drainPolicySchema.parse(input.drain ?? {}).leadLimitMinutes * 60_000;
  if (!input.enforces || limitMs === 0 || input.integrationIds.length === 0) return Promise.resolve([]);
  return tx.execute<KeptBackJob & { readonly [column: string]: unknown }>(sql`
    select j.key as job, i.key as integration, j.p95_ms as "p95Ms", j.duration_samples as samples, least(j.finish_lead_ms, ${limitMs}::integer) as "keptBackMs",
      j.finish_lead_ms > ${limitMs}::integer as "mayRunOn"
    from job as j join integration as i on i.id = j.integration_id
    where j.enabled and not j.continuous and j.finish_lead_ms is not null and j.integration_id = any (${sql.param(input.integrationIds)}::integer[])
    order by j.finish_lead_ms desc, j.key limit ${maxListed}`);
}
