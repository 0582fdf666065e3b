import { isIP } from "node:net";
import { ConnectorError, type Context } from "@quiesce/sdk";
import postgres from "postgres";
import type { PostgresConfig, PostgresSecrets, PostgresStream } from "./postgres-config.js";
import { postgresError } from "./postgres-error.js";

/** A call of this connector. */
export type PostgresContext = Context<PostgresConfig, PostgresSecrets>;

/** One row: columns as the statement named them. */
export type Row = { readonly [column: string]: unknown };

/**
 * Runs one statement. Every parameter travels as text and is cast in SQL: postgres.js would make a Date of a timestamptz
 * parameter and cut its microseconds off. Errors come classified.
 */
export type Query = (statement: string, parameters?: readonly string[]) => Promise<readonly Row[]>;

/** One connection for one call. */
export interface Database {
  readonly query: Query;
  /** Commits after `work`. If that throws, close the database: the server rolls back what an ended connection leaves open. */
  transaction(work: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** How long a cancelled statement may take to end before its connection is cut, in seconds. */
const CANCEL_SECONDS = 0.25;

/** Opens a connection that dies with `x.signal`. Errors of queries come classified. */
export async function openDatabase(x: PostgresContext): Promise<Database> {
  const { config, secrets, signal } = x;
  const where = `PostgreSQL ${config.host}:${config.port}/${config.database}`;
  if (signal.aborted) throw new ConnectorError("cancelled", `The call to ${where} was stopped.`);
  const sql = postgres({
    ...(await placeOf(x)),
    database: config.database,
    username: config.user,
    // A function, or postgres.js would take PGPASSWORD from the host's environment.
    password: () => secrets.password ?? "",
    ssl: sslOf(config),
    max: 1,
    prepare: false,
    fetch_types: false,
    connect_timeout: config.connectTimeoutSeconds,
    onnotice: () => undefined,
    connection: {
      application_name: "quiesce",
      TimeZone: "UTC",
      DateStyle: "ISO",
      statement_timeout: config.statementTimeoutSeconds * 1000,
    },
  });
  let running: postgres.PendingQuery<Row[]> | undefined;
  const stop = (): void => {
    // The server would go on with the statement, and keep its locks, if only the connection was cut.
    running?.cancel();
    void sql.end({ timeout: CANCEL_SECONDS }).catch(() => undefined);
  };
  signal.addEventListener("abort", stop, { once: true });
  const query: Query = async (statement, parameters = []) => {
    try {
      running = sql.unsafe<Row[]>(statement, [...parameters]);
      return await running;
    } catch (thrown) {
      throw postgresError(thrown, where, signal);
    } finally {
      running = undefined;
    }
  };
  return {
    query,
    // Not sql.begin: its rollback on a connection that was lost throws where nobody can catch it, and ends the process
    // (postgres.js issue 1208).
    transaction: async (work) => {
      await query("begin");
      await work();
      // postgres.js reconnects silently, and there a commit alone would succeed with nothing in it. A savepoint outside a
      // transaction is an error.
      await query("savepoint complete; commit");
    },
    close: async () => {
      signal.removeEventListener("abort", stop);
      await sql.end({ timeout: CANCEL_SECONDS });
    },
  };
}

/** The stream of that name, or a `config` error that lists those there are. */
export function streamOf(config: PostgresConfig, streamName: string): PostgresStream {
  const stream = config.streams.find((candidate) => candidate.name === streamName);
  if (stream !== undefined) return stream;
  const names = config.streams.map((candidate) => candidate.name).join(", ");
  throw new ConnectorError("config", `There is no stream "${streamName}" in this endpoint; it has ${names}.`);
}

/** An identifier as SQL. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The stream's table as SQL. */
export function tableOf(stream: PostgresStream): string {
  return `${quoted(stream.schema)}.${quoted(stream.table)}`;
}

/** A path is a socket of this machine. A name goes no further than its check, for the driver would ask for it again. */
async function placeOf(x: PostgresContext): Promise<object> {
  const { host, port } = x.config;
  if (host.startsWith("/")) return { host, port };
  const hosts = await x.resolveHost(host);
  // The driver takes lists, and an address of IPv6 in no other way; its types do not say so.
  return { host: hosts, port: hosts.map(() => port) };
}

function sslOf(config: PostgresConfig): false | { rejectUnauthorized: boolean; ca?: string; servername?: string } {
  if (config.ssl === "disable") return false;
  return {
    rejectUnauthorized: config.ssl === "verify-full",
    ...(isIP(config.host) === 0 ? { servername: config.host } : {}),
    ...(config.ca === undefined ? {} : { ca: config.ca }),
  };
}
