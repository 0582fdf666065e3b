import { decideFailedRecord } from "@quiesce/core";
import { ConnectorError, type SourceRecord, type WriteError } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import { readNow } from "../command.js";
import { requireGoingOn } from "../connector-host/run-permit.js";
import type { Tx } from "../db/client.js";
import { appendEvents, payloadInstant } from "../events/append-events.js";
import { discardDelivered, type LetterPlace, putOpenLetters } from "../pipeline/dead-letters.js";
import { countPage } from "../pipeline/deliver-records.js";
import { ownTransaction } from "../pipeline/own-transaction.js";
import type { PipelineRun, StreamRun } from "../pipeline/pipeline-run.js";
import { type DeadRecord, type PreparedRecord, prepareRecords } from "../pipeline/prepare-records.js";
import { saveTrace, tracedRecords } from "../pipeline/record-trace.js";
import { joinTrials, type PageTrial } from "../pipeline/running-trial.js";
import { forgetSent } from "../pipeline/sent-records.js";
import { saveFigures } from "../pipeline/stream-state.js";
import { noFigures } from "../pipeline/tally.js";
import { type Answered, declareIntents, settleIntents } from "../pipeline/write-intents.js";
import { queuePushRun } from "./queue-push-run.js";
import { lockInbox, nextTryAt, pushTargetOf, putOffRecords, settleRecords, takeRecords, type WaitingRecord } from "./store.js";
import { type FailedRecord, type PushedReport, writePushed } from "./write-pushed.js";

/** What one run is to deliver: what was there when it began. So it comes to an end however much is pushed meanwhile. */
export interface InboxSpan {
  readonly upTo: number;
}

/**
 * Looks what waits, under the lock of the inbox: who pushes at this moment sees this run as one that has begun, or has its records in the span.
 * What waited for holds is counted as let go by them.
 */
export function openInbox(run: PipelineRun): Promise<InboxSpan> {
  return ownTransaction(run, async (tx) => {
    const { integrationId, integrationKey, runId, dueAt } = run.run;
    await lockInbox(tx, integrationId);
    const rows = await tx.execute<{ upTo: number | null; records: number }>(sql`
      select max(id) as "upTo", count(*)::integer as records from inbox_record where integration_id = ${integrationId} and settled_at is null`);
    const { upTo, records } = { upTo: rows[0]?.upTo ?? 0, records: rows[0]?.records ?? 0 };
    const released = await tx.execute<{ hold: number; since: number | null }>(sql`
      with run_of as (select held_by, held_since from run where id = ${runId}::uuid and due_at = ${dueAt}::timestamptz)
      insert into inbox_release (hold_id, integration_id, run_id, records, at)
      select h.id, ${integrationId}, ${runId}::uuid, ${records}, app_now() from run_of join hold as h on h.id = any (run_of.held_by)
      on conflict do nothing returning hold_id as hold, (select held_since from run_of) as since`);
    if (released.length > 0 && records > 0) {
      const payload = {
        records,
        run: runId,
        heldBy: released.map((one) => one.hold),
        heldSince: payloadInstant(released[0]?.since ?? null),
      };
      await appendEvents(tx, [{ kind: "inbox.released", subjectKind: "integration", subjectKey: integrationKey, integrationKey, payload }]);
    }
    return { upTo };
  });
}

/** Sees to a next run, if something is left that is to be tried again. */
export function closeInbox(run: PipelineRun): Promise<void> {
  return ownTransaction(run, async (tx) => {
    const target = await pushTargetOf(tx, run.run.integrationId);
    if (target === undefined) return;
    const inbox = await lockInbox(tx, target.integrationId);
    const now = await readNow(tx);
    const next = await nextTryAt(tx, target, now);
    if (next !== null) await queuePushRun(tx, { target, inbox, waiting: inbox.waitingRecords, notBefore: next, now });
  });
}

/** Delivers the waiting records of one stream, page by page, each page's results and acknowledgements in one transaction. */
export async function deliverInbox(run: StreamRun, span: InboxSpan): Promise<void> {
  let alive = false;
  while (true) {
    requireGoingOn(run.permit.signal);
    // Fenced: a worker that was frozen must not write over what its successor has done.
    const records = await ownTransaction(run, (tx) =>
      takeRecords(tx, {
        integrationId: run.run.integrationId,
        stream: run.stream.stream,
        runId: run.run.runId,
        upTo: span.upTo,
        limit: run.pageSize,
      }),
    );
    if (records.length === 0) return;
    alive = await deliverPage(run, records, alive);
  }
}

/** One page on its way; the prepared record leads back to what waits. */
interface TakenPage {
  readonly records: readonly WaitingRecord[];
  readonly ready: readonly PreparedRecord[];
  /** What does not fit the mapping, and the ids of its records. */
  readonly dead: readonly DeadRecord[];
  readonly deadIds: readonly number[];
  /** Deletions of a stream that ignores them, and what the mapping's condition passes over: done with, like what was delivered. */
  readonly ignoredIds: readonly number[];
  readonly skipped: readonly SourceRecord[];
  /** What each showed of another definition that is being tried, by its id. */
  readonly trials: ReadonlyMap<number, PageTrial>;
  readonly idOf: ReadonlyMap<SourceRecord, WaitingRecord>;
}

/** Answers whether the target has taken anything by now. */
async function deliverPage(run: StreamRun, records: readonly WaitingRecord[], alive: boolean): Promise<boolean> {
  const place: LetterPlace = {
    integrationId: run.run.integrationId,
    stream: run.stream.stream,
    runId: run.run.runId,
    mask: run.permit.mask,
  };
  const page = await prepare(run, records);
  const once = run.target.idempotencyOf(run.stream.target) === "none";
  const answered: Answered = once
    ? await ownTransaction(run, (tx) => declareIntents(tx, place, page.ready))
    : { fresh: page.ready, earlier: [], interrupted: 0 };
  const report = await writePushed(run, answered.fresh);
  const isAlive = alive || report.done.length > 0;
  const stop = await ownTransaction(run, async (tx) => {
    const verdict = judge(run, { page, failed: report.failed, alive: isAlive, now: await readNow(tx) });
    if (once) await settleOnce(tx, place, { report, verdict, answered });
    await settlePage(tx, run, { place, page, report, verdict, answered, once });
    return report.stop ?? verdict.stop;
  });
  if (stop !== undefined) throw stop;
  return isAlive;
}

async function prepare(run: StreamRun, records: readonly WaitingRecord[]): Promise<TakenPage> {
  const ready: PreparedRecord[] = [];
  const dead: DeadRecord[] = [];
  const deadIds: number[] = [];
  const ignoredIds: number[] = [];
  const skipped: SourceRecord[] = [];
  const trials = new Map<number, PageTrial>();
  const idOf = new Map<SourceRecord, WaitingRecord>();
  for (const record of records) {
    const source: SourceRecord = {
      key: record.key,
      op: record.op,
      data: record.data,
      at: payloadInstant(record.acceptedAt),
      ...(record.version === null ? {} : { version: record.version }),
    };
    idOf.set(source, record);
    // Its own place instead of a page's: a value that is pushed again (A, B, A) is three changes, and a record that is tried again is not.
    const page = await prepareRecords([source], run, { from: { inbox: record.id }, round: 0 });
    trials.set(record.id, page.trial);
    ready.push(...page.ready);
    dead.push(...page.dead);
    skipped.push(...page.skipped);
    if (page.dead.length > 0) deadIds.push(record.id);
    else if (page.ready.length === 0) ignoredIds.push(record.id);
  }
  return { records, ready, dead, deadIds, ignoredIds, skipped, idOf, trials };
}

interface Verdicts {
  readonly again: readonly { readonly id: number; readonly at: number }[];
  readonly dead: readonly DeadRecord[];
  readonly stop: ConnectorError | undefined;
}

function judge(
  run: StreamRun,
  facts: { readonly page: TakenPage; readonly failed: readonly FailedRecord[]; readonly alive: boolean; readonly now: number },
): Verdicts {
  const again: { id: number; at: number }[] = [];
  const dead: DeadRecord[] = [];
  let stop: ConnectorError | undefined;
  for (const { record, error, mayPass } of facts.failed) {
    const waiting = facts.page.idOf.get(record.source);
    if (waiting === undefined) throw new Error("A record failed that was not on the page.");
    const verdict = decideFailedRecord({
      kind: error.kind,
      mayPass,
      attempts: waiting.attempts + 1,
      alive: facts.alive,
      policy: run.run.retry,
      retryAfterMs: error.retryAfterMs ?? null,
      now: facts.now,
    });
    if (verdict.next === "again") again.push({ id: waiting.id, at: verdict.at });
    else if (verdict.next === "dead")
      dead.push({ source: record.source, idempotencyKey: record.item.idempotencyKey, error: { stage: "write", ...letterError(error) } });
    else stop ??= new ConnectorError(error.kind, error.message, { retryAfterMs: error.retryAfterMs, status: error.status });
  }
  return { again, dead, stop };
}

function letterError({ kind, message, field, status, ambiguous }: WriteError) {
  return { kind, message, field, status, ambiguous };
}

/** For a target that cannot recognise repetitions: each intent is replaced by what became of it; what is to be sent again has none. */
async function settleOnce(
  tx: Tx,
  place: LetterPlace,
  facts: { readonly report: PushedReport; readonly verdict: Verdicts; readonly answered: Answered },
): Promise<void> {
  const { report, verdict, answered } = facts;
  const gone = new Set(verdict.dead.map((letter) => letter.source));
  await settleIntents(tx, place, {
    delivered: report.done.map(({ record }) => record),
    unsent: [...report.unsent, ...report.failed.map((one) => one.record).filter((record) => !gone.has(record.source))],
    dead: [...report.dead, ...verdict.dead],
    review: report.review,
    earlier: answered.earlier,
    whole: true,
  });
}

/** Acknowledges a page: what was delivered, what is dead, what is tried again, all with the letters and the figures in this transaction. */
async function settlePage(
  tx: Tx,
  run: StreamRun,
  facts: {
    readonly place: LetterPlace;
    readonly page: TakenPage;
    readonly report: PushedReport;
    readonly verdict: Verdicts;
    readonly answered: Answered;
    readonly once: boolean;
  },
): Promise<void> {
  const { place, page, report, verdict } = facts;
  await lockInbox(tx, place.integrationId);
  const idsOf = (sources: readonly SourceRecord[]) => sources.flatMap((source) => page.idOf.get(source)?.id ?? []);
  const letters = [...page.dead, ...(facts.once ? [] : [...report.dead, ...verdict.dead])];
  const dead = [
    ...idsOf([...report.dead, ...report.review, ...verdict.dead].map((letter) => letter.source)),
    ...idsOf(facts.answered.earlier.map((record) => record.source)),
    ...page.deadIds,
  ];
  const done = [...idsOf(report.done.map(({ record }) => record.source)), ...page.ignoredIds];
  await forgetSent(
    tx,
    run,
    report.done.map(({ record }) => record),
  );
  await putOpenLetters(tx, place, letters);
  await discardDelivered(tx, place, keysThatEndWell(page, { done, dead }));
  await settleRecords(tx, place.integrationId, { done, dead });
  await putOffRecords(tx, verdict.again);
  const badly = [...page.dead, ...report.dead, ...report.review, ...verdict.dead].map((letter) => letter.source);
  const traced = { dead: [...page.dead, ...verdict.dead], skipped: page.skipped };
  await saveTrace(tx, run, "push", tracedRecords(report, traced));
  // What is tried again is counted when it ends.
  const trial = joinTrials([...done, ...dead].flatMap((id) => page.trials.get(id) ?? []));
  await countPage(tx, run, { trial }, { well: [...report.done.map(({ record }) => record.source), ...page.skipped], badly });
  await countFigures(tx, run, { report, done: done.length, dead: dead.length, skipped: page.skipped.length });
}

async function countFigures(
  tx: Tx,
  run: StreamRun,
  counted: { readonly report: PushedReport; readonly done: number; readonly dead: number; readonly skipped: number },
): Promise<void> {
  const figures = { ...noFigures, skipped: counted.skipped, read: counted.done + counted.dead, dead: counted.dead };
  for (const { figure } of counted.report.done) figures[figure] += 1;
  const sum = run.tally.plus(figures);
  await saveFigures(tx, run.run, sum);
  run.tally.commit(sum);
}

/** The keys of which the last record that ended was delivered: nobody shall replay an older one over it. */
function keysThatEndWell(
  page: TakenPage,
  ended: { readonly done: readonly number[]; readonly dead: readonly number[] },
): readonly string[] {
  const done = new Set(ended.done);
  const dead = new Set(ended.dead);
  const wells = new Map<string, boolean>();
  for (const { id, key } of page.records) if (done.has(id) || dead.has(id)) wells.set(key, done.has(id));
  return [...wells].flatMap(([key, well]) => (well ? [key] : []));
}
