import { z } from "zod";
import { readBackupFile } from "./backup-file.js";
import type { BackupSecret } from "./backup-key.js";
import { type Manifest, manifestSchema, parseRecord, strange, type Summary, summarySchema, tableSumSchema } from "./backup-records.js";
import { differencesOf, tableDigest } from "./table-digest.js";

/** What a backup that was read to its end holds. */
export interface VerifiedBackup {
  readonly manifest: Manifest;
  readonly summary: Summary;
}

/** What is done with the parts of a backup, in their order. */
export interface BackupReader {
  /** Before the first table. */
  readonly begin?: (manifest: Manifest) => Promise<void>;
  /** One table: everything of `rows` has to be read. */
  readonly table: (table: Manifest["tables"][number], rows: AsyncIterable<Buffer>) => Promise<void>;
}

/** Reads a whole backup and compares every table with its digest. Throws QSC_BACKUP_… for whatever is wrong with it. */
export function verifyBackup(file: string, secret: BackupSecret): Promise<VerifiedBackup> {
  return readBackup(file, secret, {
    table: async (_table, rows) => {
      const pieces = rows[Symbol.asyncIterator]();
      while ((await pieces.next()).done !== true);
    },
  });
}

/** Hands the parts of a backup on, digesting on the way. */
export async function readBackup(file: string, secret: BackupSecret, reader: BackupReader): Promise<VerifiedBackup> {
  const records = readBackupFile(file, secret);
  try {
    const first = await records.next();
    if (first.done === true || first.value.kind !== "M") throw strange("no list of its contents");
    const manifest = parseRecord(manifestSchema, first.value);
    await reader.begin?.(manifest);
    const found = [];
    for (const table of manifest.tables) {
      const begun = await records.next();
      if (begun.done === true || begun.value.kind !== "T" || parseRecord(z.object({ table: z.string() }), begun.value).table !== table.name)
        throw strange(`something else where the table ${table.name} should begin`);
      const digest = tableDigest(table.name);
      const end: { sum?: z.output<typeof tableSumSchema> } = {};
      const rows = async function* (): AsyncGenerator<Buffer, void, void> {
        // Not `for await`: that would close the records when the table ends.
        for (let next = await records.next(); next.done !== true; next = await records.next()) {
          if (next.value.kind === "E") {
            end.sum = parseRecord(tableSumSchema, next.value);
            return;
          }
          if (next.value.kind !== "D") break;
          digest.add(next.value.body);
          yield next.value.body;
        }
        throw strange(`no end of the table ${table.name}`);
      };
      await reader.table(table, rows());
      const sum = digest.sum();
      const differences = differencesOf(end.sum === undefined ? [] : [end.sum], [sum]);
      if (end.sum === undefined || differences.length > 0) throw strange(`other rows than were counted: ${differences.join(", ")}`);
      found.push(sum);
    }
    const last = await records.next();
    if (last.done === true || last.value.kind !== "Z") throw strange("no summary");
    const summary = parseRecord(summarySchema, last.value);
    const differences = differencesOf(summary.tables, found);
    if (differences.length > 0 || summary.tables.length !== found.length)
      throw strange(`other tables than its summary: ${differences.join(", ")}`);
    if ((await records.next()).done !== true) throw strange("something after its summary");
    return { manifest, summary };
  } finally {
    await records.return();
  }
}
