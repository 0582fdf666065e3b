import type { PushedRecord, RetryPolicy } from "@quiesce/core";
import { sql } from "drizzle-orm";
import type { Tx } from "../db/client.js";

/** An integration that takes pushed records, with the job that delivers them. */
export interface PushTarget {
  readonly [column: string]: unknown;
  readonly integrationId: number;
  readonly key: string;
  readonly bucket: number;
  readonly streams: readonly string[];
  readonly jobId: number;
  readonly jobKey: string;
  readonly jobEnabled: boolean;
  readonly retry: RetryPolicy;
}

const columns = sql`i.id as "integrationId", i.key, i.bucket,
  array(select s ->> 'stream' from jsonb_array_elements(i.streams) as s where (s -> 'push')::boolean) as streams,
  j.id as "jobId", j.key as "jobKey", j.enabled as "jobEnabled", j.retry`;

/** The integration of that key, if records may be pushed for it; it and its job stay until the commit. */
export async function findPushTarget(tx: Tx, key: string): Promise<PushTarget | undefined> {
  const rows = await tx.execute<PushTarget>(sql`
    select ${columns} from integration as i join job as j on j.integration_id = i.id and j.push
    where i.key = ${key} and i.streams @> '[{"push": true}]' order by j.id limit 1 for key share of i, j`);
  return rows[0];
}

/** The same by its id; undefined when it takes none any more. */
export async function pushTargetOf(tx: Tx, integrationId: number): Promise<PushTarget | undefined> {
  const rows = await tx.execute<PushTarget>(sql`
    select ${columns} from integration as i join job as j on j.integration_id = i.id and j.push
    where i.id = ${integrationId} and i.streams @> '[{"push": true}]' order by j.id limit 1 for key share of i, j`);
  return rows[0];
}

/** The sums of one integration's inbox, and the run that was queued last for it. */
export interface InboxSums {
  readonly [column: string]: unknown;
  readonly waitingRecords: number;
  readonly waitingBytes: number;
  readonly fullSince: number | null;
  readonly runId: string | null;
  readonly runDueAt: number | null;
}

/** Locks the inbox of an integration: whoever accepts or settles does so in the order of these locks. */
export async function lockInbox(tx: Tx, integrationId: number): Promise<InboxSums> {
  await tx.execute(sql`insert into inbox (integration_id) values (${integrationId}) on conflict do nothing`);
  const rows = await tx.execute<InboxSums>(sql`
    select waiting_records as "waitingRecords", waiting_bytes as "waitingBytes", full_since as "fullSince", run_id as "runId", run_due_at as "runDueAt"
    from inbox where integration_id = ${integrationId} for no key update`);
  const row = rows[0];
  if (row === undefined) throw new Error(`Integration ${integrationId} is gone.`);
  return row;
}

/** A record on its way in. */
export interface ArrivingRecord extends PushedRecord {
  readonly deliveryId: string | null;
}

/** Which of these are known already: accepted before, whatever became of them. */
export async function knownDeliveries(tx: Tx, at: StreamOfInbox, ids: readonly string[]): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await tx.execute<{ id: string }>(sql`
    select delivery_id as id from inbox_record
    where integration_id = ${at.integrationId} and stream = ${at.stream} and delivery_id = any (${sql.param(ids)}::text[])`);
  return new Set(rows.map((row) => row.id));
}

interface StreamOfInbox {
  readonly integrationId: number;
  readonly stream: string;
}

/** Writes records in their order, and counts them. Call it under {@link lockInbox}. */
export async function insertRecords(
  tx: Tx,
  at: StreamOfInbox & { readonly now: number; readonly by: string },
  records: readonly ArrivingRecord[],
): Promise<void> {
  // Each record as a text within the list, so that nothing of it is read as anything but JSON.
  const rows = JSON.stringify(
    records.map((one) => ({
      key: one.key,
      delivery_id: one.deliveryId,
      op: one.op,
      version: one.version,
      record: JSON.stringify(one.data),
      bytes: one.bytes,
    })),
  );
  await tx.execute(sql`
    insert into inbox_record (integration_id, stream, record_key, delivery_id, op, version, record, bytes, accepted_at, accepted_by)
    select ${at.integrationId}, ${at.stream}, r.value ->> 'key', r.value ->> 'delivery_id', r.value ->> 'op', r.value ->> 'version',
      (r.value ->> 'record')::json, (r.value ->> 'bytes')::integer, ${at.now}::timestamptz, ${at.by}
    from json_array_elements(${rows}::text::json) with ordinality as r(value, position) order by r.position`);
  await tx.execute(sql`
    update inbox set accepted = accepted + ${records.length}, waiting_records = waiting_records + ${records.length},
      waiting_bytes = waiting_bytes + ${records.reduce((sum, one) => sum + one.bytes, 0)}, full_since = null
    where integration_id = ${at.integrationId}`);
}

/** A record that waits, as a run takes it. */
export interface WaitingRecord {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly key: string;
  readonly op: "upsert" | "delete";
  readonly version: string | null;
  readonly data: PushedRecord["data"];
  readonly attempts: number;
  readonly acceptedAt: number;
}

/** What one page may hold in memory. */
const bytesOfPage = 16 * 1_048_576;

/**
 * Takes the next records of a stream for a run, the oldest first, up to `upTo`. A record that waits for its next try keeps what came later for
 * its key; other keys go on.
 */
export async function takeRecords(
  tx: Tx,
  at: StreamOfInbox & { readonly runId: string; readonly upTo: number; readonly limit: number },
): Promise<readonly WaitingRecord[]> {
  const rows = await tx.execute<WaitingRecord>(sql`
    with next as materialized (
      select r.id, r.bytes from inbox_record as r
      where r.integration_id = ${at.integrationId} and r.stream = ${at.stream} and r.settled_at is null and r.id <= ${at.upTo}
        and not exists (
          select from inbox_record as earlier
          where earlier.integration_id = ${at.integrationId} and earlier.stream = ${at.stream} and earlier.record_key = r.record_key
            and earlier.settled_at is null and earlier.id <= r.id and earlier.next_try_at > app_now())
      order by r.id limit ${at.limit}
    ),
    page as (select id from (select id, sum(bytes) over (order by id) - bytes as before from next) as sized where before < ${bytesOfPage})
    update inbox_record as r set run_id = ${at.runId}::uuid from page where r.id = page.id
    returning r.id, r.record_key as key, r.op, r.version, r.record as data, r.attempts, r.accepted_at as "acceptedAt"`);
  return rows.toSorted((a, b) => a.id - b.id);
}

/** Ends records: their contents are let go of, and the sums follow. */
export async function settleRecords(
  tx: Tx,
  integrationId: number,
  ended: { readonly done: readonly number[]; readonly dead: readonly number[] },
): Promise<void> {
  if (ended.done.length + ended.dead.length === 0) return;
  await tx.execute(sql`
    with ended as (
      update inbox_record as r set settled_at = app_now(), outcome = e.outcome, record = null, next_try_at = null
      from (
        select unnest(${sql.param(ended.done)}::bigint[]) as id, 'done' as outcome
        union all select unnest(${sql.param(ended.dead)}::bigint[]), 'dead'
      ) as e
      where r.id = e.id and r.settled_at is null returning r.bytes, r.outcome
    ),
    sums as (
      select count(*)::integer as records, coalesce(sum(bytes), 0) as bytes, count(*) filter (where outcome = 'done') as done,
        count(*) filter (where outcome = 'dead') as dead from ended
    )
    update inbox as i set waiting_records = i.waiting_records - sums.records, waiting_bytes = i.waiting_bytes - sums.bytes,
      done = i.done + sums.done, dead = i.dead + sums.dead
    from sums where i.integration_id = ${integrationId}`);
}

/** Notes tries that failed, and before when none is made again. */
export async function putOffRecords(tx: Tx, records: readonly { readonly id: number; readonly at: number }[]): Promise<void> {
  if (records.length === 0) return;
  await tx.execute(sql`
    update inbox_record as r set attempts = r.attempts + 1, next_try_at = p.at
    from unnest(${sql.param(records.map((one) => one.id))}::bigint[], ${sql.param(records.map((one) => one.at))}::timestamptz[]) as p(id, at)
    where r.id = p.id`);
}

/** Notes since when requests are refused for want of room. */
export async function markFull(tx: Tx, integrationId: number, now: number): Promise<void> {
  await tx.execute(sql`update inbox set full_since = ${now}::timestamptz where integration_id = ${integrationId}`);
}

/** When something of an inbox can be tried at the earliest, at or after `now`; null when nothing waits that anybody delivers. */
export async function nextTryAt(tx: Tx, target: PushTarget, now: number): Promise<number | null> {
  const rows = await tx.execute<{ at: number | null }>(sql`
    with waiting as not materialized (
      select r.next_try_at, not exists (
        select from inbox_record as earlier
        where earlier.integration_id = r.integration_id and earlier.stream = r.stream and earlier.record_key = r.record_key
          and earlier.settled_at is null and earlier.id <= r.id and earlier.next_try_at > ${now}::timestamptz) as free
      from inbox_record as r
      where r.integration_id = ${target.integrationId} and r.settled_at is null and r.stream = any (${sql.param(target.streams)}::text[])
    )
    select case when exists (select from waiting where free) then ${now}::timestamptz else (select min(next_try_at) from waiting) end as at`);
  return rows[0]?.at ?? null;
}
