import { type ChainPlace, type ChainProblem, chainStart } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { inTransaction } from "../command.js";
import type { Database, Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";
import { chainState, placeAt } from "./chain-store.js";
import { queueForAuditors } from "./publish-head.js";
import { verifyTrail } from "./verify-trail.js";

/** The newest entries are looked at every time, the others in a round of pieces. */
const newest = 1_000;
const pieceSize = 2_000;

export interface SelfCheck {
  /** What is wrong, as far as is known; null: nothing. */
  readonly broken: ChainProblem | null;
  /** It was not known before this look. */
  readonly isNews: boolean;
}

/**
 * The running check of the trail: the newest entries and the next piece of a round over all of them. What it finds is on record until it is mended,
 * is the event `audit.broken`, once, and a failed health check. One server at a time; null on another.
 */
export function checkChain(context: { readonly database: Database }): Promise<SelfCheck | null> {
  return inTransaction(context, async (tx) => {
    const [lock] = await tx.execute<{ won: boolean }>(sql`select pg_try_advisory_xact_lock(lock_class_audit(), 1) as won`);
    if (lock?.won !== true) return null;
    const { broken } = await chainState(tx);
    if (broken !== null && (await stillBroken(tx, context.database, broken))) return { broken, isNews: false };
    const found = await look(tx, context.database);
    if (found === null && broken === null) return { broken: null, isNews: false };
    await tx.execute(sql`update audit_chain set broken = ${found === null ? null : JSON.stringify(found)}::text::jsonb`);
    const said = found ?? broken;
    const payload = { ...said, mended: found === null };
    const subject = { subjectKind: "control", subjectKey: "audit" } as const;
    await appendEvents(tx, [{ ...subject, kind: found === null ? "audit.mended" : "audit.broken", payload }]);
    await queueForAuditors(tx, found === null ? "audit.mended" : "audit.broken", payload);
    return { broken: found, isNews: true };
  });
}

/** The first problem among the newest entries and those of the round's next piece. */
async function look(tx: Tx, database: Database): Promise<ChainProblem | null> {
  const [round] = await tx.execute<{ position: number; hash: string }>(sql`
    select checked_position as position, encode(checked_hash, 'hex') as hash from audit_chain`);
  const from: ChainPlace = round ?? chainStart;
  const piece = await verifyTrail(database, from, { limit: pieceSize, toleratesLate: true });
  const next = piece.isEnd ? chainStart : piece.place;
  await tx.execute(sql`
    update audit_chain set checked_position = ${next.position}, checked_hash = decode(${next.hash}, 'hex'), checked_at = app_now()`);
  const tailStart = piece.isEnd ? null : await placeAt(tx, Math.max(0, piece.chain.position - newest));
  const tail = tailStart === null ? [] : (await verifyTrail(database, tailStart, { limit: newest * 2, toleratesLate: true })).problems;
  return [...piece.problems, ...tail].toSorted((a, b) => a.position - b.position)[0] ?? null;
}

async function stillBroken(tx: Tx, database: Database, broken: ChainProblem): Promise<boolean> {
  const before = await placeAt(tx, broken.position - 1);
  if (before === null) return true;
  const { problems } = await verifyTrail(database, before, { limit: 2, toleratesLate: true });
  return problems.some(({ position }) => position === broken.position);
}
