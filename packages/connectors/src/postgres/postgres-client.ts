import { isIP } from "node:net";
import { ConnectorError, type Context } from "@quiesce/sdk";
import postgres from "postgres";
import { loginOf, type PostgresConfig, type PostgresSecrets, type PostgresStream } from "./postgres-config.js";
import { postgresError } from "./postgres-error.js";

/** A call of this connector. */
export type PostgresContext = Context<PostgresConfig, PostgresSecrets>;

/** One row: columns as the statement named them. */
export type Row = { readonly [column: string]: unknown };

/** The rows of a statement. */
export interface Answer extends ReadonlyArray<Row> {
  /** How many rows it gave, or changed. */
  readonly count: number;
}

/**
 * Runs one statement. Every parameter travels as text and is cast in SQL: postgres.js would make a Date of a timestamptz
 * parameter and cut its microseconds off. Errors come classified.
 */
export type Query = (statement: string, parameters?: readonly string[]) => Promise<Answer>;

/** One connection for one call. */
export interface Database {
  readonly query: Query;
  /**
   * Begins, and commits after `work`. If this throws, close the database: the server rolls back what an ended connection leaves open. `atOnce`: the first
   * statements of `work` go out with the begin, without waiting for its answer. They must do no harm where it fails.
   */
  transaction(work: () => Promise<void>, options?: { readonly atOnce: boolean }): Promise<void>;
  /** Whether the last transaction was begun: if not, nothing of it was done. */
  readonly hasBegun: boolean;
  close(): Promise<void>;
}

/** How long a cancelled statement may take to end before its connection is cut, in milliseconds. */
const CANCEL_MS = 100;

/** Who logs in, with what, and which role is taken on then. */
interface Login {
  readonly user: string;
  readonly password: string;
  readonly role: string | undefined;
}

/** Opens a connection that dies with `x.signal`, as the endpoint's user if nobody else is named. Errors of queries come classified. */
export async function openDatabase(x: PostgresContext, as?: Login): Promise<Database> {
  const { config, secrets, signal } = x;
  const login = as ?? { user: loginOf(config, secrets).user, password: secrets.password ?? "", role: config.setRole };
  const where = `PostgreSQL ${config.host}:${config.port}/${config.database}`;
  if (signal.aborted) throw new ConnectorError("cancelled", `The call to ${where} was stopped.`);
  const ending = endingOf(where, config.connectTimeoutSeconds);
  const sql = postgres({
    ...(await placeOf(x)),
    database: config.database,
    username: login.user,
    // A function, or postgres.js would take PGPASSWORD from the host's environment.
    password: () => login.password,
    ssl: sslOf(config),
    max: 1,
    prepare: false,
    fetch_types: false,
    connect_timeout: config.connectTimeoutSeconds,
    onnotice: () => undefined,
    connection: {
      application_name: "quiesce",
      ...(login.role === undefined ? {} : { role: login.role }),
      TimeZone: "UTC",
      DateStyle: "ISO",
      statement_timeout: config.statementTimeoutSeconds * 1000,
    },
  });
  const running = new Set<postgres.PendingQuery<Row[]>>();
  const stop = (): void => {
    // The server would go on with the statement, and keep its locks, if only the connection was cut.
    const [first] = running;
    if (first !== undefined) cancel(first);
    ending.stop();
    void sql.end({ timeout: CANCEL_MS / 1000 }).catch(() => undefined);
  };
  signal.addEventListener("abort", stop, { once: true });
  const query: Query = async (statement, parameters = []) => {
    const asked = askAtOnce(sql, statement, parameters);
    running.add(asked);
    try {
      const rows = await Promise.race([asked, ending.ended]);
      ending.answered();
      return rows;
    } catch (thrown) {
      asked.catch(() => undefined);
      throw postgresError(thrown, where, signal);
    } finally {
      running.delete(asked);
    }
  };
  let hasBegun = false;
  // Not sql.begin: its rollback on a connection that was lost throws where nobody can catch it, and ends the process
  // (postgres.js issue 1208).
  const begin = async (): Promise<void> => {
    hasBegun = false;
    // A connection that was kept has to answer as soon as a new one has.
    ending.expected();
    // Deferred constraints would only speak at commit, when nobody knows which record they mean.
    await query("begin; set constraints all immediate");
    hasBegun = true;
  };
  return {
    query,
    get hasBegun() {
      return hasBegun;
    },
    transaction: async (work, { atOnce } = { atOnce: false }) => {
      const begun = begin();
      if (!atOnce) await begun;
      for (const step of await Promise.allSettled([begun, work()])) if (step.status === "rejected") throw step.reason;
      // postgres.js reconnects silently, and there a commit alone would succeed with nothing in it. A savepoint outside a
      // transaction is an error.
      await query("savepoint complete; commit");
    },
    close: async () => {
      signal.removeEventListener("abort", stop);
      // To a server that has never answered there is nothing to say goodbye to.
      await sql.end({ timeout: ending.close() ? CANCEL_MS / 1000 : 0 });
    },
  };
}

/**
 * A statement with its parameters in one message, without a name that a pooler would not know. The driver (3.4.9) first asks for the types of parameters,
 * one way there and back more; all of ours are texts that the statement casts. Given as arguments they would be asked about, so they are put where the
 * driver keeps them after that.
 */
function askAtOnce(sql: postgres.Sql, statement: string, parameters: readonly string[]): postgres.PendingQuery<Row[]> {
  if (parameters.length === 0) return sql.unsafe<Row[]>(statement);
  const extended = { prepare: false, simple: false };
  const asked = sql.unsafe<Row[]>(statement, [], extended);
  Reflect.set(asked, "parameters", [...parameters]);
  return asked;
}

/**
 * Asks the server to end a statement. `cancel()` of the driver (3.4.9) drops the promise of it, and when the server refuses that connection the rejection
 * is nobody's: so what `cancel()` calls is called here.
 */
function cancel(query: postgres.PendingQuery<Row[]>): void {
  const canceller: unknown = Reflect.get(query, "canceller");
  if (typeof canceller !== "function") return;
  Promise.resolve(canceller(query)).catch(() => undefined);
}

/** What ends a call although the driver would wait on. */
interface Ending {
  /** Rejects when the call is to end. */
  readonly ended: Promise<never>;
  /** The next answer is a first one. */
  readonly expected: () => void;
  /** The server has answered: from now on it may take its time. */
  readonly answered: () => void;
  readonly stop: () => void;
  /** Ends the watch; true if the server has ever answered. */
  readonly close: () => boolean;
}

/**
 * The driver connects anew for ever while connections are taken and ended before the first answer (a proxy whose database is away), and waits for a server
 * that has fallen silent. So the first answer, a small one everywhere here, has the limit of the connection once more, and a stop is not waited for longer
 * than the cancelling takes.
 */
function endingOf(where: string, connectTimeoutSeconds: number): Ending {
  let reject = (_error: ConnectorError): void => undefined;
  const ended = new Promise<never>((_resolve, fail) => (reject = fail));
  // Nobody may be waiting when it comes.
  ended.catch(() => undefined);
  let hasAnswered = false;
  let limit: NodeJS.Timeout | undefined;
  const expected = (): void => {
    clearTimeout(limit);
    limit = setTimeout(
      () => reject(new ConnectorError("timeout", `${where} gave no first answer within ${2 * connectTimeoutSeconds} s.`)),
      2 * connectTimeoutSeconds * 1000,
    );
  };
  expected();
  let stopping: NodeJS.Timeout | undefined;
  const stopped = (): void => reject(new ConnectorError("cancelled", `The call to ${where} was stopped.`));
  return {
    ended,
    expected,
    answered: () => {
      hasAnswered = true;
      clearTimeout(limit);
    },
    stop: () => {
      if (hasAnswered) stopping = setTimeout(stopped, CANCEL_MS);
      else stopped();
    },
    close: () => {
      clearTimeout(limit);
      clearTimeout(stopping);
      return hasAnswered;
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
