import { randomUUID } from "node:crypto";
import { constants, renameSync, statSync, type Stats } from "node:fs";
import { open, rm, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import {
  ConnectorError,
  joinKey,
  splitKey,
  toConnectorError,
  type Json,
  type JsonObject,
  type WriteIdempotency,
  type WriteItem,
  type WriteResult,
} from "@quiesce/sdk";
import { stringify } from "csv-stringify/sync";
import { confinedPath, streamOf, type FileContext } from "./confined-path.js";
import type { FileConfig, FileStream } from "./file-config.js";
import { fileError } from "./file-error.js";
import { fileState } from "./file-position.js";
import { fileRows } from "./file-rows.js";

const MAX_UPSERT_BYTES = 64 * 1_048_576;

/** An append doubles when it is repeated; an upsert does not. */
export function fileIdempotency(config: FileConfig, streamName: string): WriteIdempotency {
  return streamOf(config, streamName).write === "upsert" ? "upsert" : "none";
}

/** Writes records by the way the stream's configuration names. */
export async function writeItems(x: FileContext, streamName: string, items: readonly WriteItem[]): Promise<WriteResult[]> {
  const stream = streamOf(x.config, streamName);
  if (stream.write === undefined) {
    throw new ConnectorError("config", `The stream "${streamName}" has no write in its configuration, so it is read-only.`);
  }
  const path = await confinedPath(x, stream);
  if (x.signal.aborted) throw new ConnectorError("cancelled", `The work on ${path} was stopped.`);
  try {
    return stream.write === "append" ? await append(stream, path, items) : await upsert(x, stream, path, items);
  } catch (thrown) {
    throw fileError(thrown, path, x.signal);
  }
}

async function append(stream: FileStream, path: string, items: readonly WriteItem[]): Promise<WriteResult[]> {
  const rows: JsonObject[] = [];
  const results = items.map((item) =>
    resultOf(item, () => {
      if (item.op === "delete")
        throw new ConnectorError("invalid", `Record ${item.key} is a deletion; a file that only grows cannot take it.`);
      rows.push(rowOf(stream, item));
    }),
  );
  if (rows.length === 0) return results;
  const flags = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW;
  const file = await open(path, flags, 0o640);
  try {
    const { size } = await file.stat();
    const separator = size === 0 || (await endsLine(file, size)) ? "" : "\n";
    await file.appendFile(separator + textOf(stream, rows, size === 0));
    await file.sync();
  } finally {
    await file.close();
  }
  return results;
}

async function upsert(x: FileContext, stream: FileStream, path: string, items: readonly WriteItem[]): Promise<WriteResult[]> {
  const { rows, seen } = await presentRows(x, stream, path);
  const results = items.map((item) =>
    resultOf(item, () => {
      if (item.op === "delete") return !rows.delete(item.key);
      const row = rowOf(stream, item);
      // Through the file's own form, or 1 and "1" in a CSV cell would always differ.
      const before = rows.get(item.key);
      if (before !== undefined && textOf(stream, [before], false) === textOf(stream, [row], false)) return true;
      rows.set(item.key, row);
      return false;
    }),
  );
  if (results.every((result) => !result.ok || result.unchanged === true)) return results;
  const temporary = join(dirname(path), `.${basename(path)}.${randomUUID()}.tmp`);
  try {
    const file = await open(temporary, "wx", seen === undefined ? 0o640 : seen.mode);
    try {
      await file.writeFile(textOf(stream, [...rows.values()], true));
      await file.sync();
    } finally {
      await file.close();
    }
    replace(temporary, path, seen);
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolder(dirname(path));
  return results;
}

/** Looks and renames in one turn of the event loop, so that two calls in this process cannot overwrite each other's work. */
function replace(temporary: string, path: string, seen: Stats | undefined): void {
  const now = statSync(path, { throwIfNoEntry: false });
  if (now?.ino !== seen?.ino || now?.size !== seen?.size || now?.mtimeMs !== seen?.mtimeMs) {
    throw new ConnectorError("transient", `${path} was changed by someone else meanwhile; nothing was written.`);
  }
  renameSync(temporary, path);
}

async function presentRows(
  x: FileContext,
  stream: FileStream,
  path: string,
): Promise<{ rows: Map<string, JsonObject>; seen: Stats | undefined }> {
  const rows = new Map<string, JsonObject>();
  const seen = statSync(path, { throwIfNoEntry: false });
  if (seen === undefined) return { rows, seen };
  if (seen.size > MAX_UPSERT_BYTES) {
    throw new ConnectorError(
      "config",
      `${path} has ${seen.size} bytes; upsert writes files of at most ${MAX_UPSERT_BYTES}. Use append or a database.`,
    );
  }
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    const { size } = await fileState(file);
    if (size === 0) return { rows, seen };
    for await (const some of fileRows(stream, { file, path, start: 0, end: size })) {
      if (x.signal.aborted) throw new ConnectorError("cancelled", `The work on ${path} was stopped.`);
      for (const { data } of some) rows.set(keptKey(stream, path, data), data);
    }
    return { rows, seen };
  } finally {
    await file.close();
  }
}

/** The key of a record that stays; throws for one that writing the file would spoil. */
function keptKey(stream: FileStream, path: string, data: JsonObject): string {
  const foreign = stream.columns === undefined ? undefined : Object.keys(data).find((name) => stream.columns?.includes(name) !== true);
  if (foreign !== undefined) {
    throw new ConnectorError("contract", `${path} has a column ${foreign} that the stream does not name; writing the file would lose it.`, {
      field: foreign,
    });
  }
  const key = joinKey(stream.key.map((name) => data[name]));
  if (key === undefined)
    throw new ConnectorError("contract", `${path} has a record without a value in its key (${stream.key.join(", ")}).`);
  return key;
}

function rowOf(stream: FileStream, item: WriteItem): JsonObject {
  const parts = splitKey(item.key, stream.key.length);
  if (parts === undefined)
    throw new ConnectorError("invalid", `The key ${item.key} does not have ${stream.key.length} parts (${stream.key.join(", ")}).`);
  const row: Record<string, Json> = Object.fromEntries(stream.key.map((name, index) => [name, parts[index] ?? ""]));
  Object.assign(row, item.data);
  if (joinKey(stream.key.map((name) => row[name])) !== item.key) {
    throw new ConnectorError("invalid", `The record's key is ${item.key}, but its fields ${stream.key.join(", ")} hold something else.`, {
      field: stream.key[0],
    });
  }
  if (stream.format === "csv") {
    for (const [name, value] of Object.entries(row)) {
      if (stream.columns?.includes(name) !== true)
        throw new ConnectorError("invalid", `The stream has no column ${name}.`, { field: name });
      if (typeof value === "object" && value !== null) {
        throw new ConnectorError("invalid", `Column ${name} holds a list or an object; a cell takes a text, a number, a boolean or null.`, {
          field: name,
        });
      }
    }
  }
  return row;
}

function textOf(stream: FileStream, rows: readonly JsonObject[], begins: boolean): string {
  if (stream.format === "jsonl") return rows.map((row) => `${JSON.stringify(row)}\n`).join("");
  return stringify([...rows], {
    columns: [...(stream.columns ?? [])],
    header: begins && stream.header,
    delimiter: stream.delimiter,
    escape_formulas: stream.escapeFormulas,
    cast: { boolean: String },
  });
}

function resultOf(item: WriteItem, work: () => boolean | void): WriteResult {
  const { key } = item;
  try {
    return work() === true ? { key, ok: true, unchanged: true } : { key, ok: true };
  } catch (thrown) {
    const { kind, message, info } = toConnectorError(thrown);
    return { key, ok: false, error: { kind, message, field: info.field } };
  }
}

async function endsLine(file: FileHandle, size: number): Promise<boolean> {
  const last = Buffer.alloc(1);
  await file.read(last, 0, 1, size - 1);
  return last[0] === 0x0a;
}

async function syncFolder(folder: string): Promise<void> {
  // Without this a power cut could bring the old file back.
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
