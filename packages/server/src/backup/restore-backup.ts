import { decideRestore, DomainError, type RestoreRefusal } from "@quiesce/core";
import postgres from "postgres";
import { knownMigrations, migrate } from "../db/migrate.js";
import type { BackupSecret } from "./backup-key.js";
import { loadBackup } from "./load-backup.js";
import { type VerifiedBackup, verifyBackup } from "./verify-backup.js";

export interface RestoreOptions {
  readonly databaseUrl: string;
  readonly file: string;
  readonly secret: BackupSecret;
  /** Throws away what the database holds, after the backup is in. */
  readonly replace: boolean;
  readonly log: (line: string) => void;
}

export interface Restored extends VerifiedBackup {
  /** The hold under which everything waits. */
  readonly holdId: number;
  readonly rows: number;
}

type Sql = postgres.Sql;

/** What was there is moved aside under this name until the backup is in. */
const asideSchema = "quiesce_before_restore";

/**
 * Puts a backup into a database: first the whole file is proven, then the schema of its version, then the data in one transaction that compares every
 * table with its digest, then what is newer of the schema. Everything is held afterwards, until an operator lets it go. Throws QSC_BACKUP_… and QSC_RESTORE_….
 */
export async function restoreBackup(options: RestoreOptions): Promise<Restored> {
  options.log("Reading the backup to its end, before anything is changed …");
  const backup = await verifyBackup(options.file, options.secret);
  const sql = postgres(options.databaseUrl, { max: 1, onnotice: () => undefined, connection: { application_name: "quiesce-restore" } });
  try {
    const { upTo, replaces } = await permitted(sql, backup, options);
    if (replaces) await moveAside(sql);
    try {
      await migrate(options.databaseUrl, { log: () => undefined, upTo });
      const loaded = await loadBackup(options, backup);
      if (replaces) await sql.unsafe(`drop schema ${asideSchema} cascade`);
      await migrate(options.databaseUrl, { log: options.log });
      return { ...backup, ...loaded };
    } catch (error) {
      await undo(sql, { replaces });
      throw error;
    }
  } finally {
    await sql.end({ timeout: 5 });
  }
}

async function permitted(sql: Sql, backup: VerifiedBackup, options: RestoreOptions) {
  const tables = await sql<{ name: string }[]>`
    select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f') and not relispartition`;
  const sessions = await sql<{ name: string }[]>`
    select distinct coalesce(nullif(application_name, ''), 'without a name') as name from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`;
  const verdict = decideRestore({
    tables: tables.map(({ name }) => name),
    sessions: sessions.map(({ name }) => name),
    migrations: backup.manifest.migrations,
    known: await knownMigrations(),
    replace: options.replace,
  });
  if (verdict.kind === "restore") return verdict;
  const [first] = verdict.reasons;
  if (first === undefined) throw new Error("A refusal without a reason.");
  throw refusal(first);
}

function refusal(reason: RestoreRefusal): DomainError {
  switch (reason.kind) {
    case "newer":
      return new DomainError(
        "QSC_RESTORE_NEWER",
        `The backup has migration ${reason.migration}, which this version of Quiesce does not know. Restore it with the version that made it, or a later one.`,
      );
    case "other-schema":
      return new DomainError(
        "QSC_RESTORE_NEWER",
        `The backup was made by a build whose migration ${reason.migration} is another one than this version's. Restore it with that build.`,
      );
    case "in-use":
      return new DomainError(
        "QSC_RESTORE_IN_USE",
        `Others work in this database: ${reason.sessions.join(", ")}. Stop every server, and whatever else is connected, then restore again.`,
      );
    case "not-empty":
      return new DomainError(
        "QSC_RESTORE_NOT_EMPTY",
        `This database is not empty: it holds ${reason.tables} tables. Restore into a new one (create database …, DATABASE_URL), or throw away what is there with --replace.`,
      );
  }
}

async function moveAside(sql: Sql): Promise<void> {
  await sql.begin(async (tx) => {
    await tx.unsafe(`drop schema if exists ${asideSchema} cascade`);
    await tx.unsafe(`alter schema public rename to ${asideSchema}`);
    await tx.unsafe("create schema public");
  });
}

/** A restore that failed leaves what it found. */
async function undo(sql: Sql, { replaces }: { readonly replaces: boolean }): Promise<void> {
  await sql.begin(async (tx) => {
    await tx.unsafe("drop schema public cascade");
    await tx.unsafe(replaces ? `alter schema ${asideSchema} rename to public` : "create schema public");
  });
}
