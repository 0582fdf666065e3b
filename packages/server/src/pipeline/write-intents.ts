import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { type LetterPlace, letterRow, storedKey } from "./dead-letters.js";
import type { DeadError, DeadRecord, PreparedRecord } from "./prepare-records.js";
import { storableJson } from "./storable-json.js";

/**
 * Targets that cannot recognise a repetition (write.idempotency "none"). Before a batch is sent its records are committed as dead letters in
 * review, marked as intents; the confirmation takes them away again. So a process that dies in between leaves a question for a person, never a
 * double.
 */
const interrupted: DeadError = {
  stage: "write",
  kind: "timeout",
  message: "The run ended while this record was being written, so nobody knows whether the target has it.",
  ambiguous: true,
};

/** What the letters say of records that a page brings again. */
export interface Answered {
  readonly fresh: readonly PreparedRecord[];
  /** Known already: delivered, discarded or in review. They are not sent again. */
  readonly earlier: readonly PreparedRecord[];
  /** Of these, the ones left in doubt by an attempt that ended in the middle. */
  readonly interrupted: number;
}

/** Looks which records were answered by an earlier attempt, and commits the intent to write the others. */
export async function declareIntents(tx: Tx, place: LetterPlace, records: readonly PreparedRecord[]): Promise<Answered> {
  const keys = storedIdempotencyKeys(place, records);
  const known = await tx.execute<{ key: string; interrupted: boolean }>(sql`
    select record ->> 'idempotencyKey' as key, status = 'review' and coalesce((record -> 'intent')::boolean, false) as interrupted
    from dead_letter
    where integration_id = ${place.integrationId} and stream = ${place.stream} and record_key = any (${sql.param(records.map((record) => storedKey(place, record.source.key)))}::text[])
      and record ->> 'idempotencyKey' = any (${sql.param(keys)}::text[])`);
  const answered = new Set(known.map((row) => row.key));
  const fresh = records.filter((record) => !answered.has(storedKey(place, record.item.idempotencyKey)));
  const earlier = records.filter((record) => answered.has(storedKey(place, record.item.idempotencyKey)));
  const letters = fresh.map((record): DeadRecord => ({
    source: record.source,
    idempotencyKey: record.item.idempotencyKey,
    error: interrupted,
  }));
  const rows = storableJson(letters.map((letter) => letterRow(letter, place, { intent: true })));
  await tx.execute(sql`
    insert into dead_letter (integration_id, stream, record_key, record, error, run_id, status)
    select ${place.integrationId}, ${place.stream}, g.key, g.record, g.error, ${place.runId}::uuid, 'review'
    from jsonb_to_recordset(${rows}::text::jsonb) as g(key text, record jsonb, error jsonb)`);
  return { fresh, earlier, interrupted: known.filter((row) => row.interrupted).length };
}

/** Replaces intents by what became of them. `whole` says that the page's cursor is committed with it: then nothing needs to be remembered of what was delivered. */
export async function settleIntents(
  tx: Tx,
  place: LetterPlace,
  settled: {
    readonly delivered: readonly PreparedRecord[];
    readonly unsent: readonly PreparedRecord[];
    readonly dead: readonly DeadRecord[];
    readonly review: readonly DeadRecord[];
    readonly earlier: readonly PreparedRecord[];
    readonly whole: boolean;
  },
): Promise<void> {
  const gone = settled.whole ? [...settled.delivered, ...settled.unsent] : settled.unsent;
  await removeIntents(tx, place, gone);
  if (!settled.whole) {
    await tx.execute(sql`
      update dead_letter set status = 'replayed', resolved_at = app_now()
      where integration_id = ${place.integrationId} and stream = ${place.stream} and record -> 'intent' = 'true'
        and record ->> 'idempotencyKey' = any (${sql.param(storedIdempotencyKeys(place, settled.delivered))}::text[])`);
  }
  const answers = [
    ...settled.dead.map((letter) => ({ letter, status: "open" })),
    ...settled.review.map((letter) => ({ letter, status: "review" })),
  ];
  const rows = storableJson(
    answers.map(({ letter, status }) => ({
      idempotencyKey: letterRow(letter, place).idempotencyKey,
      error: place.mask.deep(letter.error),
      status,
    })),
  );
  await tx.execute(sql`
    update dead_letter as d set status = g.status, error = g.error, record = d.record - 'intent', at = app_now()
    from jsonb_to_recordset(${rows}::text::jsonb) as g("idempotencyKey" text, error jsonb, status text)
    where d.integration_id = ${place.integrationId} and d.stream = ${place.stream} and d.record -> 'intent' = 'true'
      and d.record ->> 'idempotencyKey' = g."idempotencyKey"`);
  if (settled.whole) await closeEarlier(tx, place, settled.earlier);
}

async function removeIntents(tx: Tx, place: LetterPlace, records: readonly PreparedRecord[]): Promise<void> {
  if (records.length === 0) return;
  await tx.execute(sql`
    delete from dead_letter where integration_id = ${place.integrationId} and stream = ${place.stream} and status = 'review' and record -> 'intent' = 'true'
      and record ->> 'idempotencyKey' = any (${sql.param(storedIdempotencyKeys(place, records))}::text[])`);
}

/** The page is behind us: its delivered records need no memory, its doubtful ones stay as questions. */
async function closeEarlier(tx: Tx, place: LetterPlace, records: readonly PreparedRecord[]): Promise<void> {
  if (records.length === 0) return;
  const keys = storedIdempotencyKeys(place, records);
  await tx.execute(sql`
    delete from dead_letter where integration_id = ${place.integrationId} and stream = ${place.stream} and status = 'replayed' and record -> 'intent' = 'true'
      and record ->> 'idempotencyKey' = any (${sql.param(keys)}::text[])`);
  await tx.execute(sql`
    update dead_letter set record = record - 'intent'
    where integration_id = ${place.integrationId} and stream = ${place.stream} and status = 'review' and record -> 'intent' = 'true'
      and record ->> 'idempotencyKey' = any (${sql.param(keys)}::text[])`);
}

function storedIdempotencyKeys(place: LetterPlace, records: readonly PreparedRecord[]): readonly string[] {
  return records.map((record) => storedKey(place, record.item.idempotencyKey));
}
