import { and, asc, eq, ne, sql } from "drizzle-orm";
import { endpoint, endpointSecret } from "../catalog/table.js";
import { inTransaction } from "../command.js";
import type { Database } from "../db/client.js";
import type { KeyRing } from "./master-key.js";
import { rewrap } from "./sealed-secret.js";

/** Secrets of one transaction. */
const BATCH = 500;

/**
 * Seals every data key again under the current master key, so that the previous ones can be thrown away. Values, versions and fingerprints stay.
 * Interrupted, it goes on where it stopped. Answers how many it moved.
 */
export async function rewrapSecrets(database: Database, ring: KeyRing): Promise<number> {
  let moved = 0;
  for (;;) {
    const batch = await inTransaction({ database }, async (tx) => {
      const rows = await tx
        .select({ endpointId: endpointSecret.endpointId, name: endpointSecret.name, sealed: endpointSecret.sealed, key: endpoint.key })
        .from(endpointSecret)
        .innerJoin(endpoint, eq(endpoint.id, endpointSecret.endpointId))
        .where(ne(sql`${endpointSecret.sealed} ->> 'keyId'`, ring.current.id))
        .orderBy(asc(endpointSecret.endpointId), asc(endpointSecret.name))
        .limit(BATCH)
        .for("update", { of: endpointSecret });
      for (const row of rows) {
        const sealed = rewrap(ring, { endpoint: row.key, name: row.name }, row.sealed);
        await tx
          .update(endpointSecret)
          .set({ sealed })
          .where(and(eq(endpointSecret.endpointId, row.endpointId), eq(endpointSecret.name, row.name)));
      }
      return rows.length;
    });
    moved += batch;
    if (batch < BATCH) return moved;
  }
}
