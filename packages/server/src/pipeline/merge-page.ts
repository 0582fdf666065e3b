import { type FieldValues, hasUnagreedChange, type MergeFacts, mergeFields, type MergeVerdict } from "@quiesce/core";
import { ConnectorError, type Json, type SourceRecord } from "@quiesce/sdk";
import type { Tx } from "../db/client.js";
import type { StreamRun } from "./pipeline-run.js";
import type { PreparedRecord } from "./prepare-records.js";
import { closeConflicts, type FoundConflict, noteConflicts, openRefusals, type OpenRefusal, WHOLE_RECORD } from "./sync-conflict-store.js";
import { forgetSyncRecords, loadSyncRecords, type SavedRecord, saveSyncRecords, type SyncRecord, unseenRecord } from "./sync-records.js";
import {
  changeTime,
  isTwoWay,
  oneWayDigest,
  pickValues,
  placeOfStream,
  sameValues,
  type TwoWayRun,
  twoWayValues,
  isSameValue,
} from "./two-way-stream.js";
import { rulesOf, type RuledRecord, shadowOf } from "./running-trial.js";
import type { WriteReport, WrittenRecord } from "./write-records.js";

/** Records on their way to the target, merged with what it holds. Of a stream that flows one way only they are as they were. */
export interface MergedPage {
  /** What is to be written. */
  readonly ready: readonly PreparedRecord[];
  /** What needs no write: own writes that came back, older versions of a record within the page, and deletions that wait for a person. */
  readonly agreed: readonly WrittenRecord[];
  /** What conflict rules that are being tried would decide otherwise. */
  readonly ruled: readonly RuledRecord[];
  /** Commits, before anything is written, what is about to be sent and what gives way to it. */
  readonly declare: (tx: Tx) => Promise<void>;
  /** Commits what became of it, with everything else of the page. */
  readonly settle: (tx: Tx, report: Pick<WriteReport, "done" | "dead">) => Promise<void>;
}

interface Plan {
  readonly record: PreparedRecord;
  readonly before: SyncRecord;
  /** null: it is forgotten. */
  readonly after: SyncRecord | null;
  readonly refused: SyncRecord;
  readonly sent: FieldValues;
  readonly conflicts: readonly FoundConflict[];
  /** Fields that the source has refused: a person decides. */
  readonly waiting: readonly string[];
  readonly isWritten: boolean;
  readonly ruled: readonly RuledRecord[];
}

/** `again`: whatever was delivered is written once more, because the target is known to differ. */
export async function mergePage(
  run: StreamRun,
  ready: readonly PreparedRecord[],
  options: { readonly again: boolean },
): Promise<MergedPage> {
  if (!isTwoWay(run) || ready.length === 0)
    return { ready, agreed: [], ruled: [], declare: async () => undefined, settle: async () => undefined };
  const newest = new Map(ready.map((record) => [record.item.key, record]));
  const known = await loadSyncRecords(run.database.db, placeOfStream(run), [...newest.keys()]);
  const refusals = await openRefusals(run.database.db, run, [...newest.keys()]);
  const plans = [...newest.values()].map((record) => {
    const { key, op } = record.item;
    const before = known.get(key) ?? unseenRecord(key);
    const refused = refusals.filter(({ recordKey }) => recordKey === key);
    return op === "delete" ? planDeletion(record, before, options) : planWrite(run, { record, before, refused, ...options });
  });
  const older = ready.filter((record) => newest.get(record.item.key) !== record);
  const unwritten = plans.filter(({ isWritten }) => !isWritten).map(({ record }) => record);
  return {
    ready: plans.filter(({ isWritten }) => isWritten).map(({ record }) => record),
    agreed: [...older, ...unwritten].map((record) => ({ record, figure: "unchanged" as const })),
    ruled: plans.flatMap(({ ruled }) => ruled),
    declare: (tx) => declare(tx, run, plans),
    settle: (tx, report) => settle(tx, run, plans, report),
  };
}

function planWrite(
  run: TwoWayRun,
  write: {
    readonly record: PreparedRecord;
    readonly before: SyncRecord;
    readonly refused: readonly OpenRefusal[];
    readonly again: boolean;
  },
): Plan {
  const { record, before, again } = write;
  const { item, source: read } = record;
  const twoWay = rulesOf(run.stream, item.key, run.trial);
  const source = twoWayValues(twoWay, item.data);
  const isUnchanged = before.source !== null && sameValues(before.source, source);
  const sourceAt = isUnchanged ? before.sourceAt : changeTime(read, twoWay.times.source);
  // Where the target has no value there is nothing to be merged with.
  const target = { ...source, ...before.target };
  const facts = { ...before, source, target, sourceAt };
  const verdict = mergeFields(twoWay, facts, isSameValue);
  const delivered = oneWayDigest(twoWay, item.data);
  const held = { ...target, ...verdict.toTarget };
  const isUnknown = before.target === null || Object.keys(source).some((field) => before.target?.[field] === undefined);
  const isWritten = again || isUnknown || delivered !== before.delivered || Object.keys(verdict.toTarget).length > 0;
  const waiting = write.refused.filter(({ field, target: value }) => isOne(verdict.toSource[field], value)).map(({ field }) => field);
  const seen = { source, sourceAt, sourceVersion: read.version ?? null, sentToSource: {}, sentToTarget: {} };
  return {
    record: {
      ...record,
      item: { ...item, data: { ...item.data, ...held }, ...(before.targetVersion === null ? {} : { ifVersion: before.targetVersion }) },
    },
    before,
    after: {
      ...before,
      ...seen,
      // What still has to flow back is the target's change from what the source holds.
      agreed: { ...verdict.agreed, ...pickValues(source, Object.keys(verdict.toSource)) },
      target: held,
      delivered,
      isDue: Object.keys(verdict.toSource).length > waiting.length,
    },
    refused: { ...before, ...seen, isDue: before.isDue },
    sent: before.target === null ? held : verdict.toTarget,
    conflicts: verdict.conflicts.map((one) => ({ ...one, recordKey: item.key, kind: "changed", message: null })),
    waiting,
    isWritten,
    ruled: ruledOtherwise(run, read, { facts, verdict }),
  };
}

/** How a shadow's rules would end the conflicts of a record. */
function ruledOtherwise(
  run: TwoWayRun,
  read: SourceRecord,
  { facts, verdict }: { readonly facts: MergeFacts; readonly verdict: MergeVerdict },
): readonly RuledRecord[] {
  const rules = shadowOf(run.stream, read, run.trial)?.twoWay;
  if (rules === undefined || verdict.conflicts.length === 0) return [];
  const { conflicts } = mergeFields(rules, facts, isSameValue);
  const fields = verdict.conflicts.flatMap(({ field, winner }) => {
    const other = conflicts.find((one) => one.field === field)?.winner ?? null;
    return other === winner ? [] : [{ path: `twoWay.${field}`, before: winner ?? "review", after: other ?? "review" }];
  });
  return fields.length === 0 ? [] : [{ source: read, fields }];
}

function isOne(a: Json | undefined, b: Json): boolean {
  return a !== undefined && isSameValue(a, b);
}

/** A deletion goes by, unless the target has what the source never saw: then a person decides. */
function planDeletion(record: PreparedRecord, before: SyncRecord, { again }: { readonly again: boolean }): Plan {
  const gone = { ...before, source: null, sourceAt: null, sourceVersion: null, sentToSource: {}, isDue: false };
  const isEdited = !again && before.target !== null && hasUnagreedChange({ ...before, target: before.target }, isSameValue);
  if (!isEdited) return { record, before, after: null, refused: gone, sent: {}, conflicts: [], waiting: [], isWritten: true, ruled: [] };
  const conflict: FoundConflict = {
    recordKey: record.item.key,
    field: WHOLE_RECORD,
    kind: "deleted",
    agreed: before.agreed,
    source: null,
    target: before.target,
    rule: "review",
    winner: null,
    message: "The source deleted the record after the target had changed it.",
  };
  return { record, before, after: gone, refused: gone, sent: {}, conflicts: [conflict], waiting: [], isWritten: false, ruled: [] };
}

async function declare(tx: Tx, run: StreamRun, plans: readonly Plan[]): Promise<void> {
  await noteConflicts(
    tx,
    run,
    plans.flatMap(({ conflicts }) => conflicts),
  );
  const saved = plans.flatMap((plan) => {
    const { before, sent } = plan;
    const isOpen = plan.conflicts.some(({ kind, winner }) => kind === "changed" && winner === null);
    if (!isOpen && Object.keys(sent).length === 0) return [];
    return [{ record: { ...before, ...(isOpen ? sourceSide(plan.refused) : {}), sentToTarget: sent }, settles: false }];
  });
  await saveSyncRecords(tx, placeOfStream(run), saved);
}

/** What was read of the source: whoever decides a conflict before the page is settled needs both values. */
function sourceSide({ source, sourceAt, sourceVersion }: SyncRecord): Pick<SyncRecord, "source" | "sourceAt" | "sourceVersion"> {
  return { source, sourceAt, sourceVersion };
}

async function settle(tx: Tx, run: StreamRun, plans: readonly Plan[], report: Pick<WriteReport, "done" | "dead">): Promise<void> {
  const done = new Map(report.done.map((one) => [one.record.item.key, one]));
  const dead = new Set(report.dead.map((letter) => letter.source.key));
  const saved: SavedRecord[] = [];
  const forgotten: string[] = [];
  for (const plan of plans) {
    const { key } = plan.record.item;
    const written = done.get(key);
    if (plan.isWritten && written === undefined) {
      if (dead.has(plan.record.source.key)) saved.push({ record: plan.refused, settles: true });
    } else if (plan.after === null) forgotten.push(key);
    else {
      // A version that the target did not tell is not known any more.
      const targetVersion = plan.isWritten ? (written?.version ?? null) : plan.after.targetVersion;
      saved.push({ record: { ...plan.after, targetVersion }, settles: true });
    }
  }
  const place = placeOfStream(run);
  await saveSyncRecords(tx, place, saved);
  await forgetSyncRecords(tx, place, forgotten);
  const keys = [...saved.map(({ record }) => record.key), ...forgotten];
  const standing = plans.flatMap(({ record, conflicts, waiting }) => [
    ...conflicts,
    ...waiting.map((field) => ({ recordKey: record.item.key, field, winner: null })),
  ]);
  await closeConflicts(tx, run, { keys, standing });
}

/** Somebody changed a record between our read and our write: what was read is not the truth any more, so the page begins again. */
export function requireUnraced(run: StreamRun, report: Pick<WriteReport, "dead">, sent: readonly PreparedRecord[]): void {
  if (!isTwoWay(run)) return;
  const guarded = new Set(sent.filter(({ item }) => item.ifVersion !== undefined).map(({ item }) => item.idempotencyKey));
  const raced = report.dead.find((letter) => letter.error.kind === "conflict" && guarded.has(letter.idempotencyKey));
  if (raced === undefined) return;
  throw new ConnectorError(
    "transient",
    `Record "${raced.source.key}" of stream "${run.stream.stream}" was changed while it was being written, so both sides are read again first.`,
  );
}
