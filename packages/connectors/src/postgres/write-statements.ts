import { quoted, tableOf } from "./postgres-client.js";
import type { PostgresStream } from "./postgres-config.js";
import type { Column } from "./table-columns.js";

/** Types without an equality operator: compared as text. */
const WITHOUT_EQUALITY = new Set(["json", "xml", "point", "box", "path", "polygon", "line", "lseg", "circle"]);

/** Where a row stands in the given list, from 1. A name that no table of this world has. */
export const POSITION = "quiesce position";

/** The positions of all rows that were changed, null for every one: most batches change all of their rows, and 500 positions are 500 rows to send and to read. */
export const CHANGED = "quiesce changed";

/**
 * Inserts or updates the rows of a JSON list ($1). What it tells is how many were changed: where that is all of them, as in most batches, nobody needs to
 * know which, and a tenth of the time is saved.
 */
export function plainUpsertStatement(stream: PostgresStream, columns: readonly Column[], names: readonly string[]): string {
  const written = columns.filter((column) => names.includes(column.name));
  return upsertOf(stream, written, `(${givenRows(written)})`);
}

/**
 * Inserts or updates the rows of a JSON list ($1) in one statement, and gives one row with the positions (from 1) of those that were changed, or null for all.
 * Rows that are there already, value by value, are not touched: no new version, no trigger.
 */
export function upsertStatement(stream: PostgresStream, columns: readonly Column[], names: readonly string[]): string {
  const written = columns.filter((column) => names.includes(column.name));
  const key = stream.key.map(quoted).join(", ");
  return `with given as (${givenRows(written)}),
    written as (
      ${upsertOf(stream, written, "given")}
      returning ${stream.key.map((name) => `target.${quoted(name)}`).join(", ")}
    )
    select case when (select count(*) from written) <> (select count(*) from given)
      then coalesce((select json_agg(given.${quoted(POSITION)}) from given join written using (${key})), '[]') end as ${quoted(CHANGED)}`;
}

function upsertOf(stream: PostgresStream, written: readonly Column[], rows: string): string {
  const values = written.filter((column) => !stream.key.includes(column.name));
  const key = stream.key.map(quoted).join(", ");
  const list = written.map((column) => quoted(column.name)).join(", ");
  const assignments = values.map((column) => `${quoted(column.name)} = excluded.${quoted(column.name)}`).join(", ");
  const differs = values.map((column) => differsSql(column)).join(" or ");
  const action = values.length === 0 ? "do nothing" : `do update set ${assignments} where ${differs}`;
  return `insert into ${tableOf(stream)} as target (${list}) select ${list} from ${rows} as given order by ${key} on conflict (${key}) ${action}`;
}

/** Beside a position: the row of it is absent. */
export const ABSENT = "quiesce absent";

/**
 * Updates the rows of a JSON list ($1) that are there, for records without a value for a column that a new row needs. Gives the positions (from 1) of
 * those that were changed, and of those that are absent.
 */
export function updateStatement(stream: PostgresStream, columns: readonly Column[], names: readonly string[]): string {
  const written = columns.filter((column) => names.includes(column.name));
  const values = written.filter((column) => !stream.key.includes(column.name));
  const key = stream.key.map(quoted).join(", ");
  const same = (one: string, other: string) => stream.key.map((name) => `${one}.${quoted(name)} = ${other}.${quoted(name)}`).join(" and ");
  const assignments = values.map(({ name }) => `${quoted(name)} = given.${quoted(name)}`).join(", ");
  const differs = values.map((column) => differsSql(column, "given")).join(" or ");
  // Locked in the order of the key, as insertions are, so that two writers wait for each other and never in a ring.
  const held = `select ${key} from ${tableOf(stream)} where (${key}) in (select ${key} from given) order by ${key} for no key update`;
  const changed =
    values.length === 0
      ? `select given.${quoted(POSITION)} from given where false`
      : `update ${tableOf(stream)} as target set ${assignments} from given join held using (${key}) where ${same("target", "given")} and (${differs})
        returning given.${quoted(POSITION)}`;
  return `with given as (${givenRows(written)}), held as materialized (${held}), changed as (${changed})
    select ${quoted(POSITION)}, false as ${quoted(ABSENT)} from changed
    union all select given.${quoted(POSITION)}, true from given where not exists (select from held where ${same("held", "given")})`;
}

/** Deletes the rows whose keys are in a JSON list ($1), and gives the positions (from 1) of those that were there. */
export function deleteStatement(stream: PostgresStream, columns: readonly Column[]): string {
  const keyColumns = columns.filter((column) => stream.key.includes(column.name));
  const same = stream.key.map((name) => `target.${quoted(name)} = given.${quoted(name)}`).join(" and ");
  return `with given as (${givenRows(keyColumns)})
    delete from ${tableOf(stream)} as target using given where ${same} returning given.${quoted(POSITION)}`;
}

function givenRows(columns: readonly Column[]): string {
  // Bytes come as base64, which the record's own conversion would not understand.
  const types = columns.map((column) => `${quoted(column.name)} ${column.type === "bytea" ? "text" : column.sqlType}`);
  const names = columns.map((column) => quoted(column.name));
  const values = columns.map((column) => {
    const name = quoted(column.name);
    return column.type === "bytea" ? `decode(item.${name}, 'base64') as ${name}` : `item.${name}`;
  });
  const place = quoted(POSITION);
  return `select item.${place}, ${values.join(", ")}
    from rows from (jsonb_to_recordset($1::text::jsonb) as (${types.join(", ")})) with ordinality as item(${[...names, place].join(", ")})`;
}

function differsSql(column: Column, given: "excluded" | "given" = "excluded"): string {
  const name = quoted(column.name);
  const cast = WITHOUT_EQUALITY.has(column.type) ? "::text" : "";
  return `target.${name}${cast} is distinct from ${given}.${name}${cast}`;
}
