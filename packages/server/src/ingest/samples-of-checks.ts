import { sql } from "drizzle-orm";
import { inTransaction, readNow } from "../command.js";
import type { Database } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { createSampleBatch } from "./sample-batch.js";
import { seriesOf, storeSamples } from "./store-samples.js";

/** What a check of the other endpoint said holds for so long. */
const saidForMs = 900_000;
const checkMetric = "check";

/**
 * Makes a sample of what a check of an endpoint said, for each integration that reads from it or writes to it: evidence of its availability. One whose other endpoint did
 * not answer its own last check, a quarter of an hour ago at most, is not there either.
 */
export function sampleCheck(
  context: { readonly database: Database },
  check: { readonly endpointId: number; readonly ok: boolean; readonly tookMs: number },
): Promise<number> {
  const { endpointId, ok } = check;
  const tookMs = Math.max(0, check.tookMs);
  return inTransaction(context, async (tx) => {
    const now = await readNow(tx);
    await tx.execute(sql`
      insert into endpoint_check (endpoint_id, ok, checked_at, took_ms)
      select id, ${ok}, ${now}::timestamptz, ${tookMs} from endpoint where id = ${endpointId}
      on conflict (endpoint_id) do update set ok = excluded.ok, checked_at = excluded.checked_at, took_ms = excluded.took_ms`);
    const integrations = await selectRows<{ id: number; ok: boolean }>(
      tx,
      sql`
      select i.id, ${ok} and not exists (select from endpoint_check as c where c.endpoint_id in (i.source_endpoint_id, i.target_endpoint_id)
        and c.endpoint_id <> ${endpointId} and not c.ok and c.checked_at > ${now - saidForMs}::timestamptz) as ok
      from integration as i where ${endpointId} in (i.source_endpoint_id, i.target_endpoint_id) order by i.id`,
    );
    const batch = createSampleBatch();
    for (const integration of integrations) {
      const seriesId = await seriesOf(tx, { integrationId: integration.id, metric: checkMetric });
      const sample = { integration: "", metric: checkMetric, at: now, value: tookMs, ok: integration.ok, key: `endpoint/${endpointId}` };
      batch.add(sample, { seriesId, mark: 0 });
    }
    return storeSamples(tx, batch);
  });
}
