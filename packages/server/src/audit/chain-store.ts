import { type AuditDeed, type ChainPlace, chainStart, type ChainProblem, orderedBy, type SealedEntry } from "@quiesce/core";
import { sql, type SQL } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { bigints } from "../db/sql-arrays.js";

/** The end of the chain, and what those who watch it know. */
export interface ChainState extends ChainPlace {
  readonly sealedAt: number | null;
  readonly drainedAt: number | null;
  readonly clockAcknowledgements: number;
  readonly checkedAt: number | null;
  readonly broken: ChainProblem | null;
  readonly epoch: string;
}

export async function chainState(tx: Tx, options: { readonly lock?: boolean } = {}): Promise<ChainState> {
  const [state] = await selectRows<ChainState>(
    tx,
    sql`
    select a.position, encode(a.hash, 'hex') as hash, a.sealed_at as "sealedAt", a.drained_at as "drainedAt",
      a.clock_acknowledgements as "clockAcknowledgements", a.checked_at as "checkedAt", a.broken, c.event_epoch as epoch
    from audit_chain as a cross join control as c ${options.lock === true ? sql`for update of a` : sql``}`,
  );
  if (state === undefined) throw new Error("audit_chain has no row.");
  return state;
}

const deedColumns = sql`e.id, e.at, e.actor, e.action, e.subject_kind as "subjectKind", e.subject_key as "subjectKey", e.reason, e.before, e.after`;

/** What has committed and has no place yet, in the order of the numbers. */
export function unsealedDeeds(tx: Tx, limit: number): Promise<readonly AuditDeed[]> {
  return selectRows(tx, sql`select ${deedColumns} from audit_entry as e where e.position is null order by e.id limit ${limit}`);
}

/** Sealed entries that fit, in the order of the chain. */
export function sealedEntries(tx: Tx, where: SQL, limit: number): Promise<readonly SealedEntry[]> {
  return selectRows(
    tx,
    sql`
    select ${deedColumns}, e.position, encode(e.hash, 'hex') as hash, e.sealed_at as "sealedAt", coalesce(e.late, false) as late,
      coalesce((
        select jsonb_agg(jsonb_build_object('field', p.field, 'commitment', encode(p.commitment, 'hex'), 'salt', p.salt, 'erasedBy', p.erased_by) order by p.field)
        from audit_personal as p where p.entry_id = e.id), '[]') as personal
    from audit_entry as e where e.position is not null and ${where} order by e.position limit ${limit}`,
  );
}

/** Writes where entries stand, with the commitments to their personal values. */
export async function writeSealed(tx: Tx, entries: readonly SealedEntry[]): Promise<void> {
  await tx.execute(sql`select set_config('quiesce.audit_change', 'seal', true)`);
  const rows = entries.map(({ id, position, hash, sealedAt, late }) => ({
    id,
    position,
    hash,
    at: new Date(sealedAt).toISOString(),
    late,
  }));
  await tx.execute(sql`
    update audit_entry as e set position = s.position, hash = decode(s.hash, 'hex'), sealed_at = s.at, late = s.late
    from jsonb_to_recordset(${JSON.stringify(rows)}::text::jsonb) as s(id bigint, position bigint, hash text, at timestamptz, late boolean)
    where e.id = s.id`);
  await tx.execute(sql`select set_config('quiesce.audit_change', '', true)`);
  const values = entries.flatMap(({ id, personal }) => personal.map(({ field, commitment, salt }) => ({ id, field, commitment, salt })));
  await tx.execute(sql`
    insert into audit_personal (entry_id, field, commitment, salt)
    select id, field, decode(commitment, 'hex'), salt
    from jsonb_to_recordset(${JSON.stringify(values)}::text::jsonb) as v(id bigint, field text, commitment text, salt text)`);
}

/** The hashes at some positions, as they stand; what is not there is left out. */
export async function hashesAt(tx: Tx, positions: readonly number[]): Promise<ReadonlyMap<number, string>> {
  const rows = await selectRows<ChainPlace>(
    tx,
    sql`select position, encode(hash, 'hex') as hash from audit_entry where position = any(${bigints(positions)})`,
  );
  return new Map(rows.map(({ position, hash }) => [position, hash]));
}

/** The place before a position, by what is stored there; null when nothing is. */
export async function placeAt(tx: Tx, position: number): Promise<ChainPlace | null> {
  if (position <= 0) return chainStart;
  const hash = (await hashesAt(tx, [position])).get(position);
  return hash === undefined ? null : { position, hash };
}

/** What the orders say that entries name for their erased values. */
export async function ordersOf(tx: Tx, entries: readonly SealedEntry[]): Promise<ReadonlyMap<number, ReadonlySet<string>>> {
  const ids = new Set(entries.flatMap(({ personal }) => personal.flatMap(({ erasedBy }) => erasedBy ?? [])));
  if (ids.size === 0) return new Map();
  const orders = await selectRows<{ readonly id: number; readonly action: string; readonly after: unknown }>(
    tx,
    sql`select id, action, after from audit_entry where id = any(${bigints([...ids])})`,
  );
  return new Map(orders.map((order) => [order.id, orderedBy(order)]));
}

/** What waits for its place. */
export async function unsealedTail(tx: Tx): Promise<{ readonly count: number; readonly oldestAt: number | null; readonly now: number }> {
  const [tail] = await selectRows<{ readonly count: number; readonly oldestAt: number | null; readonly now: number }>(
    tx,
    sql`select count(*)::integer as count, min(at) as "oldestAt", app_now() as now from audit_entry where position is null`,
  );
  if (tail === undefined) throw new Error("count() returned no row.");
  return tail;
}
