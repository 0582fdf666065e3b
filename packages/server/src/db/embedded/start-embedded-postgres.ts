import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { DomainError } from "@quiesce/core";
import postgres from "postgres";
import { ensureCluster, findClusterMajor, type Cluster } from "./create-cluster.js";
import { prepareDataFolder } from "./data-folder.js";
import { findBinaries, type PostgresBinaries } from "./find-binaries.js";
import { findFreePort } from "./free-port.js";
import { isProcessAlive, readPostmasterFile } from "./postmaster-file.js";
import { clusterUrl, findRunningServer } from "./running-server.js";
import { chooseServerAccount, type ServerAccount } from "./server-account.js";
import { superviseServer, type SupervisedServer } from "./supervised-server.js";

export interface EmbeddedPostgresOptions {
  /** The folder for the cluster, its log and the private copy of the binaries. Created when missing. */
  readonly dataDir: string;
  /** False for throw-away clusters of tests: no fsync, so a crash of the machine may destroy the data. */
  readonly durable: boolean;
  /** Where the private copy of the binaries is kept, when not in `dataDir`. */
  readonly binariesDir?: string;
  /** Receives one line for each thing that takes time or that the user should know. */
  readonly log: (line: string) => void;
}

export interface EmbeddedPostgres {
  /** postgres://… with the password: for drivers, never for logs. */
  readonly url: string;
  /** The folder that really holds the data; for root it may differ from the one asked for. */
  readonly dataDir: string;
  readonly port: number;
  /** The id of the postmaster process. */
  readonly pid: number;
  /** Settles when the server has ended, by `stop` or by itself. Never rejects. */
  readonly exited: Promise<void>;
  /** Ends the server, or only lets go of it when another living Quiesce looks after it. Safe to call twice. */
  stop(): Promise<void>;
}

const DATABASE = "quiesce";
const START_ATTEMPTS = 5;
/** A killed server's process keeps its number, and with it the lock, until whoever started it has looked: in a container that may take seconds. */
const LOCKED_WAIT_MS = 1_500;
const READY_POLL_MS = 20;
/** Recovery after a crash can take minutes; a server that says nothing for ten is not coming. */
const READY_POLLS = 30_000;
const PROGRESS_POLLS = 250;
const SHARED_POLL_MS = 500;
const HALF_STOP_POLL_MS = 1_000;

const serverArguments = (cluster: Cluster, port: number, durable: boolean): string[] => {
  const settings = {
    listen_addresses: "127.0.0.1",
    port: String(port),
    unix_socket_directories: "",
    ssl: "off",
    timezone: "UTC",
    log_timezone: "UTC",
    log_line_prefix: "%m [%p] ",
    log_checkpoints: "off",
    max_connections: "200",
    ...(durable ? {} : { fsync: "off", synchronous_commit: "off", full_page_writes: "off", autovacuum: "off" }),
  };
  return ["-D", cluster.dir, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])];
};

const ensureDatabase = async (cluster: Cluster, port: number): Promise<void> => {
  const sql = postgres(clusterUrl(cluster, port, "postgres"), { max: 1, onnotice: () => undefined });
  try {
    const found = await sql`select 1 from pg_database where datname = ${DATABASE}`;
    if (found.length === 0) await sql.unsafe(`create database ${DATABASE}`);
  } finally {
    await sql.end({ timeout: 5 });
  }
};

type Launch =
  | { readonly kind: "ready"; readonly server: SupervisedServer; readonly pid: number; readonly port: number }
  | { readonly kind: "port-taken" | "locked" };

const explainEnd = (server: SupervisedServer, logFile: string): Launch => {
  const tail = server.logTail();
  if (/lock file "postmaster\.pid" already exists/.test(tail)) return { kind: "locked" };
  if (/could not bind|Address already in use/.test(tail)) return { kind: "port-taken" };
  throw new DomainError("QSC_DB_START_FAILED", `PostgreSQL ended while it started. The end of its log ${logFile}:\n${tail}`);
};

const launch = async (request: {
  cluster: Cluster;
  binaries: PostgresBinaries;
  account: ServerAccount | undefined;
  durable: boolean;
  log: (line: string) => void;
}): Promise<Launch> => {
  const { cluster } = request;
  const logFile = `${cluster.dir}.log`;
  const before = await readPostmasterFile(cluster.dir);
  const port = await findFreePort();
  const server = superviseServer({
    program: join(request.binaries.bin, "postgres"),
    args: serverArguments(cluster, port, request.durable),
    cwd: cluster.dir,
    logFile,
    account: request.account,
  });
  for (let poll = 1; poll <= READY_POLLS; poll += 1) {
    if (server.hasExited()) return explainEnd(server, logFile);
    const now = await readPostmasterFile(cluster.dir);
    if (now !== undefined && now.ready && now.identity !== before?.identity) return { kind: "ready", server, pid: now.pid, port };
    if (poll % PROGRESS_POLLS === 0) request.log(`PostgreSQL is still starting (after a crash it first replays its log); see ${logFile}`);
    await sleep(READY_POLL_MS);
  }
  const last = await readPostmasterFile(cluster.dir);
  await server.stop(last?.pid ?? server.watchdogPid);
  throw new DomainError("QSC_DB_START_FAILED", `PostgreSQL did not become ready within ten minutes; see ${logFile}.`);
};

const refuseLocked = async (cluster: Cluster): Promise<never> => {
  const holder = await readPostmasterFile(cluster.dir);
  throw new DomainError(
    "QSC_DB_LOCKED",
    `The database in ${cluster.dir} is locked by process ${holder?.pid ?? "unknown"}, which does not answer as this database's server. End that process. ` +
      `If it is no PostgreSQL at all, remove ${join(cluster.dir, "postmaster.pid")} by hand; Quiesce never does, because two servers on one folder destroy the data.`,
  );
};

const watchSharedServer = async (pid: number): Promise<void> => {
  while (isProcessAlive(pid)) await sleep(SHARED_POLL_MS, undefined, { ref: false });
};

/**
 * TERM sent to postgres by hand means: take no new client, wait for the others. Ours would never leave, so the wait is made
 * an end: SIGINT closes the connections, and `exited` tells the server.
 */
const finishHalfStops = (cluster: Cluster, server: SupervisedServer, pid: number): void => {
  const poll = setInterval(() => {
    if (server.hasExited()) return clearInterval(poll);
    const look = async (): Promise<void> => {
      const file = await readPostmasterFile(cluster.dir);
      if (file?.pid === pid && !file.ready && isProcessAlive(pid)) process.kill(pid, "SIGINT");
    };
    // A file that cannot be read now is read at the next turn.
    return void look().catch(() => undefined);
  }, HALF_STOP_POLL_MS);
  poll.unref();
};

const startCluster = async (
  cluster: Cluster,
  options: EmbeddedPostgresOptions & { binaries: PostgresBinaries; account: ServerAccount | undefined; folder: string },
): Promise<EmbeddedPostgres> => {
  let refusal: "port-taken" | "locked" = "port-taken";
  for (let attempt = 1; attempt <= START_ATTEMPTS; attempt += 1) {
    const running = await findRunningServer(cluster, options.log);
    if (running !== undefined) {
      options.log(`Using the PostgreSQL that another Quiesce already runs on ${cluster.dir} (process ${running.pid})`);
      return {
        url: clusterUrl(cluster, running.port, DATABASE),
        dataDir: options.folder,
        port: running.port,
        pid: running.pid,
        exited: watchSharedServer(running.pid),
        stop: () => Promise.resolve(),
      };
    }
    const started = await launch({ ...options, cluster });
    if (started.kind !== "ready") {
      refusal = started.kind;
      if (refusal === "locked" && attempt < START_ATTEMPTS) {
        if (attempt === 1) options.log("The database is still locked by a process of an earlier start: waiting for it to be gone");
        await sleep(LOCKED_WAIT_MS);
      }
      continue;
    }
    const { server, pid, port } = started;
    try {
      await ensureDatabase(cluster, port);
    } catch (error) {
      await server.stop(pid);
      throw error;
    }
    finishHalfStops(cluster, server, pid);
    let stopping: Promise<void> | undefined;
    return {
      url: clusterUrl(cluster, port, DATABASE),
      dataDir: options.folder,
      port,
      pid,
      exited: server.exited.then(() => undefined),
      stop: () => (stopping ??= server.hasExited() ? Promise.resolve() : server.stop(pid)),
    };
  }
  if (refusal === "locked") return refuseLocked(cluster);
  throw new DomainError("QSC_DB_START_FAILED", `PostgreSQL found its port taken in ${START_ATTEMPTS} attempts. See ${cluster.dir}.log.`);
};

/**
 * Starts a real PostgreSQL on 127.0.0.1 for this process, creating its data at the first start. However this process
 * ends, the server is gone within five seconds.
 *
 * @throws DomainError QSC_DB_NO_POSTGRES, QSC_DB_OTHER_MAJOR, QSC_DB_NO_ACCOUNT, QSC_DB_NOT_OURS, QSC_DB_LOCKED, QSC_DB_START_FAILED, QSC_DB_PLATFORM
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  if (process.platform === "win32") {
    throw new DomainError(
      "QSC_DB_PLATFORM",
      "The embedded PostgreSQL needs a POSIX shell for its watchdog. On Windows run Quiesce in WSL, or set DATABASE_URL.",
    );
  }
  const account = chooseServerAccount();
  const folder = await prepareDataFolder(options.dataDir, account);
  const where = account === undefined ? folder : `${folder} (PostgreSQL runs as the user ${account.name})`;
  options.log(`Database folder: ${where}`);
  const major = await findClusterMajor(folder);
  const copiesDir = options.binariesDir === undefined ? folder : await prepareDataFolder(options.binariesDir, account);
  const binaries = await findBinaries({ copiesDir, major, account, log: options.log });
  const cluster = await ensureCluster(folder, { binaries, account, durable: options.durable, log: options.log });
  return startCluster(cluster, { ...options, binaries, account, folder });
}
