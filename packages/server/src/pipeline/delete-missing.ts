import { requireGoingOn } from "../connector-host/run-permit.js";
import { deliverRecords } from "./deliver-records.js";
import type { StreamRun } from "./pipeline-run.js";
import { prepareRecords } from "./prepare-records.js";

/** Deletions are found by holding a stream's keys in memory: at most so many. */
export const MAX_COMPARED_KEYS = 2_000_000;

const DELETIONS_OF_PAGE = 500;

/** Deletes at the target what the source no longer has, page by page; each page's keys are forgotten with its commit. */
export async function deleteMissing(run: StreamRun, missing: ReadonlySet<string>): Promise<void> {
  const keys = [...missing].toSorted();
  for (let start = 0; start < keys.length; start += DELETIONS_OF_PAGE) {
    requireGoingOn(run.permit.signal);
    const records = keys.slice(start, start + DELETIONS_OF_PAGE).map((key) => ({ key, op: "delete" as const, data: {} }));
    const prepared = prepareRecords(records, { integration: run.run.integrationKey, stream: run.stream, from: null, runId: run.run.runId });
    await deliverRecords(run, { ...prepared, read: 0 });
  }
}
