import { applyMapping, noTrialFigures, type StreamEntry, type TrialSettings } from "@quiesce/core";
import { type ConnectorError, type SourceRecord, toConnectorError } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import type { OpenEndpoint } from "../connector-host/open-endpoint.js";
import { requireGoingOn, RunLostError } from "../connector-host/run-permit.js";
import { ownTransaction } from "./own-transaction.js";
import type { PipelineRun } from "./pipeline-run.js";
import { letOthersTurn } from "./prepare-records.js";
import { collectTrial, endTrial, joinTrials, outcomeOf, type PageTrial, shownJson, triedOf, type TriedRow } from "./running-trial.js";
import { loadCursor, saveFigures } from "./stream-state.js";
import { noFigures } from "./tally.js";

interface DryRun extends PipelineRun {
  readonly source: OpenEndpoint;
  readonly streams: readonly StreamEntry[];
}

interface Order extends TriedRow {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly settings: TrialSettings & { readonly sinceCursor?: boolean };
}

/**
 * Reads a bounded sample of each stream and looks what the definition in force and the candidate make of it. Nothing is written to the target and no
 * cursor moves. Its figures and differences are committed at once, at the end; when it fails the trial says why, and another attempt begins anew.
 */
export async function dryRun(run: DryRun): Promise<ConnectorError | undefined> {
  const [order] = await run.database.db.execute<Order>(sql`
    select t.id, t.candidate, t.definition -> 'streams' as streams, i.streams as current, t.settings
    from integration_trial as t join integration as i on i.id = t.integration_id where t.run_id = ${run.run.runId}::uuid and t.state = 'running'`);
  // Somebody ended it before its run began.
  if (order === undefined) return undefined;
  try {
    const pages: PageTrial[] = [];
    for (const sample of samplesOf(run, order)) pages.push(await trySample(run, sample, order));
    await commit(run, order, joinTrials(pages));
    return undefined;
  } catch (thrown) {
    if (thrown instanceof RunLostError) throw thrown;
    const { message } = toConnectorError(thrown);
    const verdict = run.permit.mask.text(message).slice(0, 2_000);
    await ownTransaction(run, (tx) =>
      tx.execute(sql`update integration_trial set verdict = ${verdict} where id = ${order.id}::bigint and state = 'running'`),
    );
    throw thrown;
  }
}

/** One stream as it is in force and as the candidate has it; null where it is not there. */
interface Sample {
  readonly stream: string;
  readonly now: StreamEntry | null;
  readonly candidate: StreamEntry | null;
}

/** Of a candidate what it treats otherwise; without one the sample of every stream is mapped as it is. */
function samplesOf(run: DryRun, order: Order): readonly Sample[] {
  const nowOf = (name: string) => run.streams.find(({ stream }) => stream === name) ?? null;
  const isOfAll = order.streams === null && Object.keys(order.candidate).length === 0;
  if (isOfAll) return run.streams.map((stream) => ({ stream: stream.stream, now: stream, candidate: stream }));
  return Object.entries(triedOf(order))
    .map(([stream, candidate]) => ({ stream, now: nowOf(stream), candidate }))
    .filter(({ now, candidate }) => now !== null || candidate?.push === false);
}

async function trySample(run: DryRun, { stream, now, candidate }: Sample, { settings }: Order): Promise<PageTrial> {
  const tried = collectTrial(stream);
  const mappings = [now?.mapping, candidate?.mapping];
  const cursor = settings.sinceCursor === true ? await loadCursor(run.database.db, run.run.integrationId, stream) : null;
  let left = settings.records;
  for await (const page of run.source.read({ stream, cursor, pageSize: Math.min(run.pageSize, left) })) {
    requireGoingOn(run.permit.signal);
    const records = page.records.slice(0, left);
    for (const [index, record] of records.entries()) {
      await letOthersTurn(mappings, index);
      await tryRecord(tried, record, { now, candidate });
    }
    left -= records.length;
    if (left <= 0 || !page.more) break;
  }
  return tried.page;
}

/** Compares what both make of a record; what cannot be used says nothing. */
export async function tryRecord(
  tried: ReturnType<typeof collectTrial>,
  record: SourceRecord,
  { now, candidate }: Pick<Sample, "now" | "candidate">,
): Promise<void> {
  if (typeof record?.key !== "string" || typeof record.data !== "object" || record.data === null || record.problem !== undefined) return;
  tried.compare(record, await outcomeOf(now, record, applyMapping), await outcomeOf(candidate, record, applyMapping));
}

async function commit(run: DryRun, order: Order, { compared, differences }: PageTrial): Promise<void> {
  const records = compared.same + compared.different;
  const figures = { ...noTrialFigures, ...compared, records, runs: 1 };
  const verdict = `${compared.different} of ${records} records differ, ${compared.errors} do not fit.`;
  const read = run.tally.plus({ ...noFigures, read: records });
  await ownTransaction(run, async (tx) => {
    await tx.execute(sql`
      update integration_trial set figures = ${JSON.stringify(figures)}::text::jsonb, differences = ${shownJson(run.permit.mask, differences)}::text::jsonb
      where id = ${order.id}::bigint and state = 'running'`);
    await endTrial(tx, { trial: { id: order.id, kind: "dry-run" }, integration: run.run.integrationKey }, { state: "done", verdict });
    await saveFigures(tx, run.run, read);
  });
  run.tally.commit(read);
}
