import { isLate, lateEntry, sealDeeds } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { randomBytes } from "node:crypto";
import { inTransaction, readNow } from "../command.js";
import type { Database, Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";
import { chainState, unsealedDeeds, writeSealed } from "./chain-store.js";
import { queueForAuditors } from "./publish-head.js";
import { sha256 } from "./sha256.js";

/** Entries of one transaction. */
const batchSize = 1_000;
const saltBytes = 16;
/** With nothing to seal this often it is noted that there was nothing. */
const notedEveryMs = 60_000;

export interface SealResult {
  readonly sealed: number;
  /** Of these, entries whose time was long past. */
  readonly late: number;
  /** There may be more. */
  readonly more: boolean;
}

/**
 * Gives one batch of committed entries their places in the chain, those of older releases too. One server at a time: another that asks meanwhile
 * seals nothing, or waits for its turn. Commands wait for nothing here.
 */
export async function sealEntries(
  context: { readonly database: Database },
  options: { readonly waits?: boolean } = {},
): Promise<SealResult> {
  if (!(await isWanted(context.database.db))) return { sealed: 0, late: 0, more: false };
  return inTransaction(context, async (tx) => {
    if (options.waits === true) await tx.execute(sql`select pg_advisory_xact_lock(lock_class_audit(), 0)`);
    else {
      const [lock] = await tx.execute<{ won: boolean }>(sql`select pg_try_advisory_xact_lock(lock_class_audit(), 0) as won`);
      if (lock?.won !== true) return { sealed: 0, late: 0, more: false };
    }
    return sealBatch(tx);
  });
}

/** Seals everything that has committed. */
export async function sealAll(context: { readonly database: Database }): Promise<void> {
  while ((await sealEntries(context, { waits: true })).more);
}

async function isWanted(tx: Tx): Promise<boolean> {
  const [row] = await tx.execute<{ wanted: boolean }>(sql`
    select exists (select from audit_entry where position is null)
      or coalesce(a.drained_at not between app_now() - ${`${notedEveryMs} milliseconds`}::interval and app_now(), true) as wanted
    from audit_chain as a`);
  return row?.wanted === true;
}

async function sealBatch(tx: Tx): Promise<SealResult> {
  const chain = await chainState(tx, { lock: true });
  // Before the look: what it does not see has committed later than this.
  const now = await readNow(tx);
  const [clock] = await tx.execute<{ acknowledgements: number; stepped: boolean }>(sql`
    select clock_acknowledgements as acknowledgements, clock_stepped_at is not null as stepped from control`);
  const acknowledgements = clock?.acknowledgements ?? 0;
  const clockChanged = clock?.stepped !== false || acknowledgements !== chain.clockAcknowledgements;
  const deeds = await unsealedDeeds(tx, batchSize);
  const sealed = sealDeeds(chain, deeds, {
    sealedAt: now,
    isLate: ({ at }) => isLate(at, { drainedAt: chain.drainedAt, now, clockChanged }),
    salt: () => randomBytes(saltBytes).toString("hex"),
    sha256,
  });
  const more = deeds.length === batchSize;
  const last = sealed.at(-1);
  if (last !== undefined) {
    await writeSealed(tx, sealed);
    await tx.execute(
      sql`update audit_chain set position = ${last.position}, hash = decode(${last.hash}, 'hex'), sealed_at = ${now}::timestamptz`,
    );
  }
  const firstLate = sealed.find(({ late }) => late);
  if (firstLate !== undefined) {
    const payload = { ...lateEntry(firstLate) };
    await appendEvents(tx, [{ kind: "audit.broken", subjectKind: "control", subjectKey: "audit", payload }]);
    await queueForAuditors(tx, "audit.broken", payload);
  }
  if (!more) await tx.execute(sql`update audit_chain set drained_at = ${now}::timestamptz, clock_acknowledgements = ${acknowledgements}`);
  return { sealed: sealed.length, late: sealed.filter(({ late }) => late).length, more };
}
