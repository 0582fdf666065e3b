import { constants } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { ConnectorError, joinKey, type KeyPage, type ListKeysRequest, type Page, type ReadRequest, type SourceRecord } from "@quiesce/sdk";
import { confinedPath, streamOf, type FileContext } from "./confined-path.js";
import type { FileStream } from "./file-config.js";
import { fileError } from "./file-error.js";
import { cursorsOf, fileState, resumeOffset, type FileState } from "./file-position.js";
import { fileRows, type FileRow } from "./file-rows.js";

/**
 * Reads the records that were added to a file since the cursor; all of them if it was replaced. A file is expected to grow at
 * its end or to be replaced as a whole (written beside and renamed): a change in the middle of one that also grows goes unseen.
 */
export async function* readStream(x: FileContext, request: ReadRequest): AsyncGenerator<Page, void, void> {
  if (request.from !== undefined || request.to !== undefined) {
    throw new ConnectorError("config", "The file connector cannot read a range of time; leave from and to away.");
  }
  const stream = streamOf(x.config, request.stream);
  const path = await confinedPath(x, stream);
  const file = await openFile(x, path);
  try {
    const state = await fileState(file);
    const start = await resumeOffset(file, state, request.cursor);
    const cursorAt = cursorsOf(file, state);
    let done = start;
    let page: SourceRecord[] = [];
    if (start === state.size && start > 0 && request.cursor !== null) {
      yield { records: [], cursor: request.cursor, more: false };
      return;
    }
    let unfinished: number | undefined;
    for await (const { rows, isComplete } of rowsOf(x, stream, { file, path, state, start })) {
      for (const row of rows) {
        if (page.length === request.pageSize) {
          yield { records: page, cursor: await cursorAt(done, undefined), more: true, ahead: true };
          page = [];
        }
        page.push(recordOf(row, stream, path));
        if (isComplete || row.end < state.size) done = row.end;
        else unfinished = row.end;
      }
    }
    yield { records: page, cursor: await cursorAt(done, unfinished), more: false };
  } catch (thrown) {
    throw fileError(thrown, path, x.signal);
  } finally {
    await file.close();
  }
}

/**
 * Lists the keys of all records in the file. One that was changed a moment ago may be half written: what it does not hold yet
 * would look deleted, so that is `transient`.
 */
export async function* listFileKeys(x: FileContext, request: ListKeysRequest): AsyncGenerator<KeyPage, void, void> {
  await requireSettled(x, request.stream);
  const pages = readStream(x, { stream: request.stream, cursor: request.cursor, pageSize: request.pageSize });
  for await (const page of pages) {
    yield { keys: page.records.map((record) => record.key), cursor: page.cursor, more: page.more };
  }
}

/** Throws `transient` for a file that was changed a moment ago. */
export async function requireSettled(x: FileContext, streamName: string): Promise<void> {
  const stream = streamOf(x.config, streamName);
  const path = await confinedPath(x, stream);
  const file = await openFile(x, path);
  const state = await fileState(file).finally(() => file.close());
  if (isSettled(x, stream, state)) return;
  throw new ConnectorError("transient", `${path} was changed less than ${stream.settleSeconds} s ago, so its keys may not be complete.`, {
    retryAfterMs: stream.settleSeconds * 1000,
  });
}

interface OpenPart {
  readonly file: FileHandle;
  readonly path: string;
  readonly state: FileState;
  readonly start: number;
}

/** Some of a file's rows. */
interface RowsTogether {
  readonly rows: readonly FileRow[];
  /** Whether the file's last line has its end. */
  readonly isComplete: boolean;
}

/** The rows; without the last one if its line has no end yet and may still be being written. */
async function* rowsOf(x: FileContext, stream: FileStream, part: OpenPart): AsyncGenerator<RowsTogether, void, void> {
  const { file, path, state, start } = part;
  if (state.size === start) return;
  const isComplete = await endsWithNewline(file, state.size);
  const settled = isSettled(x, stream, state);
  try {
    for await (const all of fileRows(stream, { file, path, start, end: state.size })) {
      if (x.signal.aborted) throw new ConnectorError("cancelled", `The reading of ${path} was stopped.`);
      const endsOpen = !isComplete && !settled && all.at(-1)?.end === state.size;
      yield { rows: endsOpen ? all.slice(0, -1) : all, isComplete };
    }
  } catch (thrown) {
    // A line that is being written cannot be parsed yet; everything before it was given.
    const error = fileError(thrown, path, x.signal);
    if (error.kind !== "contract" || isComplete || settled) throw error;
  }
}

function isSettled(x: FileContext, stream: FileStream, state: FileState): boolean {
  // A file may have its time from another clock that is ahead of ours; one dated far in the future would never settle.
  return Math.abs(x.clock.now().getTime() - state.changedMs) >= stream.settleSeconds * 1000;
}

async function openFile(x: FileContext, path: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (thrown) {
    throw fileError(thrown, path, x.signal);
  }
}

async function endsWithNewline(file: FileHandle, size: number): Promise<boolean> {
  const last = Buffer.alloc(1);
  await file.read(last, 0, 1, size - 1);
  return last[0] === 0x0a || last[0] === 0x0d;
}

function recordOf(row: FileRow, stream: FileStream, path: string): SourceRecord {
  const key = joinKey(stream.key.map((name) => row.data[name]));
  if (key !== undefined) return { key, data: row.data };
  throw new ConnectorError(
    "contract",
    `${path}: the record that ends at byte ${row.end} has no value in its key (${stream.key.join(", ")}).`,
    {
      field: stream.key[0],
    },
  );
}
