import { accuracyRatio, type ReconciliationCounts, type ReconciliationMethod, sumReconciliationCounts } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";

/** What a comparison found, over all of its streams. */
export interface ReconciliationSummary extends ReconciliationCounts {
  /** 0 to 1; null where nothing but numbers was compared. */
  readonly accuracy: number | null;
}

/** The sum over the streams that were compared. */
export async function reconciliationSummary(tx: Tx, reconciliationId: number): Promise<ReconciliationSummary> {
  const rows = await selectRows<ReconciliationCounts & { readonly method: ReconciliationMethod }>(
    tx,
    sql`
    select method, equal::float8 as equal, only_source::float8 as "onlySource", only_target::float8 as "onlyTarget", different::float8 as different, changing::float8 as changing
    from reconciliation_stream where reconciliation_id = ${reconciliationId}::bigint and ended_at is not null`,
  );
  return summaryOf(rows);
}

/** Sums streams up; those of which only numbers are known say nothing about records. */
export function summaryOf(
  streams: readonly (ReconciliationCounts & { readonly method: ReconciliationMethod | null })[],
): ReconciliationSummary {
  const compared = streams.filter(({ method }) => method !== "counts");
  const counts = sumReconciliationCounts(compared);
  return { ...counts, accuracy: compared.length === 0 ? null : accuracyRatio(counts) };
}
