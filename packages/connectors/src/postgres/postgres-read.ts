import {
  ConnectorError,
  joinKey,
  type Cursor,
  type KeyPage,
  type ListKeysRequest,
  type Page,
  type ReadRequest,
  type SourceRecord,
} from "@quiesce/sdk";
import { openDatabase, quoted, streamOf, tableOf, type Database, type PostgresContext, type Row } from "./postgres-client.js";
import type { PostgresStream } from "./postgres-config.js";
import { isTime, jsonOf, neededColumns, readExpression, type Column } from "./table-columns.js";

/**
 * Where a read stands, in the cursor: `at` is the cursor column's value and `key0`, `key1` ... the key's, all as the database
 * writes them. `started` is the database's clock at the beginning of this round, `seen` that of the last complete round.
 */
interface Position {
  readonly at: string | undefined;
  readonly keys: readonly string[];
  readonly started: string | undefined;
  readonly seen: string | undefined;
}

interface Selection {
  readonly stream: PostgresStream;
  readonly columns: readonly Column[];
  /** The cursor column, if any, then the key columns: what rows are ordered by. */
  readonly order: readonly Column[];
}

/** Reads a table by keyset pages: each begins behind the last row of the one before, whatever was inserted meanwhile. */
export async function* readStream(x: PostgresContext, request: ReadRequest): AsyncGenerator<Page, void, void> {
  if (request.from !== undefined || request.to !== undefined) {
    throw new ConnectorError("config", "The postgres connector cannot read a range of time; leave from and to away.");
  }
  const stream = streamOf(x.config, request.stream);
  const database = await openDatabase(x);
  try {
    const selection = await selectionOf(database, stream, stream.cursorColumn);
    let position = positionOf(request.cursor, selection);
    await refuseNulls(database, selection);
    let condition = await beginRound(database, selection, position);
    position = { ...position, started: condition.started };
    let coming = pageOf(database, selection, condition, request.pageSize);
    for (;;) {
      const rows = await coming;
      const more = rows.length > request.pageSize;
      const page = rows.slice(0, request.pageSize);
      position = advanced(position, page.at(-1), selection);
      const cursor = more ? cursorOf(position) : finished(position, selection);
      if (more) {
        condition = { ...keysetCondition(selection, position), started: position.started };
        // The database looks for the next page while this one is written.
        coming = pageOf(database, selection, condition, request.pageSize);
        // Nobody may ask for it any more.
        coming.catch(() => undefined);
      }
      yield { records: page.map((row) => recordOf(row, selection)), cursor, more, ahead: true };
      if (!more) return;
    }
  } finally {
    await database.close();
  }
}

/** Lists the keys of a table by keyset pages over the key alone. */
export async function* listTableKeys(x: PostgresContext, request: ListKeysRequest): AsyncGenerator<KeyPage, void, void> {
  const stream = streamOf(x.config, request.stream);
  const database = await openDatabase(x);
  try {
    const { order } = await selectionOf(database, stream, undefined);
    const selection: Selection = { stream, columns: [], order };
    let position = positionOf(request.cursor, selection);
    for (;;) {
      const condition = position.keys.length === 0 ? everything() : keysetCondition(selection, position);
      const rows = await pageOf(database, selection, condition, request.pageSize);
      const more = rows.length > request.pageSize;
      const page = rows.slice(0, request.pageSize);
      position = advanced(position, page.at(-1), selection);
      yield { keys: page.map((row) => keyOf(row, stream)), cursor: cursorOf(position), more };
      if (!more) return;
    }
  } finally {
    await database.close();
  }
}

interface Condition {
  readonly sql: string;
  readonly parameters: readonly string[];
  readonly started?: string | undefined;
}

function everything(): Condition {
  return { sql: "true", parameters: [] };
}

function keysetCondition(selection: Selection, position: Position): Condition {
  const values = [...(position.at === undefined ? [] : [position.at]), ...position.keys];
  const names = selection.order.map((column) => quoted(column.name)).join(", ");
  const casts = selection.order.map((column, index) => `$${index + 1}::text::${column.sqlType}`).join(", ");
  return { sql: `(${names}) > (${casts})`, parameters: values };
}

/**
 * A row whose transaction was still open when the last round passed its time becomes visible behind the cursor. So a round
 * over a time column begins `overlapSeconds` before the last complete round did, if the cursor stands later than that. That
 * also lets a row dated in the future pass without hiding the others.
 */
async function beginRound(database: Database, selection: Selection, position: Position): Promise<Condition> {
  const { stream, order } = selection;
  const time = order[0];
  const begun = position.keys.length > 0;
  if (stream.cursorColumn === undefined || time === undefined || !isTime(time)) {
    return begun ? keysetCondition(selection, position) : everything();
  }
  if (!begun || position.seen === undefined || position.at === undefined) {
    const clock = await database.query("select clock_timestamp()::text as now");
    const started = position.started ?? String(clock[0]?.["now"]);
    return { ...(begun ? keysetCondition(selection, position) : everything()), started };
  }
  const type = time.sqlType;
  const rows = await database.query(
    `select clock_timestamp()::text as now, floor.at::${type}::text as floor, $1::text::${type} < floor.at::${type} as settled
       from (select $2::text::timestamptz - make_interval(secs => $3::text::float8) as at) as floor`,
    [position.at, position.seen, String(stream.overlapSeconds)],
  );
  const started = String(rows[0]?.["now"]);
  if (rows[0]?.["settled"] === true) return { ...keysetCondition(selection, position), started };
  return { sql: `${quoted(time.name)} >= $1::text::${type}`, parameters: [String(rows[0]?.["floor"])], started };
}

async function selectionOf(database: Database, stream: PostgresStream, cursorColumn: string | undefined): Promise<Selection> {
  const orderNames = [...(cursorColumn === undefined ? [] : [cursorColumn]), ...stream.key];
  const columns = await neededColumns(database, stream, orderNames);
  const order = orderNames.flatMap((name) => columns.filter((column) => column.name === name));
  return { stream, columns, order };
}

async function refuseNulls(database: Database, selection: Selection): Promise<void> {
  const { stream, order } = selection;
  const column = order[0];
  if (stream.cursorColumn === undefined || column?.nullable !== true) return;
  const rows = await database.query(`select 1 from ${tableOf(stream)} where ${quoted(column.name)} is null limit 1`);
  if (rows.length === 0) return;
  throw new ConnectorError(
    "contract",
    `${tableOf(stream)} has rows without a value in its cursor column ${column.name}, which would never be read. Give it a default and not null, or choose another column.`,
    { field: column.name },
  );
}

async function pageOf(database: Database, selection: Selection, condition: Condition, pageSize: number): Promise<readonly Row[]> {
  const { stream, columns, order } = selection;
  const fields = columns.map((column, index) => `${readExpression(column)} as c${index}`);
  const positions = order.map((column, index) => `${quoted(column.name)}::text as o${index}`);
  const names = order.map((column) => quoted(column.name)).join(", ");
  return database.query(
    `select ${[...fields, ...positions].join(", ")} from ${tableOf(stream)} where ${condition.sql} order by ${names} limit ${pageSize + 1}`,
    condition.parameters,
  );
}

function recordOf(row: Row, selection: Selection): SourceRecord {
  const { stream, columns, order } = selection;
  const data = Object.fromEntries(columns.map((column, index) => [column.name, jsonOf(row[`c${index}`])]));
  const at = stream.cursorColumn === undefined ? undefined : data[stream.cursorColumn];
  const zoned = order[0]?.type === "timestamptz" && typeof at === "string";
  return {
    key: keyOf(row, stream),
    ...(stream.cursorColumn === undefined ? {} : { version: String(row["o0"]) }),
    ...(zoned ? { at } : {}),
    data,
  };
}

function keyOf(row: Row, stream: PostgresStream): string {
  const first = row[`o${stream.key.length}`] === undefined ? 0 : 1;
  const key = joinKey(stream.key.map((_name, index) => jsonOf(row[`o${index + first}`])));
  if (key !== undefined) return key;
  throw new ConnectorError("contract", `${tableOf(stream)} has a row without a value in its key (${stream.key.join(", ")}).`, {
    field: stream.key[0],
  });
}

function positionOf(cursor: Cursor | null, selection: Selection): Position {
  const text = (name: string): string | undefined => {
    const value = cursor?.[name];
    return typeof value === "string" ? value : undefined;
  };
  const keys = selection.stream.key.map((_name, index) => text(`key${index}`));
  const whole = keys.every((key) => key !== undefined) && (selection.order.length === keys.length || text("at") !== undefined);
  // A cursor of another version, or of other key columns, means: begin again.
  if (!whole) return { at: undefined, keys: [], started: undefined, seen: undefined };
  const at = selection.order.length === keys.length ? undefined : text("at");
  return { at, keys: keys.filter((key) => key !== undefined), started: text("started"), seen: text("seen") };
}

function advanced(position: Position, last: Row | undefined, selection: Selection): Position {
  if (last === undefined) return position;
  const values = selection.order.map((_column, index) => String(last[`o${index}`]));
  const keys = values.slice(-selection.stream.key.length);
  return { ...position, at: values.length > keys.length ? values[0] : undefined, keys };
}

function cursorOf(position: Position): Cursor {
  return {
    ...(position.at === undefined ? {} : { at: position.at }),
    ...Object.fromEntries(position.keys.map((key, index) => [`key${index}`, key])),
    ...(position.started === undefined ? {} : { started: position.started }),
  };
}

function finished(position: Position, selection: Selection): Cursor {
  // Without a cursor column each round reads everything.
  if (selection.stream.cursorColumn === undefined) return {};
  const { started, ...cursor } = cursorOf(position);
  return started === undefined ? cursor : { ...cursor, seen: started };
}
