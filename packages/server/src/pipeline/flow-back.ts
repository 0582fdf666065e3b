import { type FieldValues, hasUnagreedChange, mergeFields, reverseValue } from "@quiesce/core";
import type { Json, WriteItem } from "@quiesce/sdk";
import { requireGoingOn } from "../connector-host/run-permit.js";
import { limitedKey } from "./idempotency-key.js";
import { requireUnraced } from "./merge-page.js";
import { ownTransaction } from "./own-transaction.js";
import type { ReadingRun } from "./pipeline-run.js";
import type { PreparedRecord } from "./prepare-records.js";
import { saveTrace, tracedRecords } from "./record-trace.js";
import { rulesOf } from "./running-trial.js";
import { saveFigures } from "./stream-state.js";
import { closeConflicts, type FoundConflict, noteConflicts } from "./sync-conflict-store.js";
import { dueSyncRecords, forgetSyncRecords, type SavedRecord, saveSyncRecords, type SyncRecord } from "./sync-records.js";
import { digestOf, pickValues, placeOfStream, type TwoWayRun, isSameValue } from "./two-way-stream.js";
import { type WriteReport, writeRecords } from "./write-records.js";

/** What one record needs at either side. */
interface Flow {
  readonly before: SyncRecord;
  readonly agreed: FieldValues;
  readonly toSource: FieldValues;
  readonly toTarget: FieldValues;
  readonly source: PreparedRecord | null;
  readonly target: PreparedRecord | null;
  readonly conflicts: readonly FoundConflict[];
}

/**
 * Writes what has to flow outside of the source's own pages: changes of the target to the source, and what a person has decided to either side. Only
 * the fields concerned are sent. Each page is declared before it is written and settled with its results, as pages of the source are.
 */
export async function flowBack(run: TwoWayRun<ReadingRun>): Promise<void> {
  const place = placeOfStream(run);
  let after = "";
  while (true) {
    requireGoingOn(run.permit.signal);
    const due = await dueSyncRecords(run.database.db, place, { after, limit: run.pageSize });
    const last = due.at(-1);
    if (last === undefined) return;
    after = last.key;
    const flows = due.map((record) => (record.source === null ? goneFlow(run, record) : mergedFlow(run, record, record.source)));
    await ownTransaction(run, async (tx) => {
      await noteConflicts(
        tx,
        run,
        flows.flatMap(({ conflicts }) => conflicts),
      );
      await saveSyncRecords(tx, place, flows.flatMap(declared));
    });
    const toSource = flows.flatMap(({ source }) => source ?? []);
    const toTarget = flows.flatMap(({ target }) => target ?? []);
    const atSource = await writeRecords({ ...run, target: run.source, stream: { ...run.stream, target: run.stream.stream } }, toSource);
    if (atSource.stop !== undefined) throw atSource.stop;
    const atTarget = await writeRecords(run, toTarget);
    if (atTarget.stop !== undefined) throw atTarget.stop;
    requireUnraced(run, atSource, toSource);
    requireUnraced(run, atTarget, toTarget);
    await settle(run, flows, { atSource, atTarget });
  }
}

function mergedFlow(run: TwoWayRun, before: SyncRecord, source: FieldValues): Flow {
  const { mapping } = run.stream;
  const twoWay = rulesOf(run.stream, before.key, run.trial);
  const verdict = mergeFields(twoWay, { ...before, source, target: before.target ?? {} }, isSameValue);
  const toSource: { [field: string]: Json } = {};
  const data: { [field: string]: Json } = {};
  const conflicts: FoundConflict[] = verdict.conflicts.map((one) => ({ ...one, recordKey: before.key, kind: "changed", message: null }));
  for (const [field, value] of Object.entries(verdict.toSource)) {
    const rule = mapping.fields[field];
    if (rule?.from === undefined) continue;
    const back = reverseValue(rule, twoWay.fields[field]?.cast, value);
    if (back.ok) {
      toSource[field] = value;
      data[rule.from] = back.value;
    } else conflicts.push(refusal(before, field, `The source cannot hold it: found ${back.found}, expected ${back.expected}.`));
  }
  const { toTarget } = verdict;
  return {
    before,
    agreed: verdict.agreed,
    toSource,
    toTarget,
    source: prepared(run, before, { side: "source", data }),
    target: prepared(run, before, { side: "target", data: toTarget }),
    conflicts,
  };
}

/** The source has deleted it, and somebody said that the target shall, too. */
function goneFlow(run: TwoWayRun, before: SyncRecord): Flow {
  const isEdited = before.target !== null && hasUnagreedChange({ ...before, target: before.target }, isSameValue);
  const target = before.target === null || isEdited ? null : prepared(run, before, { side: "target", op: "delete", data: {} });
  return { before, agreed: before.agreed, toSource: {}, toTarget: {}, source: null, target, conflicts: [] };
}

function prepared(
  run: TwoWayRun,
  before: SyncRecord,
  write: { readonly side: "source" | "target"; readonly op?: "delete"; readonly data: FieldValues },
): PreparedRecord | null {
  const { side, op = "upsert", data } = write;
  if (op === "upsert" && Object.keys(data).length === 0) return null;
  const { key } = before;
  const version = side === "source" ? before.sourceVersion : before.targetVersion;
  const name = `${run.run.integrationKey}:${run.stream.stream}:${key}:back-${side}-${before.settled}-${digestOf([op, data])}`;
  const item: WriteItem = { key, op, data, idempotencyKey: limitedKey(name), ...(version === null ? {} : { ifVersion: version }) };
  return { source: { key, op, data }, item };
}

function refusal(record: SyncRecord, field: string, message: string): FoundConflict {
  return {
    recordKey: record.key,
    field,
    kind: "refused",
    agreed: record.agreed[field] ?? null,
    source: record.source?.[field] ?? null,
    target: record.target?.[field] ?? null,
    rule: "review",
    winner: null,
    message,
  };
}

function declared({ before, toSource, toTarget }: Flow): readonly SavedRecord[] {
  const isSent = Object.keys(toSource).length + Object.keys(toTarget).length > 0;
  return isSent ? [{ record: { ...before, sentToSource: toSource, sentToTarget: toTarget }, settles: false }] : [];
}

async function settle(
  run: TwoWayRun,
  flows: readonly Flow[],
  reports: { readonly atSource: WriteReport; readonly atTarget: WriteReport },
): Promise<void> {
  const { atSource, atTarget } = reports;
  const settled = flows.map((flow) => settledFlow(flow, reports));
  const refusals = settled.flatMap((one) => one.refusals);
  const written = [...atSource.done, ...atTarget.done];
  const figures = { written: 0, unchanged: 0, deleted: 0 };
  for (const { figure } of written) figures[figure] += 1;
  const sum = run.tally.plus(figures);
  const place = placeOfStream(run);
  await ownTransaction(run, async (tx) => {
    await noteConflicts(tx, run, refusals);
    await saveSyncRecords(
      tx,
      place,
      settled.flatMap(({ record }) => (record === null ? [] : [{ record, settles: true }])),
    );
    await forgetSyncRecords(
      tx,
      place,
      settled.flatMap(({ record, key }) => (record === null ? [key] : [])),
    );
    const standing = [...flows.flatMap(({ conflicts }) => conflicts), ...refusals];
    await closeConflicts(tx, run, { keys: flows.map(({ before }) => before.key), standing });
    await saveTrace(
      tx,
      run,
      "back",
      tracedRecords({ done: written, dead: [...atSource.dead, ...atTarget.dead], review: [] }, { dead: [], skipped: [] }),
    );
    await saveFigures(tx, run.run, sum);
  });
  run.tally.commit(sum);
}

/** How a record stands after its writes; null: it is at neither side any more. */
function settledFlow(
  flow: Flow,
  { atSource, atTarget }: { readonly atSource: WriteReport; readonly atTarget: WriteReport },
): { readonly key: string; readonly record: SyncRecord | null; readonly refusals: readonly FoundConflict[] } {
  const { before, toSource, toTarget } = flow;
  const { key } = before;
  const refusals: FoundConflict[] = [];
  let record: SyncRecord = { ...before, agreed: flow.agreed, sentToSource: {}, sentToTarget: {}, isDue: false };
  const unsettled = (fields: readonly string[]): void => {
    const kept = Object.entries(record.agreed).filter(([field]) => !fields.includes(field));
    record = { ...record, agreed: { ...Object.fromEntries(kept), ...pickValues(before.agreed, fields) } };
  };
  // Of what the source cannot hold nothing was sent.
  unsettled(flow.conflicts.filter(({ kind }) => kind === "refused").map(({ field }) => field));
  for (const [report, fields, side] of [
    [atSource, toSource, "source"],
    [atTarget, toTarget, "target"],
  ] as const) {
    const done = report.done.find((one) => one.record.item.key === key);
    const dead = report.dead.find((letter) => letter.source.key === key);
    if (done !== undefined && done.record.item.op === "delete") return { key, record: null, refusals };
    if (done !== undefined && side === "source")
      record = { ...record, source: { ...record.source, ...fields }, sourceVersion: done.version ?? null };
    if (done !== undefined && side === "target")
      record = { ...record, target: { ...record.target, ...fields }, targetVersion: done.version ?? null };
    if (dead === undefined) continue;
    const names = Object.keys(fields);
    unsettled(names);
    const why = `The ${side} refused it: ${dead.error.message}`;
    refusals.push(...(names.length === 0 ? [""] : names).map((field) => refusal(before, field, why)));
  }
  return { key, record, refusals };
}
