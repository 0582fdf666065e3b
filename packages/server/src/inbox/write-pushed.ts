import { ConnectorError, ERROR_POLICIES, type ErrorKind, toConnectorError, type WriteError, type WriteResult } from "@quiesce/sdk";
import { requireGoingOn } from "../connector-host/run-permit.js";
import type { StreamRun } from "../pipeline/pipeline-run.js";
import type { DeadRecord, PreparedRecord } from "../pipeline/prepare-records.js";
import { batchesOf, deadRecord, stopsRun, UNCERTAIN_KINDS, writtenRecord, type WrittenRecord } from "../pipeline/write-records.js";

/** A record that the target did not take this time, with an error that is not its last word on the record. */
export interface FailedRecord {
  readonly record: PreparedRecord;
  readonly error: WriteError;
  /** A repetition may help. */
  readonly mayPass: boolean;
}

/** What became of a page of pushed records. */
export interface PushedReport {
  readonly done: readonly WrittenRecord[];
  readonly dead: readonly DeadRecord[];
  /** May have been written, and a repetition would double them: a person decides. */
  readonly review: readonly DeadRecord[];
  readonly failed: readonly FailedRecord[];
  /** Neither tried nor refused. */
  readonly unsent: readonly PreparedRecord[];
  /** Why the run has to stop here, if it has to. */
  readonly stop: ConnectorError | undefined;
}

interface Draft {
  readonly done: WrittenRecord[];
  readonly dead: DeadRecord[];
  readonly review: DeadRecord[];
  readonly failed: FailedRecord[];
  readonly unsent: PreparedRecord[];
  stop: ConnectorError | undefined;
}

/** As many batches are tried although nothing passes: then it is the system, not a record at the head of the queue. */
const maxVainBatches = 10;
/** The failure concerns every record, whichever it was told of. */
const WHOLE_KINDS: ReadonlySet<ErrorKind> = new Set(["cancelled", "rate_limited"]);

/**
 * Writes records in batches, in their order by key: once one of a key is not taken, no later one of that key is sent. Other keys go on. Never
 * throws for what the target does.
 */
export async function writePushed(run: StreamRun, records: readonly PreparedRecord[]): Promise<PushedReport> {
  const draft: Draft = { done: [], dead: [], review: [], failed: [], unsent: [], stop: undefined };
  let vain = 0;
  for (const batch of batchesOf(records, run.target.maxBatch)) {
    const before = draft.done.length;
    const free = withoutBlocked(batch, draft);
    if (free.length === 0) continue;
    await writeBatch(run, free, draft);
    vain = draft.done.length > before ? 0 : vain + 1;
    const first = draft.failed[0];
    if (draft.done.length === 0 && vain >= maxVainBatches && first !== undefined) draft.stop ??= stopOf(first.error);
  }
  return draft;
}

/** What may be sent: nothing after a stop, and nothing of a key that waits. The rest is noted as unsent. */
function withoutBlocked(batch: readonly PreparedRecord[], draft: Draft): readonly PreparedRecord[] {
  if (draft.stop !== undefined) {
    draft.unsent.push(...batch);
    return [];
  }
  const waiting = [...draft.failed.map((one) => one.record), ...draft.unsent];
  const keys = new Set(waiting.flatMap((one) => [`source ${one.source.key}`, `target ${one.item.key}`]));
  const isBlocked = (one: PreparedRecord) => keys.has(`source ${one.source.key}`) || keys.has(`target ${one.item.key}`);
  draft.unsent.push(...batch.filter(isBlocked));
  return batch.filter((one) => !isBlocked(one));
}

async function writeBatch(run: StreamRun, batch: readonly PreparedRecord[], draft: Draft): Promise<void> {
  try {
    requireGoingOn(run.permit.signal);
  } catch (thrown) {
    draft.stop = toConnectorError(thrown);
    draft.unsent.push(...batch);
    return;
  }
  let results: readonly WriteResult[];
  try {
    results = await run.target.write(
      run.stream.target,
      batch.map((record) => record.item),
    );
  } catch (thrown) {
    return fileThrown(run, batch, toConnectorError(thrown), draft);
  }
  for (const [index, record] of batch.entries()) fileResult(run, record, results[index], draft);
}

function fileResult(run: StreamRun, record: PreparedRecord, result: WriteResult | undefined, draft: Draft): void {
  if (result === undefined) draft.unsent.push(record);
  else if (result.ok) draft.done.push(writtenRecord(record, result));
  else if (result.error.ambiguous === true && isOnceOnly(run)) draft.review.push(deadRecord(record, result.error));
  else if (!stopsRun(result.error.kind)) draft.dead.push(deadRecord(record, result.error));
  else if (ERROR_POLICIES[result.error.kind].holdsIntegration || WHOLE_KINDS.has(result.error.kind)) {
    draft.stop ??= stopOf(result.error);
    draft.unsent.push(record);
  } else draft.failed.push({ record, error: result.error, mayPass: true });
}

/** A batch that failed as a whole. One broken record in it must not stop all the others for ever, so they are tried one by one. */
async function fileThrown(run: StreamRun, batch: readonly PreparedRecord[], error: ConnectorError, draft: Draft): Promise<void> {
  const { kind, message, info } = error;
  if (isOnceOnly(run) && (info.ambiguous === true || UNCERTAIN_KINDS.has(kind))) {
    draft.stop = error;
    const doubtful = { kind, message, status: info.status, ambiguous: true };
    draft.review.push(...batch.map((record) => deadRecord(record, doubtful)));
    return;
  }
  const [only, ...others] = batch;
  if (stopsRun(kind) || isOnceOnly(run) || only === undefined) {
    draft.stop = error;
    draft.unsent.push(...batch);
    return;
  }
  if (others.length === 0) {
    draft.failed.push({ record: only, error: { kind, message, field: info.field, status: info.status }, mayPass: false });
    return;
  }
  for (const [index, record] of batch.entries()) {
    if (draft.stop !== undefined || draft.failed.length > maxVainBatches) {
      draft.unsent.push(...batch.slice(index));
      return;
    }
    await writeBatch(run, [record], draft);
  }
}

function isOnceOnly(run: StreamRun): boolean {
  return run.target.idempotencyOf(run.stream.target) === "none";
}

function stopOf(error: WriteError): ConnectorError {
  const { kind, message, ...info } = error;
  return new ConnectorError(kind, message, info);
}
