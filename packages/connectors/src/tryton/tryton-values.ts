import { ConnectorError, type Json, type JsonObject } from "@quiesce/sdk";

/** A model's field as `fields_get` describes it. */
export interface Field {
  readonly name: string;
  readonly type: string;
  readonly required: boolean;
  /** The model that it leads to. */
  readonly relation?: string;
}

const INSTANT = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6})\d*)?)?Z?)?$/u;

/**
 * A value of a Tryton answer as plain JSON: instants as ISO 8601 in UTC with microseconds, days as ISO dates, decimals as text,
 * bytes as base64, durations as seconds. SQLite gives booleans as 0 and 1; `type` mends that.
 */
export function decodeValue(value: Json, type?: string): Json {
  if (type === "boolean" && typeof value === "number") return value !== 0;
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item: Json) => decodeValue(item));
  const object = value as JsonObject;
  switch (object["__class__"]) {
    case "datetime":
      return `${timestampOf(object)}Z`;
    case "date":
      return dayOf(object);
    case "time":
      return clockOf(object);
    case "timedelta":
      return object["seconds"] ?? null;
    case "Decimal":
      return object["decimal"] ?? null;
    case "bytes":
      return object["base64"] ?? null;
    default:
      return Object.fromEntries(Object.entries(object).map(([name, member]) => [name, decodeValue(member)]));
  }
}

/** A plain JSON value in the form Tryton wants for a field of that type. Throws `invalid` for what cannot be one. */
export function encodeValue(value: Json, field: Field): Json {
  if (value === null) return null;
  switch (field.type) {
    case "datetime":
    case "timestamp":
      return encodeTimestamp(text(value, field, "an instant in UTC such as 2026-11-20T08:00:00Z"), field);
    case "date":
      return { ...encodeTimestamp(text(value, field, "a date such as 2026-11-20"), field), __class__: "date" };
    case "numeric":
      return { __class__: "Decimal", decimal: plainText(value) };
    case "binary":
      return { __class__: "bytes", base64: text(value, field, "bytes as base64") };
    case "timedelta":
      return { __class__: "timedelta", seconds: value };
    default:
      return value;
  }
}

/** A JSON value as text: a scalar as it is, the rest as JSON. */
export function plainText(value: Json | undefined): string {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

/** `2026-11-20T08:37:21.332807`: of fixed length, so that instants compare as text, without loss. */
export type Timestamp = string;

/** When a row was created or last written; it is a record's version. */
export function changeOf(row: JsonObject): Timestamp {
  return timeOf(row, row["write_date"] === null ? "create_date" : "write_date");
}

/** A datetime of a row. Throws `contract` if it holds none. */
export function timeOf(row: JsonObject, field: string): Timestamp {
  const value = row[field];
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return timestampOf(value as JsonObject);
  throw new ConnectorError("contract", `Record ${plainText(row["id"])} has ${JSON.stringify(value)} in ${field}, expected a datetime.`, {
    field,
  });
}

/** A datetime of an answer as a {@link Timestamp}. */
export function timestampOf(value: JsonObject): Timestamp {
  return `${dayOf(value)}T${clockOf(value)}`;
}

/** A {@link Timestamp} as a datetime for a domain. */
export function datetimeOf(timestamp: Timestamp): JsonObject {
  const [year, month, day, hour, minute, second, fraction] = INSTANT.exec(timestamp)?.slice(1) ?? [];
  return {
    __class__: "datetime",
    year: Number(year),
    month: Number(month),
    day: Number(day),
    hour: Number(hour ?? 0),
    minute: Number(minute ?? 0),
    second: Number(second ?? 0),
    microsecond: Number((fraction ?? "").padEnd(6, "0")),
  };
}

/** True for what {@link timestampOf} writes. */
export function isTimestamp(value: unknown): value is Timestamp {
  return typeof value === "string" && /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}$/u.test(value);
}

/** An instant as a {@link Timestamp}. */
export function timestampAt(epochMs: number): Timestamp {
  return `${new Date(epochMs).toISOString().slice(0, -1)}000`;
}

function encodeTimestamp(value: string, field: Field): JsonObject {
  if (INSTANT.test(value) && !Number.isNaN(Date.parse(value))) return datetimeOf(value);
  throw new ConnectorError("invalid", `Field ${field.name} holds "${value.slice(0, 60)}", expected ISO 8601 in UTC.`, {
    field: field.name,
  });
}

function text(value: Json, field: Field, expected: string): string {
  if (typeof value === "string") return value;
  throw new ConnectorError("invalid", `Field ${field.name} holds ${JSON.stringify(value).slice(0, 60)}, expected ${expected}.`, {
    field: field.name,
  });
}

function dayOf(value: JsonObject): string {
  return `${digits(value["year"], 4)}-${digits(value["month"], 2)}-${digits(value["day"], 2)}`;
}

function clockOf(value: JsonObject): string {
  return `${digits(value["hour"], 2)}:${digits(value["minute"], 2)}:${digits(value["second"], 2)}.${digits(value["microsecond"], 6)}`;
}

function digits(value: Json | undefined, length: number): string {
  return plainText(value ?? 0).padStart(length, "0");
}
