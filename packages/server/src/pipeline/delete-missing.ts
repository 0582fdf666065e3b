import { judgeDeletions } from "@quiesce/core";
import { ConnectorError } from "@quiesce/sdk";
import { requireGoingOn } from "../connector-host/run-permit.js";
import { deliverRecords } from "./deliver-records.js";
import { NOWHERE } from "./idempotency-key.js";
import type { ReadingRun } from "./pipeline-run.js";
import { prepareRecords } from "./prepare-records.js";

/** Deletions are found by holding a stream's keys in memory: at most so many. */
export const MAX_COMPARED_KEYS = 2_000_000;

const DELETIONS_OF_PAGE = 500;

/**
 * Deletes at the target what the source no longer has, page by page; each page's keys are forgotten with its commit. `known` is how many keys the
 * target may have held. Too much at once is refused with a `contract` error, and nothing is deleted.
 */
export async function deleteMissing(run: ReadingRun, missing: ReadonlySet<string>, known: number): Promise<void> {
  requireMeant(run, missing.size, known);
  const keys = [...missing].toSorted();
  for (let start = 0; start < keys.length; start += DELETIONS_OF_PAGE) {
    requireGoingOn(run.permit.signal);
    const records = keys.slice(start, start + DELETIONS_OF_PAGE).map((key) => ({ key, op: "delete" as const, data: {} }));
    const prepared = await prepareRecords(records, run, NOWHERE);
    await deliverRecords(run, { ...prepared, read: 0 });
  }
}

function requireMeant(run: ReadingRun, missing: number, known: number): void {
  const { stream } = run;
  const verdict = judgeDeletions({ known, missing, limit: stream.deleteLimit, confirmed: run.confirmsDeletions });
  if (verdict.kind === "delete") return;
  const job = run.run.jobKey ?? "";
  throw new ConnectorError(
    "contract",
    `Stream "${stream.stream}": the source no longer shows ${missing} of ${known} known keys (${verdict.percent} %), more than ${stream.deleteLimit.percent} % and ${stream.deleteLimit.records} records, so nothing was deleted at the target. Look at the source first. If it is meant, run it once with: quiesce run ${job} --confirm-deletions --reason "…", or raise deleteLimit of the stream.`,
  );
}
