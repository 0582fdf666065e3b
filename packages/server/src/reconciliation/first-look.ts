import {
  type Comparison,
  compareSides,
  type Difference,
  differingBuckets,
  noReconciliationCounts,
  RECONCILIATION_LIMITS,
  type ReconciliationCounts,
} from "@quiesce/core";
import { compareKeys, ConnectorError, type ReconcileBuckets } from "@quiesce/sdk";
import { ownTransaction } from "../pipeline/own-transaction.js";
import { endpointOf, type ReconcilingRun, type Side, streamAt } from "./reconciling-run.js";
import { type EntriesWanted, placeOf, sideEntries, stageSide } from "./side-entries.js";
import { noteProgress } from "./store.js";

/** Where the entries of both sides come from. */
export interface LookPlan {
  readonly kind: "digest" | "hashes" | "keys";
  readonly source: EntriesWanted["from"];
  readonly target: EntriesWanted["from"];
}

/** What both sides hold at a first look. */
export interface FirstLook {
  /** Differences that are not kept by key are counted in it; the kept ones are not yet. */
  readonly counts: ReconciliationCounts;
  /** By key, in order; at most as many as are kept. */
  readonly differences: ReadonlyMap<string, Pick<Difference, "source" | "target">>;
  readonly isTruncated: boolean;
  readonly sourceRecords: number;
  readonly targetRecords: number;
  readonly unfit: number;
}

const nothing: Omit<FirstLook, "counts"> = { differences: new Map(), isTruncated: false, sourceRecords: 0, targetRecords: 0, unfit: 0 };

/** Compares both sides record by record, or first by the digests of buckets where both have them. */
export async function lookFirst(run: ReconcilingRun, plan: LookPlan): Promise<FirstLook> {
  if (plan.kind !== "digest") return compareEntries(run, plan, undefined);
  const [sourceRecords, targetRecords] = [await countOf(run, "source"), await countOf(run, "target")];
  const within = await bucketsThatDiffer(run);
  if (within.wanted.length === 0)
    return { ...nothing, counts: { ...noReconciliationCounts, equal: sourceRecords }, sourceRecords, targetRecords };
  const look = await compareEntries(run, plan, within);
  // Everything outside these buckets is equal.
  const outside = Math.max(0, sourceRecords - look.sourceRecords);
  return { ...look, counts: { ...look.counts, equal: look.counts.equal + outside }, sourceRecords, targetRecords };
}

export function countOf(run: ReconcilingRun, side: Side): Promise<number> {
  return endpointOf(run, side).reconcileCount({ stream: streamAt(run, side) });
}

async function bucketsThatDiffer(run: ReconcilingRun): Promise<ReconcileBuckets> {
  const buckets = RECONCILIATION_LIMITS.buckets;
  const digests = async (side: Side) =>
    endpointOf(run, side).reconcileDigest({ stream: streamAt(run, side), fields: run.fields.fields, buckets });
  const [source, target] = [await digests("source"), await digests("target")];
  return { buckets, wanted: asContract(() => differingBuckets(source, target, buckets)) };
}

async function compareEntries(run: ReconcilingRun, plan: LookPlan, within: ReconcileBuckets | undefined): Promise<FirstLook> {
  const seen = { source: 0, target: 0 };
  let unfit = 0;
  for (const side of ["source", "target"] as const) {
    const from = plan[side];
    if (from === "keys") continue;
    unfit += (await stageSide(run, { side, from })).unfit;
  }
  await ownTransaction(run, (tx) => noteProgress(tx, placeOf(run), { phase: "comparing" }));
  const entries = (side: Side) =>
    sideEntries(run, { side, from: plan[side], keysOnly: plan.kind === "keys", within }, (records) => {
      seen[side] = records;
    });
  const counts: { -readonly [name in keyof ReconciliationCounts]: number } = { ...noReconciliationCounts };
  const differences = new Map<string, Pick<Difference, "source" | "target">>();
  let beyond = 0;
  try {
    for await (const one of compareSides({ source: entries("source"), target: entries("target") }, compareKeys)) {
      if (one.kind === "equal") counts.equal += 1;
      else if (differences.size < RECONCILIATION_LIMITS.differences) differences.set(one.key, { source: one.source, target: one.target });
      else {
        counts[countedAs(one.kind)] += 1;
        beyond += 1;
      }
    }
  } catch (thrown) {
    throw thrown instanceof RangeError ? new ConnectorError("contract", thrown.message) : thrown;
  }
  return { counts, differences, isTruncated: beyond > 0, sourceRecords: seen.source, targetRecords: seen.target, unfit };
}

/** The count that a kind of difference adds to. */
export function countedAs(kind: Exclude<Comparison["kind"], "equal">): "onlySource" | "onlyTarget" | "different" {
  if (kind === "different") return "different";
  return kind === "only-source" ? "onlySource" : "onlyTarget";
}

/** What a connector gave is not what the contract says. */
function asContract<T>(work: () => T): T {
  try {
    return work();
  } catch (thrown) {
    throw thrown instanceof RangeError ? new ConnectorError("contract", thrown.message) : thrown;
  }
}
