import { hash } from "node:crypto";
import type { FileHandle } from "node:fs/promises";
import type { Cursor } from "@quiesce/sdk";

/** What tells one content of a file from another. */
export interface FileState {
  /** Device and number of the file: a file that was renamed over it has another. */
  readonly id: string;
  readonly size: number;
  readonly changedMs: number;
}

const FINGERPRINT_BYTES = 4096;

/** The state of an open file. */
export async function fileState(file: FileHandle): Promise<FileState> {
  const found = await file.stat();
  return { id: `${found.dev}:${found.ino}`, size: found.size, changedMs: Math.round(found.mtimeMs) };
}

/** The cursor behind the last complete line that was read: see {@link cursorsOf}. */
export type CursorAt = (offset: number, unfinished: number | undefined) => Promise<Cursor>;

/**
 * The cursors of one reading: the end of the last complete line in bytes, the file's state when it was opened, and a fingerprint of the bytes before.
 * `unfinished` is the size up to which a last line without its end was read.
 */
export function cursorsOf(file: FileHandle, state: FileState): CursorAt {
  // The beginning is read once: a file whose beginning is changed meanwhile is another one, and then read from its beginning.
  let begin: Buffer | undefined;
  return async (offset, unfinished) => {
    if (begin === undefined && offset >= FINGERPRINT_BYTES) begin = await bytesAt(file, 0, FINGERPRINT_BYTES);
    return {
      offset,
      id: state.id,
      size: state.size,
      changedMs: state.changedMs,
      print: await fingerprint(file, offset, begin),
      ...(unfinished === undefined ? {} : { unfinished }),
    };
  };
}

/**
 * Where to go on: at the cursor's offset if the file has only grown since, at 0 if it was replaced, cut or changed in place.
 * Beginning again repeats records, which the target bears; going on in another content would lose some.
 */
export async function resumeOffset(file: FileHandle, state: FileState, cursor: Cursor | null): Promise<number> {
  const offset = cursor?.["offset"];
  const size = cursor?.["size"];
  if (cursor === null || typeof offset !== "number" || typeof size !== "number") return 0;
  if (cursor["id"] !== state.id || state.size < size || state.size < offset) return 0;
  if (state.size === size && cursor["changedMs"] !== state.changedMs) return 0;
  if ((await fingerprint(file, offset)) !== cursor["print"]) return 0;
  // The unfinished last line was read, and nothing came after it.
  return cursor["unfinished"] === state.size ? state.size : offset;
}

async function fingerprint(file: FileHandle, offset: number, begin?: Buffer): Promise<string> {
  const length = Math.min(offset, FINGERPRINT_BYTES);
  const first = begin ?? (await bytesAt(file, 0, length));
  const last = await bytesAt(file, offset - length, length);
  return hash("sha256", Buffer.concat([first, last]), "base64url");
}

/** Zeros stand for what is no longer there. */
async function bytesAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  await file.read(bytes, 0, length, position);
  return bytes;
}
