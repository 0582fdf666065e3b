import { ConnectorError, joinKey, splitKey, toConnectorError, type Json, type WriteItem, type WriteResult } from "@quiesce/sdk";
import { keepForNext, openWriter, takeKept, type Writer } from "./kept-database.js";
import { quoted, streamOf, tableOf, type Database, type PostgresContext, type Row as AnswerRow } from "./postgres-client.js";
import type { PostgresStream } from "./postgres-config.js";
import { isRefusedStatement } from "./postgres-error.js";
import { neededColumns, tableColumns, type Column } from "./table-columns.js";
import { ABSENT, CHANGED, deleteStatement, plainUpsertStatement, POSITION, updateStatement, upsertStatement } from "./write-statements.js";

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
  const kept = await takeKept(x, streamName);
  const written = kept === undefined ? undefined : await writeByKept(x, kept, items);
  return written ?? writeBy(x, await openWriter(x, streamName, (database) => writableColumns(database, stream)), items);
}

/** Nothing if the connection had ended: a server that did so meanwhile, or a firewall, is no trouble of the batch, and nothing was begun. */
async function writeByKept(x: PostgresContext, writer: Writer, items: readonly WriteItem[]): Promise<WriteResult[] | undefined> {
  try {
    return await writeBy(x, writer, items);
  } catch (thrown) {
    if (writer.database.hasBegun || x.signal.aborted) throw thrown;
    return undefined;
  }
}

async function writeBy(x: PostgresContext, writer: Writer, items: readonly WriteItem[]): Promise<WriteResult[]> {
  const { database, columns } = writer;
  const stream = streamOf(x.config, writer.streamName);
  let wentWell = false;
  try {
    const results = new Map<string, WriteResult>();
    const groups = groupsOf(stream, columns, items, results);
    await inTransaction(database, items, results, async () => {
      for (const group of groups) await writeGroup({ ...writer, stream, isLast: group === groups.at(-1) }, group, results);
    });
    const told = items.map((item) => results.get(item.key) ?? failure(item.key, new ConnectorError("bug", "The record was not written.")));
    writer.mayRepeat = told.some((result) => result.ok && result.unchanged === true);
    // Whatever was refused may come of a table that was changed meanwhile: the next batch looks at it anew.
    wentWell = told.every((result) => result.ok);
    return told;
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
    const steps = async (): Promise<void> => {
      await work();
      committing = true;
    };
    // What goes out with the begin is a savepoint, and rows that are there or not by their key.
    await database.transaction(steps, { atOnce: true });
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
  // Most records of a batch have the same fields in the same order as the one before, and what these say of the columns is found out once.
  let last: { readonly names: readonly string[]; readonly group: OpenGroup } | undefined;
  for (const item of items) {
    try {
      const values = valuesOf(stream, item);
      const names = Object.keys(values);
      const deletion = item.op === "delete";
      if (last === undefined || last.group.deletion !== deletion || !sameNames(last.names, names)) {
        if (!deletion) requireWritable(stream, writable, names);
        last = { names, group: groupFor(groups, names.toSorted(), deletion) };
      }
      last.group.rows.push({ item, values });
    } catch (thrown) {
      results.set(item.key, failure(item.key, toConnectorError(thrown)));
    }
  }
  return [...groups.values()];
}

function sameNames(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name, index) => name === other[index]);
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
interface GroupWriter extends Writer {
  readonly stream: PostgresStream;
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
  if (absent.length === 0) return;
  const plain = writer.mayRepeat ? undefined : plainUpsertStatement(stream, columns, names);
  await writeRows({ database, statement: upsertStatement(stream, columns, names), plain, releases }, absent, results);
}

/** A statement that is tried on rows. `releases`: something follows in the transaction. */
interface Trial {
  readonly database: Database;
  readonly statement: string;
  /** Does the same, and only counts the rows that it changes. */
  readonly plain?: string | undefined;
  readonly releases: boolean;
}

/** Writes rows with one statement, or, if that is refused, with one each. */
async function writeRows(trial: Trial, rows: readonly Row[], results: Map<string, WriteResult>): Promise<void> {
  const refused = await tryRows(trial, rows, results);
  if (refused === undefined) return;
  // No record is to blame for a missing index or right; the next one would be refused alike.
  if (refused.kind === "config" || refused.kind === "permission") throw refused;
  for (const row of rows) {
    const error = await tryRows({ ...trial, plain: undefined, releases: true }, [row], results);
    if (error !== undefined) results.set(row.item.key, failure(row.item.key, error));
  }
}

/** Applies a statement to rows inside a savepoint; rows that it calls absent have no result yet. Returns why the database refused it; throws if the connection is lost. */
async function tryRows(
  { database, statement, plain, releases }: Trial,
  rows: readonly Row[],
  results: Map<string, WriteResult>,
): Promise<ConnectorError | undefined> {
  try {
    const list = JSON.stringify(rows.map((row) => row.values));
    // The second does not wait for the answer to the first.
    const [, answer] = await Promise.all([database.query("savepoint batch"), database.query(plain ?? statement, [list])]);
    const isTold = plain === undefined || answer.count === rows.length;
    // Which rows were there already is to be told.
    if (!isTold) await database.query("rollback to savepoint batch");
    const changed = isTold ? answer : await database.query(statement, [list]);
    if (releases) await database.query("release savepoint batch");
    noteAnswer(rows, plain !== undefined && isTold ? EVERY_ONE : changed, results);
    return undefined;
  } catch (thrown) {
    const error = toConnectorError(thrown);
    if (!isRefusedStatement(error)) throw error;
    await database.query("rollback to savepoint batch; release savepoint batch");
    return error;
  }
}

/** What is answered where all rows were changed. */
const EVERY_ONE: readonly AnswerRow[] = [{ [CHANGED]: null }];

/** What a statement has answered, as the results of its rows; what is absent has none. */
function noteAnswer(rows: readonly Row[], answer: readonly AnswerRow[], results: Map<string, WriteResult>): void {
  const [first] = answer;
  const isWhole = first?.[CHANGED] === null;
  const together = first?.[CHANGED];
  const changed = new Set(Array.isArray(together) ? together.map(Number) : answer.map((row) => Number(row[POSITION])));
  const absent = new Set(answer.filter((row) => row[ABSENT] === true).map((row) => Number(row[POSITION])));
  rows.forEach(({ item: { key } }, index) => {
    if (absent.has(index + 1)) return;
    results.set(key, isWhole || changed.has(index + 1) ? { key, ok: true } : { key, ok: true, unchanged: true });
  });
}

function failure(key: string, error: ConnectorError): WriteResult {
  const { field, status } = error.info;
  return { key, ok: false, error: { kind: error.kind, message: error.message, field, status } };
}
