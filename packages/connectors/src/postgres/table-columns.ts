import { ConnectorError, type Json, type JsonObject } from "@quiesce/sdk";
import { quoted, tableOf, type Database, type Row } from "./postgres-client.js";
import type { PostgresStream } from "./postgres-config.js";

/** A column as the database has it. */
export interface Column {
  readonly name: string;
  /** The type as SQL, with its modifier: `numeric(10,2)`. */
  readonly sqlType: string;
  /** The type's short name: `int8`, `timestamptz`. */
  readonly type: string;
  readonly array: boolean;
  readonly nullable: boolean;
  /** Generated columns can be read, not written. */
  readonly writable: boolean;
  /** A new row has to be given a value: it may not be null, and the table has none of its own. */
  readonly needed: boolean;
}

const NATIVE = new Set(["int2", "int4", "float4", "float8", "bool", "json", "jsonb"]);
const TIMES = new Set(["timestamptz", "timestamp", "date"]);
const SCHEMA_BY_TYPE: { readonly [type: string]: JsonObject } = {
  int2: { type: "integer" },
  int4: { type: "integer" },
  float4: { type: "number" },
  float8: { type: "number" },
  bool: { type: "boolean" },
  json: {},
  jsonb: {},
  date: { type: "string", format: "date" },
  timestamptz: { type: "string", format: "date-time" },
  uuid: { type: "string", format: "uuid" },
  bytea: { type: "string", contentEncoding: "base64" },
};

/** The columns of the stream's table in their order; none if there is no such table. */
export async function tableColumns(database: Database, stream: PostgresStream): Promise<readonly Column[]> {
  const rows = await database.query(
    `select a.attname as name, format_type(a.atttypid, a.atttypmod) as sql_type, t.typname as type,
            t.typcategory = 'A' as is_array, not a.attnotnull as nullable,
            a.attgenerated = '' and a.attidentity <> 'a' as writable,
            a.attnotnull and not a.atthasdef and a.attidentity = '' as needed
       from pg_attribute a join pg_type t on t.oid = a.atttypid
      where a.attrelid = to_regclass($1::text) and a.attnum > 0 and not a.attisdropped
      order by a.attnum`,
    [tableOf(stream)],
  );
  return rows.map((row) => ({
    name: String(row["name"]),
    sqlType: String(row["sql_type"]),
    type: String(row["type"]),
    array: row["is_array"] === true,
    nullable: row["nullable"] === true,
    writable: row["writable"] === true,
    needed: row["needed"] === true,
  }));
}

/** The columns, or a `config` error if the table or one of the named columns is absent. */
export async function neededColumns(database: Database, stream: PostgresStream, names: readonly string[]): Promise<readonly Column[]> {
  const columns = await tableColumns(database, stream);
  if (columns.length === 0) {
    throw new ConnectorError("config", `There is no table ${tableOf(stream)}, or the user may not see it.`, { field: stream.name });
  }
  const missing = names.filter((name) => !columns.some((column) => column.name === name));
  if (missing.length > 0) {
    throw new ConnectorError(
      "config",
      `The table ${tableOf(stream)} has no column ${missing.join(", ")}; it has ${columns.map((column) => column.name).join(", ")}.`,
      {
        field: stream.name,
      },
    );
  }
  return columns;
}

/** True for a column whose values are instants or days, so that an overlap in seconds has a meaning. */
export function isTime(column: Column): boolean {
  return TIMES.has(column.type);
}

/**
 * A column as an expression that reaches JavaScript without loss: what a double or a Date cannot hold comes as text. bigint and
 * numeric as decimal text, times as ISO 8601 with microseconds, bytes as base64, arrays as JSON.
 */
export function readExpression(column: Column): string {
  const name = quoted(column.name);
  if (column.array) return `to_jsonb(${name})`;
  if (NATIVE.has(column.type)) return name;
  if (TIMES.has(column.type)) return `to_json(${name}) #>> '{}'`;
  if (column.type === "bytea") return `translate(encode(${name}, 'base64'), E'\\n', '')`;
  return `${name}::text`;
}

/** A value of {@link readExpression} as JSON. */
export function jsonOf(value: Row[string]): Json {
  // NaN and Infinity are no JSON; PostgreSQL takes these words back as text.
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  return (value ?? null) as Json;
}

/** JSON Schema of a row. */
export function rowSchema(columns: readonly Column[]): JsonObject {
  const properties = columns.map((column): [string, Json] => {
    const schema: JsonObject = column.array ? { type: "array" } : (SCHEMA_BY_TYPE[column.type] ?? { type: "string" });
    const { type } = schema;
    return [column.name, column.nullable && typeof type === "string" ? { ...schema, type: [type, "null"] } : schema];
  });
  return { type: "object", properties: Object.fromEntries(properties) };
}
