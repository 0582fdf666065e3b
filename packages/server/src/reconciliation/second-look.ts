import { setTimeout } from "node:timers/promises";
import {
  differenceKinds,
  type DifferenceKind,
  judgeAgain,
  RECONCILIATION_LIMITS,
  type ReconciliationCounts,
  type SideEntry,
  sortedJson,
} from "@quiesce/core";
import { bucketOf, comparableValue, type JsonObject, type ReconcileBuckets } from "@quiesce/sdk";
import { requireGoingOn } from "../connector-host/run-permit.js";
import { countedAs, type FirstLook, type LookPlan } from "./first-look.js";
import { endpointOf, type ReconcilingRun, type Side } from "./reconciling-run.js";
import { hashPages, listedPages, recordPages } from "./side-entries.js";
import type { DifferenceSample } from "./store.js";

/** Some that may turn out to be none are looked at beside those that are shown. */
const CANDIDATES = 3 * RECONCILIATION_LIMITS.samples;

export interface SecondLookResult {
  readonly counts: ReconciliationCounts;
  readonly differences: readonly { readonly key: string; readonly kind: DifferenceKind }[];
  readonly samples: readonly DifferenceSample[];
}

interface Found {
  readonly hash: string;
  readonly data?: JsonObject;
}

/** Waits a while, then looks again at the records that differed: what stood still and differs is a difference. */
export async function lookAgain(run: ReconcilingRun, plan: LookPlan, first: FirstLook): Promise<SecondLookResult> {
  if (first.differences.size === 0) return { counts: first.counts, differences: [], samples: [] };
  await pause(run);
  const shown = candidates(first.differences);
  const source = await foundNow(run, plan, "source", first.differences, shown);
  const target = await foundNow(run, plan, "target", first.differences, shown);
  const counts: { -readonly [name in keyof ReconciliationCounts]: number } = { ...first.counts };
  const differences: { key: string; kind: DifferenceKind }[] = [];
  const samples: Sample[] = [];
  const left = new Map<DifferenceKind, number>(differenceKinds.map((kind) => [kind, RECONCILIATION_LIMITS.samples]));
  for (const [key, then] of first.differences) {
    const [here, there] = [source.get(key), target.get(key)];
    const verdict = judgeAgain(then, { source: here?.hash ?? null, target: there?.hash ?? null });
    if (verdict.kind === "equal") counts.equal += 1;
    if (verdict.kind === "changing") counts.changing += 1;
    if (verdict.kind !== "stands") continue;
    const kind = verdict.difference;
    counts[countedAs(kind)] += 1;
    differences.push({ key, kind });
    const room = left.get(kind) ?? 0;
    if (room === 0) continue;
    left.set(kind, room - 1);
    samples.push({ key, kind, source: here?.data, target: there?.data });
  }
  const data = {
    source: await sampleData(run, plan, first, "source", samples),
    target: await sampleData(run, plan, first, "target", samples),
  };
  return { counts, differences, samples: samples.map((one) => shownSample(one, data)) };
}

interface Sample {
  readonly key: string;
  readonly kind: DifferenceKind;
  readonly source: JsonObject | undefined;
  readonly target: JsonObject | undefined;
}

/** The values of samples at a side of which only hashes are known, if it is small enough to be read for them. */
async function sampleData(
  run: ReconcilingRun,
  plan: LookPlan,
  first: FirstLook,
  side: Side,
  samples: readonly Sample[],
): Promise<ReadonlyMap<string, JsonObject>> {
  const data = new Map<string, JsonObject>();
  const records = side === "source" ? first.sourceRecords : first.targetRecords;
  const isWanted = samples.length > 0 && plan[side] !== "read" && records <= RECONCILIATION_LIMITS.sampledRecords;
  if (!isWanted || !endpointOf(run, side).facets.includes("read")) return data;
  for await (const page of recordPages(run, side, new Set(samples.map(({ key }) => key)))) {
    for (const { key, hash, data: values } of page) {
      if (hash === null) data.delete(key);
      else data.set(key, values);
    }
  }
  return data;
}

function shownSample(sample: Sample, data: { readonly [side in Side]: ReadonlyMap<string, JsonObject> }): DifferenceSample {
  const { key, kind } = sample;
  const source = sample.source ?? data.source.get(key);
  const target = sample.target ?? data.target.get(key);
  return { key, kind, source: source ?? null, target: target ?? null, fields: differingFields(source, target) };
}

async function pause(run: ReconcilingRun): Promise<void> {
  await setTimeout(run.secondLookAfterMs, undefined, { signal: run.permit.signal }).catch(() => undefined);
  requireGoingOn(run.permit.signal);
}

/** What a side holds of these records now. */
async function foundNow(
  run: ReconcilingRun,
  plan: LookPlan,
  side: Side,
  wanted: FirstLook["differences"],
  shown: ReadonlySet<string>,
): Promise<ReadonlyMap<string, Found>> {
  const found = new Map<string, Found>();
  const keysOnly = plan.kind === "keys";
  if (plan[side] === "read") {
    for await (const page of recordPages(run, side, wanted)) {
      for (const { key, hash, data } of page) {
        if (hash === null) found.delete(key);
        else found.set(key, { hash: keysOnly ? "" : hash, ...(shown.has(key) ? { data } : {}) });
      }
    }
    return found;
  }
  const keys = plan[side] === "keys" ? hashedKeys(run, side, wanted) : listedKeys(run, side);
  for await (const { key, hash } of keys) if (wanted.has(key)) found.set(key, { hash: keysOnly ? "" : hash });
  return found;
}

async function* hashedKeys(run: ReconcilingRun, side: Side, wanted: FirstLook["differences"]): AsyncGenerator<SideEntry, void, void> {
  for await (const page of hashPages(run, { side, within: bucketsOf(wanted.keys()) })) {
    requireGoingOn(run.permit.signal);
    yield* page;
  }
}

async function* listedKeys(run: ReconcilingRun, side: Side): AsyncGenerator<SideEntry, void, void> {
  for await (const page of listedPages(run, side)) yield* page.map((key) => ({ key, hash: "" }));
}

/** The buckets of some keys; undefined when these are so many that asking for all is cheaper. */
function bucketsOf(keys: Iterable<string>): ReconcileBuckets | undefined {
  const { buckets } = RECONCILIATION_LIMITS;
  const wanted = new Set<number>();
  for (const key of keys) {
    wanted.add(bucketOf(key, buckets));
    if (wanted.size > buckets / 2) return undefined;
  }
  return { buckets, wanted: [...wanted] };
}

function candidates(differences: FirstLook["differences"]): ReadonlySet<string> {
  const shown = new Set<string>();
  const left = { onlySource: CANDIDATES, onlyTarget: CANDIDATES, different: CANDIDATES };
  for (const [key, { source, target }] of differences) {
    const kind = target === null ? "onlySource" : source === null ? "onlyTarget" : "different";
    if (left[kind] === 0) continue;
    left[kind] -= 1;
    shown.add(key);
  }
  return shown;
}

function differingFields(source: JsonObject | undefined, target: JsonObject | undefined): readonly string[] {
  if (source === undefined || target === undefined) return [];
  const text = (data: JsonObject, name: string) => JSON.stringify(sortedJson(comparableValue(data[name] ?? null)));
  return Object.keys(source).filter((name) => text(source, name) !== text(target, name));
}
