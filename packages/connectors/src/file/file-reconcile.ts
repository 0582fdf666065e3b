import { bucketOf, compareKeys, ConnectorError, type KeyHash, type ReconcileBuckets, type ReconcileRange, recordHash } from "@quiesce/sdk";
import type { FileContext } from "./confined-path.js";
import { readStream, requireSettled } from "./file-read.js";

const RECORDS_OF_PAGE = 5_000;

interface KeysRequest extends ReconcileRange {
  readonly fields: readonly string[];
  readonly after: string | undefined;
  readonly limit: number;
  readonly within?: ReconcileBuckets;
}

/** How many records the file has; one that is in it twice counts twice. */
export async function countRecords(x: FileContext, request: ReconcileRange): Promise<number> {
  let count = 0;
  for await (const page of recordsOf(x, request)) count += page.length;
  return count;
}

/**
 * The next keys of the file with their hashes. A file is in no order, so every page reads all of it and keeps the first keys behind `after`: no more
 * than twice `limit` are in memory. Of a key that is there twice the last record counts.
 */
export async function listKeyHashes(x: FileContext, request: KeysRequest): Promise<readonly KeyHash[]> {
  const { after, limit, fields, within } = request;
  const wanted = within === undefined ? undefined : new Set(within.wanted);
  let kept = new Map<string, string>();
  let end: string | undefined;
  const cut = (): void => {
    const first = [...kept].toSorted(([left], [right]) => compareKeys(left, right)).slice(0, limit);
    if (first.length === limit) end = first.at(-1)?.[0];
    kept = new Map(first);
  };
  for await (const page of recordsOf(x, request)) {
    for (const { key, data } of page) {
      if (after !== undefined && compareKeys(key, after) <= 0) continue;
      if (end !== undefined && compareKeys(key, end) > 0) continue;
      if (wanted !== undefined && !wanted.has(bucketOf(key, within?.buckets ?? 1))) continue;
      kept.set(key, recordHash(data, fields));
      if (kept.size >= 2 * limit) cut();
    }
  }
  cut();
  return [...kept].map(([key, hash]) => ({ key, hash }));
}

async function* recordsOf(x: FileContext, request: ReconcileRange) {
  if (request.from !== undefined || request.to !== undefined)
    throw new ConnectorError("config", "The file connector cannot compare a range of time; leave from and to away.");
  await requireSettled(x, request.stream);
  for await (const page of readStream(x, { stream: request.stream, cursor: null, pageSize: RECORDS_OF_PAGE })) yield page.records;
}
