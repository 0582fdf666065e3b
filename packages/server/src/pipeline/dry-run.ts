import { applyMapping, noTrialFigures, type StreamEntry, type TrialCandidate, type TrialSettings } from "@quiesce/core";
import { type ConnectorError, type SourceRecord, toConnectorError } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import type { OpenEndpoint } from "../connector-host/open-endpoint.js";
import { requireGoingOn, RunLostError } from "../connector-host/run-permit.js";
import { ownTransaction } from "./own-transaction.js";
import type { PipelineRun } from "./pipeline-run.js";
import { letOthersTurn } from "./prepare-records.js";
import { collectTrial, endTrial, joinTrials, type PageTrial, shownJson } from "./running-trial.js";
import { loadCursor, saveFigures } from "./stream-state.js";
import { noFigures } from "./tally.js";

interface DryRun extends PipelineRun {
  readonly source: OpenEndpoint;
  readonly streams: readonly StreamEntry[];
}

interface Order {
  readonly [column: string]: unknown;
  readonly id: number;
  readonly candidate: TrialCandidate;
  readonly settings: TrialSettings & { readonly sinceCursor?: boolean };
}

/**
 * Reads a bounded sample of each stream and looks what the mappings in force and the candidate's make of it. Nothing is written to the target and no
 * cursor moves. Its figures and differences are committed at once, at the end; when it fails the trial says why, and another attempt begins anew.
 */
export async function dryRun(run: DryRun): Promise<ConnectorError | undefined> {
  const [order] = await run.database.db.execute<Order>(sql`
    select id, candidate, settings from integration_trial where run_id = ${run.run.runId}::uuid and state = 'running'`);
  // Somebody ended it before its run began.
  if (order === undefined) return undefined;
  try {
    const pages: PageTrial[] = [];
    for (const stream of streamsOf(run, order)) pages.push(await trySample(run, stream, order));
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

/** Of a candidate its streams; without one the sample of every stream is mapped as it is. */
function streamsOf(run: DryRun, { candidate }: Order): readonly StreamEntry[] {
  const isOfAll = Object.keys(candidate).length === 0;
  return run.streams.filter(({ stream }) => isOfAll || candidate[stream] !== undefined);
}

async function trySample(run: DryRun, stream: StreamEntry, order: Order): Promise<PageTrial> {
  const tried = collectTrial(stream.stream);
  const { settings, candidate } = order;
  const cursor = settings.sinceCursor === true ? await loadCursor(run.database.db, run.run.integrationId, stream.stream) : null;
  let left = settings.records;
  for await (const page of run.source.read({ stream: stream.stream, cursor, pageSize: Math.min(run.pageSize, left) })) {
    requireGoingOn(run.permit.signal);
    const mappings = { now: stream.mapping, candidate: candidate[stream.stream] ?? stream.mapping };
    const records = page.records.slice(0, left);
    for (const [index, record] of records.entries()) {
      await letOthersTurn([mappings.now, mappings.candidate], index);
      await tryRecord(tried, record, mappings);
    }
    left -= records.length;
    if (left <= 0 || !page.more) break;
  }
  return tried.page;
}

async function tryRecord(
  tried: ReturnType<typeof collectTrial>,
  record: SourceRecord,
  mappings: { readonly now: StreamEntry["mapping"]; readonly candidate: StreamEntry["mapping"] },
): Promise<void> {
  if (typeof record?.key !== "string" || typeof record.data !== "object" || record.data === null || record.problem !== undefined) return;
  tried.compare(record, await applyMapping(mappings.now, record), await applyMapping(mappings.candidate, record));
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
