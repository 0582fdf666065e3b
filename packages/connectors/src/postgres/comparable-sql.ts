import { quoted } from "./postgres-client.js";
import { type Column, readExpression } from "./table-columns.js";

/** What `comparableValue` of the SDK takes for a number, and for a time. */
const DECIMAL = String.raw`^-?(0|[1-9][0-9]{0,29})(\.[0-9]{1,30})?$`;
const TIME = String.raw`^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)?$`;

const AS_TEXT = new Set(["int2", "int4", "int8", "bool", "uuid"]);
const TEXTS = new Set(["text", "varchar", "bpchar"]);

/** How a column is written for `recordHash` within the database. */
export interface ComparableColumn {
  /** The value as `comparableValue` writes it: a text, or null. */
  readonly sql: string;
  /** True for a row whose value only the SDK can write so: a text that looks like a time may be none. */
  readonly exception: string | undefined;
}

/** The column in the form of `comparableValue`; undefined for types of which only the SDK knows it. */
export function comparableColumn(column: Column): ComparableColumn | undefined {
  const name = quoted(column.name);
  if (column.array) return undefined;
  if (AS_TEXT.has(column.type)) return { sql: `${name}::text`, exception: undefined };
  if (column.type === "numeric") return { sql: plainDecimal(`${name}::text`), exception: undefined };
  if (column.type === "date") return { sql: readExpression(column), exception: undefined };
  if (TEXTS.has(column.type)) return { sql: plainDecimal(`${name}::text`), exception: `${name}::text ~ '${TIME}'` };
  if (column.type === "timestamptz") return { sql: plainTime(column, `${name} at time zone 'UTC'`, "Z"), exception: undefined };
  if (column.type === "timestamp") return { sql: plainTime(column, name, ""), exception: undefined };
  return undefined;
}

/** Without zeros that say nothing. */
function plainDecimal(text: string): string {
  return `case when ${text} ~ '${DECIMAL}' then trim_scale((${text})::numeric)::text else ${text} end`;
}

/** What has no year of four digits (infinity, before Christ) is left as it is read. */
function plainTime(column: Column, local: string, zone: string): string {
  const name = quoted(column.name);
  const bound = (at: string) => `'${at}${zone === "" ? "" : "+00"}'::${column.type}`;
  const digits = `to_char(${local}, 'YYYY-MM-DD"T"HH24:MI:SS.US')`;
  return `case when ${name} >= ${bound("0001-01-01 00:00:00")} and ${name} < ${bound("10000-01-01 00:00:00")}
    then regexp_replace(${digits}, '\\.?0+$', '') || '${zone}' else ${readExpression(column)} end`;
}
