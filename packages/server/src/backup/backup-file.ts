import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { link, open, rm, stat } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import { DomainError } from "@quiesce/core";
import { z } from "zod";
import { type BackupKey, type BackupSecret, deriveKey, keyRecipeSchema, newSalt, recipeFor, requireKey } from "./backup-key.js";
import { type BackupRecord, readRecords } from "./backup-records.js";
import { openFrames, sealFrames } from "./sealed-frames.js";

/** The first line of a backup; the second is its header as JSON, and the frames follow. */
const magic = "quiesce-backup\n";
const maxHeaderBytes = 4_096;
const frameBytes = 64 * 1024;

const headerSchema = z.strictObject({
  format: z.literal(1),
  cipher: z.literal("aes-256-gcm"),
  compression: z.literal("gzip"),
  frameBytes: z
    .int()
    .min(1_024)
    .max(1024 * 1024),
  salt: z.base64(),
  key: keyRecipeSchema,
  check: z.string().length(32),
});

/** Writes records into a new file, compressed and sealed. The file has its name only when it is whole and on the disk; nobody else may read it. */
export async function writeBackupFile(
  file: string,
  secret: BackupSecret,
  records: AsyncIterable<Buffer>,
): Promise<{ readonly bytes: number }> {
  await requireNone(file);
  const salt = newSalt();
  const recipe = recipeFor(secret);
  const key = await deriveKey(secret, recipe, salt);
  const header = {
    format: 1,
    cipher: "aes-256-gcm",
    compression: "gzip",
    frameBytes,
    salt: salt.toString("base64"),
    key: recipe,
    check: key.check,
  };
  const head = Buffer.from(`${magic}${JSON.stringify(header)}\n`);
  const draft = `${file}.part`;
  const handle = await open(draft, "wx", 0o600);
  try {
    await handle.write(head);
    const gzip = createGzip();
    const sealed = (packed: AsyncIterable<Buffer>) => sealFrames(packed, { key: key.frames, bound: digestOf(head), frameBytes });
    // The handle stays ours: it is synced after the stream is done with it.
    await pipeline(Readable.from(records), gzip, sealed, createWriteStream(draft, { fd: handle.fd, start: head.length, autoClose: false }));
    await handle.sync();
    const { size } = await handle.stat();
    await handle.close();
    // Not renamed: that would go over a file of this name that has come meanwhile.
    await link(draft, file);
    await rm(draft);
    return { bytes: size };
  } catch (error) {
    await handle.close().catch(() => undefined);
    await rm(draft, { force: true });
    throw error;
  }
}

async function requireNone(file: string): Promise<void> {
  for (const path of [file, `${file}.part`]) {
    const isThere = await stat(path).then(
      () => true,
      () => false,
    );
    if (isThere)
      throw new DomainError("QSC_BACKUP_FILE_EXISTS", `${path} exists already. Name another file with --output, or move this one away.`);
  }
}

/**
 * The records of a file, each proven to be what was written. Throws QSC_BACKUP_NOT_ONE, QSC_BACKUP_KEY, QSC_BACKUP_DAMAGED, QSC_BACKUP_TRUNCATED and
 * QSC_BACKUP_CONTENT.
 */
export async function* readBackupFile(file: string, secret: BackupSecret): AsyncGenerator<BackupRecord, void, void> {
  const { header, head } = await readHeader(file);
  const key: BackupKey = await deriveKey(secret, header.key, Buffer.from(header.salt, "base64"));
  requireKey(key, header.check);
  const frames = openFrames(createReadStream(file, { start: head.length }), {
    key: key.frames,
    bound: digestOf(head),
    frameBytes: header.frameBytes,
  });
  const gunzip = createGunzip();
  const unpacked = pipeline(Readable.from(frames), gunzip);
  // It is read by the loop, which says what went wrong.
  unpacked.catch(() => undefined);
  yield* readRecords(gunzip);
  await unpacked;
}

async function readHeader(file: string): Promise<{ readonly header: z.output<typeof headerSchema>; readonly head: Buffer }> {
  const handle = await open(file, "r").catch((error: unknown) => {
    throw new DomainError("QSC_BACKUP_NOT_ONE", `${file} cannot be read: ${error instanceof Error ? error.message : String(error)}.`, {
      cause: error,
    });
  });
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(maxHeaderBytes), 0, maxHeaderBytes, 0);
    const begun = buffer.subarray(0, bytesRead);
    const end = begun.indexOf("\n", magic.length);
    if (begun.subarray(0, magic.length).toString("latin1") !== magic || end === -1)
      throw new DomainError("QSC_BACKUP_NOT_ONE", `${file} is no backup of Quiesce. Those are made by \`quiesce backup\`.`);
    const header = headerSchema.safeParse(jsonOf(begun.subarray(magic.length, end).toString("utf8")));
    if (!header.success) {
      throw new DomainError(
        "QSC_BACKUP_NOT_ONE",
        `The header of ${file} is damaged, or of a later version: ${header.error.issues[0]?.path.join(".") ?? ""} does not fit.`,
      );
    }
    return { header: header.data, head: begun.subarray(0, end + 1) };
  } finally {
    await handle.close();
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What is no JSON does not fit the header's shape either.
    return undefined;
  }
}

function digestOf(head: Buffer): Buffer {
  return createHash("sha256").update(head).digest();
}
