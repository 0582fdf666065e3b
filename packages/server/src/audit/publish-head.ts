import type { SignedHead } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { inTransaction } from "../command.js";
import type { KeyRing } from "../credentials/master-key.js";
import type { Database, Tx } from "../db/client.js";
import { destinationSql } from "../notifications/destination.js";
import { chainState } from "./chain-store.js";
import { signHead } from "./signing-key.js";

interface Publishing {
  readonly database: Database;
  readonly keys: KeyRing;
}

/** The end of the chain, signed; null while nothing is sealed. */
export async function signedHead({ database, keys }: Publishing): Promise<SignedHead | null> {
  const { position, hash, sealedAt, epoch } = await chainState(database.db);
  if (sealedAt === null) return null;
  return signHead(keys.current, { position, hash, sealedAt: new Date(sealedAt).toISOString(), epoch });
}

/** Queues a message for every webhook that names its kind, or all kinds of its noun, as `audit.*`. */
export async function queueForAuditors(tx: Tx, kind: string, data: object): Promise<void> {
  const [noun = kind] = kind.split(".");
  await tx.execute(sql`
    insert into outbox (kind, webhook_id, team, destination, thing, payload)
    select ${kind}, k.id, t.key, ${destinationSql(sql`k.url`)}, ${noun},
      jsonb_build_object('type', ${kind}::text, 'timestamp', to_char(app_now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), 'data', ${JSON.stringify(data)}::text::jsonb)
    from team_webhook as k join team as t on t.id = k.team_id
    where k.disabled_at is null and k.events && array[${kind}::text, ${`${noun}.*`}::text]
    order by k.id for key share of k skip locked`);
}

/** Sends the head to the webhooks that want it, when it is due and has moved. One server does; false on the others. */
export function publishHead(context: Publishing, everyMs: number): Promise<boolean> {
  return inTransaction(context, async (tx) => {
    const due = await tx.execute(sql`
      select from audit_chain
      where position > published_position and not (published_at > app_now() - ${`${everyMs} milliseconds`}::interval and published_at <= app_now())
      for update skip locked`);
    if (due.length === 0) return false;
    const { position, hash, sealedAt, epoch } = await chainState(tx);
    if (sealedAt === null) return false;
    await queueForAuditors(
      tx,
      "audit.head",
      signHead(context.keys.current, { position, hash, sealedAt: new Date(sealedAt).toISOString(), epoch }),
    );
    await tx.execute(sql`update audit_chain set published_position = ${position}, published_at = app_now()`);
    return true;
  });
}
