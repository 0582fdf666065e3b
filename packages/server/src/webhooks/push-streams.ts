import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";

/** The keys of integrations that take this stream as it is pushed by their source. */
export async function pushStreamsOf(tx: Tx, endpointId: number, stream: string): Promise<readonly string[]> {
  const rows = await selectRows<{ key: string }>(
    tx,
    sql`
    select i.key from integration as i
    where i.source_endpoint_id = ${endpointId} and i.streams @> ${JSON.stringify([{ stream, push: true }])}::text::jsonb order by i.key`,
  );
  return rows.map(({ key }) => key);
}
