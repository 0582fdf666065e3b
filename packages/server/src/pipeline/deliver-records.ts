import type { ConnectorError, SourceRecord } from "@quiesce/sdk";
import type { Tx } from "../db/client.js";
import { discardDelivered, hasOpenLetters, type LetterPlace, putOpenLetters } from "./dead-letters.js";
import { mergePage, type MergedPage, requireUnraced } from "./merge-page.js";
import { ownPageTransaction, ownTransaction, requireOwnRunNow, together } from "./own-transaction.js";
import type { StreamRun } from "./pipeline-run.js";
import type { DeadRecord, PreparedPage, PreparedRecord } from "./prepare-records.js";
import { saveTrace, tracedRecords } from "./record-trace.js";
import { countTrial, pageFigures, withRules } from "./running-trial.js";
import { rememberSent, withoutRepeated } from "./sent-records.js";
import { type CursorMove, forgetKeys, moveCursor, rememberKeys, saveFigures } from "./stream-state.js";
import { type Figures, noFigures } from "./tally.js";
import { isTwoWay } from "./two-way-stream.js";
import { type Answered, declareIntents, settleIntents } from "./write-intents.js";
import { type WriteReport, type WrittenRecord, writeRecords } from "./write-records.js";

/** Records to deliver, and what is committed together with their results. */
export interface Delivery extends PreparedPage {
  /** How many records were read from the source for it. */
  readonly read: number;
  readonly cursor?: CursorMove;
  /** What is read is the state of each record, not a log of events. */
  readonly readsState?: boolean;
  /** The target is known to differ: what was delivered before is written once more. */
  readonly again?: boolean;
  /** Whatever else is to be committed with what became of the records. */
  readonly settled?: (tx: Tx, delivered: DeliveredKeys) => Promise<void>;
}

/** What became of the records of a delivery, by their keys in the source. */
export interface DeliveredKeys {
  readonly done: readonly string[];
  /** Dead letters by now, or in review. */
  readonly refused: readonly string[];
}

/**
 * Writes records to the target, then commits in one fenced transaction: the cursor, what was delivered and what was not, keys and figures. If the
 * run has to stop here the cursor stays, so nothing is skipped; a target that recognises repetitions gets the page again, any other one only what
 * it has not been sent.
 */
export async function deliverRecords(run: StreamRun, delivery: Delivery): Promise<void> {
  if (delivery.ready.length === 0 || isRepeatable(run)) await deliverRepeatable(run, delivery);
  else await deliverOnce(run, placeOfLetters(run), delivery);
}

function placeOfLetters(run: StreamRun): LetterPlace {
  return { integrationId: run.run.integrationId, stream: run.stream.stream, runId: run.run.runId, mask: run.permit.mask };
}

async function deliverRepeatable(run: StreamRun, delivery: Delivery): Promise<void> {
  const commit = await sendRecords(run, delivery);
  await commit();
}

/** Whether records are known to the target when they come again, so that a page may be sent before the one ahead of it is committed. */
export function isRepeatable(run: StreamRun): boolean {
  return run.target.idempotencyOf(run.stream.target) !== "none";
}

/** Writes records to a target that recognises repetitions. What it answers commits the results: see {@link deliverRecords}. */
export async function sendRecords(run: StreamRun, delivery: Delivery): Promise<() => Promise<void>> {
  const { changed, repeated } = await changedRecords(run, delivery);
  const merged = await mergePage(run, changed, { again: delivery.again === true });
  // Looked at before anything is sent, too: a worker that was frozen must not write over what its successor has done.
  if (changed.length > 0) await (isTwoWay(run) ? ownTransaction(run, merged.declare) : requireOwnRunNow(run));
  const written = await writeRecords(run, merged.ready);
  if (written.stop !== undefined) throw written.stop;
  requireUnraced(run, written, merged.ready);
  const report: WriteReport = { ...written, done: [...repeated.map(unchanged), ...merged.agreed, ...written.done] };
  return () => commitRecords(run, { delivery, report, merged });
}

/** What is to be sent, and what was sent as it is. */
function changedRecords(run: StreamRun, { ready, again = false, readsState = false }: Delivery) {
  return again ? { changed: ready, repeated: [] } : withoutRepeated(run, ready, { readsState });
}

function unchanged(record: PreparedRecord): WrittenRecord {
  return { record, figure: "unchanged" };
}

async function commitRecords(
  run: StreamRun,
  page: { readonly delivery: Delivery; readonly report: WriteReport; readonly merged: MergedPage },
): Promise<void> {
  const { delivery, report, merged } = page;
  const place = placeOfLetters(run);
  const dead = [...delivery.dead, ...report.dead];
  const figures = run.tally.plus({ ...figuresOf(report), read: delivery.read, dead: dead.length, skipped: delivery.skipped.length });
  // The newest version of a record that is passed over is not wanted either, so nobody shall replay an older one.
  const settled = keysOf([...sourcesOf(report), ...delivery.skipped]);
  const letters = dead.filter((letter) => !superseded(letter.source, delivery.ready, report));
  const traced = tracedRecords(report, delivery);
  await ownPageTransaction(run, async (tx) => {
    await together([
      moveOn(tx, run, delivery),
      settleLetters(tx, place, { settled, letters }),
      keepKeys(tx, run, place.stream, report),
      remember(tx, run, delivery, doneOf(report)),
      saveFigures(tx, run.run, figures),
      saveTrace(tx, run, originOf(delivery), traced),
    ]);
    await merged.settle(tx, report);
    const tried = { trial: withRules(delivery.trial, place.stream, merged.ruled) };
    await countPage(tx, run, tried, { well: [...sourcesOf(report), ...delivery.skipped], badly: dead.map((letter) => letter.source) });
    await delivery.settled?.(tx, { done: keysOf(sourcesOf(report)), refused: keysOf(dead.map((letter) => letter.source)) });
  });
  run.tally.commit(figures);
}

/** Letters of what was delivered go, and what was not becomes one: in one page the older of two records of a key may have passed and the newer failed. */
async function settleLetters(
  tx: Tx,
  place: LetterPlace,
  page: { readonly settled: readonly string[]; readonly letters: readonly DeadRecord[] },
): Promise<void> {
  // Most streams have none, and to see that is less than to look for each of a page's keys.
  if (await hasOpenLetters(tx, place)) await discardDelivered(tx, place, page.settled);
  await putOpenLetters(tx, place, page.letters);
}

async function moveOn(tx: Tx, run: StreamRun, { cursor }: Delivery): Promise<void> {
  const { stream, twoWay } = run.stream;
  if (cursor !== undefined) await moveCursor(tx, run.run, { stream, ...cursor, isTwoWay: twoWay !== undefined });
}

async function deliverOnce(run: StreamRun, place: LetterPlace, delivery: Delivery): Promise<void> {
  const { changed, repeated } = await changedRecords(run, delivery);
  const answered = await ownTransaction(run, (tx) => declareIntents(tx, place, changed));
  const written = await writeRecords(run, answered.fresh);
  const report: WriteReport = { ...written, done: [...repeated.map(unchanged), ...written.done] };
  const stopped: ConnectorError | undefined = report.stop;
  const whole = stopped === undefined;
  const refused = report.dead.length + report.review.length;
  const settled = { ...figuresOf(report), dead: refused };
  const figures = run.tally.plus(whole ? wholeFigures(delivery, answered, settled) : settled);
  await ownTransaction(run, async (tx) => {
    const delivered = written.done.map(({ record }) => record);
    await settleIntents(tx, place, {
      delivered,
      unsent: report.unsent,
      dead: report.dead,
      review: report.review,
      earlier: answered.earlier,
      whole,
    });
    await keepKeys(tx, run, place.stream, report);
    if (whole) await remember(tx, run, delivery, [...doneOf(report), ...answered.earlier]);
    if (whole) await discardDelivered(tx, place, keysOf(delivery.skipped));
    if (whole) await putOpenLetters(tx, place, delivery.dead);
    if (whole && delivery.cursor !== undefined) await moveCursor(tx, run.run, { stream: place.stream, ...delivery.cursor });
    await saveFigures(tx, run.run, figures);
    const badly = [...report.dead, ...report.review, ...(whole ? delivery.dead : [])].map((letter) => letter.source);
    // What was refused before it was sent is told once, with the page as a whole.
    await saveTrace(tx, run, originOf(delivery), tracedRecords(report, whole ? delivery : { dead: [], skipped: [] }));
    if (whole) await countPage(tx, run, delivery, { well: [...sourcesOf(report), ...delivery.skipped], badly });
    const refusedKeys = keysOf([...badly, ...answered.earlier.map((record) => record.source)]);
    await delivery.settled?.(tx, { done: keysOf(sourcesOf(report)), refused: refusedKeys });
  });
  run.tally.commit(figures);
  if (stopped !== undefined) throw stopped;
}

/** Only what was found by comparing keys is delivered without having been read. */
function originOf({ cursor, read }: Delivery): "read" | "missing" {
  return read === 0 && cursor === undefined ? "missing" : "read";
}

function doneOf(report: WriteReport): readonly PreparedRecord[] {
  return report.done.map(({ record }) => record);
}

/** Of a page's records these were taken, in the order of the page. A deletion that was found by comparing keys belongs to a state too. */
async function remember(tx: Tx, run: StreamRun, delivery: Delivery, taken: readonly PreparedRecord[]): Promise<void> {
  if (delivery.readsState !== true && originOf(delivery) === "read") return;
  const sources = new Set(taken.map(({ source }) => source));
  await rememberSent(
    tx,
    run,
    delivery.ready.filter(({ source }) => sources.has(source)),
  );
}

function sourcesOf(report: WriteReport): readonly SourceRecord[] {
  return report.done.map(({ record }) => record.source);
}

/** Adds what a page showed of another definition that is being tried. */
export async function countPage(
  tx: Tx,
  run: StreamRun,
  page: Pick<PreparedPage, "trial">,
  ended: { readonly well: readonly SourceRecord[]; readonly badly: readonly SourceRecord[] },
): Promise<void> {
  const { trial } = run;
  if (trial === null || trial.isOver) return;
  const of = { trial, integration: run.run.integrationKey, mask: run.permit.mask };
  await countTrial(tx, of, { ...pageFigures(trial, page.trial, ended), differences: page.trial.differences });
}

function keysOf(sources: readonly SourceRecord[]): readonly string[] {
  return sources.map((source) => source.key);
}

function wholeFigures(delivery: Delivery, answered: Answered, settled: Partial<Figures> & { readonly dead: number }): Partial<Figures> {
  return {
    ...settled,
    read: delivery.read,
    dead: settled.dead + answered.interrupted + delivery.dead.length,
    skipped: delivery.skipped.length,
  };
}

function figuresOf(report: WriteReport): Partial<Figures> {
  const figures = { ...noFigures };
  for (const { figure } of report.done) figures[figure] += 1;
  return { written: figures.written, unchanged: figures.unchanged, deleted: figures.deleted };
}

/** A letter whose record was delivered in a later version within the same page. */
function superseded(source: SourceRecord, ready: readonly PreparedRecord[], report: WriteReport): boolean {
  const failedAt = ready.findIndex((record) => record.source === source);
  return failedAt >= 0 && report.done.some(({ record }) => record.source.key === source.key && ready.indexOf(record) > failedAt);
}

/** Notes which keys the target may hold now, where deletions are found by comparing them. */
export async function keepKeys(tx: Tx, run: StreamRun, stream: string, report: WriteReport): Promise<void> {
  if (run.stream.deletes === "ignore") return;
  const last = new Map<string, boolean>();
  for (const { record } of report.done) last.set(record.source.key, record.item.op === "delete");
  // What is in review may be there; a deletion of something absent does no harm, a record that nobody deletes does.
  for (const letter of report.review) if (!last.has(letter.source.key)) last.set(letter.source.key, false);
  // A deletion that was refused for good is a dead letter now; asking again in every run would only make more of them.
  for (const letter of report.dead) if (letter.source.op === "delete") last.set(letter.source.key, true);
  const keys = [...last];
  await rememberKeys(
    tx,
    run.run,
    stream,
    keys.filter(([, gone]) => !gone).map(([key]) => key),
  );
  await forgetKeys(
    tx,
    run.run,
    stream,
    keys.filter(([, gone]) => gone).map(([key]) => key),
  );
}
