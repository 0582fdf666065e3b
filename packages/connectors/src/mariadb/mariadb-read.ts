import { ConnectorError, joinKey, type KeyPage, type ListKeysRequest, type Page, type ReadRequest, type SourceRecord } from "@quiesce/sdk";
import { namedStream } from "../streams/stream-list.js";
import { openDatabase, quoted, type Database, type MariadbContext, type Row } from "./mariadb-client.js";
import { advanced, cursorOf, finished, isBegun, positionOf, type Position, type Selection } from "./read-position.js";
import { comparable, isTime, jsonOf, neededColumns, orderExpression, readExpression, requireOrder } from "./table-columns.js";

/** Reads a table by keyset pages: each begins behind the last row of the one before, whatever was inserted meanwhile. */
export async function* readStream(x: MariadbContext, request: ReadRequest): AsyncGenerator<Page, void, void> {
  if (request.from !== undefined || request.to !== undefined) {
    throw new ConnectorError("config", "The mariadb connector cannot read a range of time; leave from and to away.");
  }
  const stream = namedStream(x.config.streams, request.stream);
  const database = await openDatabase(x);
  try {
    const selection = await selectionOf(database, stream, stream.cursorColumn);
    await refuseNulls(database, selection);
    const round = await beginRound(database, selection, positionOf(request.cursor, selection));
    let { condition, position } = round;
    for (;;) {
      const rows = await pageOf(database, selection, condition, request.pageSize);
      const more = rows.length > request.pageSize;
      const page = rows.slice(0, request.pageSize);
      position = advanced(position, page.at(-1), selection);
      const cursor = more ? cursorOf(position) : finished(position, selection);
      yield { records: page.map((row) => recordOf(row, selection)), cursor, more };
      if (!more) return;
      condition = keysetCondition(selection, position);
    }
  } finally {
    await database.close();
  }
}

/** Lists the keys of a table by keyset pages over the key alone. */
export async function* listTableKeys(x: MariadbContext, request: ListKeysRequest): AsyncGenerator<KeyPage, void, void> {
  const stream = namedStream(x.config.streams, request.stream);
  const database = await openDatabase(x);
  try {
    const { order } = await selectionOf(database, stream, undefined);
    const selection: Selection = { stream, columns: [], order };
    let position = positionOf(request.cursor, selection);
    for (;;) {
      const condition = isBegun(position) ? keysetCondition(selection, position) : EVERYTHING;
      const rows = await pageOf(database, selection, condition, request.pageSize);
      const more = rows.length > request.pageSize;
      const page = rows.slice(0, request.pageSize);
      position = advanced(position, page.at(-1), selection);
      yield { keys: page.map((row) => keyOf(row, selection)), cursor: cursorOf(position), more };
      if (!more) return;
    }
  } finally {
    await database.close();
  }
}

const EVERYTHING = "true";

/** Rows behind the position. Written out, because a comparison of tuples uses no index here. */
function keysetCondition(selection: Selection, position: Position): string {
  const texts = [...(position.at === undefined ? [] : [position.at]), ...position.keys];
  const parts = selection.order.map((column, index) => ({ name: quoted(column.name), value: comparable(column, texts[index] ?? "") }));
  const behind = parts.reduceRight((rest, { name, value }) => {
    return rest === "" ? `${name} > ${value}` : `(${name} > ${value} or (${name} = ${value} and ${rest}))`;
  }, "");
  const [first] = parts;
  return first === undefined ? EVERYTHING : `${first.name} >= ${first.value} and ${behind}`;
}

/**
 * A row whose transaction was still open when the last round passed its time becomes visible behind the cursor. So a round over a time column begins
 * `overlapSeconds` before the last complete round did, if the cursor stands later than that. That also lets a row dated in the future pass without
 * hiding the others. A cursor whose texts are no values of these columns begins again.
 */
async function beginRound(
  database: Database,
  selection: Selection,
  stored: Position,
): Promise<{ readonly condition: string; readonly position: Position }> {
  const { stream, order } = selection;
  const position =
    isBegun(stored) && (await isReadable(database, selection, stored)) ? stored : { ...stored, at: undefined, keys: [], seen: undefined };
  const [time] = order;
  if (stream.cursorColumn === undefined || time === undefined || !isTime(time)) {
    return { position, condition: isBegun(position) ? keysetCondition(selection, position) : EVERYTHING };
  }
  if (!isBegun(position) || position.seen === undefined || position.at === undefined) {
    const [clock] = await database.query("select cast(utc_timestamp(6) as char) as now");
    const started = position.started ?? String(clock?.["now"]);
    return { position: { ...position, started }, condition: isBegun(position) ? keysetCondition(selection, position) : EVERYTHING };
  }
  const [found] = await database.query(
    `select cast(utc_timestamp(6) as char) as now, cast(date_sub(cast(? as datetime(6)), interval ${Math.round(stream.overlapSeconds * 1e6)} microsecond) as char) as floor`,
    [position.seen],
  );
  const floor = comparable(time, String(found?.["floor"]));
  const [compared] = await database.query(`select ${comparable(time, position.at)} < ${floor} as settled`);
  const begun = { ...position, started: String(found?.["now"]) };
  const settled = Number(compared?.["settled"]) === 1;
  return { position: begun, condition: settled ? keysetCondition(selection, begun) : `${quoted(time.name)} >= ${floor}` };
}

/** A cast of a text that means nothing is null, and a comparison with null finds nothing, for ever. */
async function isReadable(database: Database, selection: Selection, position: Position): Promise<boolean> {
  const texts = [...(position.at === undefined ? [] : [position.at]), ...position.keys];
  const values = selection.order.map((column, index) => `${comparable(column, texts[index] ?? "")} is not null`);
  const [found] = await database.query(`select ${values.join(" and ")} as readable`);
  return Number(found?.["readable"]) === 1;
}

async function selectionOf(database: Database, stream: Selection["stream"], cursorColumn: string | undefined): Promise<Selection> {
  const orderNames = [...(cursorColumn === undefined ? [] : [cursorColumn]), ...stream.key];
  const columns = await neededColumns(database, stream, orderNames);
  const order = orderNames.flatMap((name) => columns.filter((column) => column.name === name)).map(requireOrder);
  return { stream, columns, order };
}

async function refuseNulls(database: Database, selection: Selection): Promise<void> {
  const { stream, order } = selection;
  const [column] = order;
  if (stream.cursorColumn === undefined || column?.nullable !== true) return;
  const rows = await database.query(`select 1 from ${quoted(stream.table)} where ${quoted(column.name)} is null limit 1`);
  if (rows.length === 0) return;
  throw new ConnectorError(
    "contract",
    `${quoted(stream.table)} has rows without a value in its cursor column ${column.name}, which would never be read. Give it a default and not null, or choose another column.`,
    { field: column.name },
  );
}

async function pageOf(database: Database, selection: Selection, condition: string, pageSize: number): Promise<readonly Row[]> {
  const { stream, columns, order } = selection;
  const fields = columns.map((column, index) => `${readExpression(column)} as c${index}`);
  const positions = order.map((column, index) => `${orderExpression(column)} as o${index}`);
  const names = order.map((column) => quoted(column.name)).join(", ");
  return database.query(
    `select ${[...fields, ...positions].join(", ")} from ${quoted(stream.table)} where ${condition} order by ${names} limit ${pageSize + 1}`,
  );
}

function recordOf(row: Row, selection: Selection): SourceRecord {
  const { stream, columns, order } = selection;
  const data = Object.fromEntries(columns.map((column, index) => [column.name, jsonOf(column, row[`c${index}`])]));
  const at = stream.cursorColumn === undefined ? undefined : data[stream.cursorColumn];
  // A datetime has no zone, so it says no instant.
  const zoned = order[0]?.type === "timestamp" && typeof at === "string";
  return {
    key: keyOf(row, selection),
    ...(stream.cursorColumn === undefined ? {} : { version: String(row["o0"]) }),
    ...(zoned ? { at } : {}),
    data,
  };
}

function keyOf(row: Row, { stream, order }: Selection): string {
  const first = order.length - stream.key.length;
  const key = joinKey(order.slice(first).map((column, index) => jsonOf({ ...column, type: "text" }, row[`o${index + first}`])));
  if (key !== undefined) return key;
  throw new ConnectorError("contract", `${quoted(stream.table)} has a row without a value in its key (${stream.key.join(", ")}).`, {
    field: stream.key[0],
  });
}
