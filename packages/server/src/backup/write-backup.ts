import { DomainError } from "@quiesce/core";
import postgres from "postgres";
import type { MasterKey } from "../credentials/master-key.js";
import { version } from "../version.js";
import { writeBackupFile } from "./backup-file.js";
import type { BackupSecret } from "./backup-key.js";
import { dataRecords, type Manifest, recordOf, type TableSum } from "./backup-records.js";
import { type BackupSql, type BackupTable, backupTables, copyOut, quoted, sequences, sessionSettings } from "./backup-tables.js";
import { tableDigest } from "./table-digest.js";

export interface WriteBackupOptions {
  readonly databaseUrl: string;
  readonly file: string;
  readonly secret: BackupSecret;
  /** The key that seals the secrets of this deployment, if it is at hand: its id goes into the backup. */
  readonly masterKey: MasterKey | null;
  /** Puts the key itself into the backup. */
  readonly withMasterKey: boolean;
  /** Told of each table when it is done. */
  readonly onTable: (sum: TableSum) => void;
}

export interface WrittenBackup {
  readonly bytes: number;
  readonly createdAt: number;
  readonly tables: readonly TableSum[];
}

/** Writes everything that a database knows, as of one moment, into a file. Servers may go on meanwhile. Throws QSC_BACKUP_KEY, QSC_BACKUP_EMPTY. */
export async function writeBackup(options: WriteBackupOptions): Promise<WrittenBackup> {
  if (options.withMasterKey && options.masterKey === null)
    throw new DomainError(
      "QSC_BACKUP_KEY",
      "There is no master key here to put into the backup. Set QUIESCE_MASTER_KEY, or leave --with-master-key out.",
    );
  const sql = postgres(options.databaseUrl, { max: 1, onnotice: () => undefined, connection: { application_name: "quiesce-backup" } });
  const tables: TableSum[] = [];
  let createdAt = 0;
  try {
    return await sql.begin("isolation level repeatable read read only", async (tx) => {
      const records = async function* (): AsyncGenerator<Buffer, void, void> {
        const { manifest, found } = await openSnapshot(tx, options);
        createdAt = manifest.createdAt;
        yield recordOf("M", manifest);
        for (const table of found) {
          const sum = yield* tableRecords(tx, table);
          tables.push(sum);
          options.onTable(sum);
        }
        yield recordOf("Z", { tables, sequences: await sequences(tx) });
      };
      const { bytes } = await writeBackupFile(options.file, options.secret, records());
      return { bytes, createdAt, tables };
    });
  } finally {
    await sql.end({ timeout: 5 });
  }
}

async function openSnapshot(
  tx: BackupSql,
  options: WriteBackupOptions,
): Promise<{ readonly manifest: Manifest; readonly found: readonly BackupTable[] }> {
  await tx.unsafe(sessionSettings).simple();
  const [known] = await tx<{ any: boolean }[]>`select to_regclass('schema_migration') is not null as any`;
  if (known?.any !== true)
    throw new DomainError("QSC_BACKUP_EMPTY", "This is no database of Quiesce: it has no migrations. Check DATABASE_URL.");
  const listed = await backupTables(tx);
  // A partition that is dropped meanwhile would be missing although the snapshot still has it.
  await tx.unsafe(`lock table ${listed.map(({ name }) => quoted(name)).join(", ")} in access share mode`);
  const found = await backupTables(tx);
  const migrations = await tx<Manifest["migrations"]>`select version, name, checksum, breaking from schema_migration order by version`;
  const [now] = await tx<{ ms: string }[]>`select floor(extract(epoch from transaction_timestamp()) * 1000)::bigint::text as ms`;
  const { masterKey } = options;
  return {
    found,
    manifest: {
      product: version,
      createdAt: Number(now?.ms),
      migrations: [...migrations],
      tables: found.map(({ name, columns, days }) => ({ name, columns: [...columns], days: days === null ? null : [...days] })),
      masterKeyId: masterKey?.id ?? null,
      ...(options.withMasterKey && masterKey !== null ? { masterKey: masterKey.key.toString("base64") } : {}),
    },
  };
}

async function* tableRecords(tx: BackupSql, table: BackupTable): AsyncGenerator<Buffer, TableSum, void> {
  yield recordOf("T", { table: table.name });
  const digest = tableDigest(table.name);
  const digested = async function* (): AsyncGenerator<Buffer, void, void> {
    for await (const piece of copyOut(tx, table)) {
      digest.add(piece);
      yield piece;
    }
  };
  yield* dataRecords(digested());
  const sum = digest.sum();
  yield recordOf("E", sum);
  return sum;
}
