import { ConnectorError, type Cursor } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";
import type { RunToExecute } from "../scheduler/run-executor.js";
import { storableJson } from "./storable-json.js";
import type { Figures } from "./tally.js";

/** How far a stream was read. */
export interface StreamProgress {
  /** The cursor of the last committed page, or null. */
  readonly cursor: Cursor | null;
  /** How often it was read to its end. */
  readonly rounds: number;
}

/** How far a stream was read; one that was never read is at its beginning. */
export async function loadProgress(tx: Tx, integrationId: number, stream: string): Promise<StreamProgress> {
  const rows = await tx.execute<StreamProgress & { readonly [column: string]: unknown }>(sql`
    select cursor, rounds from stream_state where integration_id = ${integrationId} and stream = ${stream}`);
  return rows[0] ?? { cursor: null, rounds: 0 };
}

/** The cursor of the last committed page of a stream, or null. */
export async function loadCursor(tx: Tx, integrationId: number, stream: string): Promise<Cursor | null> {
  return (await loadProgress(tx, integrationId, stream)).cursor;
}

/** A step of a stream's cursor. */
export interface CursorMove {
  readonly from: Cursor | null;
  readonly to: Cursor;
  /** The stream is read to its end with it. */
  readonly isEnd?: boolean;
}

/** Moves a stream's cursor on. It moves only from where this run found it: of two jobs on one stream the slower one begins again. */
export async function moveCursor(
  tx: Tx,
  run: RunToExecute,
  move: CursorMove & { readonly stream: string; readonly isTwoWay?: boolean },
): Promise<void> {
  const from = move.from === null ? null : storableJson(move.from);
  const ended = move.isEnd === true ? 1 : 0;
  // What is read while nothing flows back is not kept: should it flow again, both sides are read from the beginning.
  const rows = await tx.execute(sql`
    insert into stream_state as s (integration_id, stream, cursor, run_id, rounds)
    values (${run.integrationId}, ${move.stream}, ${storableJson(move.to)}::text::jsonb, ${run.runId}::uuid, ${ended})
    on conflict (integration_id, stream) do update set cursor = excluded.cursor, run_id = excluded.run_id, updated_at = app_now(),
      rounds = s.rounds + ${ended},
      two_way = case when ${move.isTwoWay === true} then s.two_way end
      where s.cursor is not distinct from ${from}::text::jsonb
    returning stream`);
  if (rows.length === 0) {
    throw new ConnectorError(
      "transient",
      `Another run has moved the cursor of stream "${move.stream}" meanwhile; this one begins again from there.`,
    );
  }
}

/** The figures of the run so far, so that they survive the process. */
export async function saveFigures(tx: Tx, run: RunToExecute, figures: Figures): Promise<void> {
  await tx.execute(sql`
    update run set figures = ${JSON.stringify(figures)}::text::jsonb where id = ${run.runId}::uuid and due_at = ${run.dueAt}::timestamptz`);
}

/** Notes that the target may now hold these keys of the source. Known ones cost nothing. */
export async function rememberKeys(tx: Tx, run: RunToExecute, stream: string, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  await tx.execute(sql`
    insert into stream_key (integration_id, stream, key, seen_run_id)
    select ${run.integrationId}, ${stream}, key, ${run.runId}::uuid from unnest(${sql.param([...new Set(keys)].toSorted())}::text[]) as key
    on conflict (integration_id, stream, key) do nothing`);
}

/** The target no longer holds these keys. */
export async function forgetKeys(tx: Tx, run: RunToExecute, stream: string, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  await tx.execute(sql`
    delete from stream_key where integration_id = ${run.integrationId} and stream = ${stream} and key = any (${sql.param(keys)}::text[])`);
}

const KEYS_OF_PAGE = 50_000;

/** Every key the target may hold; more than `max` are refused with a `config` error. */
export async function loadKeys(tx: Tx, run: RunToExecute, stream: string, max: number): Promise<Set<string>> {
  const known = new Set<string>();
  let after = "";
  while (true) {
    const rows = await tx.execute<{ key: string }>(sql`
      select key from stream_key where integration_id = ${run.integrationId} and stream = ${stream} and key > ${after} order by key limit ${KEYS_OF_PAGE}`);
    for (const row of rows) known.add(row.key);
    const last = rows.at(-1);
    if (last === undefined || rows.length < KEYS_OF_PAGE) return known;
    if (known.size > max)
      throw new ConnectorError(
        "config",
        `Stream "${stream}" has more than ${max} keys: too many to find deletions by comparing them. Set deletes to ignore, or use a source with tombstones.`,
      );
    after = last.key;
  }
}
