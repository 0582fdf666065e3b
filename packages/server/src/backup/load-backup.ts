import { finished, pipeline } from "node:stream/promises";
import { Readable, type Writable } from "node:stream";
import { DomainError } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { PostgresJsSession } from "drizzle-orm/postgres-js";
import { recordAudit } from "../audit/record-audit.js";
import { inTransaction, readNow, systemActor } from "../command.js";
import { openDatabase, type Tx } from "../db/client.js";
import { MIGRATION_LOCK } from "../db/visible-schema.js";
import { appendEvents, payloadInstant } from "../events/append-events.js";
import { placeHold, restoreOwner } from "../windows/hold-commands.js";
import { lockCatalogue, lockDispatch } from "../windows/locks.js";
import type { BackupSecret } from "./backup-key.js";
import type { Manifest, TableSum } from "./backup-records.js";
import { type BackupSql, backupTables, copyOut, quoted, sessionSettings, emptiedTables } from "./backup-tables.js";
import { differencesOf, tableDigest } from "./table-digest.js";
import { readBackup, type VerifiedBackup } from "./verify-backup.js";

/** Reading, unpacking and writing go hand in hand: the database waits for the file now and then. */
const idleLimitMs = 600_000;

interface LoadOptions {
  readonly databaseUrl: string;
  readonly file: string;
  readonly secret: BackupSecret;
  readonly log: (line: string) => void;
}

/** Fills a migrated database, in one transaction: either everything is there, proven equal, and held, or nothing is. */
export async function loadBackup(
  options: LoadOptions,
  { manifest, summary }: VerifiedBackup,
): Promise<{ readonly holdId: number; readonly rows: number }> {
  const database = openDatabase(options.databaseUrl, {
    max: 1,
    applicationName: "quiesce-restore",
    idleInTransactionTimeoutMs: idleLimitMs,
  });
  try {
    return await inTransaction({ database }, async (tx) => {
      const raw = rawOf(tx);
      // Servers that start now wait here, before their own migrations.
      await raw`select pg_advisory_xact_lock(${MIGRATION_LOCK})`;
      await raw.unsafe(sessionSettings).simple();
      await fill(raw, options);
      await setSequences(raw, summary.sequences);
      const rows = await prove(raw, summary.tables, options);
      return { holdId: await beginAnew(tx, manifest), rows };
    });
  } finally {
    await database.close();
  }
}

/** The driver's own handle of a transaction: COPY has no other way. */
function rawOf(tx: Tx): BackupSql {
  const { session } = tx._;
  if (!(session instanceof PostgresJsSession)) throw new Error("The transaction is not one of postgres.js.");
  return session.client as BackupSql;
}

async function fill(raw: BackupSql, options: LoadOptions): Promise<void> {
  const present = await backupTables(raw);
  // First: one of them keeps the audit trail from being emptied.
  await triggers(raw, "disable");
  // Migrations leave rows, and a server that was quick may have left some.
  await raw.unsafe(`truncate ${[...present.map(({ name }) => name), ...emptiedTables].map(quoted).join(", ")}`);
  await readBackup(options.file, options.secret, {
    begin: async (manifest) => {
      const absent = manifest.tables.filter(({ name }) => !present.some((table) => table.name === name));
      if (absent.length > 0) throw differs(absent.map(({ name }) => `${name} (no such table)`));
      for (const { name, days } of manifest.tables)
        for (const day of days ?? []) await raw`select ensure_day_partition(${name}, ${day}::date)`;
    },
    table: async (table, rows) => {
      await copyIn(raw, table, rows);
      options.log(`${table.name} is in`);
    },
  });
  await triggers(raw, "enable");
}

/** They look at what a server writes, not at what one has written. Those of partitions belong to their table. */
async function triggers(raw: BackupSql, what: "disable" | "enable"): Promise<void> {
  const found = await raw<{ table: string; name: string }[]>`
    select c.relname as table, t.tgname as name from pg_trigger as t join pg_class as c on c.oid = t.tgrelid
    where c.relnamespace = current_schema()::regnamespace and not t.tgisinternal and t.tgparentid = 0 order by 1, 2`;
  for (const { table, name } of found) await raw.unsafe(`alter table ${quoted(table)} ${what} trigger ${quoted(name)}`);
}

async function copyIn(raw: BackupSql, table: Manifest["tables"][number], rows: AsyncIterable<Buffer>): Promise<void> {
  const columns = table.columns.map(quoted).join(", ");
  const into: Writable = await raw.unsafe(`copy ${quoted(table.name)} (${columns}) from stdin`).writable();
  const written = finished(into, { readable: false });
  written.catch(() => undefined);
  await pipeline(Readable.from(rows), into, { end: false });
  into.end();
  // postgres.js forgets the stream when PostgreSQL refuses it at its end; the next statement then says that the transaction has failed.
  const next = raw`select`.catch((cause: unknown) => {
    throw new DomainError("QSC_RESTORE_DIFFERS", `PostgreSQL refuses the rows of ${table.name}. The database is as it was before.`, {
      cause,
    });
  });
  await Promise.all([written, next]);
}

async function setSequences(raw: BackupSql, sequences: readonly { readonly name: string; readonly last: string | null }[]): Promise<void> {
  for (const { name, last } of sequences)
    await raw`select setval(${quoted(name)}::text::regclass, ${last ?? "1"}::text::bigint, ${last !== null}::boolean)`;
}

/** Reads every table again, as it lies there now. Answers the number of rows. */
async function prove(raw: BackupSql, expected: readonly TableSum[], options: LoadOptions): Promise<number> {
  options.log("Comparing every table with its digest …");
  const found: TableSum[] = [];
  for (const table of await backupTables(raw)) {
    const digest = tableDigest(table.name);
    for await (const piece of copyOut(raw, table)) digest.add(piece);
    found.push(digest.sum());
  }
  const differences = differencesOf(expected, found);
  if (differences.length > 0) throw differs(differences);
  return found.reduce((sum, { rows }) => sum + rows, 0);
}

function differs(what: readonly string[]): DomainError {
  return new DomainError(
    "QSC_RESTORE_DIFFERS",
    `What was restored is not what the backup holds: ${what.join(", ")}. The database is as it was before.`,
  );
}

/**
 * What a restored database is not: the one that clients followed, so cursors of before are refused; and not one to go on by itself, because nobody
 * knows yet what ran since the backup, so everything is held until an operator lets it go.
 */
async function beginAnew(tx: Tx, manifest: Manifest): Promise<number> {
  await lockCatalogue(tx);
  const now = await readNow(tx);
  const madeAt = payloadInstant(manifest.createdAt);
  const reason = `restored from a backup of ${madeAt}: look at what ran since, then let it go`;
  await tx.execute(sql`update control set event_epoch = gen_random_uuid()`);
  const scope = { all: true };
  const { holdId, changed } = await placeHold(tx, { kind: "manual", scope, owner: restoreOwner, reason, beginsAt: now, expiresAt: null });
  const after = { backupOf: madeAt, product: manifest.product, hold: holdId };
  await recordAudit(tx, { actor: systemActor, action: "control.restore", subjectKind: "control", subjectKey: "control", reason, after });
  await appendEvents(tx, [
    { kind: "control.restored", subjectKind: "control", subjectKey: "control", payload: { backupOf: madeAt, hold: holdId } },
  ]);
  await lockDispatch(tx, changed);
  return holdId;
}
