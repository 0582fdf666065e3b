import type { Readable } from "node:stream";
import { orderTables } from "@quiesce/core";
import type postgres from "postgres";

/** A connection, within a transaction. */
export type BackupSql = postgres.TransactionSql;

/** What of a database goes into a backup. Partitions are part of their table. */
export interface BackupTable {
  readonly name: string;
  readonly columns: readonly string[];
  readonly days: readonly string[] | null;
  /** What its rows are ordered by, as SQL. */
  readonly orderBy: string;
}

/**
 * Made by migrations, rebuilt by every server at its start, or by the next look at alerts or a comparison that is tried once more: no facts. Sessions and links are left out, because those that were ended since would be
 * good again: whoever restores signs in again.
 */
const withoutFacts = [
  "schema_migration",
  "agenda_job",
  "alert_look",
  "alert_news",
  "session",
  "sign_in_link",
  "sign_in_attempt",
  "reconciliation_entry",
];

/** Of these, what the last user of the database left is not for the one that is restored. */
export const emptiedTables = withoutFacts.filter((name) => name !== "schema_migration");

/** Times, numbers and bytes are written in one way, whatever the server is set to. */
export const sessionSettings =
  "set local timezone = 'UTC'; set local datestyle = 'ISO'; set local intervalstyle = 'postgres'; set local extra_float_digits = 1; set local bytea_output = 'hex'";

/** The tables with facts, in an order in which they can be filled. */
export async function backupTables(sql: BackupSql): Promise<readonly BackupTable[]> {
  const rows = await sql<{ name: string; columns: string[]; days: string[] | null; orderBy: string | null }[]>`
    select t.relname as name,
      (select array_agg(a.attname::text order by a.attnum) from pg_attribute as a
        where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '') as columns,
      case t.relkind when 'p' then array(
        select to_char(to_date(right(p.relname, 8), 'YYYYMMDD'), 'YYYY-MM-DD') from pg_inherits as i join pg_class as p on p.oid = i.inhrelid
        where i.inhparent = t.oid order by 1) end as days,
      (select string_agg(format('%I', a.attname) || case when a.attcollation = 0 then '' else ' collate "C"' end, ', ' order by k.place)
        from pg_index as x cross join unnest(x.indkey::int2[]) with ordinality as k(number, place)
        join pg_attribute as a on a.attrelid = t.oid and a.attnum = k.number
        where x.indrelid = t.oid and x.indisprimary) as "orderBy"
    from pg_class as t
    where t.relnamespace = current_schema()::regnamespace and t.relkind in ('r', 'p') and not t.relispartition and t.relname <> all(${withoutFacts})
    order by 1`;
  const references = await sql<{ from: string; to: string }[]>`
    select distinct f.relname as "from", t.relname as "to" from pg_constraint as c
    join pg_class as f on f.oid = c.conrelid join pg_class as t on t.oid = c.confrelid
    where c.contype = 'f' and c.connamespace = current_schema()::regnamespace and not f.relispartition and not t.relispartition`;
  const byName = new Map(rows.map((row) => [row.name, row]));
  return orderTables([...byName.keys()], references).flatMap((name) => {
    const row = byName.get(name);
    // Without a key the whole row is one.
    return row === undefined ? [] : [{ ...row, orderBy: row.orderBy ?? `${quoted(name)}::text collate "C"` }];
  });
}

/** The values of all sequences; null: nothing was taken yet. */
export function sequences(sql: BackupSql): Promise<readonly { readonly name: string; readonly last: string | null }[]> {
  return sql<{ name: string; last: string | null }[]>`
    select sequencename::text as name, last_value::text as last from pg_sequences where schemaname = current_schema() order by 1`;
}

/** An identifier as SQL. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** All rows of a table in the order of its key, as COPY writes them. */
export async function* copyOut(sql: BackupSql, table: BackupTable): AsyncGenerator<Buffer, void, void> {
  const name = quoted(table.name);
  const statement = `copy (select ${table.columns.map(quoted).join(", ")} from ${name} order by ${table.orderBy}) to stdout`;
  const rows: Readable = await sql.unsafe(statement).readable();
  for await (const piece of rows) yield piece;
  // postgres.js 3.4.9 pauses its socket for a reader that lags behind, and leaves it so when the rows end meanwhile: the next answer would never come.
  // oxlint-disable-next-line no-underscore-dangle -- the stream has no other way to its socket
  rows._read(0);
}
