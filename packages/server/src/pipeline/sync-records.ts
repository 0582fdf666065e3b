import type { FieldValues, MergeFacts } from "@quiesce/core";
import { ConnectorError } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { storableJson } from "./storable-json.js";

/** Which stream of which integration. */
export interface SyncPlace {
  readonly integrationId: number;
  readonly stream: string;
}

/** One record of a stream whose fields flow both ways, as it was last read and written. */
export interface SyncRecord extends Omit<MergeFacts, "source" | "target"> {
  readonly key: string;
  /** null: it is not there. */
  readonly source: FieldValues | null;
  readonly target: FieldValues | null;
  readonly sourceVersion: string | null;
  readonly targetVersion: string | null;
  /** Of the one-way fields that were delivered last, hashed; null: they are to be delivered whatever they are. */
  readonly delivered: string | null;
  /** How often it was settled. Whoever saves it says which one it had read. */
  readonly settled: number;
  readonly isDue: boolean;
}

/** A record that was never seen. */
export function unseenRecord(key: string): SyncRecord {
  return {
    key,
    agreed: {},
    source: null,
    target: null,
    sourceAt: null,
    targetAt: null,
    sourceVersion: null,
    targetVersion: null,
    sentToSource: {},
    sentToTarget: {},
    delivered: null,
    settled: 0,
    isDue: false,
  };
}

const columns = sql`key, agreed, source, target, source_at as "sourceAt", target_at as "targetAt", source_version as "sourceVersion",
  target_version as "targetVersion", sent_to_source as "sentToSource", sent_to_target as "sentToTarget", delivered, settled, is_due as "isDue"`;

type Row = SyncRecord & { readonly [column: string]: unknown };

/** The records of these keys that were seen before. */
export async function loadSyncRecords(tx: Tx, place: SyncPlace, keys: readonly string[]): Promise<ReadonlyMap<string, SyncRecord>> {
  if (keys.length === 0) return new Map();
  const rows = await tx.execute<Row>(sql`
    select ${columns} from sync_record
    where integration_id = ${place.integrationId} and stream = ${place.stream} and key = any (${sql.param([...new Set(keys)])}::text[])`);
  return new Map(rows.map((row) => [row.key, row]));
}

/** Records of which something may have to flow, in the order of their keys. */
export async function dueSyncRecords(
  tx: Tx,
  place: SyncPlace,
  page: { readonly after: string; readonly limit: number },
): Promise<readonly SyncRecord[]> {
  return tx.execute<Row>(sql`
    select ${columns} from sync_record
    where integration_id = ${place.integrationId} and stream = ${place.stream} and is_due and key > ${page.after} order by key limit ${page.limit}`);
}

/** A record as it shall stand; `settled` is the one that was read. `settles` counts it up. */
export interface SavedRecord {
  readonly record: SyncRecord;
  readonly settles: boolean;
}

/** Writes records as they are now. Throws `transient` when one was settled by somebody else since it was read: the run begins again from there. */
export async function saveSyncRecords(tx: Tx, place: SyncPlace, saved: readonly SavedRecord[]): Promise<void> {
  if (saved.length === 0) return;
  const rows = storableJson(
    saved
      .map(({ record, settles }) => ({
        ...record,
        sourceAt: instantText(record.sourceAt),
        targetAt: instantText(record.targetAt),
        next: record.settled + (settles ? 1 : 0),
      }))
      .toSorted((a, b) => (a.key < b.key ? -1 : 1)),
  );
  await requireUnsettled(tx, place, rows);
  await tx.execute(sql`
    insert into sync_record (integration_id, stream, key, agreed, source, target, source_at, target_at, source_version, target_version,
      sent_to_source, sent_to_target, delivered, settled, is_due)
    select ${place.integrationId}, ${place.stream}, g.key, g.agreed, nullif(g.source, 'null'), nullif(g.target, 'null'), g."sourceAt", g."targetAt", g."sourceVersion",
      g."targetVersion", g."sentToSource", g."sentToTarget", g.delivered, g.next, g."isDue"
    from jsonb_to_recordset(${rows}::text::jsonb) as g(key text, agreed jsonb, source jsonb, target jsonb, "sourceAt" timestamptz, "targetAt" timestamptz,
      "sourceVersion" text, "targetVersion" text, "sentToSource" jsonb, "sentToTarget" jsonb, delivered text, next integer, "isDue" boolean)
    on conflict (integration_id, stream, key) do update set agreed = excluded.agreed, source = excluded.source, target = excluded.target,
      source_at = excluded.source_at, target_at = excluded.target_at, source_version = excluded.source_version, target_version = excluded.target_version,
      sent_to_source = excluded.sent_to_source, sent_to_target = excluded.sent_to_target, delivered = excluded.delivered, settled = excluded.settled,
      is_due = excluded.is_due`);
}

/** Locks the rows that are there and compares how often each was settled. */
async function requireUnsettled(tx: Tx, place: SyncPlace, rows: string): Promise<void> {
  const found = await tx.execute<{ isSame: boolean }>(sql`
    select r.settled = g.settled as "isSame" from sync_record as r
    join jsonb_to_recordset(${rows}::text::jsonb) as g(key text, settled integer) on g.key = r.key
    where r.integration_id = ${place.integrationId} and r.stream = ${place.stream} order by r.key for update of r`);
  if (found.every(({ isSame }) => isSame)) return;
  throw new ConnectorError(
    "transient",
    `Somebody else has settled records of stream "${place.stream}" meanwhile (another run, or a person who decided a conflict); this one begins again from there.`,
  );
}

/** Forgets records that are at neither side any more. */
export async function forgetSyncRecords(tx: Tx, place: SyncPlace, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  await tx.execute(sql`
    delete from sync_record where integration_id = ${place.integrationId} and stream = ${place.stream} and key = any (${sql.param(keys)}::text[])`);
}

function instantText(instant: number | null): string | null {
  return instant === null ? null : new Date(instant).toISOString();
}
