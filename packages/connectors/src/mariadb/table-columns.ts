import { ConnectorError, type Json, type JsonObject } from "@quiesce/sdk";
import { literal, quoted, type Database, type Row } from "./mariadb-client.js";
import type { MariadbStream } from "./mariadb-config.js";

/** A column as the database has it. */
export interface Column {
  readonly name: string;
  /** The type's name without its length: `bigint`, `datetime`. */
  readonly type: string;
  /** The type as it was declared: `tinyint(1)`, `bigint(20) unsigned`. */
  readonly declared: string;
  readonly nullable: boolean;
  /** Generated columns can be read, not written. */
  readonly writable: boolean;
}

const WHOLE = new Set(["tinyint", "smallint", "mediumint", "int", "year"]);
const FLOATING = new Set(["float", "double"]);
const BYTES = new Set(["binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"]);
const SPATIAL = new Set([
  "geometry",
  "point",
  "linestring",
  "polygon",
  "multipoint",
  "multilinestring",
  "multipolygon",
  "geometrycollection",
  "geomcollection",
]);
const TIMES = new Set(["datetime", "timestamp", "date"]);

/** The columns of the stream's table in their order; none if there is no such table. */
async function tableColumns(database: Database, stream: MariadbStream): Promise<readonly Column[]> {
  const rows = await database.query(
    `select column_name as name, data_type as type, column_type as declared, is_nullable as nullable, extra as extra
       from information_schema.columns where table_schema = database() and table_name = ? order by ordinal_position`,
    [stream.table],
  );
  const documents = database.isMariadb ? await documentColumns(database, stream) : new Set<string>();
  return rows.map((row) => ({
    name: String(row["name"]),
    type: documents.has(String(row["name"])) ? "json" : String(row["type"]).toLowerCase(),
    declared: String(row["declared"]).toLowerCase(),
    nullable: row["nullable"] === "YES",
    writable: !/generated|virtual|persistent|stored/iu.test(String(row["extra"]).replaceAll(/default_generated/giu, "")),
  }));
}

/** MariaDB keeps JSON as text with a check that it is JSON. */
async function documentColumns(database: Database, stream: MariadbStream): Promise<ReadonlySet<string>> {
  const rows = await database.query(
    "select check_clause as clause from information_schema.check_constraints where constraint_schema = database() and table_name = ?",
    [stream.table],
  );
  const names = rows.map((row) => /^json_valid\(`(.+)`\)$/u.exec(String(row["clause"]))?.[1]?.replaceAll("``", "`"));
  return new Set(names.filter((name) => name !== undefined));
}

/** The columns, or a `config` error if the table or one of the named columns is absent. */
export async function neededColumns(database: Database, stream: MariadbStream, names: readonly string[]): Promise<readonly Column[]> {
  const columns = await tableColumns(database, stream);
  if (columns.length === 0) {
    throw new ConnectorError("config", `There is no table ${quoted(stream.table)}, or the user may not see it.`, { field: stream.name });
  }
  const missing = names.filter((name) => !columns.some((column) => column.name === name));
  if (missing.length > 0) {
    const found = columns.map((column) => column.name).join(", ");
    throw new ConnectorError("config", `The table ${quoted(stream.table)} has no column ${missing.join(", ")}; it has ${found}.`, {
      field: stream.name,
    });
  }
  return columns;
}

/** Rows cannot be put in order by these and found again by their text. */
const WITHOUT_ORDER = new Set(["enum", "set", "json", "bit", ...FLOATING, ...SPATIAL]);

/** Refuses a column that cannot tell where a read goes on. */
export function requireOrder(column: Column): Column {
  if (!WITHOUT_ORDER.has(column.type)) return column;
  throw new ConnectorError("config", `The column ${column.name} is a ${column.type}, which cannot be a key or a cursor column.`, {
    field: column.name,
  });
}

/** True for a column whose values are instants or days, so that an overlap in seconds has a meaning. */
export function isTime(column: Column): boolean {
  return TIMES.has(column.type);
}

function isFlag(column: Column): boolean {
  return column.declared === "tinyint(1)";
}

/**
 * A column as an expression that reaches JavaScript without loss: what a double or a Date cannot hold comes as text. bigint and decimal as decimal
 * text, times as ISO 8601 with microseconds (a timestamp in UTC), bytes as base64.
 */
export function readExpression(column: Column): string {
  const name = quoted(column.name);
  if (WHOLE.has(column.type)) return name;
  // A float prints six digits only.
  if (FLOATING.has(column.type)) return `${name} + 0e0`;
  if (column.type === "timestamp") return `date_format(${name}, '%Y-%m-%dT%H:%i:%s.%fZ')`;
  if (column.type === "datetime") return `date_format(${name}, '%Y-%m-%dT%H:%i:%s.%f')`;
  if (BYTES.has(column.type)) return `replace(to_base64(${name}), '\\n', '')`;
  if (SPATIAL.has(column.type)) return `st_astext(${name})`;
  if (column.type === "bit") return `cast(cast(${name} as unsigned) as char)`;
  return `cast(${name} as char)`;
}

/** A value as it stands in the order of rows, and comes back by {@link comparable}: nothing of its precision is lost. */
export function orderExpression(column: Column): string {
  return BYTES.has(column.type) ? readExpression(column) : `cast(${quoted(column.name)} as char)`;
}

/** A text of {@link orderExpression} as a value of the column's own kind. Compared as a text, a bigint would go through a double. */
export function comparable(column: Column, text: string): string {
  const value = literal(text);
  if (WHOLE.has(column.type) || column.type === "bigint")
    return `cast(${value} as ${column.declared.includes("unsigned") ? "unsigned" : "signed"})`;
  if (column.type === "decimal") return `cast(${value} as ${column.declared.replaceAll(/ unsigned| zerofill/gu, "")})`;
  if (column.type === "datetime" || column.type === "timestamp") return `cast(${value} as datetime(6))`;
  if (column.type === "date") return `cast(${value} as date)`;
  if (FLOATING.has(column.type)) return `${value} + 0e0`;
  if (BYTES.has(column.type)) return `from_base64(${value})`;
  return value;
}

/** A value of a record as SQL for this column; throws `invalid` for one that it cannot hold. */
export function writeExpression(column: Column, value: Json): string {
  if (value === null) return "null";
  if (typeof value === "boolean") return value ? "1" : "0";
  if (typeof value === "number") return literal(value);
  if (typeof value === "object") return literal(JSON.stringify(value));
  if (BYTES.has(column.type)) return `from_base64(${literal(value)})`;
  if (SPATIAL.has(column.type)) return `st_geomfromtext(${literal(value)})`;
  if (column.type === "bit") return `cast(${literal(value)} as unsigned)`;
  if (column.type === "datetime" || column.type === "timestamp") return literal(localTime(value));
  return literal(value);
}

/** A value of {@link readExpression} as JSON. */
export function jsonOf(column: Column, value: Row[string]): Json {
  if (value === null || value === undefined) return null;
  if (isFlag(column) && (value === 0 || value === 1)) return value === 1;
  if (column.type === "json" && typeof value === "string") return JSON.parse(value) as Json;
  // Every other expression gives a text.
  return typeof value === "number" || typeof value === "string" ? value : null;
}

/** JSON Schema of a row. */
export function rowSchema(columns: readonly Column[]): JsonObject {
  const properties = columns.map((column): [string, Json] => {
    const schema = schemaOf(column);
    const { type } = schema;
    return [column.name, column.nullable && typeof type === "string" ? { ...schema, type: [type, "null"] } : schema];
  });
  return { type: "object", properties: Object.fromEntries(properties) };
}

function schemaOf(column: Column): JsonObject {
  if (isFlag(column)) return { type: "boolean" };
  if (WHOLE.has(column.type)) return { type: "integer" };
  if (FLOATING.has(column.type)) return { type: "number" };
  if (column.type === "json") return {};
  if (column.type === "date") return { type: "string", format: "date" };
  if (column.type === "timestamp") return { type: "string", format: "date-time" };
  if (column.type === "uuid") return { type: "string", format: "uuid" };
  return BYTES.has(column.type) ? { type: "string", contentEncoding: "base64" } : { type: "string" };
}

/** An ISO 8601 instant with an offset as the UTC time of the session, to the microsecond; other texts as they are. */
function localTime(text: string): string {
  const found = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2})?)(\.\d+)?(Z|[+-]\d{2}:?\d{2})$/iu.exec(text);
  if (found === null) return text;
  const [, day, time, fraction = "", offset = "Z"] = found;
  const whole = Date.parse(`${day}T${time?.length === 5 ? `${time}:00` : time}${offset.toUpperCase()}`);
  if (Number.isNaN(whole)) return text;
  // The fraction is kept as it is: a Date would cut it to milliseconds.
  return `${new Date(whole).toISOString().slice(0, 19).replace("T", " ")}${fraction.slice(0, 7)}`;
}
