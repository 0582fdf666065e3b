import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type postgres from "postgres";

/** The same depth from src/db and from dist/db. */
const FILE = fileURLToPath(new URL("../../migrations/repeatable/visible-schema.sql", import.meta.url));

/** One number for every Quiesce on the database: "QSC" and a one. Whoever changes the schema holds it. */
export const MIGRATION_LOCK = 0x515343_01;

/**
 * Makes the views of the schema `visible` anew, when their text or the tables under them have changed. A database that a newer Quiesce has migrated
 * keeps the newer views.
 */
export async function makeVisibleSchema(sql: postgres.Sql, newestKnown: number): Promise<void> {
  const text = await readFile(FILE, "utf8");
  await sql.begin(async (tx) => {
    await tx`select pg_advisory_xact_lock(${MIGRATION_LOCK})`;
    const [found] = await tx<{ made: string | null; version: number }[]>`
      select obj_description(to_regnamespace('visible'), 'pg_namespace') as made, (select coalesce(max(version), 0) from schema_migration) as version`;
    if (found === undefined || found.version > newestKnown) return;
    const wanted = `${found.version}:${createHash("sha256").update(text.replaceAll("\r\n", "\n")).digest("hex").slice(0, 16)}`;
    if (found.made === wanted) return;
    await tx.unsafe(text).simple();
    await tx.unsafe(`comment on schema visible is '${wanted}'`).simple();
  });
}
