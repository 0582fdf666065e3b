import { createHash, type Hash } from "node:crypto";
import {
  bucketOf,
  ConnectorError,
  joinKey,
  type Json,
  type KeyHash,
  type ReconcileBuckets,
  type ReconcileRange,
  recordHash,
} from "@quiesce/sdk";
import { comparableColumn } from "./comparable-sql.js";
import { type Database, openDatabase, type PostgresContext, quoted, streamOf, tableOf } from "./postgres-client.js";
import type { PostgresStream } from "./postgres-config.js";
import { type Column, jsonOf, neededColumns, readExpression } from "./table-columns.js";

/** `trim_scale` is there since PostgreSQL 13. */
const FIRST_VERSION = 130_000;
/** Rows that are hashed here at a time. */
const ROWS_OF_PAGE = 10_000;
/** Hexadecimal digits of a digest: 128 bits, as everywhere. */
const DIGEST_DIGITS = 32;

interface FieldsRequest extends ReconcileRange {
  readonly fields: readonly string[];
}

interface KeysRequest extends FieldsRequest {
  readonly after: string | undefined;
  readonly limit: number;
  readonly within?: ReconcileBuckets;
}

/** How many rows the stream's table has. */
export async function countRows(x: PostgresContext, request: ReconcileRange): Promise<number> {
  return withTable(x, request, async (database, { stream }) => {
    const rows = await database.query(`select count(*)::text as count from ${tableOf(stream)}`);
    return Number(rows[0]?.["count"]);
  });
}

/** Keys and hashes, by keyset pages over the key as text. An index on it (`create index on t ((id::text) collate "C")`) makes a page cheap. */
export async function listKeyHashes(x: PostgresContext, request: KeysRequest): Promise<readonly KeyHash[]> {
  return withTable(x, request, (database, table) => keyHashes(database, table, request));
}

/**
 * The digests of buckets, computed by the database where every compared column has a type of which the form of `comparableValue` can be written in
 * SQL; otherwise here, row by row, in the memory of one page.
 */
export async function digestRows(x: PostgresContext, request: FieldsRequest & { readonly buckets: number }): Promise<readonly string[]> {
  return withTable(
    x,
    request,
    async (database, table) => (await digestInSql(database, table, request)) ?? digestHere(database, table, request),
  );
}

interface Table {
  readonly stream: PostgresStream;
  readonly columns: readonly Column[];
}

async function withTable<T>(
  x: PostgresContext,
  request: ReconcileRange,
  work: (database: Database, table: Table) => Promise<T>,
): Promise<T> {
  if (request.from !== undefined || request.to !== undefined)
    throw new ConnectorError("config", "The postgres connector cannot compare a range of time; leave from and to away.");
  const stream = streamOf(x.config, request.stream);
  const database = await openDatabase(x);
  try {
    return await work(database, { stream, columns: await neededColumns(database, stream, stream.key) });
  } finally {
    await database.close();
  }
}

async function keyHashes(database: Database, { stream, columns }: Table, request: KeysRequest): Promise<readonly KeyHash[]> {
  const { fields, after, limit, within } = request;
  const compared = columns.filter((column) => fields.includes(column.name));
  const values = compared.map((column, index) => `${readExpression(column)} as c${index}`);
  const keys = stream.key.map((name, index) => `${quoted(name)}::text as k${index}`);
  const where = [
    "true",
    ...(after === undefined ? [] : [`${keySql(stream)} > $1::text collate "C"`]),
    ...(within === undefined ? [] : [`${bucketSql(stream, within.buckets)} in (${[-1, ...within.wanted].map(Math.trunc).join(", ")})`]),
  ];
  const rows = await database.query(
    `select ${[...values, ...keys].join(", ")} from ${tableOf(stream)} where ${where.join(" and ")} order by ${keySql(stream)} limit ${Math.trunc(limit)}`,
    after === undefined ? [] : [after],
  );
  return rows.map((row) => {
    const key = joinKey(stream.key.map((_name, index) => row[`k${index}`] as Json));
    if (key === undefined) throw withoutKey(stream);
    const data = Object.fromEntries(compared.map((column, index) => [column.name, jsonOf(row[`c${index}`])]));
    return { key, hash: recordHash(data, fields) };
  });
}

/** The key as `joinKey` of the SDK writes it, in the order of code points. */
function keySql(stream: PostgresStream): string {
  const parts = stream.key.map((name) => `${quoted(name)}::text`);
  if (parts.length === 1) return `(${parts.join("")}) collate "C"`;
  const escaped = parts.map((part) => `replace(replace(${part}, '\\', '\\\\'), '|', '\\|')`);
  return `(${escaped.join(" || '|' || ")}) collate "C"`;
}

function bucketSql(stream: PostgresStream, buckets: number): string {
  const start = `substr(encode(sha256(convert_to(${keySql(stream)}, 'UTF8')), 'hex'), 1, 8)`;
  return `(('x' || ${start})::bit(32)::bigint % ${Math.trunc(buckets)})`;
}

/** undefined: the database cannot do it alone. */
async function digestInSql(
  database: Database,
  { stream, columns }: Table,
  request: { readonly fields: readonly string[]; readonly buckets: number },
): Promise<readonly string[] | undefined> {
  const version = await database.query("select current_setting('server_version_num') as number");
  if (Number(version[0]?.["number"]) < FIRST_VERSION) return undefined;
  const content = contentSql(columns, request.fields);
  if (content === undefined) return undefined;
  const pair = `convert_to(key, 'UTF8') || '\\x00'::bytea || convert_to(hash || E'\\n', 'UTF8')`;
  const rows = await database.query(
    `with hashed as (
       select ${keySql(stream)} as key, ${bucketSql(stream, request.buckets)} as bucket, ${content.exception} as exception,
         substr(encode(sha256(convert_to(${content.sql}, 'UTF8')), 'hex'), 1, ${DIGEST_DIGITS}) as hash
       from ${tableOf(stream)})
     select bucket::text as bucket, bool_or(exception) as exception, bool_or(key is null or key = '') as keyless,
       substr(encode(sha256(string_agg(${pair}, ''::bytea order by key collate "C", hash collate "C")), 'hex'), 1, ${DIGEST_DIGITS}) as digest
     from hashed group by hashed.bucket`,
  );
  if (rows.some((row) => row["keyless"] === true)) throw withoutKey(stream);
  if (rows.some((row) => row["exception"] === true)) return undefined;
  const digests = Array.from({ length: request.buckets }, () => "");
  for (const row of rows) digests[Number(row["bucket"])] = String(row["digest"]);
  return digests;
}

/** What `recordHash` hashes, as SQL, and whether a row has a value of which that cannot be said; undefined where a column's type has no such form. */
function contentSql(
  columns: readonly Column[],
  fields: readonly string[],
): { readonly sql: string; readonly exception: string } | undefined {
  const byName = new Map(columns.map((column) => [column.name, column]));
  const exceptions = ["false"];
  const pairs: string[] = [];
  for (const name of fields.toSorted()) {
    const column = byName.get(name);
    const comparable = column === undefined ? { sql: "null::text", exception: undefined } : comparableColumn(column);
    if (comparable === undefined) return undefined;
    if (comparable.exception !== undefined) exceptions.push(`coalesce(${comparable.exception}, false)`);
    pairs.push(`${literal(`[${JSON.stringify(name)},`)} || coalesce(to_json(${comparable.sql})::text, 'null') || ']'`);
  }
  return { sql: `'[' || ${pairs.join(" || ',' || ")} || ']'`, exception: exceptions.join(" or ") };
}

/** In the order of keys, so that each bucket's digest grows without its pairs being kept. */
async function digestHere(
  database: Database,
  table: Table,
  request: FieldsRequest & { readonly buckets: number },
): Promise<readonly string[]> {
  const hashes = new Map<number, Hash>();
  let after: string | undefined;
  while (true) {
    const page = await keyHashes(database, table, { ...request, after, limit: ROWS_OF_PAGE });
    for (const { key, hash } of page) {
      const bucket = bucketOf(key, request.buckets);
      const sum = hashes.get(bucket) ?? createHash("sha256");
      hashes.set(bucket, sum.update(`${key}\0${hash}\n`));
    }
    after = page.at(-1)?.key;
    if (after === undefined || page.length < ROWS_OF_PAGE) break;
  }
  return Array.from({ length: request.buckets }, (_none, bucket) => hashes.get(bucket)?.digest("hex").slice(0, DIGEST_DIGITS) ?? "");
}

function withoutKey(stream: PostgresStream): ConnectorError {
  return new ConnectorError("contract", `${tableOf(stream)} has a row without a value in its key (${stream.key.join(", ")}).`, {
    field: stream.key[0],
  });
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
