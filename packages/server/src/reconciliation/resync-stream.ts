import { applyMapping, comparedFields, judgeDeletions } from "@quiesce/core";
import { ConnectorError, type SourceRecord } from "@quiesce/sdk";
import { requireGoingOn } from "../connector-host/run-permit.js";
import type { Tx } from "../db/client.js";
import { type DeliveredKeys, deliverRecords } from "../pipeline/deliver-records.js";
import { limitedKey, NOWHERE } from "../pipeline/idempotency-key.js";
import { ownTransaction } from "../pipeline/own-transaction.js";
import type { ReadingRun } from "../pipeline/pipeline-run.js";
import { type PreparedRecord, prepareRecords } from "../pipeline/prepare-records.js";
import { treatmentOf } from "../pipeline/running-trial.js";
import { type DifferenceState, openDifferences, settleDifferences, targetRecordsOf } from "./difference-store.js";
import type { ResyncOrder } from "./open-order.js";
import type { StreamPlace } from "./store.js";

/** So many records are held in memory, in their newest version, while the source is read; more differences are mended in several reads. */
const RECORDS_OF_READ = 10_000;

/** The newest versions of records that differ, by their keys at the target; what the source has no more is not in it. */
type Latest = ReadonlyMap<string, SourceRecord>;

/**
 * Mends the differences of a stream that are open: what the source has is mapped and written as any run would do it, what it has no more is deleted
 * where the stream applies deletions. Each page is settled with its differences in one transaction, so an attempt after one that died goes on behind it.
 */
export async function resyncStream(run: ReadingRun, order: ResyncOrder): Promise<void> {
  const place: StreamPlace = { reconciliationId: order.reconciliationId, stream: run.stream.stream };
  if (!run.source.facets.includes("read"))
    throw new ConnectorError(
      "invalid",
      `Stream "${place.stream}" cannot be mended: the connector of endpoint "${run.source.key}" cannot be read.`,
    );
  let after = "";
  const absent: string[] = [];
  while (true) {
    const keys = await openDifferences(run.database.db, place, { after, limit: RECORDS_OF_READ });
    const last = keys.at(-1);
    if (last === undefined) break;
    after = last.key;
    const latest = await readLatest(run, new Set(keys.map(({ key }) => key)));
    await writeLatest(run, { order, place, latest });
    const gone = keys.filter(({ key }) => !latest.has(key));
    const atNeither = gone.filter(({ kind }) => kind === "only-source");
    await settle(
      run,
      place,
      "gone",
      atNeither.map(({ key }) => key),
    );
    for (const { key, kind } of gone) if (kind !== "only-source") absent.push(key);
  }
  await deleteAbsent(run, { order, place, absent });
}

/** The newest version of these records in the source, by their keys at the target. */
async function readLatest(run: ReadingRun, wanted: ReadonlySet<string>): Promise<Latest> {
  const { stream, source } = run;
  const { sameKeys } = comparedFields(stream.mapping);
  const latest = new Map<string, SourceRecord>();
  let complete = false;
  for await (const page of source.read({ stream: stream.stream, cursor: null, pageSize: run.pageSize })) {
    requireGoingOn(run.permit.signal);
    for (const record of page.records) {
      if (typeof record?.key !== "string" || (sameKeys && !wanted.has(record.key))) continue;
      const { key, isPassedOver } = await placeAtTarget(run, record);
      if (!wanted.has(key)) continue;
      if (record.op === "delete" || isPassedOver) latest.delete(key);
      else latest.set(key, record);
    }
    complete = !page.more;
  }
  if (complete) return latest;
  throw new ConnectorError(
    "contract",
    `Endpoint "${source.key}" ended "${stream.stream}" without saying that it is complete, so what it did not show cannot be called absent.`,
  );
}

/** The key that a record has at the target, and whether the mapping's condition passes it over, so that the target shall not have it. */
async function placeAtTarget(run: ReadingRun, record: SourceRecord): Promise<{ readonly key: string; readonly isPassedOver: boolean }> {
  const { mapping } = treatmentOf(run.stream, record, run.trial).stream;
  if (mapping.key === undefined && mapping.when === undefined) return { key: record.key, isPassedOver: false };
  const mapped = await applyMapping(mapping, record);
  if (mapped.kind === "mapped") return { key: mapped.record.key, isPassedOver: false };
  return { key: record.key, isPassedOver: mapped.kind === "skipped" };
}

async function writeLatest(
  run: ReadingRun,
  work: { readonly order: ResyncOrder; readonly place: StreamPlace; readonly latest: Latest },
): Promise<void> {
  const { order, place, latest } = work;
  const entries = [...latest];
  for (let start = 0; start < entries.length; start += run.pageSize) {
    const page = entries.slice(start, start + run.pageSize);
    const keys = new Map(page.map(([key, record]) => [record.key, key]));
    const prepared = await prepareRecords(
      page.map(([, record]) => record),
      run,
      NOWHERE,
    );
    await deliverRecords(run, {
      ...prepared,
      ready: prepared.ready.map((record) => again(record, order)),
      dead: prepared.dead.map((letter) => ({ ...letter, idempotencyKey: resyncKey(letter.idempotencyKey, order) })),
      read: page.length,
      readsState: true,
      again: true,
      settled: (tx, delivered) => settleDelivered(tx, { place, delivered, keys }),
    });
  }
}

/** A target that knows repetitions by their keys has the record under its usual one: this one is meant to be written once more. */
function again(record: PreparedRecord, order: ResyncOrder): PreparedRecord {
  return { ...record, item: { ...record.item, idempotencyKey: resyncKey(record.item.idempotencyKey, order) } };
}

function resyncKey(key: string, order: ResyncOrder): string {
  return key === "" ? "" : limitedKey(`${key}:resync-${order.resyncId}`);
}

async function deleteAbsent(
  run: ReadingRun,
  work: { readonly order: ResyncOrder; readonly place: StreamPlace; readonly absent: readonly string[] },
): Promise<void> {
  const { order, place, absent } = work;
  if (absent.length === 0) return;
  if (run.stream.deletes === "ignore") {
    await settle(run, place, "kept", absent);
    return;
  }
  requireMeant(run, work, Math.max(absent.length, await targetRecordsOf(run.database.db, place)));
  for (let start = 0; start < absent.length; start += run.pageSize) {
    requireGoingOn(run.permit.signal);
    const page = absent.slice(start, start + run.pageSize);
    const empty = await prepareRecords([], run, NOWHERE);
    await deliverRecords(run, {
      ...empty,
      // By the key at the target: the mapping that made it of other fields cannot make it again of none.
      ready: page.map((key) => deletion(run, key, order)),
      read: 0,
      again: true,
      settled: (tx, delivered) => settleDelivered(tx, { place, delivered, keys: new Map(page.map((key) => [key, key])) }),
    });
  }
}

function requireMeant(
  run: ReadingRun,
  { order, place, absent }: { readonly order: ResyncOrder; readonly place: StreamPlace; readonly absent: readonly string[] },
  known: number,
): void {
  const { deleteLimit } = run.stream;
  const verdict = judgeDeletions({ known, missing: absent.length, limit: deleteLimit, confirmed: order.confirmsDeletions });
  if (verdict.kind === "delete") return;
  throw new ConnectorError(
    "contract",
    `Stream "${place.stream}": ${absent.length} of ${known} records are at the target and not at the source (${verdict.percent} %), more than ${deleteLimit.percent} % and ${deleteLimit.records} records, so none was deleted; everything else was written. Look at the source first. If it is meant: quiesce reconcile resync ${order.reconciliationId} --confirm-deletions --reason "…".`,
  );
}

function deletion(run: ReadingRun, key: string, order: ResyncOrder): PreparedRecord {
  const record = { key, op: "delete", data: {} } as const;
  const idempotencyKey = resyncKey(`${run.run.integrationKey}:${run.stream.stream}:${key}:deleted`, order);
  return { source: record, item: { ...record, idempotencyKey } };
}

async function settleDelivered(
  tx: Tx,
  work: { readonly place: StreamPlace; readonly delivered: DeliveredKeys; readonly keys: ReadonlyMap<string, string> },
): Promise<void> {
  const named = (sources: readonly string[]) => sources.flatMap((source) => work.keys.get(source) ?? []);
  await settleDifferences(tx, work.place, "repaired", named(work.delivered.done));
  await settleDifferences(tx, work.place, "refused", named(work.delivered.refused));
}

async function settle(run: ReadingRun, place: StreamPlace, state: DifferenceState, keys: readonly string[]): Promise<void> {
  if (keys.length > 0) await ownTransaction(run, (tx) => settleDifferences(tx, place, state, keys));
}
