import { setImmediate } from "node:timers/promises";
import { ConnectorError, type Cursor, type Page, type Stream } from "@quiesce/sdk";
import { requireGoingOn } from "../connector-host/run-permit.js";
import { deleteMissing, MAX_COMPARED_KEYS } from "./delete-missing.js";
import { type Delivery, deliverRecords, isRepeatable, sendRecords } from "./deliver-records.js";
import { flowBack } from "./flow-back.js";
import type { ReadingRun } from "./pipeline-run.js";
import { type PreparedPage, prepareRecords } from "./prepare-records.js";
import { remembersSent } from "./sent-records.js";
import { loadKeys, loadProgress } from "./stream-state.js";
import { takeTargetChanges } from "./take-target-changes.js";
import { beginTwoWay, isTwoWay } from "./two-way-stream.js";

/**
 * How deletions of a source without tombstones are found: by listing its keys after the read, or by what a complete read has shown.
 * "none": there are tombstones, or deletions are not wanted.
 */
type Snapshot = "none" | "list" | "read";

/**
 * Copies what changed since the committed cursor, page by page, then applies deletions. The source is asked for the next page only after the last
 * one is committed, unless the page allows it earlier; leaving the loop for whatever reason returns the connector's iterator.
 */
export async function copyStream(run: ReadingRun): Promise<void> {
  const { stream, permit } = run;
  if (isTwoWay(run)) {
    await beginTwoWay(run);
    await takeTargetChanges(run);
  }
  const info = await streamInfo(run);
  const snapshot = snapshotOf(run, info);
  const readsState = info !== undefined && info.cursor !== "log";
  const progress = await loadProgress(run.database.db, run.run.integrationId, stream.stream);
  const known = snapshot === "read" ? await loadKeys(run.database.db, run.run, stream.stream, MAX_COMPARED_KEYS) : undefined;
  let committed: Cursor | null = progress.cursor;
  // A read that is to show everything begins at the beginning; half a read of an earlier run would look like a mass deletion.
  const from: Cursor | null = snapshot === "read" ? null : progress.cursor;
  let complete = false;
  let hasSent = false;
  const knownKeys = known?.size ?? 0;
  const missing = known;
  const pages = committedInOrder(run);
  await pages.whole(async () => {
    for await (const { page, prepared } of mappedPages(run, from, progress.rounds)) {
      requireGoingOn(permit.signal);
      const moved = JSON.stringify(page.cursor) !== JSON.stringify(committed);
      if (page.records.length > 0 || moved || (hasSent && !page.more)) {
        hasSent = true;
        const cursor = { from: committed, to: page.cursor, isEnd: !page.more };
        const delivery = { ...prepared, read: page.records.length, cursor, readsState };
        await pages.deliver(delivery, page.ahead === true);
        committed = page.cursor;
      }
      for (const record of page.records) missing?.delete(record?.key);
      complete = !page.more;
      requireGoingOn(permit.signal);
    }
  });
  if (snapshot === "read" && missing !== undefined && complete) await deleteMissing(run, missing, knownKeys);
  if (snapshot === "list") await deleteUnlisted(run);
  if (isTwoWay(run)) await flowBack(run);
}

/**
 * Delivers pages, each committed after the one before. `ahead`: the page's commit goes on while the next one is written; a crash in between has the
 * target see both again, which it bears.
 */
function committedInOrder(run: ReadingRun) {
  let commit: Promise<void> = Promise.resolve();
  return {
    async deliver(delivery: Delivery, ahead: boolean): Promise<void> {
      if (!ahead || !goesAhead(run)) {
        await commit;
        await deliverRecords(run, delivery);
        return;
      }
      const results = await sendRecords(run, delivery);
      await commit;
      // The next page goes out first.
      commit = setImmediate().then(results);
      // Whoever waits for it next is told.
      commit.catch(() => undefined);
    },
    /** Does the work, and waits for its last commit. What went wrong with an earlier page is told before what went wrong with a later one. */
    async whole(work: () => Promise<void>): Promise<void> {
      try {
        await work();
      } finally {
        await commit;
      }
    },
  };
}

/** Fields that flow back and mappings on trial are decided by what is committed, and a target that knows no repetition must not see two pages again. */
function goesAhead(run: ReadingRun): boolean {
  return run.trial === null && !isTwoWay(run) && isRepeatable(run);
}

/** A page of the source, mapped. */
interface MappedPage {
  readonly page: Page;
  readonly prepared: PreparedPage;
}

/** The source's pages behind a cursor. After one that allows it the next is read and mapped already while that one is delivered, one and no more. */
async function* mappedPages(run: ReadingRun, behind: Cursor | null, round: number): AsyncGenerator<MappedPage, void, void> {
  const pages = run.source.read({ stream: run.stream.stream, cursor: behind, pageSize: pageSizeOf(run) })[Symbol.asyncIterator]();
  let from = behind;
  const next = async (): Promise<MappedPage | undefined> => {
    const step = await pages.next();
    if (step.done === true) return undefined;
    const prepared = await prepareRecords(step.value.records, run, { from, round });
    from = step.value.cursor;
    return { page: step.value, prepared };
  };
  try {
    for (let mapped = await next(); mapped !== undefined;) {
      const coming = mapped.page.ahead === true && goesAhead(run) ? next() : undefined;
      // Nobody may ask for it any more.
      coming?.catch(() => undefined);
      yield mapped;
      mapped = await (coming ?? next());
    }
  } finally {
    // Waits for the reading under way.
    await pages.return?.();
  }
}

/** What the source says of the stream, where it matters. */
async function streamInfo(run: ReadingRun): Promise<Stream | undefined> {
  const { stream, source } = run;
  if (stream.deletes === "ignore" && !remembersSent(run)) return undefined;
  return (await source.streams()).find((one) => one.name === stream.stream);
}

function snapshotOf(run: ReadingRun, info: Stream | undefined): Snapshot {
  const { stream, source } = run;
  if (stream.deletes === "ignore") return "none";
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
