import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";

/** Buckets of integrations that dispatch locks are taken on; the column integration.bucket says the same. */
const bucketCount = 1_024;
/** Beyond this many buckets one lock on all is cheaper than many. */
const maxSingleBuckets = 4;

/**
 * Serialises writers of windows and catalogue. The first statement of every such command: a window saved on a tag while an integration gains
 * that tag would otherwise leave it uncovered.
 */
export async function lockCatalogue(tx: Tx): Promise<void> {
  await tx.execute(sql`select pg_advisory_xact_lock(lock_class_catalogue(), 0)`);
}

/**
 * Waits until no claim is under way on these integrations and keeps new ones out until the transaction ends. Take it last, right before the
 * commit that opens, moves or widens a hold: whoever starts a run afterwards has seen the hold.
 */
export async function lockDispatch(tx: Tx, integrations: "all" | readonly number[]): Promise<void> {
  if (integrations !== "all" && integrations.length === 0) return;
  const buckets = integrations === "all" ? [] : [...new Set(integrations.map((id) => id % bucketCount))].toSorted((a, b) => a - b);
  if (integrations === "all" || buckets.length > maxSingleBuckets) {
    await tx.execute(sql`select pg_advisory_xact_lock(lock_class_dispatch_all(), 0)`);
    return;
  }
  for (const bucket of buckets) {
    await tx.execute(sql`select pg_advisory_xact_lock(lock_class_dispatch_bucket(), ${bucket}::integer)`);
  }
}
