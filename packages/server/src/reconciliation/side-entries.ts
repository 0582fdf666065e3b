import { setImmediate } from "node:timers/promises";
import { applyMapping, type EntrySource, pickFields, RECONCILIATION_LIMITS, type SideEntry } from "@quiesce/core";
import { ConnectorError, type JsonObject, type ReconcileBuckets, recordHash, type SourceRecord } from "@quiesce/sdk";
import { requireGoingOn } from "../connector-host/run-permit.js";
import { ownTransaction } from "../pipeline/own-transaction.js";
import { letOthersTurn } from "../pipeline/prepare-records.js";
import { treatmentOf } from "../pipeline/running-trial.js";
import { endpointOf, type ReconcilingRun, type Side, streamAt } from "./reconciling-run.js";
import { countEntries, entriesAfter, forgetEntries, noteProgress, stageEntries, type StreamPlace } from "./store.js";

/** A longer key could not stand in an index. */
const MAX_KEY_LENGTH = 1_000;
/** What PostgreSQL cannot hold. */
const LONE_SURROGATE = /\p{Surrogate}/u;
/** The hash of a record that cannot be mapped: no target has it. */
const UNFIT = "unfit";
/** Hashing is work without a pause: after so many records everything else of the server has its turn. */
const HASHED_RECORDS_A_TURN = 500;

/** What a record of a side is to the comparison. */
export interface ComparedRecord {
  /** Its key at the target. */
  readonly key: string;
  /** null: it is gone, or passed over by the mapping's condition. */
  readonly hash: string | null;
  readonly data: JsonObject;
}

/** Which entries of a side are wanted, and how they are got. */
export interface EntriesWanted {
  readonly side: Side;
  readonly from: EntrySource;
  /** Only keys are compared: every hash is empty. */
  readonly keysOnly: boolean;
  readonly within?: ReconcileBuckets | undefined;
}

/**
 * The entries of a side, each key once, ascending. What a side gives in another order is staged first: so memory stays the same however much it is.
 * `seen` is called with the number of records so far.
 */
export async function* sideEntries(
  run: ReconcilingRun,
  wanted: EntriesWanted,
  seen: (records: number) => void,
): AsyncGenerator<SideEntry, void, void> {
  let records = 0;
  for await (const page of wanted.from === "keys" ? hashPages(run, wanted) : stagedPages(run, wanted.side)) {
    requireGoingOn(run.permit.signal);
    records += page.length;
    seen(records);
    yield* wanted.keysOnly ? page.map(({ key }) => ({ key, hash: "" })) : page;
  }
}

/** Pages of the side's own keys and hashes. */
export async function* hashPages(
  run: ReconcilingRun,
  wanted: Pick<EntriesWanted, "side" | "within">,
): AsyncGenerator<readonly SideEntry[], void, void> {
  const endpoint = endpointOf(run, wanted.side);
  const stream = streamAt(run, wanted.side);
  let after: string | undefined;
  while (true) {
    const request = { stream, fields: run.fields.fields, after, limit: RECONCILIATION_LIMITS.keysOfPage };
    const page = await endpoint.reconcileKeys(wanted.within === undefined ? request : { ...request, within: wanted.within });
    // As in every run: what has no usable key is a dead letter, and at no target.
    if (page.length > 0) yield page.filter(({ key }) => !isUnusable(key));
    const last = page.at(-1);
    if (last === undefined || page.length < RECONCILIATION_LIMITS.keysOfPage) return;
    if (last.key === after)
      throw new ConnectorError(
        "contract",
        `Endpoint "${endpoint.key}" gives the same keys of "${stream}" again and again, expected those behind ${JSON.stringify(after.slice(0, 80))}.`,
      );
    after = last.key;
  }
}

async function* stagedPages(run: ReconcilingRun, side: Side): AsyncGenerator<readonly SideEntry[], void, void> {
  const place = placeOf(run);
  let after = "";
  while (true) {
    const page = await entriesAfter(run.database.db, place, { side, after, limit: RECONCILIATION_LIMITS.keysOfPage });
    if (page.length > 0) yield page;
    const last = page.at(-1);
    if (last === undefined || page.length < RECONCILIATION_LIMITS.keysOfPage) return;
    after = last.key;
  }
}

export function placeOf(run: ReconcilingRun): StreamPlace {
  return { reconciliationId: run.reconciliationId, stream: run.stream.stream };
}

/** Reads a side whole, or lists its keys, into the staging table. Answers how many records it has and how many of them do not fit the mapping. */
export async function stageSide(
  run: ReconcilingRun,
  { side, from }: { readonly side: Side; readonly from: "read" | "listKeys" },
): Promise<{ readonly records: number; readonly unfit: number }> {
  const place = placeOf(run);
  await ownTransaction(run, (tx) => forgetEntries(tx, place, side));
  let records = 0;
  const stage = (entries: ReadonlyMap<string, string | null>) => {
    records += entries.size;
    if (records > RECONCILIATION_LIMITS.readRecords) throw tooMany(run, side);
    return ownTransaction(run, async (tx) => {
      await stageEntries(tx, place, side, entries);
      await noteProgress(tx, place, { phase: side, side, records });
    });
  };
  if (from === "listKeys") {
    for await (const page of listedPages(run, side)) await stage(new Map(page.map((key) => [key, ""])));
  } else {
    for await (const page of recordPages(run, side)) await stage(new Map(page.map(({ key, hash }) => [key, hash])));
  }
  return countEntries(run.database.db, place, { side, unfitHash: UNFIT });
}

/** The keys that a side lists, page by page. */
export async function* listedPages(run: ReconcilingRun, side: Side): AsyncGenerator<readonly string[], void, void> {
  const request = { stream: streamAt(run, side), cursor: null, pageSize: RECONCILIATION_LIMITS.keysOfPage };
  let complete = false;
  for await (const page of endpointOf(run, side).listKeys(request)) {
    requireGoingOn(run.permit.signal);
    yield page.keys.filter((key) => !isUnusable(key));
    complete = !page.more;
  }
  requireComplete(run, side, complete);
}

/** Every record of a side, mapped where it is the source's, page by page in the order of the side. `only`: of these keys. */
export async function* recordPages(
  run: ReconcilingRun,
  side: Side,
  only?: { has(key: string): boolean },
): AsyncGenerator<readonly ComparedRecord[], void, void> {
  let complete = false;
  for await (const page of endpointOf(run, side).read({ stream: streamAt(run, side), cursor: null, pageSize: run.pageSize })) {
    requireGoingOn(run.permit.signal);
    const compared: ComparedRecord[] = [];
    for (const [index, record] of page.records.entries()) {
      if (typeof record?.key !== "string" || isUnusable(record.key)) continue;
      // Where mappings leave the key alone, most records need not even be mapped.
      if (only !== undefined && run.fields.sameKeys && !only.has(record.key)) continue;
      await letOthersTurn([run.stream.mapping], index);
      if (index % HASHED_RECORDS_A_TURN === HASHED_RECORDS_A_TURN - 1) await setImmediate();
      const one = side === "source" ? await mappedRecord(run, record) : targetRecord(run, record);
      if (only === undefined || only.has(one.key)) compared.push(one);
    }
    yield compared;
    complete = !page.more;
  }
  requireComplete(run, side, complete);
}

function isUnusable(key: string): boolean {
  return key === "" || key.length > MAX_KEY_LENGTH || key.includes("\0") || LONE_SURROGATE.test(key);
}

async function mappedRecord(run: ReconcilingRun, record: SourceRecord): Promise<ComparedRecord> {
  const { key } = record;
  const isWhole = record.problem === undefined && typeof record.data === "object" && record.data !== null && !Array.isArray(record.data);
  if (!isWhole) return { key, hash: UNFIT, data: {} };
  const mapped = await applyMapping(treatmentOf(run.stream, record, run.trial).stream.mapping, record);
  if (mapped.kind === "mapped") {
    const { record: made } = mapped;
    return { key: made.key, ...(record.op === "delete" ? { hash: null, data: {} } : hashed(run, made.data)) };
  }
  // A deletion that lacks the field which is the key at the target names no record there.
  return { key, hash: mapped.kind === "unfit" && record.op !== "delete" ? UNFIT : null, data: {} };
}

function targetRecord(run: ReconcilingRun, record: SourceRecord): ComparedRecord {
  return { key: record.key, ...(record.op === "delete" ? { hash: null, data: {} } : hashed(run, record.data)) };
}

function hashed(run: ReconcilingRun, data: JsonObject): Pick<ComparedRecord, "hash" | "data"> {
  const picked = pickFields(data, run.fields.fields);
  return { hash: recordHash(picked, run.fields.fields), data: picked };
}

function requireComplete(run: ReconcilingRun, side: Side, complete: boolean): void {
  if (complete) return;
  throw new ConnectorError(
    "contract",
    `Endpoint "${endpointOf(run, side).key}" ended "${streamAt(run, side)}" without saying that it is complete, so what it did not show cannot be called absent. Nothing is compared.`,
  );
}

function tooMany(run: ReconcilingRun, side: Side): ConnectorError {
  return new ConnectorError(
    "invalid",
    `"${streamAt(run, side)}" of endpoint "${endpointOf(run, side).key}" has more than ${RECONCILIATION_LIMITS.readRecords} records: too many to read them all for a comparison. Use a connector that lists keys with hashes (the facet reconcile).`,
  );
}
