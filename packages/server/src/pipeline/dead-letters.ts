import { sql } from "drizzle-orm";
import type { SecretMask } from "../connector-host/secret-mask.js";
import type { Tx } from "../db/client.js";
import type { DeadRecord } from "./prepare-records.js";
import { storableJson, storableText } from "./storable-json.js";

/** A record larger than this is kept by its key only. */
const MAX_RECORD_CHARACTERS = 1_048_576;

/** Which stream of which run the letters belong to. */
export interface LetterPlace {
  readonly integrationId: number;
  readonly stream: string;
  readonly runId: string;
  readonly mask: SecretMask;
}

/** What dead_letter.record holds: the record as it was read, so that a replay maps it anew. */
interface StoredRecord {
  readonly source: { readonly key: string; readonly data?: unknown };
  readonly idempotencyKey: string;
  /** Something in it was hidden or left out: it cannot be replayed, only read again from the source. */
  readonly incomplete?: true;
  /** Written before an attempt that cannot be repeated; the confirmation removes it. */
  readonly intent?: true;
}

/** A key as it is stored in a letter: without secrets, and with what the table can hold. */
export function storedKey(place: LetterPlace, key: string): string {
  return place.mask.text(storableText(key));
}

/** One dead letter as its row's values. */
interface LetterRow {
  readonly key: string;
  readonly idempotencyKey: string;
  readonly record: StoredRecord;
  readonly error: unknown;
}

/** Hides secrets in a record that failed, and what the table cannot hold. */
export function letterRow(letter: DeadRecord, place: LetterPlace, marks: { readonly intent?: true } = {}): LetterRow {
  const plain = storableJson(letter.source);
  const masked = storableJson(place.mask.deep(letter.source));
  const tooLarge = masked.length > MAX_RECORD_CHARACTERS;
  const key = storedKey(place, letter.source.key);
  const source = tooLarge ? { key } : (JSON.parse(masked) as StoredRecord["source"]);
  const incomplete = tooLarge || masked !== plain ? ({ incomplete: true } as const) : {};
  const idempotencyKey = storedKey(place, letter.idempotencyKey);
  return { key, idempotencyKey, record: { source, idempotencyKey, ...incomplete, ...marks }, error: place.mask.deep(letter.error) };
}

/** Puts records among the open dead letters. A record has one open letter: a newer failure takes the place of the older. */
export async function putOpenLetters(tx: Tx, place: LetterPlace, letters: readonly DeadRecord[]): Promise<void> {
  if (letters.length === 0) return;
  const newest = new Map(letters.map((letter) => [letter.source.key, letter]));
  const rows = storableJson([...newest.values()].map((letter) => letterRow(letter, place)));
  await tx.execute(sql`
    with given as materialized (
      select * from jsonb_to_recordset(${rows}::text::jsonb) as g(key text, record jsonb, error jsonb)
    ),
    renewed as (
      update dead_letter as d set record = g.record, error = g.error, run_id = ${place.runId}::uuid, at = app_now()
      from given as g
      where d.integration_id = ${place.integrationId} and d.status = 'open' and d.stream = ${place.stream} and d.record_key = g.key
      returning d.record_key
    )
    insert into dead_letter (integration_id, stream, record_key, record, error, run_id)
    select ${place.integrationId}, ${place.stream}, g.key, g.record, g.error, ${place.runId}::uuid
    from given as g where g.key not in (select record_key from renewed)`);
}

/** Whether the stream has open letters at all. */
export async function hasOpenLetters(tx: Tx, place: LetterPlace): Promise<boolean> {
  const rows = await tx.execute(sql`
    select from dead_letter where integration_id = ${place.integrationId} and status = 'open' and stream = ${place.stream} limit 1`);
  return rows.length > 0;
}

/** Closes the open letters of records that were delivered since: replaying an older version over a newer one would do harm. */
export async function discardDelivered(tx: Tx, place: LetterPlace, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  await tx.execute(sql`
    update dead_letter set status = 'discarded', resolved_at = app_now()
    where integration_id = ${place.integrationId} and status = 'open' and stream = ${place.stream} and record_key = any (${sql.param(keys.map((key) => storedKey(place, key)))}::text[])`);
}
