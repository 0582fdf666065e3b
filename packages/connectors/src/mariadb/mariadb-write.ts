import { ConnectorError, joinKey, splitKey, toConnectorError, type WriteItem, type WriteResult } from "@quiesce/sdk";
import { namedStream } from "../streams/stream-list.js";
import { literal, openDatabase, quoted, type Changed, type Database, type MariadbContext } from "./mariadb-client.js";
import type { MariadbStream } from "./mariadb-config.js";
import { isRefusedStatement } from "./mariadb-error.js";
import { comparable, neededColumns, writeExpression, type Column } from "./table-columns.js";

/** A record with the statements that write it: what changes the row that is there, and what makes it if there is none. */
interface Writing {
  readonly key: string;
  readonly change: string;
  /** Absent for a deletion. */
  readonly insert: string | undefined;
}

/** So much SQL at most travels in one round trip, in characters; servers refuse packets of more than 16 MiB by default. */
const MAX_STATEMENTS_CHARS = 1_000_000;

/**
 * Updates, inserts and deletes in one transaction. What the database refuses is found by a savepoint a record, and fails alone. Not `on duplicate key
 * update`: that takes any unique index for the key, and would write over another record that shares, say, a name.
 */
export async function writeItems(x: MariadbContext, streamName: string, items: readonly WriteItem[]): Promise<WriteResult[]> {
  const stream = namedStream(x.config.streams, streamName);
  const database = await openDatabase(x);
  try {
    const columns = await neededColumns(database, stream, stream.key);
    await requireUniqueKey(database, stream);
    const results = new Map<string, WriteResult>();
    const writings = writingsOf(stream, columns, items, results);
    await inTransaction(database, items, results, async () => {
      for (const group of grouped(writings)) await writeGroup(database, group, results);
    });
    return items.map((item) => results.get(item.key) ?? failure(item.key, new ConnectorError("bug", "The record was not written.")));
  } finally {
    await database.close();
  }
}

/** Without one, an update could change several rows, and an insert make a second. */
async function requireUniqueKey(database: Database, stream: MariadbStream): Promise<void> {
  const rows = await database.query(
    `select index_name as name, group_concat(column_name order by seq_in_index separator '\\0') as columns from information_schema.statistics
      where table_schema = database() and table_name = ? and non_unique = 0 group by index_name`,
    [stream.table],
  );
  const wanted = stream.key.toSorted().join("\0");
  if (rows.some((row) => String(row["columns"]).split("\0").toSorted().join("\0") === wanted)) return;
  throw new ConnectorError(
    "config",
    `The table ${quoted(stream.table)} has no unique index over just ${stream.key.join(", ")}, which writing needs.`,
    {
      field: stream.name,
    },
  );
}

async function inTransaction(
  database: Database,
  items: readonly WriteItem[],
  results: Map<string, WriteResult>,
  work: () => Promise<void>,
): Promise<void> {
  let committing = false;
  try {
    await database.change(["start transaction"]);
    await work();
    committing = true;
    await database.change(["commit"]);
  } catch (thrown) {
    const error = toConnectorError(thrown);
    if (!committing || isRefusedStatement(error)) throw error;
    // The connection broke at commit: all may have been applied.
    const { kind, message, info } = error;
    for (const { key } of items) {
      if (results.get(key)?.ok !== false)
        results.set(key, { key, ok: false, error: { kind, message, status: info.status, ambiguous: true } });
    }
  }
}

function grouped(writings: readonly Writing[]): readonly (readonly Writing[])[] {
  const groups: Writing[][] = [];
  let room = 0;
  for (const writing of writings) {
    const chars = writing.change.length + (writing.insert?.length ?? 0);
    if (room < chars || groups.length === 0) {
      groups.push([]);
      room = MAX_STATEMENTS_CHARS;
    }
    room -= chars;
    groups.at(-1)?.push(writing);
  }
  return groups;
}

async function writeGroup(database: Database, group: readonly Writing[], results: Map<string, WriteResult>): Promise<void> {
  const refused = await tryGroup(database, group, results);
  if (refused === undefined) return;
  // No record is to blame for a missing right; the next one would be refused alike.
  if (refused.kind === "config" || refused.kind === "permission") throw refused;
  for (const writing of group) {
    const error = group.length === 1 ? refused : await tryGroup(database, [writing], results);
    if (error !== undefined) results.set(writing.key, failure(writing.key, error));
  }
}

/** Writes records inside a savepoint. Returns why the database refused them; throws if the transaction is lost. */
async function tryGroup(
  database: Database,
  group: readonly Writing[],
  results: Map<string, WriteResult>,
): Promise<ConnectorError | undefined> {
  try {
    const [, ...changes] = await database.change(["savepoint batch", ...group.map((writing) => writing.change)]);
    const absent = group.flatMap(({ insert }, index) => (insert !== undefined && changes[index]?.matched === 0 ? [insert] : []));
    await database.change([...absent, "release savepoint batch"]);
    group.forEach((writing, index) => results.set(writing.key, resultOf(writing, changes[index])));
    return undefined;
  } catch (thrown) {
    const error = toConnectorError(thrown);
    if (!isRefusedStatement(error)) throw error;
    await database.change(["rollback to savepoint batch", "release savepoint batch"]);
    return error;
  }
}

function resultOf({ key, insert }: Writing, { matched, changed }: Changed = { matched: 0, changed: 0 }): WriteResult {
  const unchanged = insert === undefined ? matched === 0 : matched > 0 && changed === 0;
  return unchanged ? { key, ok: true, unchanged } : { key, ok: true };
}

function writingsOf(
  stream: MariadbStream,
  columns: readonly Column[],
  items: readonly WriteItem[],
  results: Map<string, WriteResult>,
): readonly Writing[] {
  const byName = new Map(columns.map((column) => [column.name, column]));
  return items.flatMap((item) => {
    try {
      return [writingOf(stream, byName, item)];
    } catch (thrown) {
      results.set(item.key, failure(item.key, toConnectorError(thrown)));
      return [];
    }
  });
}

function writingOf(stream: MariadbStream, columns: ReadonlyMap<string, Column>, item: WriteItem): Writing {
  const parts = splitKey(item.key, stream.key.length);
  if (parts === undefined) {
    throw new ConnectorError("invalid", `The key ${item.key} does not have ${stream.key.length} parts (${stream.key.join(", ")}).`);
  }
  const table = quoted(stream.table);
  const keys = stream.key.map((name, index) => ({ column: writable(stream, columns, name), text: parts[index] ?? "" }));
  const where = keys.map(({ column, text }) => `${quoted(column.name)} = ${keyValue(column, text)}`).join(" and ");
  if (item.op === "delete") return { key: item.key, change: `delete from ${table} where ${where}`, insert: undefined };
  const given = { ...Object.fromEntries(keys.map(({ column, text }) => [column.name, text])), ...item.data };
  // Otherwise a later deletion by key would miss the row.
  if (joinKey(stream.key.map((name) => given[name])) !== item.key) {
    throw new ConnectorError("invalid", `The record's key is ${item.key}, but its columns ${stream.key.join(", ")} hold something else.`, {
      field: stream.key[0],
    });
  }
  const values = Object.entries(given).map(([name, value]) => {
    const column = writable(stream, columns, name);
    return { name: quoted(name), isKey: stream.key.includes(name), sql: writeExpression(column, value) };
  });
  const assigned = values.filter(({ isKey }) => !isKey).map(({ name, sql }) => `${name} = ${sql}`);
  // A record of nothing but its key still has to be found.
  const set =
    assigned.length > 0 ? assigned.join(", ") : keys.map(({ column }) => `${quoted(column.name)} = ${quoted(column.name)}`).join(", ");
  const names = values.map(({ name }) => name).join(", ");
  return {
    key: item.key,
    change: `update ${table} set ${set} where ${where}`,
    insert: `insert into ${table} (${names}) values (${values.map(({ sql }) => sql).join(", ")})`,
  };
}

function keyValue(column: Column, text: string): string {
  const whole = /^(?:tinyint|smallint|mediumint|int|bigint|year)$/u.test(column.type);
  if (whole && !/^-?\d{1,20}$/u.test(text)) {
    throw new ConnectorError(
      "invalid",
      `The key's column ${column.name} is a ${column.type}, and the key has ${JSON.stringify(text.slice(0, 80))}.`,
      {
        field: column.name,
      },
    );
  }
  return column.type === "datetime" || column.type === "timestamp" ? literal(text) : comparable(column, text);
}

function writable(stream: MariadbStream, columns: ReadonlyMap<string, Column>, name: string): Column {
  const column = columns.get(name);
  if (column === undefined) {
    throw new ConnectorError("invalid", `The table ${quoted(stream.table)} has no column ${name}. Map the field to one, or leave it out.`, {
      field: name,
    });
  }
  if (column.writable) return column;
  throw new ConnectorError("invalid", `The column ${name} of ${quoted(stream.table)} is generated and cannot be written.`, { field: name });
}

function failure(key: string, error: ConnectorError): WriteResult {
  const { field, status } = error.info;
  return { key, ok: false, error: { kind: error.kind, message: error.message, field, status } };
}
