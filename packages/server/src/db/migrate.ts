import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DomainError } from "@quiesce/core";
import postgres from "postgres";
import { makeVisibleSchema, MIGRATION_LOCK } from "./visible-schema.js";

export interface MigrateOptions {
  /** Receives one line for each migration that is applied. */
  readonly log: (line: string) => void;
  /** The folder of numbered SQL files; the package's own `migrations` when left out. */
  readonly folder?: string;
  /** The last number to apply, for a database that is to get data of that version; all when left out. */
  readonly upTo?: number;
}

export interface MigrateResult {
  /** The names of the files applied now, in order; empty when the database was up to date. */
  readonly applied: readonly string[];
}

interface Migration {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
  readonly breaking: boolean;
  readonly text: string;
}

interface AppliedMigration {
  readonly version: number;
  readonly name: string;
  readonly checksum: string;
  readonly breaking: boolean;
}

/** The same depth from src/db and from dist/db. */
const OWN_FOLDER = fileURLToPath(new URL("../../migrations/", import.meta.url));

const FILE_NAME = /^(\d{4})-[a-z0-9-]+\.sql$/;

const readMigration = async (folder: string, name: string): Promise<Migration> => {
  const version = FILE_NAME.exec(name)?.[1];
  if (version === undefined) {
    throw new DomainError("QSC_DB_MIGRATION_NAME", `The migration ${join(folder, name)} is not named like 0001-what-it-does.sql.`);
  }
  const text = (await readFile(join(folder, name), "utf8")).replaceAll("\r\n", "\n");
  const breaking = /^-- breaking: (yes|no)\n/.exec(text)?.[1];
  if (breaking === undefined) {
    throw new DomainError(
      "QSC_DB_MIGRATION_HEADER",
      `The first line of ${join(folder, name)} must be "-- breaking: yes" or "-- breaking: no".`,
    );
  }
  return { version: Number(version), name, checksum: createHash("sha256").update(text).digest("hex"), breaking: breaking === "yes", text };
};

const readMigrations = async (folder: string): Promise<readonly Migration[]> => {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".sql")).toSorted();
  const migrations = await Promise.all(names.map((name) => readMigration(folder, name)));
  const twice = migrations.find((migration, index) => migrations[index - 1]?.version === migration.version);
  if (twice !== undefined) throw new DomainError("QSC_DB_MIGRATION_NAME", `Two migrations in ${folder} have the number of ${twice.name}.`);
  return migrations;
};

/** The migrations of this build, for whoever compares a database's with them. */
export async function knownMigrations(): Promise<readonly { readonly version: number; readonly checksum: string }[]> {
  return (await readMigrations(OWN_FOLDER)).map(({ version, checksum }) => ({ version, checksum }));
}

/** Refuses a database that this build must not touch. */
const checkApplied = (known: readonly Migration[], applied: readonly AppliedMigration[], log: (line: string) => void): void => {
  for (const row of applied) {
    const migration = known.find(({ version }) => version === row.version);
    if (migration === undefined) {
      if (row.breaking) {
        throw new DomainError(
          "QSC_DB_NEWER_SCHEMA",
          `The database holds migration ${row.name}, which this version of Quiesce does not know and which older versions cannot work with. ` +
            "Start the newer version again, or restore a backup from before it.",
        );
      }
      log(`The database holds migration ${row.name} of a newer Quiesce; this version can work beside it`);
    } else if (migration.checksum !== row.checksum) {
      throw new DomainError(
        "QSC_DB_MIGRATION_CHANGED",
        `Migration ${row.name} was changed after this database applied it (checksum ${row.checksum.slice(0, 12)} applied, ${migration.checksum.slice(0, 12)} found). ` +
          "Restore the file and write the change as a new migration.",
      );
    }
  }
};

const nextMigration = (known: readonly Migration[], applied: readonly AppliedMigration[]): Migration | undefined => {
  const done = new Set(applied.map(({ version }) => version));
  const next = known.find(({ version }) => !done.has(version));
  const later = applied.find(({ version }) => next !== undefined && version > next.version);
  if (next !== undefined && later !== undefined) {
    throw new DomainError(
      "QSC_DB_MIGRATION_ORDER",
      `Migration ${next.name} is not applied, but ${later.name} with a higher number is. Give the new one the next free number.`,
    );
  }
  return next;
};

/** Applies the next migration, if there is one. The lock is the transaction's, so it ends with the process too. */
const applyNext = (sql: postgres.Sql, known: readonly Migration[], log: (line: string) => void): Promise<string | undefined> =>
  sql.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(${MIGRATION_LOCK})`;
    await tx`
      create table if not exists schema_migration (
        version int primary key, name text not null, checksum text not null,
        applied_at timestamptz(3) not null default now(), breaking boolean not null)`;
    const applied = await tx<AppliedMigration[]>`select version, name, checksum, breaking from schema_migration order by version`;
    checkApplied(known, applied, log);
    const next = nextMigration(known, applied);
    if (next === undefined) return undefined;
    log(`Applying migration ${next.name}`);
    await tx.unsafe(next.text).simple();
    await tx`insert into schema_migration ${tx({ version: next.version, name: next.name, checksum: next.checksum, breaking: next.breaking })}`;
    return next.name;
  });

/**
 * Brings the database to this build's schema. Several servers may call it at once: one applies, the others wait and find
 * the work done. Every migration is a transaction of its own.
 *
 * @throws DomainError QSC_DB_NEWER_SCHEMA, QSC_DB_MIGRATION_CHANGED, QSC_DB_MIGRATION_ORDER, QSC_DB_MIGRATION_NAME, QSC_DB_MIGRATION_HEADER
 */
export async function migrate(target: string | postgres.Sql, options: MigrateOptions): Promise<MigrateResult> {
  const known = (await readMigrations(options.folder ?? OWN_FOLDER)).filter(({ version }) => version <= (options.upTo ?? version));
  const sql = typeof target === "string" ? postgres(target, { max: 1, onnotice: () => undefined }) : target;
  // What a newer schema holds is said once, not once a migration.
  const said = new Set<string>();
  const log = (line: string): void => {
    if (!said.has(line)) options.log(line);
    said.add(line);
  };
  try {
    const applied: string[] = [];
    for (;;) {
      const name = await applyNext(sql, known, log);
      if (name === undefined) break;
      applied.push(name);
    }
    const isWhole = options.folder === undefined && options.upTo === undefined;
    if (isWhole) await makeVisibleSchema(sql, known.at(-1)?.version ?? 0);
    return { applied };
  } finally {
    if (typeof target === "string") await sql.end({ timeout: 5 });
  }
}
