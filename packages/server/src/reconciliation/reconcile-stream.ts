import {
  chooseMethod,
  comparedFields,
  type MethodVerdict,
  noReconciliationCounts,
  RECONCILIATION_LIMITS,
  type SideOffer,
} from "@quiesce/core";
import { ConnectorError } from "@quiesce/sdk";
import { storedKey } from "../pipeline/dead-letters.js";
import { ownTransaction } from "../pipeline/own-transaction.js";
import type { ReadingRun } from "../pipeline/pipeline-run.js";
import { saveFigures } from "../pipeline/stream-state.js";
import { countOf, lookFirst } from "./first-look.js";
import { endpointOf, type ReconcilingRun, type Side, streamAt } from "./reconciling-run.js";
import { lookAgain } from "./second-look.js";
import { placeOf } from "./side-entries.js";
import { beginStream, endStream, isCompared, noteProgress, type StreamResult } from "./store.js";

/**
 * Compares what both sides hold of one stream, and keeps what differs. Nothing is written to either side. An attempt that comes after one that died
 * goes on with the streams that were not compared, each from its beginning.
 */
export async function reconcileStream(
  given: ReadingRun,
  order: { readonly reconciliationId: number; readonly secondLookAfterMs: number },
): Promise<void> {
  const run: ReconcilingRun = { ...given, ...order, fields: comparedFields(given.stream.mapping) };
  const place = placeOf(run);
  if (await isCompared(run.database.db, place)) return;
  const source = await offerOf(run, "source");
  const target = await offerOf(run, "target");
  const plan = chooseMethod({ source, target, fields: run.fields, maxRead: RECONCILIATION_LIMITS.readRecords });
  if (plan.kind === "none") throw incomparable(run, plan);
  await ownTransaction(run, (tx) => beginStream(tx, place, plan.kind));
  if (plan.kind === "counts") {
    const [sourceRecords, targetRecords] = [await countOf(run, "source"), await countOf(run, "target")];
    await end(run, { counts: noReconciliationCounts, sourceRecords, targetRecords, unfit: 0, isTruncated: false, samples: [] }, []);
    return;
  }
  const first = await lookFirst(run, plan);
  await ownTransaction(run, (tx) => noteProgress(tx, place, { phase: "second-look" }));
  const { counts, differences, samples } = await lookAgain(run, plan, first);
  const { sourceRecords, targetRecords, unfit, isTruncated } = first;
  await end(run, { counts, sourceRecords, targetRecords, unfit, isTruncated, samples }, differences);
}

async function end(
  run: ReconcilingRun,
  result: StreamResult,
  differences: readonly { readonly key: string; readonly kind: "only-source" | "only-target" | "different" }[],
): Promise<void> {
  const { mask } = run.permit;
  const place = placeOf(run);
  const letters = { integrationId: run.run.integrationId, stream: place.stream, runId: run.run.runId, mask };
  const keys = differences.map(({ key, kind }) => {
    const stored = storedKey(letters, key);
    return { key: stored, kind, isHidden: stored !== key };
  });
  const samples = result.samples.map((sample) => mask.deep(sample));
  const figures = run.tally.plus({ read: result.sourceRecords });
  await ownTransaction(run, async (tx) => {
    await endStream(tx, place, { ...result, samples }, keys);
    await saveFigures(tx, run.run, figures);
  });
  run.tally.commit(figures);
}

/** What a side offers; how many records it has is asked only of one that would have to be read whole. */
async function offerOf(run: ReconcilingRun, side: Side): Promise<SideOffer> {
  const endpoint = endpointOf(run, side);
  const { count, keys, digest } = endpoint.reconciles;
  const read = endpoint.facets.includes("read");
  const inPlace = side === "source" ? run.fields.sourceInPlace : run.fields.targetInPlace;
  const records = count && read && !(keys && inPlace) ? await countOf(run, side) : null;
  return { digest, keys, count, read, listKeys: endpoint.facets.includes("listKeys"), records };
}

function incomparable(run: ReconcilingRun, plan: MethodVerdict & { readonly kind: "none" }): ConnectorError {
  const named = (side: Side) => `"${streamAt(run, side)}" of endpoint "${endpointOf(run, side).key}"`;
  // Not `config`, which would hold the integration: its records can be copied all the same.
  return new ConnectorError(
    "invalid",
    `Stream "${run.stream.stream}" cannot be compared. ${named("source")}: ${plan.source}. ${named("target")}: ${plan.target}.`,
  );
}
