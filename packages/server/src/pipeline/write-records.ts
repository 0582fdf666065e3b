import {
  ConnectorError,
  ERROR_POLICIES,
  toConnectorError,
  type ErrorKind,
  type WriteError,
  type WriteIdempotency,
  type WriteResult,
} from "@quiesce/sdk";
import { requireGoingOn } from "../connector-host/run-permit.js";
import type { StreamRun } from "./pipeline-run.js";
import type { DeadRecord, PreparedRecord } from "./prepare-records.js";

/** A record that the target has confirmed. */
export interface WrittenRecord {
  readonly record: PreparedRecord;
  readonly figure: "written" | "unchanged" | "deleted";
  /** What the target calls it, and its version there, as far as the connector says. */
  readonly remoteId?: string | undefined;
  readonly version?: string | undefined;
}

/** What became of records that were handed to the target. */
export interface WriteReport {
  /** Confirmed by the target, in order. */
  readonly done: readonly WrittenRecord[];
  /** Refused for good: dead letters. */
  readonly dead: readonly DeadRecord[];
  /** May have been written, and a repetition would double them: a person decides. */
  readonly review: readonly DeadRecord[];
  /** Neither written nor refused; the next attempt sends them. */
  readonly unsent: readonly PreparedRecord[];
  /** Why the run has to stop here, if it has to. */
  readonly stop: ConnectorError | undefined;
}

/** These leave open whether anything was applied, even if the connector did not say so. */
export const UNCERTAIN_KINDS: ReadonlySet<ErrorKind> = new Set(["bug", "timeout", "cancelled", "contract"]);

/** So many batches in a row without one record that passed show that it is the target, not the records. */
const MAX_VAIN_BATCHES = 3;

interface Draft {
  readonly done: WrittenRecord[];
  readonly dead: DeadRecord[];
  readonly review: DeadRecord[];
  readonly unsent: PreparedRecord[];
  /** Failed at the last attempt, each as if the target were away. What passes after them shows that it is not. */
  suspects: { readonly record: PreparedRecord; readonly error: WriteError }[];
  stop: ConnectorError | undefined;
}

/** Writes records in batches the connector can take, never two of one key in one batch. Never throws for what the target does. */
export async function writeRecords(run: StreamRun, records: readonly PreparedRecord[]): Promise<WriteReport> {
  const idempotency = run.target.idempotencyOf(run.stream.target);
  const draft: Draft = { done: [], dead: [], review: [], unsent: [], suspects: [], stop: undefined };
  let vain = 0;
  for (const batch of batchesOf(records, run.target.maxBatch)) {
    if (draft.stop !== undefined || vain === MAX_VAIN_BATCHES) {
      draft.unsent.push(...batch);
      continue;
    }
    const before = draft.done.length;
    await writeBatch(run, batch, idempotency, draft);
    vain = draft.suspects.length > 0 && draft.done.length === before ? vain + 1 : 0;
  }
  return unconfirmed(draft);
}

/** Nothing passed after them: the target may have gone away in the middle, and a dead letter would be one record too many for a person. */
function unconfirmed({ suspects, ...draft }: Draft): WriteReport {
  const [first] = suspects;
  if (first === undefined) return draft;
  return { ...draft, unsent: [...suspects.map(({ record }) => record), ...draft.unsent], stop: draft.stop ?? stopOf(first.error) };
}

function stopOf({ kind, message, ...info }: WriteError): ConnectorError {
  return new ConnectorError(kind, message, info);
}

async function writeBatch(run: StreamRun, batch: readonly PreparedRecord[], idempotency: WriteIdempotency, draft: Draft): Promise<void> {
  try {
    requireGoingOn(run.permit.signal);
  } catch (thrown) {
    draft.stop = toConnectorError(thrown);
    draft.unsent.push(...batch);
    return;
  }
  try {
    const results = await run.target.write(
      run.stream.target,
      batch.map((record) => record.item),
    );
    fileResults(run, batch, results, idempotency, draft);
  } catch (thrown) {
    const error = toConnectorError(thrown);
    draft.stop = error;
    // A repetition does no harm where the key decides; elsewhere a doubt is enough to ask a person.
    const uncertain = error.info.ambiguous === true || UNCERTAIN_KINDS.has(error.kind);
    if (idempotency !== "none" || !uncertain) draft.unsent.push(...batch);
    else
      draft.review.push(
        ...batch.map((record) =>
          deadRecord(record, { kind: error.kind, message: error.message, status: error.info.status, ambiguous: true }),
        ),
      );
  }
}

function fileResults(
  run: StreamRun,
  batch: readonly PreparedRecord[],
  results: readonly WriteResult[],
  idempotency: WriteIdempotency,
  draft: Draft,
): void {
  // A record that keeps failing while others pass would stop its stream for ever: at the last attempt it is set aside.
  const lastTry = run.run.attempt >= run.run.retry.maxAttempts;
  for (const [index, record] of batch.entries()) {
    const result = results[index];
    if (result === undefined) draft.unsent.push(record);
    else if (result.ok) {
      draft.done.push(writtenRecord(record, result));
      draft.dead.push(...draft.suspects.map((suspect) => deadRecord(suspect.record, suspect.error)));
      draft.suspects = [];
    } else if (result.error.ambiguous === true && idempotency === "none") draft.review.push(deadRecord(record, result.error));
    else if (!stopsRun(result.error.kind)) draft.dead.push(deadRecord(record, result.error));
    else if (lastTry && mayBeSetAside(result.error.kind)) draft.suspects.push({ record, error: result.error });
    else {
      draft.stop ??= stopOf(result.error);
      draft.unsent.push(record);
    }
  }
}

/** Consecutive records up to the connector's limit; a second record of a key opens a new batch, so that their order stays. */
export function batchesOf(records: readonly PreparedRecord[], maxBatch: number): readonly (readonly PreparedRecord[])[] {
  const batches: PreparedRecord[][] = [];
  let batch: PreparedRecord[] = [];
  let keys = new Set<string>();
  for (const record of records) {
    if (batch.length === maxBatch || keys.has(record.item.key)) {
      batches.push(batch);
      batch = [];
      keys = new Set();
    }
    batch.push(record);
    keys.add(record.item.key);
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}

/** The failure concerns the system rather than the record: what follows would meet the same. */
export function stopsRun(kind: ErrorKind): boolean {
  const policy = ERROR_POLICIES[kind];
  return policy.retry || policy.holdsIntegration;
}

function mayBeSetAside(kind: ErrorKind): boolean {
  return ERROR_POLICIES[kind].retry && kind !== "cancelled" && kind !== "rate_limited";
}

export function writtenRecord(record: PreparedRecord, result: WriteResult & { readonly ok: true }): WrittenRecord {
  return { record, figure: figureOf(record, result), remoteId: result.remoteId, version: result.version };
}

function figureOf(record: PreparedRecord, result: WriteResult & { readonly ok: true }): WrittenRecord["figure"] {
  if (result.unchanged === true) return "unchanged";
  return record.item.op === "delete" ? "deleted" : "written";
}

export function deadRecord(record: PreparedRecord, error: WriteError): DeadRecord {
  const { kind, message, field, status, ambiguous } = error;
  return {
    source: record.source,
    idempotencyKey: record.item.idempotencyKey,
    error: { stage: "write", kind, message, field, status, ambiguous },
  };
}
