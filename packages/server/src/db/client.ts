import type { PgDatabase } from "drizzle-orm/pg-core";
import { drizzle, type PostgresJsQueryResultHKT } from "drizzle-orm/postgres-js";
import postgres from "postgres";
import { formatArray, parseArray } from "./array-text.js";
import { guardTransactions } from "./guard-transactions.js";
import { formatInstant, parseInstant } from "./instant-text.js";
import { createPreparedTexts, preparing } from "./prepared-texts.js";

/** What `db.transaction(async (tx) => …)` hands out; `db` itself fits too, for a single statement. */
export type Tx = PgDatabase<PostgresJsQueryResultHKT>;

/** postgres.js's own tagged template. Like drizzle it reads and writes instants as numbers. */
export type RawSql = postgres.Sql;

export interface Database {
  readonly sql: RawSql;
  readonly db: Tx;
  /** Another pool of connections to the same database; whoever asks for it closes it. */
  beside(options: DatabaseOptions): Database;
  /** Waits up to five seconds for running statements, then closes every connection. */
  close(): Promise<void>;
}

export interface DatabaseOptions {
  /** The most connections to hold. */
  readonly max: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  /** Cancels any statement that runs longer; none when left out. */
  readonly statementTimeoutMs?: number;
  /** Ends a connection whose open transaction has said nothing for this long, and with it the transaction's locks; ten seconds when left out. */
  readonly idleInTransactionTimeoutMs?: number;
  /**
   * Prepared statements are planned at every call, with its values: else PostgreSQL plans each of them once for any value, over every day there is,
   * to see which way is cheaper.
   */
  readonly plansEachCall?: boolean;
  /** So many of the statements that come through `db` most are kept prepared on each connection; none when left out. */
  readonly preparedTexts?: number;
  /** The schemas in which names are looked for, in their order; PostgreSQL's own when left out. */
  readonly searchPath?: string;
}

/** No transaction waits for anything but the database, so ten silent seconds mean that its process is frozen or gone. */
export const defaultIdleInTransactionTimeoutMs = 10_000;

const INT8 = 20;
const JSON_TYPES = [114, 3802] as const;
const TIMESTAMPTZ = 1184;
/** [array type, element type] of every array that the schema and its statements use. */
const ARRAY_TYPES = [
  [1000, 16], // boolean
  [1007, 23], // integer
  [1009, 25], // text
  [1015, 1043], // varchar
  [1016, INT8],
  [1022, 701], // double precision
  [1182, 1082], // date
  [1185, TIMESTAMPTZ],
  [1231, 1700], // numeric
  [2951, 2950], // uuid
  [3807, 3802], // jsonb
] as const;
const CLOSE_TIMEOUT_SECONDS = 5;

const parseInt8 = (text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value))
    throw new RangeError(`The bigint ${text} is outside JavaScript's exact integers; cast it to text in the query.`);
  return value;
};

/**
 * drizzle() replaces the client's handlers for times by ones that do nothing, and takes JSON serialising away. Set after
 * it, these hold for both: an instant is a number of milliseconds, whichever way the statement went.
 */
const setTypeHandlers = (client: RawSql): void => {
  const { parsers, serializers } = client.options;
  parsers[TIMESTAMPTZ] = parseInstant;
  serializers[TIMESTAMPTZ] = formatInstant;
  for (const [array, element] of ARRAY_TYPES) {
    const parse: (text: string) => unknown = parsers[element] ?? String;
    const serialize: (value: unknown) => unknown = serializers[element] ?? String;
    parsers[array] = (text: string) => parseArray(text, parse);
    serializers[array] = (value: unknown) => formatArray(value, (item) => String(serialize(item)));
  }
  // drizzle's json columns arrive as text already; `sql.json(value)` of the raw client arrives as a value.
  for (const type of JSON_TYPES) serializers[type] = (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value));
};

/** Opens a pool of connections; the first is made by the first statement. */
export function openDatabase(url: string, options: DatabaseOptions): Database {
  const sql = postgres(url, {
    max: options.max,
    // Notices ("relation already exists, skipping") are no news for anyone; the default prints them.
    onnotice: () => undefined,
    types: { bigint: { to: INT8, from: [INT8], serialize: String, parse: parseInt8 } },
    connection: {
      application_name: options.applicationName,
      TimeZone: "UTC",
      DateStyle: "ISO",
      default_transaction_isolation: "read committed",
      // Short statements with high estimates: compiling them takes seconds where running them takes milliseconds (PostgreSQL 15).
      jit: "off",
      idle_in_transaction_session_timeout: options.idleInTransactionTimeoutMs ?? defaultIdleInTransactionTimeoutMs,
      ...(options.plansEachCall === true ? { plan_cache_mode: "force_custom_plan" } : {}),
      ...(options.searchPath === undefined ? {} : { search_path: options.searchPath }),
      ...(options.statementTimeoutMs === undefined ? {} : { statement_timeout: options.statementTimeoutMs }),
    },
  });
  guardTransactions(sql);
  const db: Tx = drizzle(options.preparedTexts === undefined ? sql : preparing(sql, createPreparedTexts(options.preparedTexts)));
  setTypeHandlers(sql);
  return { sql, db, beside: (others) => openDatabase(url, others), close: () => sql.end({ timeout: CLOSE_TIMEOUT_SECONDS }) };
}
