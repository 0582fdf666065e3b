import { ConnectorError, type Cursor } from "@quiesce/sdk";
import { requireGoingOn } from "../connector-host/run-permit.js";
import { deleteMissing, MAX_COMPARED_KEYS } from "./delete-missing.js";
import { deliverRecords } from "./deliver-records.js";
import { flowBack } from "./flow-back.js";
import type { ReadingRun } from "./pipeline-run.js";
import { prepareRecords } from "./prepare-records.js";
import { loadCursor, loadKeys } from "./stream-state.js";
import { takeTargetChanges } from "./take-target-changes.js";
import { beginTwoWay, isTwoWay } from "./two-way-stream.js";

/**
 * How deletions of a source without tombstones are found: by listing its keys after the read, or by what a complete read has shown.
 * "none": there are tombstones, or deletions are not wanted.
 */
type Snapshot = "none" | "list" | "read";

/**
 * Copies what changed since the committed cursor, page by page, then applies deletions. The source is asked for the next page only after the last
 * one is committed; leaving the loop for whatever reason returns the connector's iterator.
 */
export async function copyStream(run: ReadingRun): Promise<void> {
  const { stream, source, permit } = run;
  if (isTwoWay(run)) {
    await beginTwoWay(run);
    await takeTargetChanges(run);
  }
  const snapshot = await snapshotOf(run);
  const stored = await loadCursor(run.database.db, run.run.integrationId, stream.stream);
  const known = snapshot === "read" ? await loadKeys(run.database.db, run.run, stream.stream, MAX_COMPARED_KEYS) : undefined;
  let committed: Cursor | null = stored;
  // A read that is to show everything begins at the beginning; half a read of an earlier run would look like a mass deletion.
  let from: Cursor | null = snapshot === "read" ? null : stored;
  let complete = false;
  const knownKeys = known?.size ?? 0;
  const missing = known;
  for await (const page of source.read({ stream: stream.stream, cursor: from, pageSize: pageSizeOf(run) })) {
    requireGoingOn(permit.signal);
    const prepared = await prepareRecords(page.records, run, from);
    const moved = JSON.stringify(page.cursor) !== JSON.stringify(committed);
    if (page.records.length > 0 || moved) {
      await deliverRecords(run, { ...prepared, read: page.records.length, cursor: { from: committed, to: page.cursor } });
      committed = page.cursor;
    }
    from = page.cursor;
    for (const record of page.records) missing?.delete(record?.key);
    complete = !page.more;
    requireGoingOn(permit.signal);
  }
  if (snapshot === "read" && missing !== undefined && complete) await deleteMissing(run, missing, knownKeys);
  if (snapshot === "list") await deleteUnlisted(run);
  if (isTwoWay(run)) await flowBack(run);
}

async function snapshotOf(run: ReadingRun): Promise<Snapshot> {
  const { stream, source } = run;
  if (stream.deletes === "ignore") return "none";
  const info = (await source.streams()).find((one) => one.name === stream.stream);
  if (info !== undefined && info.deletes !== "snapshot") return "none";
  const lists = source.facets.includes("listKeys");
  if (info === undefined && !lists) return "none";
  if (!lists && info?.cursor !== "none") return "none";
  if (stream.mapping.key !== undefined) {
    throw new ConnectorError(
      "config",
      `Stream "${stream.stream}" finds deletions by comparing the source's keys, but its mapping makes another key of ${stream.mapping.key}. Leave mapping.key away, or set deletes to ignore.`,
      { field: "mapping.key" },
    );
  }
  return lists ? "list" : "read";
}

/**
 * Lists the source's keys and deletes what the target may hold and the source has no more. The known keys are loaded before the listing begins, so a
 * record that is created meanwhile is not taken for a deleted one.
 */
async function deleteUnlisted(run: ReadingRun): Promise<void> {
  const { stream, source, permit } = run;
  const missing = await loadKeys(run.database.db, run.run, stream.stream, MAX_COMPARED_KEYS);
  const known = missing.size;
  if (known === 0) return;
  let complete = false;
  for await (const page of source.listKeys({ stream: stream.stream, cursor: null, pageSize: KEYS_OF_PAGE })) {
    requireGoingOn(permit.signal);
    for (const key of page.keys) missing.delete(key);
    complete = !page.more;
  }
  if (complete) await deleteMissing(run, missing, known);
  else run.log.warn({ stream: stream.stream }, "The list of keys ended before it was complete; nothing is deleted.");
}

const KEYS_OF_PAGE = 10_000;

/** For a target that cannot recognise repetitions a page is one batch, so that a crash leaves as few questions as possible. */
function pageSizeOf(run: ReadingRun): number {
  const { target, stream, pageSize } = run;
  return target.idempotencyOf(stream.target) === "none" ? Math.min(pageSize, target.maxBatch) : pageSize;
}
