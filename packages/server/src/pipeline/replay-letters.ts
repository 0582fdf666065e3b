import { applyMapping } from "@quiesce/core";
import type { SourceRecord } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import { requireGoingOn } from "../connector-host/run-permit.js";
import type { Tx } from "../db/client.js";
import { keepKeys } from "./deliver-records.js";
import { type MergedPage, mergePage, requireUnraced } from "./merge-page.js";
import { ownTransaction } from "./own-transaction.js";
import type { StreamRun } from "./pipeline-run.js";
import { type DeadError, letOthersTurn, mappingFailure, type PreparedRecord, readFailure } from "./prepare-records.js";
import { saveTrace, tracedRecords } from "./record-trace.js";
import { saveFigures } from "./stream-state.js";
import { rememberSent } from "./sent-records.js";
import { storableJson } from "./storable-json.js";
import { noFigures } from "./tally.js";
import { type WriteReport, writeRecords } from "./write-records.js";

interface Letter {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly source: SourceRecord;
  readonly idempotencyKey: string;
}

/** A letter on its way again. */
interface Resent {
  readonly letter: Letter;
  readonly record: PreparedRecord;
}

/**
 * Delivers a stream's dead letters that this run was asked for, mapped anew and under the name that they had: a target that has one of them all the
 * same knows it for a repetition. Each page's letters are settled in one transaction with its figures.
 */
export async function replayLetters(run: StreamRun): Promise<void> {
  while (true) {
    requireGoingOn(run.permit.signal);
    const letters = await ownTransaction(run, (tx) => takeLetters(tx, run));
    if (letters.length === 0) return;
    const resent: Resent[] = [];
    const unfit: { readonly letter: Letter; readonly error: DeadError }[] = [];
    const skipped: Letter[] = [];
    for (const [index, letter] of letters.entries()) {
      await letOthersTurn([run.stream.mapping], index);
      if (letter.source.op === "delete" && run.stream.deletes === "ignore") {
        skipped.push(letter);
        continue;
      }
      if (letter.source.problem !== undefined) {
        unfit.push({ letter, error: readFailure(letter.source.problem) });
        continue;
      }
      const mapped = await applyMapping(run.stream.mapping, letter.source);
      const item = (record: SourceRecord) => ({ ...record, idempotencyKey: letter.idempotencyKey });
      if (mapped.kind === "mapped") resent.push({ letter, record: { source: letter.source, item: item(mapped.record) } });
      else if (mapped.kind === "skipped") skipped.push(letter);
      else unfit.push({ letter, error: mappingFailure(mapped.errors) });
    }
    const merged = await mergePage(
      run,
      resent.map((one) => one.record),
      { again: true },
    );
    if (resent.length > 0) await ownTransaction(run, merged.declare);
    const written = await writeRecords(run, merged.ready);
    requireUnraced(run, written, merged.ready);
    const report: WriteReport = { ...written, done: [...merged.agreed, ...written.done] };
    await settle(run, { letters, resent, unfit, skipped, report, merged });
    if (report.stop !== undefined) throw report.stop;
  }
}

/** Where a repetition would double a record, it goes into review before it is sent: a process that dies leaves a question for a person. */
function takeLetters(tx: Tx, run: StreamRun): Promise<readonly Letter[]> {
  const once = run.target.idempotencyOf(run.stream.target) === "none";
  const taken = sql`
    select d.id from dead_letter as d
    where d.replay_run_id = ${run.run.runId}::uuid and d.integration_id = ${run.run.integrationId} and d.stream = ${run.stream.stream} and d.status = 'open'
    order by d.id limit ${run.pageSize} for update`;
  const columns = sql`d.id, d.record -> 'source' as source, d.record ->> 'idempotencyKey' as "idempotencyKey"`;
  if (!once) return tx.execute<Letter>(sql`select ${columns} from dead_letter as d where d.id in (${taken}) order by d.id`);
  return tx.execute<Letter>(sql`
    with taken as materialized (${taken}),
    marked as (
      update dead_letter as d set status = 'review', record = d.record || '{"intent": true}' from taken where d.id = taken.id returning ${columns}
    )
    select * from marked order by id`);
}

async function settle(
  run: StreamRun,
  page: {
    readonly letters: readonly Letter[];
    readonly resent: readonly Resent[];
    readonly unfit: readonly { readonly letter: Letter; readonly error: DeadError }[];
    /** What the stream passes over by now: the mapping's condition, or deletions that are ignored. */
    readonly skipped: readonly Letter[];
    readonly report: WriteReport;
    readonly merged: Pick<MergedPage, "settle">;
  },
): Promise<void> {
  const { resent, unfit, report } = page;
  const letterOf = new Map<SourceRecord, Letter>(resent.map((one) => [one.record.source, one.letter]));
  const idsOf = (sources: readonly SourceRecord[]) => sources.flatMap((source) => letterOf.get(source)?.id ?? []);
  const figures = { ...noFigures, read: page.letters.length - report.unsent.length };
  for (const { figure } of report.done) figures[figure] += 1;
  figures.dead = unfit.length + report.dead.length + report.review.length;
  const sum = run.tally.plus({ ...figures, skipped: page.skipped.length });
  const refused = [
    ...unfit.map(({ letter, error }) => ({ id: letter.id, status: "open", error })),
    ...report.dead.flatMap(({ source, error }) => idsOf([source]).map((id) => ({ id, status: "open", error }))),
    ...report.review.flatMap(({ source, error }) => idsOf([source]).map((id) => ({ id, status: "review", error }))),
  ];
  await ownTransaction(run, async (tx) => {
    await tx.execute(sql`
      update dead_letter set status = 'replayed', resolved_at = app_now(), record = record - 'intent'
      where id = any (${sql.param(idsOf(report.done.map((one) => one.record.source)))}::bigint[])`);
    await tx.execute(sql`
      update dead_letter set status = 'discarded', resolved_at = app_now(), record = record - 'intent'
      where id = any (${sql.param(page.skipped.map((letter) => letter.id))}::bigint[])`);
    await tx.execute(sql`
      update dead_letter set status = 'open', record = record - 'intent'
      where id = any (${sql.param(idsOf(report.unsent.map((one) => one.source)))}::bigint[])`);
    await tx.execute(sql`
      update dead_letter as d set status = g.status, error = g.error, at = app_now(), run_id = ${run.run.runId}::uuid, replay_run_id = null, record = d.record - 'intent'
      from jsonb_to_recordset(${storableJson(refused.map((one) => ({ ...one, error: run.permit.mask.deep(one.error) })))}::text::jsonb) as g(id bigint, status text, error jsonb)
      where d.id = g.id`);
    await page.merged.settle(tx, report);
    await keepKeys(tx, run, run.stream.stream, report);
    await rememberSent(
      tx,
      run,
      report.done.map(({ record }) => record),
    );
    const dead = unfit.map(({ letter, error }) => ({ source: letter.source, idempotencyKey: letter.idempotencyKey, error }));
    await saveTrace(tx, run, "replay", tracedRecords(report, { dead, skipped: page.skipped.map((letter) => letter.source) }));
    await saveFigures(tx, run.run, sum);
  });
  run.tally.commit(sum);
}
