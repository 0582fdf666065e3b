import { connect } from "node:net";
import type { Context } from "@quiesce/sdk";
import mysql, { type Connection, type ConnectionOptions, type ResultSetHeader, type RowDataPacket } from "mysql2/promise";
import { checkedLookup } from "../network/checked-lookup.js";
import { tlsOptionsOf } from "../network/connection-settings.js";
import { untilStopped } from "../network/until-stopped.js";
import type { MariadbConfig, MariadbSecrets } from "./mariadb-config.js";
import { mariadbError } from "./mariadb-error.js";

/** A call of this connector. */
export type MariadbContext = Context<MariadbConfig, MariadbSecrets>;

/** One row: columns as the statement named them. */
export type Row = { readonly [column: string]: unknown };

/** What a statement has changed. */
export interface Changed {
  /** Rows that its condition found. */
  readonly matched: number;
  /** Rows that differ now. */
  readonly changed: number;
}

/** One connection for one call. Errors come classified. */
export interface Database {
  query(statement: string, parameters?: readonly string[]): Promise<readonly Row[]>;
  /** Runs statements in one round trip; the first that is refused ends them. */
  change(statements: readonly string[]): Promise<readonly Changed[]>;
  /** Whether it is MariaDB; else it is MySQL. */
  readonly isMariadb: boolean;
  readonly version: string;
  close(): Promise<void>;
}

/**
 * A statement means the same whatever the server's own mode is: too long a text is refused and not cut, a backslash escapes (the client counts on it),
 * and quotes are those of MySQL.
 */
const SQL_MODE = "STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ZERO_DATE,NO_ZERO_IN_DATE,NO_ENGINE_SUBSTITUTION";

/** What the call that ends a statement on the server may take, in seconds. */
const KILL_SECONDS = 2;

/** Opens a connection that dies with `x.signal`. */
export async function openDatabase(x: MariadbContext): Promise<Database> {
  const { config, signal } = x;
  const where = `MariaDB ${config.host}:${config.port}/${config.database}`;
  const options = await connectionOptions(x);
  const opening = mysql.createConnection(options);
  let connection: Connection | undefined;
  const guarded = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await untilStopped({ signal, where, release: () => stop(connection, options) }, work);
    } catch (thrown) {
      throw mariadbError(thrown, where, signal);
    }
  };
  // Stopped while it opens, it is closed as soon as it is open.
  opening.then((late) => (signal.aborted ? late.destroy() : undefined)).catch(() => undefined);
  connection = await guarded(opening);
  const opened = connection;
  // An error of a connection that nobody uses just now is met by its next use; unheard it would end the process.
  opened.on("error", () => undefined);
  try {
    const [[found]] = await guarded(opened.query<RowDataPacket[]>("select version() as version"));
    const version = String(found?.["version"]);
    const isMariadb = version.includes("MariaDB");
    const limit = config.statementTimeoutSeconds;
    const limited = isMariadb ? `max_statement_time = ${limit}` : `max_execution_time = ${limit * 1_000}`;
    await guarded(
      opened.query(
        `set session sql_mode = '${SQL_MODE}', time_zone = '+00:00', ${limited}, innodb_lock_wait_timeout = ${Math.min(limit, 50)}`,
      ),
    );
    return {
      isMariadb,
      version,
      query: async (statement, parameters = []) => {
        const [rows] = await guarded(opened.query<RowDataPacket[]>(statement, [...parameters]));
        return rows;
      },
      change: async (statements) => {
        const [headers] = await guarded(opened.query<ResultSetHeader | ResultSetHeader[]>(statements.join(";\n")));
        return (Array.isArray(headers) ? headers : [headers]).map((header) => ({
          matched: header.affectedRows,
          changed: header.changedRows,
        }));
      },
      // The server rolls back what an ended connection leaves open.
      close: async () => opened.destroy(),
    };
  } catch (thrown) {
    opened.destroy();
    throw thrown;
  }
}

/** An identifier as SQL. */
export function quoted(name: string): string {
  return `\`${name.replaceAll("`", "``")}\``;
}

/** A value as SQL. Safe with {@link SQL_MODE}, which keeps the backslash an escape. */
export function literal(value: string | number | null): string {
  return mysql.format("?", [value]);
}

async function connectionOptions(x: MariadbContext): Promise<ConnectionOptions> {
  const { config, secrets } = x;
  const { host, port } = config;
  const tls = tlsOptionsOf(config, secrets);
  const lookup = await checkedLookup(x, host);
  return {
    host,
    port,
    stream: () => connect({ host, port, lookup, noDelay: true }),
    user: config.user,
    password: secrets.password ?? "",
    database: config.database,
    connectTimeout: config.connectTimeoutSeconds * 1_000,
    charset: "utf8mb4_general_ci",
    // What a Date or a double would cut comes as text.
    dateStrings: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
    jsonStrings: true,
    multipleStatements: true,
    // A statement that finds rows it need not change says so.
    flags: ["+FOUND_ROWS", "-LOCAL_FILES"],
    ...(tls === undefined
      ? {}
      : {
          ssl: {
            rejectUnauthorized: config.tls === "verify-full",
            verifyIdentity: config.tls === "verify-full",
            ...(config.ca === undefined ? {} : { ca: config.ca }),
            ...(secrets.certificate === undefined || secrets.privateKey === undefined
              ? {}
              : { cert: secrets.certificate, key: secrets.privateKey }),
          },
        }),
  };
}

/** Cuts the connection. The server would go on with the statement and keep its locks, so it is told to end it by another connection. */
function stop(connection: Connection | undefined, options: ConnectionOptions): void {
  if (connection === undefined) return;
  const { threadId } = connection;
  connection.destroy();
  if (typeof threadId === "number") void killQuery(threadId, options).catch(() => undefined);
}

async function killQuery(threadId: number, options: ConnectionOptions): Promise<void> {
  const killer = await mysql.createConnection({ ...options, connectTimeout: KILL_SECONDS * 1_000 });
  killer.on("error", () => undefined);
  try {
    await killer.query({ sql: `kill ${threadId}`, timeout: KILL_SECONDS * 1_000 });
  } finally {
    killer.destroy();
  }
}
