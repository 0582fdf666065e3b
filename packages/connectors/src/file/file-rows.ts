import type { FileHandle } from "node:fs/promises";
import { Readable } from "node:stream";
import { ConnectorError, type JsonObject } from "@quiesce/sdk";
import { parse } from "csv-parse";
import type { FileStream } from "./file-config.js";

/** A record of a file with the offset of the byte behind it. */
export interface FileRow {
  readonly data: JsonObject;
  readonly end: number;
}

/** What to read of an open file: from `start` (the beginning of a line) up to `end`. */
export interface FilePart {
  readonly file: FileHandle;
  readonly path: string;
  readonly start: number;
  readonly end: number;
}

const MAX_ROW_BYTES = 1_048_576;
/** Some pages: what is asked of the file system costs more by the request than by the byte. */
const CHUNK_BYTES = 262_144;
/** Both in one file happen: a Windows program's rows under a header of ours. */
const LINE_ENDS = ["\r\n", "\n"];

/** The records of a part of a file, in order, some at once: a turn of the event loop for each would cost more than its reading. */
export function fileRows(stream: FileStream, part: FilePart): AsyncGenerator<readonly FileRow[], void, void> {
  return stream.format === "csv" ? csvRows(stream, part) : jsonlRows(part);
}

async function* csvRows(stream: FileStream, part: FilePart): AsyncGenerator<readonly FileRow[], void, void> {
  const columns = stream.header ? (part.start === 0 ? true : await headerOf(stream, part)) : (stream.columns ?? []);
  const source = Readable.from(bytesOf(part), { objectMode: false });
  const parser = parse({
    columns: columns === true ? true : [...columns],
    delimiter: stream.delimiter,
    bom: part.start === 0,
    info: true,
    record_delimiter: LINE_ENDS,
    skip_empty_lines: true,
    max_record_size: MAX_ROW_BYTES,
  });
  source.on("error", (error) => parser.destroy(error));
  source.pipe(parser);
  try {
    for await (const { record, info } of parser as AsyncIterable<{ record: JsonObject; info: { bytes: number } }>) {
      yield [{ data: record, end: part.start + info.bytes }];
    }
  } finally {
    source.destroy();
    parser.destroy();
  }
}

async function headerOf(stream: FileStream, part: FilePart): Promise<readonly string[]> {
  const source = Readable.from(bytesOf({ ...part, start: 0, end: part.start }), { objectMode: false });
  const parser = source.pipe(
    parse({
      delimiter: stream.delimiter,
      bom: true,
      to: 1,
      record_delimiter: LINE_ENDS,
      skip_empty_lines: true,
      max_record_size: MAX_ROW_BYTES,
    }),
  );
  source.on("error", (error) => parser.destroy(error));
  try {
    for await (const cells of parser as AsyncIterable<string[]>) return cells;
    return [];
  } finally {
    source.destroy();
    parser.destroy();
  }
}

async function* jsonlRows(part: FilePart): AsyncGenerator<readonly FileRow[], void, void> {
  let offset = part.start;
  let rest: Buffer = Buffer.alloc(0);
  for await (const chunk of bytesOf(part)) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const rows: FileRow[] = [];
    let begin = 0;
    let refused: ConnectorError | undefined;
    for (let newline = bytes.indexOf(0x0a); newline >= 0; newline = bytes.indexOf(0x0a, begin)) {
      const data = parsedLine(bytes.toString("utf8", begin, newline), offset + begin, part.path);
      if (data instanceof ConnectorError) {
        refused = data;
        break;
      }
      begin = newline + 1;
      if (data !== undefined) rows.push({ data, end: offset + begin });
    }
    // What stands before a line that cannot be read is given all the same.
    if (rows.length > 0) yield rows;
    if (refused !== undefined) throw refused;
    offset += begin;
    rest = bytes.subarray(begin);
    if (rest.length > MAX_ROW_BYTES) {
      throw new ConnectorError("contract", `${part.path}: the line at byte ${offset} has more than ${MAX_ROW_BYTES} bytes.`);
    }
  }
  const data = parsedLine(rest.toString("utf8"), offset, part.path);
  if (data instanceof ConnectorError) throw data;
  if (data !== undefined) yield [{ data, end: offset + rest.length }];
}

/** The object of a line, nothing for an empty one, or why it is none. */
function parsedLine(line: string, offset: number, path: string): JsonObject | undefined | ConnectorError {
  // A byte order mark counts as white space.
  const text = line.trim();
  if (text === "") return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as JsonObject;
  } catch {
    // The same answer as for JSON that is no object.
  }
  return new ConnectorError("contract", `${path}: the line at byte ${offset} is not a JSON object: ${text.slice(0, 80)}`);
}

/** The bytes of a part. Not a ReadStream of the handle: destroying one closes the file under the caller. */
async function* bytesOf(part: FilePart): AsyncGenerator<Buffer, void, void> {
  for (let offset = part.start; offset < part.end;) {
    const length = Math.min(CHUNK_BYTES, part.end - offset);
    const { buffer, bytesRead } = await part.file.read(Buffer.alloc(length), 0, length, offset);
    // The file was cut meanwhile; the next round finds that and begins again.
    if (bytesRead === 0) return;
    offset += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}
