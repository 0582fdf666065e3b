import { and, asc, eq, ne, sql } from "drizzle-orm";
import { calendarImport, calendarUrlAddress } from "../calendars/table.js";
import { endpoint, endpointSecret } from "../catalog/table.js";
import { inTransaction } from "../command.js";
import type { Database } from "../db/client.js";
import { team, teamWebhook, webhookSecretAddress } from "../notifications/table.js";
import type { KeyRing } from "./master-key.js";
import { rewrap } from "./sealed-secret.js";

/** Secrets of one transaction. */
const BATCH = 500;

/**
 * Seals every data key again under the current master key, so that the previous ones can be thrown away. Values, versions and fingerprints stay.
 * Interrupted, it goes on where it stopped. Answers how many it moved.
 */
export async function rewrapSecrets(database: Database, ring: KeyRing): Promise<number> {
  let moved = (await rewrapCalendarUrls(database, ring)) + (await rewrapWebhooks(database, ring));
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

/** The addresses of imported calendars: few, so one transaction. */
function rewrapCalendarUrls(database: Database, ring: KeyRing): Promise<number> {
  return inTransaction({ database }, async (tx) => {
    const rows = await tx
      .select({ id: calendarImport.id, key: calendarImport.key, sealed: calendarImport.sealedUrl })
      .from(calendarImport)
      .where(ne(sql`${calendarImport.sealedUrl} ->> 'keyId'`, ring.current.id))
      .for("update");
    for (const { id, key, sealed } of rows) {
      if (sealed === null) continue;
      await tx
        .update(calendarImport)
        .set({ sealedUrl: rewrap(ring, calendarUrlAddress(key), sealed) })
        .where(eq(calendarImport.id, id));
    }
    return rows.length;
  });
}

/** The secrets of teams' webhooks: few as well. */
function rewrapWebhooks(database: Database, ring: KeyRing): Promise<number> {
  return inTransaction({ database }, async (tx) => {
    const rows = await tx
      .select({ id: teamWebhook.id, url: teamWebhook.url, sealed: teamWebhook.sealed, key: team.key })
      .from(teamWebhook)
      .innerJoin(team, eq(team.id, teamWebhook.teamId))
      .where(ne(sql`${teamWebhook.sealed} ->> 'keyId'`, ring.current.id))
      .for("update", { of: teamWebhook });
    for (const { id, key, url, sealed } of rows) {
      await tx
        .update(teamWebhook)
        .set({ sealed: rewrap(ring, webhookSecretAddress(key, url), sealed) })
        .where(eq(teamWebhook.id, id));
    }
    return rows.length;
  });
}
