import { ConnectorError, joinKey, splitKey, toConnectorError, type Json, type WriteItem, type WriteResult } from "@quiesce/sdk";
import { openDatabase, quoted, streamOf, tableOf, type Database, type PostgresContext } from "./postgres-client.js";
import type { PostgresStream } from "./postgres-config.js";
import { isRefusedStatement } from "./postgres-error.js";
import { neededColumns, tableColumns, type Column } from "./table-columns.js";
import { deleteStatement, POSITION, upsertStatement } from "./write-statements.js";

/** A row to write: the values by column, the key's among them. */
interface Row {
  readonly item: WriteItem;
  readonly values: { readonly [column: string]: Json };
}

/** Records that one statement can write: of one operation, with the same columns. */
interface Group {
  readonly names: readonly string[];
  readonly deletion: boolean;
  readonly rows: readonly Row[];
}

/** Upserts and deletes in one transaction. What the database refuses is found by a savepoint a record, and fails alone. */
export async function writeItems(x: PostgresContext, streamName: string, items: readonly WriteItem[]): Promise<WriteResult[]> {
  const stream = streamOf(x.config, streamName);
  const database = await openDatabase(x);
  try {
    const columns = await writableColumns(database, stream);
    const results = new Map<string, WriteResult>();
    const groups = groupsOf(stream, columns, items, results);
    await inTransaction(database, items, results, async () => {
      for (const group of groups) await writeGroup(database, stream, columns, group, results);
    });
    return items.map((item) => results.get(item.key) ?? failure(item.key, new ConnectorError("bug", "The record was not written.")));
  } finally {
    await database.close();
  }
}

async function writableColumns(database: Database, stream: PostgresStream): Promise<readonly Column[]> {
  if (stream.createTable && (await tableColumns(database, stream)).length === 0) {
    const columns = (stream.columns ?? []).map((column) => `${quoted(column.name)} ${column.type}`);
    const key = stream.key.map(quoted).join(", ");
    await database.query(`create table if not exists ${tableOf(stream)} (${columns.join(", ")}, primary key (${key}))`);
  }
  return neededColumns(database, stream, stream.key);
}

async function inTransaction(
  database: Database,
  items: readonly WriteItem[],
  results: Map<string, WriteResult>,
  work: () => Promise<void>,
): Promise<void> {
  let committing = false;
  try {
    await database.transaction(async () => {
      // Deferred constraints would only speak at commit, when nobody knows which record they mean.
      await database.query("set constraints all immediate");
      await work();
      committing = true;
    });
  } catch (thrown) {
    const error = toConnectorError(thrown);
    if (!committing || isRefusedStatement(error)) throw error;
    // The connection broke at commit: all may have been applied.
    const { kind, message, info } = error;
    const { status } = info;
    for (const { key } of items) {
      if (results.get(key)?.ok !== false) {
        results.set(key, { key, ok: false, error: { kind, message, status, ambiguous: true } });
      }
    }
  }
}

function groupsOf(
  stream: PostgresStream,
  columns: readonly Column[],
  items: readonly WriteItem[],
  results: Map<string, WriteResult>,
): readonly Group[] {
  const writable = new Map(columns.map((column) => [column.name, column]));
  const groups = new Map<string, { names: readonly string[]; deletion: boolean; rows: Row[] }>();
  for (const item of items) {
    try {
      const row = rowOf(stream, writable, item);
      const names = Object.keys(row.values).toSorted();
      const deletion = item.op === "delete";
      const id = JSON.stringify([deletion, names]);
      const group = groups.get(id) ?? { names, deletion, rows: [] };
      group.rows.push(row);
      groups.set(id, group);
    } catch (thrown) {
      results.set(item.key, failure(item.key, toConnectorError(thrown)));
    }
  }
  return [...groups.values()];
}

function rowOf(stream: PostgresStream, columns: ReadonlyMap<string, Column>, item: WriteItem): Row {
  const parts = splitKey(item.key, stream.key.length);
  if (parts === undefined) {
    throw new ConnectorError("invalid", `The key ${item.key} does not have ${stream.key.length} parts (${stream.key.join(", ")}).`);
  }
  const fromKey = Object.fromEntries(stream.key.map((name, index) => [name, parts[index] ?? ""]));
  if (item.op === "delete") return { item, values: fromKey };
  const values = { ...fromKey, ...item.data };
  // Otherwise a later deletion by key would miss the row.
  if (joinKey(stream.key.map((name) => values[name])) !== item.key) {
    throw new ConnectorError("invalid", `The record's key is ${item.key}, but its columns ${stream.key.join(", ")} hold something else.`, {
      field: stream.key[0],
    });
  }
  for (const name of Object.keys(values)) {
    const column = columns.get(name);
    if (column === undefined) {
      throw new ConnectorError("invalid", `The table ${tableOf(stream)} has no column ${name}. Map the field to one, or leave it out.`, {
        field: name,
      });
    }
    if (!column.writable) {
      throw new ConnectorError("invalid", `The column ${name} of ${tableOf(stream)} is generated and cannot be written.`, { field: name });
    }
  }
  return { item, values };
}

async function writeGroup(
  database: Database,
  stream: PostgresStream,
  columns: readonly Column[],
  group: Group,
  results: Map<string, WriteResult>,
): Promise<void> {
  const statement = group.deletion ? deleteStatement(stream, columns) : upsertStatement(stream, columns, group.names);
  const refused = await tryRows(database, statement, group.rows, results);
  if (refused === undefined) return;
  // No record is to blame for a missing index or right; the next one would be refused alike.
  if (refused.kind === "config" || refused.kind === "permission") throw refused;
  for (const row of group.rows) {
    const error = await tryRows(database, statement, [row], results);
    if (error !== undefined) results.set(row.item.key, failure(row.item.key, error));
  }
}

/** Applies a statement to rows inside a savepoint. Returns why the database refused it; throws if the connection is lost. */
async function tryRows(
  database: Database,
  statement: string,
  rows: readonly Row[],
  results: Map<string, WriteResult>,
): Promise<ConnectorError | undefined> {
  try {
    const list = JSON.stringify(rows.map((row) => row.values));
    await database.query("savepoint batch");
    const changed = await database.query(statement, [list]);
    await database.query("release savepoint batch");
    const positions = new Set(changed.map((row) => Number(row[POSITION])));
    rows.forEach(({ item: { key } }, index) => {
      results.set(key, positions.has(index + 1) ? { key, ok: true } : { key, ok: true, unchanged: true });
    });
    return undefined;
  } catch (thrown) {
    const error = toConnectorError(thrown);
    if (!isRefusedStatement(error)) throw error;
    await database.query("rollback to savepoint batch; release savepoint batch");
    return error;
  }
}

function failure(key: string, error: ConnectorError): WriteResult {
  const { field, status } = error.info;
  return { key, ok: false, error: { kind: error.kind, message: error.message, field, status } };
}
