import { type StreamEntry, TRIAL_LIMITS } from "@quiesce/core";
import { type Cursor, type Page, toConnectorError } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import type { OpenEndpoint } from "../connector-host/open-endpoint.js";
import { requireGoingOn, RunLostError } from "../connector-host/run-permit.js";
import { tryRecord } from "./dry-run.js";
import { ownTransaction } from "./own-transaction.js";
import type { PipelineRun } from "./pipeline-run.js";
import { letOthersTurn } from "./prepare-records.js";
import { collectTrial, countTrial, type PageTrial, type RunningTrial } from "./running-trial.js";
import { storableJson } from "./storable-json.js";

interface ShadowingRun extends PipelineRun {
  readonly source: OpenEndpoint;
}

/**
 * Reads the streams that a shadow's definition has and the one in force has not, behind a cursor of the trial's own, and counts what would be written.
 * It comes after the run's own work, at most 1,000 records of each stream a run, and does not make that fail: the trial says what went wrong.
 */
export async function shadowNewStreams(run: ShadowingRun, present: readonly StreamEntry[]): Promise<void> {
  const { trial } = run;
  if (trial?.kind !== "shadow") return;
  for (const [name, stream] of Object.entries(trial.streams)) {
    if (stream === null || stream.push || present.some((one) => one.stream === name)) continue;
    try {
      await shadowStream(run, trial, stream);
    } catch (thrown) {
      if (thrown instanceof RunLostError) throw thrown;
      const { message } = toConnectorError(thrown);
      const verdict = run.permit.mask.text(`${name}: ${message}`).slice(0, 2_000);
      await ownTransaction(run, (tx) =>
        tx.execute(sql`update integration_trial set verdict = ${verdict} where id = ${trial.id}::bigint and state = 'running'`),
      );
    }
  }
}

async function shadowStream(run: ShadowingRun, trial: RunningTrial, stream: StreamEntry): Promise<void> {
  let left: number = TRIAL_LIMITS.dryRunRecords;
  let from = await cursorOf(run, trial, stream);
  for await (const page of run.source.read({ stream: stream.stream, cursor: from, pageSize: Math.min(run.pageSize, left) })) {
    requireGoingOn(run.permit.signal);
    const tried = collectTrial(stream.stream);
    for (const [index, record] of page.records.entries()) {
      await letOthersTurn([stream.mapping], index);
      await tryRecord(tried, record, { now: null, candidate: stream });
    }
    await commit(run, trial, { stream, tried: tried.page, from, to: page.cursor });
    from = page.cursor;
    left -= page.records.length;
    if (left <= 0 || !page.more || trial.isOver) return;
  }
}

async function cursorOf(run: ShadowingRun, trial: RunningTrial, stream: StreamEntry): Promise<Cursor | null> {
  const rows = await run.database.db.execute<{ cursor: Cursor | null }>(sql`
    select cursors -> ${stream.stream}::text as cursor from integration_trial where id = ${trial.id}::bigint`);
  return rows[0]?.cursor ?? null;
}

/** Counts a page and moves the trial's cursor behind it; of two runs at once only one counts it. */
async function commit(
  run: ShadowingRun,
  trial: RunningTrial,
  page: { readonly stream: StreamEntry; readonly tried: PageTrial; readonly from: Cursor | null; readonly to: Page["cursor"] },
): Promise<void> {
  const { stream } = page.stream;
  const { compared, differences } = page.tried;
  const from = page.from === null ? null : storableJson(page.from);
  await ownTransaction(run, async (tx) => {
    const moved = await tx.execute(sql`
      update integration_trial set cursors = cursors || jsonb_build_object(${stream}::text, ${storableJson(page.to)}::text::jsonb)
      where id = ${trial.id}::bigint and state = 'running' and cursors -> ${stream}::text is not distinct from ${from}::text::jsonb returning id`);
    if (moved.length === 0) {
      trial.isOver = true;
      return;
    }
    const of = { trial, integration: run.run.integrationKey, mask: run.permit.mask };
    await countTrial(tx, of, { ...compared, records: compared.same + compared.different, differences });
  });
}
