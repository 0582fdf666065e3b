import type { DifferenceKind } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import type { StreamPlace } from "./store.js";

export const differenceStates = ["open", "repaired", "refused", "kept", "gone", "hidden"] as const;
export type DifferenceState = (typeof differenceStates)[number];

/** Differences that nobody has dealt with, behind a key. */
export function openDifferences(
  tx: Tx,
  { reconciliationId, stream }: StreamPlace,
  page: { readonly after: string; readonly limit: number },
): Promise<readonly { readonly key: string; readonly kind: DifferenceKind }[]> {
  return selectRows(
    tx,
    sql`
    select key, kind from reconciliation_difference
    where reconciliation_id = ${reconciliationId}::bigint and stream = ${stream} and state = 'open' and key > ${page.after} order by key limit ${page.limit}`,
  );
}

/** Says what became of differences. */
export async function settleDifferences(
  tx: Tx,
  { reconciliationId, stream }: StreamPlace,
  state: DifferenceState,
  keys: readonly string[],
): Promise<void> {
  if (keys.length === 0) return;
  await tx.execute(sql`
    update reconciliation_difference set state = ${state}
    where reconciliation_id = ${reconciliationId}::bigint and stream = ${stream} and key = any (${sql.param(keys)}::text[])`);
}

/** How many records the target had when it was compared. */
export async function targetRecordsOf(tx: Tx, { reconciliationId, stream }: StreamPlace): Promise<number> {
  const [row] = await selectRows<{ readonly records: number }>(
    tx,
    sql`select target_records::float8 as records from reconciliation_stream where reconciliation_id = ${reconciliationId}::bigint and stream = ${stream}`,
  );
  return row?.records ?? 0;
}
