import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { texts } from "../db/sql-arrays.js";
import type { SealedCredential } from "./credential-secrets.js";

/** The secrets of the workspace, by their fingerprints: it changes exactly when somebody gives other values. `e` is the alias of endpoint. */
export const basisOfEndpoint = sql`coalesce((select md5(string_agg(s.name || ' ' || s.fingerprint, ' ' order by s.name)) from endpoint_secret as s where s.endpoint_id = e.id), '')`;

/** Somebody gave new values for these secrets in the workspace: what a rotation had put in their place is over. */
export async function dropReplaced(tx: Tx, input: { readonly endpointId: number; readonly names: readonly string[] }): Promise<void> {
  const { endpointId, names } = input;
  if (names.length === 0) return;
  await tx.execute(sql`
    update credential set in_force = false where endpoint_id = ${endpointId} and in_force and names && ${texts(names)}`);
  await tx.execute(sql`update endpoint set credential_told_days = null, credential_told_end = null where id = ${endpointId}`);
}

/** The values that a rotation has put in force, sealed; none when those of the workspace are. A new credential takes over those that it does not change. */
export async function inForce(
  tx: Tx,
  endpointId: number,
): Promise<{ readonly secrets: unknown; readonly expiresAt: number | null } | null> {
  const [row] = await selectRows<{ secrets: unknown; expiresAt: number | null }>(
    tx,
    sql`select secrets, expires_at as "expiresAt" from credential where endpoint_id = ${endpointId} and in_force`,
  );
  return row ?? null;
}

/** The version that the next credential of an endpoint has. Ask under the lock of the endpoint's row. */
export async function nextVersion(tx: Tx, endpointId: number): Promise<number> {
  const [row] = await selectRows<{ version: number }>(
    tx,
    sql`select coalesce(max(version), 0)::integer + 1 as version from credential where endpoint_id = ${endpointId}`,
  );
  return row?.version ?? 1;
}

/** Keeps new values, not in force yet. Answers the credential's id. */
export async function insertCredential(
  tx: Tx,
  input: {
    readonly endpointId: number;
    readonly version: number;
    readonly source: "issued" | "handed-in";
    readonly secrets: SealedCredential;
    readonly expiresAt: number | null;
  },
): Promise<number> {
  const { endpointId, version, source, secrets, expiresAt } = input;
  const [row] = await selectRows<{ id: number }>(
    tx,
    sql`insert into credential (endpoint_id, version, source, secrets, names, expires_at)
      values (${endpointId}, ${version}, ${source}, ${JSON.stringify(secrets)}::text::jsonb, ${texts(Object.keys(secrets))}, ${expiresAt}::timestamptz) returning id`,
  );
  if (row === undefined) throw new Error("The credential was not written.");
  return row.id;
}

/** Puts a credential in force, null: the secrets of the workspace. New runs work with it from the commit on. */
export async function putInForce(tx: Tx, input: { readonly endpointId: number; readonly credentialId: number | null }): Promise<void> {
  const { endpointId, credentialId } = input;
  await tx.execute(sql`update credential set in_force = false where endpoint_id = ${endpointId} and in_force`);
  await tx.execute(sql`
    update credential set in_force = true, in_force_since = app_now() where endpoint_id = ${endpointId} and id = ${credentialId}::bigint`);
  await tx.execute(sql`update endpoint set credential_told_days = null, credential_told_end = null where id = ${endpointId}`);
}

/** Forgets the values of a credential that is of no use any more, and what connectors remember of their sessions with it. */
export async function forgetCredential(tx: Tx, credentialId: number | null): Promise<void> {
  if (credentialId === null) return;
  const gone = await selectRows<{ endpointId: number }>(
    tx,
    sql`update credential set secrets = '{}' where id = ${credentialId}::bigint and not in_force returning endpoint_id as "endpointId"`,
  );
  for (const { endpointId } of gone)
    await tx.execute(
      sql`delete from connector_state where endpoint_id = ${endpointId} and key like '%/credential ' || ${String(credentialId)} || '/%'`,
    );
}
