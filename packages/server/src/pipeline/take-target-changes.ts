import { mergeFields } from "@quiesce/core";
import type { Cursor, SourceRecord } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import { requireGoingOn } from "../connector-host/run-permit.js";
import type { Tx } from "../db/client.js";
import { ownTransaction } from "./own-transaction.js";
import type { StreamRun } from "./pipeline-run.js";
import { rulesOf } from "./running-trial.js";
import { storableJson } from "./storable-json.js";
import { loadSyncRecords, type SavedRecord, saveSyncRecords, type SyncRecord, unseenRecord } from "./sync-records.js";
import { changeTime, placeOfStream, sameValues, type TwoWayRun, twoWayValues, isSameValue } from "./two-way-stream.js";

/**
 * Reads what changed at the target since the last time, and keeps the two-way fields of it: each page together with the cursor behind it. Nothing is
 * written to either side. Own writes that come back are the values that are known already.
 */
export async function takeTargetChanges(run: TwoWayRun): Promise<void> {
  const { target, stream } = run;
  let from = await loadTargetCursor(run.database.db, run);
  for await (const page of target.read({ stream: stream.target, cursor: from, pageSize: run.pageSize })) {
    requireGoingOn(run.permit.signal);
    const to = page.cursor;
    const before = from;
    if (page.records.length > 0 || JSON.stringify(to) !== JSON.stringify(before)) {
      await ownTransaction(run, async (tx) => {
        await saveSyncRecords(tx, placeOfStream(run), await takenRecords(tx, run, page.records));
        await tx.execute(sql`
          insert into stream_state (integration_id, stream, target_cursor) values (${run.run.integrationId}, ${stream.stream}, ${storableJson(to)}::text::jsonb)
          on conflict (integration_id, stream) do update set target_cursor = excluded.target_cursor, updated_at = app_now()`);
      });
    }
    from = to;
    requireGoingOn(run.permit.signal);
  }
}

async function loadTargetCursor(tx: Tx, run: StreamRun): Promise<Cursor | null> {
  const rows = await tx.execute<{ cursor: Cursor | null }>(sql`
    select target_cursor as cursor from stream_state where integration_id = ${run.run.integrationId} and stream = ${run.stream.stream}`);
  return rows[0]?.cursor ?? null;
}

async function takenRecords(tx: Tx, run: TwoWayRun, records: readonly SourceRecord[]): Promise<readonly SavedRecord[]> {
  // The newest of each key; what the connector could not read says nothing.
  const newest = new Map(records.filter((record) => isUsable(record)).map((record) => [record.key, record]));
  const known = await loadSyncRecords(tx, placeOfStream(run), [...newest.keys()]);
  return [...newest.values()].flatMap((record) => {
    const before = known.get(record.key) ?? unseenRecord(record.key);
    const after = record.op === "delete" ? goneRecord(before) : takenRecord(run, before, record);
    return after === before ? [] : [{ record: after, settles: false }];
  });
}

const MAX_KEY_LENGTH = 1_000;

function isUsable(record: SourceRecord | null | undefined): record is SourceRecord {
  return (
    typeof record === "object" &&
    record !== null &&
    typeof record.key === "string" &&
    record.key !== "" &&
    record.key.length <= MAX_KEY_LENGTH &&
    !record.key.includes("\0") &&
    record.problem === undefined &&
    typeof record.data === "object" &&
    record.data !== null
  );
}

/** Deleted at the target: that does not flow back, and the next change at the source makes the record again. */
function goneRecord(before: SyncRecord): SyncRecord {
  return before.target === null ? before : { ...before, target: null, targetAt: null, targetVersion: null, delivered: null, isDue: false };
}

function takenRecord(run: TwoWayRun, before: SyncRecord, record: SourceRecord): SyncRecord {
  const twoWay = rulesOf(run.stream, record.key, run.trial);
  const target = { ...before.target, ...twoWayValues(twoWay, record.data) };
  const isChanged = before.target === null || !sameValues(target, before.target);
  const targetVersion = record.version ?? null;
  if (!isChanged) return targetVersion === before.targetVersion ? before : { ...before, targetVersion };
  const after = { ...before, target, targetVersion, targetAt: changeTime(record, twoWay.times.target) };
  if (after.source === null) return { ...after, isDue: false };
  const { agreed } = mergeFields(twoWay, { ...after, source: after.source, target }, isSameValue);
  // Not only what is to be written: a conflict that has come to an end by itself is closed by the same way.
  return { ...after, isDue: !sameValues(agreed, before.agreed) || !sameValues(target, after.source) };
}
