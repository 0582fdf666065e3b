import { type SQL, sql } from "drizzle-orm";
import { calendarUrlAddress } from "../calendars/table.js";
import { recordAudit } from "../audit/record-audit.js";
import { type CommandContext, inTransaction } from "../command.js";
import type { Database, Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { appendEvents } from "../events/append-events.js";
import { webhookSecretAddress } from "../notifications/table.js";
import { rewrapCredential } from "./credential-secrets.js";
import type { KeyRing } from "./master-key.js";
import { rewrap, sealedSecretSchema } from "./sealed-secret.js";

/** Secrets of one transaction. */
const BATCH = 500;
/** Transactions of one call: a request ends, and the next one goes on. */
const BATCHES_PER_CALL = 20;

/** One row that holds something sealed: how it is found again, and what its address is made of. */
interface SealedRow {
  readonly id: string;
  readonly endpoint: string;
  readonly name: string;
  readonly sealed: unknown;
}

/** A table with sealed values: `rows` are those of another key than `current`, locked. */
interface SealedTable {
  readonly name: string;
  /** Which keys have sealed its values, as a query of one column `key_id`. */
  readonly keyIds: SQL;
  rows(current: string): SQL;
  rewrapped(ring: KeyRing, row: SealedRow): unknown;
  save(row: SealedRow, sealed: string): SQL;
}

const single = (ring: KeyRing, { endpoint, name, sealed }: SealedRow) => rewrap(ring, { endpoint, name }, sealedSecretSchema.parse(sealed));

/** Everything that is sealed by a data key under the master key. */
const tables: readonly SealedTable[] = [
  {
    name: "endpoint_secret",
    keyIds: sql`select sealed ->> 'keyId' as key_id from endpoint_secret`,
    rows: (current) => sql`select s.endpoint_id || '/' || s.name as id, e.key as endpoint, s.name, s.sealed
      from endpoint_secret as s join endpoint as e on e.id = s.endpoint_id where s.sealed ->> 'keyId' <> ${current}
      order by s.endpoint_id, s.name limit ${BATCH} for update of s`,
    rewrapped: single,
    save: ({ id }, sealed) => sql`update endpoint_secret set sealed = ${sealed}::text::jsonb where endpoint_id || '/' || name = ${id}
      and endpoint_id = split_part(${id}, '/', 1)::integer`,
  },
  {
    name: "credential",
    keyIds: sql`select v.value ->> 'keyId' as key_id from credential as c cross join jsonb_each(c.secrets) as v`,
    rows: (current) => sql`select c.id::text as id, e.key as endpoint, '' as name, c.secrets as sealed
      from credential as c join endpoint as e on e.id = c.endpoint_id
      where exists (select from jsonb_each(c.secrets) as v where v.value ->> 'keyId' <> ${current}) order by c.id limit ${BATCH} for update of c`,
    rewrapped: (ring, { endpoint, sealed }) => rewrapCredential(ring, endpoint, sealed),
    save: ({ id }, sealed) => sql`update credential set secrets = ${sealed}::text::jsonb where id = ${id}::bigint`,
  },
  {
    name: "connector_state",
    keyIds: sql`select value ->> 'keyId' as key_id from connector_state where value ? 'keyId'`,
    rows: (current) => sql`select s.endpoint_id || '/' || s.key as id, e.key as endpoint, 'state:' || s.key as name, s.value as sealed
      from connector_state as s join endpoint as e on e.id = s.endpoint_id where s.value ->> 'keyId' <> ${current}
      order by s.endpoint_id, s.key limit ${BATCH} for update of s`,
    rewrapped: single,
    save: ({ id }, sealed) => sql`update connector_state set value = ${sealed}::text::jsonb where endpoint_id || '/' || key = ${id}
      and endpoint_id = split_part(${id}, '/', 1)::integer`,
  },
  {
    name: "calendar_import",
    keyIds: sql`select sealed_url ->> 'keyId' as key_id from calendar_import where sealed_url is not null`,
    rows: (current) => sql`select id::text as id, key as endpoint, '' as name, sealed_url as sealed from calendar_import
      where sealed_url ->> 'keyId' <> ${current} order by calendar_import.id limit ${BATCH} for update`,
    rewrapped: (ring, { endpoint, sealed }) => rewrap(ring, calendarUrlAddress(endpoint), sealedSecretSchema.parse(sealed)),
    save: ({ id }, sealed) => sql`update calendar_import set sealed_url = ${sealed}::text::jsonb where id = ${id}::integer`,
  },
  {
    name: "team_webhook",
    keyIds: sql`select sealed ->> 'keyId' as key_id from team_webhook where sealed is not null`,
    rows: (
      current,
    ) => sql`select k.id::text as id, t.key as endpoint, k.url as name, k.sealed from team_webhook as k join team as t on t.id = k.team_id
      where k.sealed ->> 'keyId' <> ${current} order by k.id limit ${BATCH} for update of k`,
    rewrapped: (ring, { endpoint, name, sealed }) => rewrap(ring, webhookSecretAddress(endpoint, name), sealedSecretSchema.parse(sealed)),
    save: ({ id }, sealed) => sql`update team_webhook set sealed = ${sealed}::text::jsonb where id = ${id}::integer`,
  },
];

/** How many values each master key has sealed, by its id. */
export async function sealedByKey(tx: Tx): Promise<readonly { readonly keyId: string; readonly secrets: number }[]> {
  const all = sql.join(
    tables.map(({ keyIds }) => keyIds),
    sql` union all `,
  );
  return selectRows(tx, sql`select key_id as "keyId", count(*)::integer as secrets from (${all}) as k group by key_id order by key_id`);
}

/**
 * Seals data keys again under the current master key, so that the others can be thrown away; values, versions and fingerprints stay. It works for so many
 * batches, each a transaction, and goes on where it, or another server, stopped. Answers how many rows it moved; 0 when there is nothing left. Throws
 * QSC_CREDENTIALS_OTHER_MASTER_KEY when a value was sealed by a key that is not at hand.
 */
export async function rewrapSecrets(database: Database, ring: KeyRing): Promise<number> {
  let moved = 0;
  let batches = 0;
  for (const table of tables) {
    for (let found = BATCH; found === BATCH && batches < BATCHES_PER_CALL; batches += 1) {
      found = await rewrapBatch(database, { ring, table });
      moved += found;
    }
  }
  return moved;
}

/** A call of {@link rewrapSecrets} by somebody, with its audit entry and event. */
export async function rotateMasterKey(
  context: CommandContext & { readonly keys: KeyRing },
  input: { readonly reason?: string | undefined },
): Promise<number> {
  const { database, actor, keys } = context;
  const moved = await rewrapSecrets(database, keys);
  await inTransaction(context, async (tx) => {
    const after = { masterKey: keys.current.id, moved };
    const reason = input.reason === undefined ? {} : { reason: input.reason };
    await recordAudit(tx, {
      actor,
      action: "control.master-key-rotated",
      subjectKind: "control",
      subjectKey: "master-key",
      ...reason,
      after,
    });
    await appendEvents(tx, [{ kind: "control.master-key-rotated", subjectKind: "control", subjectKey: "master-key", payload: after }]);
  });
  return moved;
}

function rewrapBatch(database: Database, input: { readonly ring: KeyRing; readonly table: SealedTable }): Promise<number> {
  const { ring, table } = input;
  return inTransaction({ database }, async (tx) => {
    const rows = await selectRows<SealedRow>(tx, table.rows(ring.current.id));
    for (const row of rows) await tx.execute(table.save(row, JSON.stringify(table.rewrapped(ring, row))));
    return rows.length;
  });
}
