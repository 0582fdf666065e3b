import type { EvidenceRun } from "@quiesce/core";

/** Evidence as it is stored: good (1) or bad (0), first and last result in epoch milliseconds, how many. */
export type EncodedRun = readonly [ok: 0 | 1, first: number, last: number, count: number];

export function encodeRuns(runs: readonly EvidenceRun[]): readonly EncodedRun[] {
  return runs.map(({ ok, first, last, count }) => [ok ? 1 : 0, first, last, count]);
}

export function decodeRuns(runs: readonly EncodedRun[]): readonly EvidenceRun[] {
  return runs.map(([ok, first, last, count]) => ({ ok: ok === 1, first, last, count }));
}
