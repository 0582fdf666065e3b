import { ConnectorError, joinKey, splitKey, toConnectorError, type Json, type WriteItem, type WriteResult } from "@quiesce/sdk";
import { beginWriting, keepForNext } from "./kept-database.js";
import { quoted, streamOf, tableOf, type Database, type PostgresContext } from "./postgres-client.js";
import type { PostgresStream } from "./postgres-config.js";
import { isRefusedStatement } from "./postgres-error.js";
import { neededColumns, tableColumns, type Column } from "./table-columns.js";
import { ABSENT, deleteStatement, POSITION, updateStatement, upsertStatement } from "./write-statements.js";

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
  const writer = await beginWriting(x, streamName, (database) => writableColumns(database, stream));
  const { database, columns } = writer;
  let wentWell = false;
  try {
    const results = new Map<string, WriteResult>();
    const groups = groupsOf(stream, columns, items, results);
    await inTransaction(database, items, results, async () => {
      for (const group of groups) await writeGroup({ database, stream, columns, isLast: group === groups.at(-1) }, group, results);
    });
    // Whatever was refused may come of a table that was changed meanwhile: the next batch looks at it anew.
    wentWell = results.size === items.length && [...results.values()].every((result) => result.ok);
    return items.map((item) => results.get(item.key) ?? failure(item.key, new ConnectorError("bug", "The record was not written.")));
  } finally {
    if (wentWell) keepForNext(x, writer);
    else await database.close();
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
  const groups = new Map<string, OpenGroup>();
  // Most records of a batch have the same fields in the same order, and what these say of the columns is found out once.
  const shapes = new Map<string, OpenGroup>();
  for (const item of items) {
    try {
      const values = valuesOf(stream, item);
      const names = Object.keys(values);
      const deletion = item.op === "delete";
      const shape = `${deletion ? "-" : "+"}${JSON.stringify(names)}`;
      let group = shapes.get(shape);
      if (group === undefined) {
        if (!deletion) requireWritable(stream, writable, names);
        group = groupFor(groups, names.toSorted(), deletion);
        shapes.set(shape, group);
      }
      group.rows.push({ item, values });
    } catch (thrown) {
      results.set(item.key, failure(item.key, toConnectorError(thrown)));
    }
  }
  return [...groups.values()];
}

type OpenGroup = Group & { readonly rows: Row[] };

function groupFor(groups: Map<string, OpenGroup>, names: readonly string[], deletion: boolean): OpenGroup {
  const id = JSON.stringify([deletion, names]);
  const group = groups.get(id) ?? { names, deletion, rows: [] };
  groups.set(id, group);
  return group;
}

function valuesOf(stream: PostgresStream, item: WriteItem): Row["values"] {
  const parts = splitKey(item.key, stream.key.length);
  if (parts === undefined) {
    throw new ConnectorError("invalid", `The key ${item.key} does not have ${stream.key.length} parts (${stream.key.join(", ")}).`);
  }
  const fromKey = (): Row["values"] => Object.fromEntries(stream.key.map((name, index) => [name, parts[index] ?? ""]));
  if (item.op === "delete") return fromKey();
  const values = stream.key.every((name) => Object.hasOwn(item.data, name)) ? item.data : { ...fromKey(), ...item.data };
  // Otherwise a later deletion by key would miss the row.
  if (joinKey(stream.key.map((name) => values[name])) !== item.key) {
    throw new ConnectorError("invalid", `The record's key is ${item.key}, but its columns ${stream.key.join(", ")} hold something else.`, {
      field: stream.key[0],
    });
  }
  return values;
}

function requireWritable(stream: PostgresStream, columns: ReadonlyMap<string, Column>, names: readonly string[]): void {
  for (const name of names) {
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
}

/** What a group is written with. */
interface GroupWriter {
  readonly database: Database;
  readonly stream: PostgresStream;
  readonly columns: readonly Column[];
  /** After it the transaction commits, and its savepoint needs no release. */
  readonly isLast: boolean;
}

async function writeGroup(writer: GroupWriter, group: Group, results: Map<string, WriteResult>): Promise<void> {
  const { database, stream, columns } = writer;
  const { names, rows } = group;
  const releases = !writer.isLast;
  if (group.deletion) return writeRows({ database, statement: deleteStatement(stream, columns), releases }, rows, results);
  // An insertion would be refused for what is lacking, before it is seen that the row is there and needs none of it.
  const isPart = columns.some((column) => column.needed && !names.includes(column.name));
  if (isPart) await writeRows({ database, statement: updateStatement(stream, columns, names), releases: true }, rows, results);
  const absent = isPart ? rows.filter(({ item }) => !results.has(item.key)) : rows;
  if (absent.length > 0) await writeRows({ database, statement: upsertStatement(stream, columns, names), releases }, absent, results);
}

/** A statement that is tried on rows; `releases`: something follows in the transaction. */
interface Trial {
  readonly database: Database;
  readonly statement: string;
  readonly releases: boolean;
}

/** Writes rows with one statement, or, if that is refused, with one each. */
async function writeRows(trial: Trial, rows: readonly Row[], results: Map<string, WriteResult>): Promise<void> {
  const refused = await tryRows(trial, rows, results);
  if (refused === undefined) return;
  // No record is to blame for a missing index or right; the next one would be refused alike.
  if (refused.kind === "config" || refused.kind === "permission") throw refused;
  for (const row of rows) {
    const error = await tryRows({ ...trial, releases: true }, [row], results);
    if (error !== undefined) results.set(row.item.key, failure(row.item.key, error));
  }
}

/** Applies a statement to rows inside a savepoint; rows that it calls absent have no result yet. Returns why the database refused it; throws if the connection is lost. */
async function tryRows(
  { database, statement, releases }: Trial,
  rows: readonly Row[],
  results: Map<string, WriteResult>,
): Promise<ConnectorError | undefined> {
  try {
    const list = JSON.stringify(rows.map((row) => row.values));
    // The second does not wait for the answer to the first.
    const [, changed] = await Promise.all([database.query("savepoint batch"), database.query(statement, [list])]);
    if (releases) await database.query("release savepoint batch");
    const positions = new Set(changed.map((row) => Number(row[POSITION])));
    const absent = new Set(changed.filter((row) => row[ABSENT] === true).map((row) => Number(row[POSITION])));
    rows.forEach(({ item: { key } }, index) => {
      if (absent.has(index + 1)) return;
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
