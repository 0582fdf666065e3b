import { hash } from "node:crypto";
import { sortedText } from "@quiesce/core";
import type { SourceRecord } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import type { Database, Tx } from "../db/client.js";
import type { StreamRun } from "./pipeline-run.js";
import type { PreparedRecord } from "./prepare-records.js";
import { isTwoWay } from "./two-way-stream.js";

/*
 * What was sent last, by record. A source is read again where a page was not committed, where reads overlap, and as a whole where it knows no changes.
 * A target that keeps records by their own key does not mind. For others (a queue, a webhook, mail) it is remembered what each record was when it was
 * taken, and that is not sent once more. Of a log nothing is remembered: it is read from an exact place, and every entry is a change.
 */

/** So often at most it is noted that a record was seen again. */
const SEEN_AGAIN_AFTER = "7 days";
/** What was not seen for so long is forgotten: it is gone, or its integration is. */
const FORGOTTEN_AFTER = "400 days";
const FORGOTTEN_AT_ONCE = 10_000;

/** Whether it is remembered what was sent of this stream. */
export function remembersSent(run: StreamRun): boolean {
  return !isTwoWay(run) && run.target.idempotencyOf(run.stream.target) !== "upsert";
}

/** Records that are a change of what was sent last, and those that are none, in their order. `readsState`: what is read is the state of each record, not a log of events. */
export async function withoutRepeated(
  run: StreamRun,
  records: readonly PreparedRecord[],
  { readsState }: { readonly readsState: boolean },
): Promise<{ readonly changed: readonly PreparedRecord[]; readonly repeated: readonly PreparedRecord[] }> {
  if (records.length === 0 || !readsState || !remembersSent(run)) return { changed: records, repeated: [] };
  const last = await loadSent(run, records);
  const changed: PreparedRecord[] = [];
  const repeated: PreparedRecord[] = [];
  for (const record of records) {
    const key = keyHash(record.source);
    const signature = signatureOf(run, record);
    if (signature !== undefined && last.get(key) === signature) repeated.push(record);
    else {
      changed.push(record);
      // Nobody knows yet whether it will be taken, so what follows of this key on the page is sent as well.
      last.delete(key);
    }
  }
  return { changed, repeated };
}

/** Notes what was taken as it was, or seen again, in the transaction that commits it. */
export async function rememberSent(tx: Tx, run: StreamRun, records: readonly PreparedRecord[]): Promise<void> {
  if (records.length === 0 || !remembersSent(run)) return;
  const last = new Map(records.map((record) => [keyHash(record.source), signatureOf(run, record)]));
  const known = [...last].filter((one): one is [string, string] => one[1] !== undefined).toSorted(([a], [b]) => (a < b ? -1 : 1));
  await forget(
    tx,
    run,
    [...last].filter(([, signature]) => signature === undefined).map(([key]) => key),
  );
  if (known.length === 0) return;
  await tx.execute(sql`
    insert into stream_sent as s (integration_id, stream, key_hash, signature)
    select ${run.run.integrationId}, ${run.stream.stream}, k, g
    from unnest(${sql.param(known.map(([key]) => key))}::text[], ${sql.param(known.map(([, signature]) => signature))}::text[]) as t(k, g)
    on conflict (integration_id, stream, key_hash) do update set signature = excluded.signature, seen_at = excluded.seen_at
      where s.signature <> excluded.signature or s.seen_at < app_now() - ${SEEN_AGAIN_AFTER}::interval`);
}

/** The target has something else of these records, that came another way: they are sent when they are read next. */
export async function forgetSent(tx: Tx, run: StreamRun, records: readonly PreparedRecord[]): Promise<void> {
  if (!remembersSent(run)) return;
  await forget(
    tx,
    run,
    records.map(({ source }) => keyHash(source)),
  );
}

/** Forgets records that were not seen for over a year; answers how many. */
export async function forgetUnseen({ database }: { readonly database: Database }): Promise<number> {
  const rows = await database.db.execute(sql`
    delete from stream_sent where ctid in (select ctid from stream_sent where seen_at < app_now() - ${FORGOTTEN_AFTER}::interval limit ${FORGOTTEN_AT_ONCE})
    returning 1`);
  return rows.length;
}

async function forget(tx: Tx, run: StreamRun, keyHashes: readonly string[]): Promise<void> {
  if (keyHashes.length === 0) return;
  await tx.execute(sql`
    delete from stream_sent where integration_id = ${run.run.integrationId} and stream = ${run.stream.stream}
      and key_hash = any (${sql.param(keyHashes)}::text[])`);
}

async function loadSent(run: StreamRun, records: readonly PreparedRecord[]): Promise<Map<string, string>> {
  const keys = [...new Set(records.map(({ source }) => keyHash(source)))];
  const rows = await run.database.db.execute<{ key: string; signature: string }>(sql`
    select key_hash as key, signature from stream_sent
    where integration_id = ${run.run.integrationId} and stream = ${run.stream.stream} and key_hash = any (${sql.param(keys)}::text[])`);
  return new Map(rows.map(({ key, signature }) => [key, signature]));
}

/** What tells a record from what it was before, and where it went. A deletion that was found by comparing keys has none: it is not found again. */
function signatureOf(run: StreamRun, { source, item }: PreparedRecord): string | undefined {
  const place = [run.target.key, run.stream.target, item.key, item.op ?? "upsert"];
  if (source.version !== undefined) return digest([...place, "version", source.version]);
  if (source.op === "delete") return undefined;
  return digest([...place, "content", sortedText(item.data)]);
}

function keyHash({ key }: SourceRecord): string {
  return digest([key]);
}

function digest(parts: readonly string[]): string {
  return hash("sha256", JSON.stringify(parts), "hex").slice(0, 40);
}
