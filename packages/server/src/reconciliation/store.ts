import type { DifferenceKind, ReconciliationCounts, ReconciliationMethod, SideEntry } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { storableJson } from "../pipeline/storable-json.js";
import type { Side } from "./reconciling-run.js";

/** Which stream of which comparison. */
export interface StreamPlace {
  readonly reconciliationId: number;
  readonly stream: string;
}

/** How far the comparison of a stream is. */
export type ReconciliationPhase = "source" | "target" | "comparing" | "second-look" | "done";

/** A difference as it is kept and shown; the data are absent where only hashes are known. */
export interface DifferenceSample {
  readonly key: string;
  readonly kind: DifferenceKind;
  readonly source: unknown;
  readonly target: unknown;
  /** The names of fields that differ. */
  readonly fields: readonly string[];
}

/** Whether the stream was compared already, by an earlier attempt. */
export async function isCompared(tx: Tx, { reconciliationId, stream }: StreamPlace): Promise<boolean> {
  const rows = await tx.execute(sql`
    select from reconciliation_stream where reconciliation_id = ${reconciliationId}::bigint and stream = ${stream} and ended_at is not null`);
  return rows.length > 0;
}

/** Begins a stream, or begins it anew: what an attempt that died has left is forgotten. */
export async function beginStream(tx: Tx, place: StreamPlace, method: ReconciliationMethod): Promise<void> {
  await tx.execute(sql`
    delete from reconciliation_stream where reconciliation_id = ${place.reconciliationId}::bigint and stream = ${place.stream}`);
  await forgetEntries(tx, place);
  await tx.execute(sql`
    insert into reconciliation_stream (reconciliation_id, stream, method, phase)
    values (${place.reconciliationId}::bigint, ${place.stream}, ${method}, 'source')`);
}

/** Forgets staged entries, of one side or of both. */
export async function forgetEntries(tx: Tx, { reconciliationId, stream }: StreamPlace, side?: Side): Promise<void> {
  await tx.execute(sql`
    delete from reconciliation_entry where reconciliation_id = ${reconciliationId}::bigint and stream = ${stream} and (${side ?? null}::text is null or side = ${side ?? null})`);
}

/** Says how far a stream is. */
export async function noteProgress(
  tx: Tx,
  { reconciliationId, stream }: StreamPlace,
  progress: { readonly phase: ReconciliationPhase; readonly side?: Side; readonly records?: number },
): Promise<void> {
  const { phase, side, records = 0 } = progress;
  await tx.execute(sql`
    update reconciliation_stream set phase = ${phase},
      source_records = case when ${side ?? null}::text = 'source' then ${records}::bigint else source_records end,
      target_records = case when ${side ?? null}::text = 'target' then ${records}::bigint else target_records end
    where reconciliation_id = ${reconciliationId}::bigint and stream = ${stream}`);
}

/** Stages entries of a side by key; null: the record is gone, or is none of this stream. */
export async function stageEntries(
  tx: Tx,
  { reconciliationId, stream }: StreamPlace,
  side: Side,
  entries: ReadonlyMap<string, string | null>,
): Promise<void> {
  const kept = [...entries].filter((entry): entry is [string, string] => entry[1] !== null);
  const gone = [...entries].filter(([, hash]) => hash === null).map(([key]) => key);
  if (kept.length > 0)
    await tx.execute(sql`
      insert into reconciliation_entry (reconciliation_id, stream, side, key, hash)
      select ${reconciliationId}::bigint, ${stream}, ${side}, e.key, e.hash
      from unnest(${sql.param(kept.map(([key]) => key))}::text[], ${sql.param(kept.map(([, hash]) => hash))}::text[]) as e(key, hash)
      on conflict (reconciliation_id, stream, side, key) do update set hash = excluded.hash where reconciliation_entry.hash <> excluded.hash`);
  if (gone.length > 0)
    await tx.execute(sql`
      delete from reconciliation_entry where reconciliation_id = ${reconciliationId}::bigint and stream = ${stream} and side = ${side}
        and key = any (${sql.param(gone)}::text[])`);
}

/** How many entries of a side are staged, and how many of them are of records that do not fit the mapping. */
export async function countEntries(
  tx: Tx,
  { reconciliationId, stream }: StreamPlace,
  of: { readonly side: Side; readonly unfitHash: string },
): Promise<{ readonly records: number; readonly unfit: number }> {
  const [row] = await tx.execute<{ records: number; unfit: number }>(sql`
    select count(*)::float8 as records, count(*) filter (where hash = ${of.unfitHash})::float8 as unfit
    from reconciliation_entry where reconciliation_id = ${reconciliationId}::bigint and stream = ${stream} and side = ${of.side}`);
  return row ?? { records: 0, unfit: 0 };
}

/** Staged entries behind a key, in order. */
export function entriesAfter(
  tx: Tx,
  { reconciliationId, stream }: StreamPlace,
  of: { readonly side: Side; readonly after: string; readonly limit: number },
): Promise<readonly SideEntry[]> {
  return selectRows<SideEntry>(
    tx,
    sql`
    select key, hash from reconciliation_entry where reconciliation_id = ${reconciliationId}::bigint and stream = ${stream} and side = ${of.side}
      and key > ${of.after} order by key limit ${of.limit}`,
  );
}

/** What a comparison of a stream has found. */
export interface StreamResult {
  readonly counts: ReconciliationCounts;
  readonly sourceRecords: number;
  readonly targetRecords: number;
  readonly unfit: number;
  readonly isTruncated: boolean;
  readonly samples: readonly DifferenceSample[];
}

/** Ends a stream with its result; `samples` and the keys are masked already. */
export async function endStream(
  tx: Tx,
  place: StreamPlace,
  result: StreamResult,
  differences: readonly { readonly key: string; readonly kind: DifferenceKind; readonly isHidden: boolean }[],
): Promise<void> {
  const { counts } = result;
  await tx.execute(sql`
    update reconciliation_stream set phase = 'done', ended_at = app_now(), source_records = ${result.sourceRecords}::bigint, target_records = ${result.targetRecords}::bigint,
      equal = ${counts.equal}::bigint, only_source = ${counts.onlySource}::bigint, only_target = ${counts.onlyTarget}::bigint, different = ${counts.different}::bigint,
      changing = ${counts.changing}::bigint, unfit = ${result.unfit}::bigint, is_truncated = ${result.isTruncated}, samples = ${storableJson(result.samples)}::text::jsonb
    where reconciliation_id = ${place.reconciliationId}::bigint and stream = ${place.stream}`);
  const rows = differences.map(({ key, kind, isHidden }) => ({ key, kind, state: isHidden ? "hidden" : "open" }));
  await tx.execute(sql`
    insert into reconciliation_difference (reconciliation_id, stream, key, kind, state)
    select ${place.reconciliationId}::bigint, ${place.stream}, d.key, d.kind, d.state
    from jsonb_to_recordset(${storableJson(rows)}::text::jsonb) as d(key text, kind text, state text)
    on conflict do nothing`);
  await forgetEntries(tx, place);
}
