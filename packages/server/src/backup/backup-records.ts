import { DomainError } from "@quiesce/core";
import { z } from "zod";

const count = z.int().min(0);
const digest = z.string().regex(/^[0-9a-f]{64}$/);

/** What a backup holds, at its beginning. */
export const manifestSchema = z.strictObject({
  product: z.string(),
  /** By the database's clock, in epoch milliseconds. */
  createdAt: z.int(),
  migrations: z.array(z.strictObject({ version: z.int(), name: z.string(), checksum: z.string(), breaking: z.boolean() })),
  tables: z.array(
    z.strictObject({
      name: z.string(),
      columns: z.array(z.string()).min(1),
      /** The days (YYYY-MM-DD) of a table in partitions; null for another. */
      days: z.array(z.string()).nullable(),
    }),
  ),
  /** Which master key its secrets are sealed with, and with --with-master-key the key itself. */
  masterKeyId: z.string().nullable(),
  masterKey: z.string().optional(),
});
export type Manifest = z.output<typeof manifestSchema>;

/** What was read of a table: rows, and SHA-256 over its rows as COPY writes them, in the order of its key. */
export const tableSumSchema = z.strictObject({ table: z.string(), rows: count, digest });
export type TableSum = z.output<typeof tableSumSchema>;

/** The end of a backup, which says again what came before. */
export const summarySchema = z.strictObject({
  tables: z.array(tableSumSchema),
  sequences: z.array(z.strictObject({ name: z.string(), last: z.string().nullable() })),
});
export type Summary = z.output<typeof summarySchema>;

/** M the manifest, T a table begins, D some of its rows, E it has ended, Z the summary. */
const kinds = ["M", "T", "D", "E", "Z"] as const;
export type RecordKind = (typeof kinds)[number];

export interface BackupRecord {
  readonly kind: RecordKind;
  readonly body: Buffer;
}

const headBytes = 5;
const maxBodyBytes = 16 * 1024 * 1024;
/** Rows come one by one; so many bytes of them go into one record. */
const dataBytes = 64 * 1024;

export function recordOf(kind: RecordKind, body: Buffer | object): Buffer {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  const head = Buffer.alloc(headBytes);
  head.write(kind, 0, "latin1");
  head.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

/** Gathers small pieces into records of rows. */
export async function* dataRecords(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, void> {
  let gathered: Buffer[] = [];
  let bytes = 0;
  for await (const piece of pieces) {
    gathered.push(piece);
    bytes += piece.length;
    if (bytes < dataBytes) continue;
    const all = Buffer.concat(gathered);
    for (let at = 0; at < all.length; at += maxBodyBytes) yield recordOf("D", all.subarray(at, at + maxBodyBytes));
    gathered = [];
    bytes = 0;
  }
  if (bytes > 0) yield recordOf("D", Buffer.concat(gathered));
}

/** Takes records out of a stream. Throws QSC_BACKUP_CONTENT for what is none. */
export async function* readRecords(source: AsyncIterable<Buffer>): AsyncGenerator<BackupRecord, void, void> {
  let rest: Buffer = Buffer.alloc(0);
  for await (const piece of source) {
    rest = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    while (rest.length >= headBytes) {
      const letter = rest.toString("latin1", 0, 1);
      const kind = kinds.find((one) => one === letter);
      const length = rest.readUInt32BE(1);
      if (kind === undefined || length > maxBodyBytes) throw strange(`a record of the kind "${letter}" with ${length} bytes`);
      if (rest.length < headBytes + length) break;
      yield { kind, body: rest.subarray(headBytes, headBytes + length) };
      rest = rest.subarray(headBytes + length);
    }
  }
  if (rest.length > 0) throw strange(`${rest.length} bytes after the last record`);
}

/** Reads the JSON of a record. Throws QSC_BACKUP_CONTENT. */
export function parseRecord<T>(schema: z.ZodType<T>, record: BackupRecord): T {
  const result = schema.safeParse(JSON.parse(record.body.toString("utf8")));
  if (result.success) return result.data;
  throw strange(`a record ${record.kind} without the right parts: ${result.error.issues[0]?.message ?? "unknown"}`);
}

export function strange(found: string): DomainError {
  return new DomainError(
    "QSC_BACKUP_CONTENT",
    `The backup is whole, but holds ${found}. It was made by a version that this one does not understand; restore it with that one.`,
  );
}
