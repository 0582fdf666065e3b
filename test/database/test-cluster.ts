import { randomBytes } from "node:crypto";
import { access, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { startEmbeddedPostgres } from "../../packages/server/src/db/embedded/start-embedded-postgres.js";
import { migrate } from "../../packages/server/src/db/migrate.js";
import { removeAbandoned, scratchFolder } from "./scratch-folder.js";

/** A server for tests with a migrated template database in it. */
export interface TestCluster {
  /** Any database of the cluster, for creating and dropping others. */
  readonly adminUrl: string;
  readonly template: string;
  stop(): Promise<void>;
}

const MIGRATIONS = fileURLToPath(new URL("../../packages/server/migrations/", import.meta.url));
const BINARIES = fileURLToPath(new URL("../../node_modules/.cache/quiesce/", import.meta.url));
const FOLDER_START = "quiesce-test-";

const silent = (): void => undefined;

const startOwnServer = async (): Promise<{ url: string; stop: () => Promise<void> }> => {
  // A run that was killed leaves its folder (never its processes: the watchdog ends those).
  removeAbandoned(FOLDER_START);
  const dataDir = join(scratchFolder(), `${FOLDER_START}${process.pid}-${randomBytes(4).toString("hex")}`);
  const lines: string[] = [];
  const remove = (folder: string): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const server = await startEmbeddedPostgres({ dataDir, durable: false, binariesDir: BINARIES, log: (line) => lines.push(line) });
    const stop = async (): Promise<void> => {
      await server.stop();
      await remove(server.dataDir);
    };
    return { url: server.url, stop };
  } catch (error) {
    await remove(dataDir);
    throw new Error(`The test database did not start. It said:\n${lines.join("\n")}`, { cause: error });
  }
};

const databaseUrl = (url: string, database: string): string => {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
};

/** Creates the template once a run; without a migrations folder it is an empty database. */
const createTemplate = async (adminUrl: string, template: string): Promise<void> => {
  const admin = postgres(adminUrl, { max: 1, onnotice: silent });
  try {
    await admin.unsafe(`create database ${template} encoding 'UTF8' template template0`);
  } finally {
    await admin.end();
  }
  const hasMigrations = await access(MIGRATIONS).then(
    () => true,
    () => false,
  );
  if (hasMigrations) await migrate(databaseUrl(adminUrl, template), { log: silent });
};

/** Drops the template and every database that a test of this run left behind. */
const dropDatabases = async (adminUrl: string, template: string): Promise<void> => {
  const admin = postgres(adminUrl, { max: 1, onnotice: silent });
  try {
    const rows = await admin<{ datname: string }[]>`select datname from pg_database where starts_with(datname, ${template})`;
    for (const { datname } of rows) await admin.unsafe(`drop database if exists ${datname} with (force)`);
  } finally {
    await admin.end();
  }
};

/**
 * Starts a throw-away PostgreSQL, or uses the one that `serverUrl` names (its role must be allowed to create databases).
 * `stop` leaves nothing behind in either case.
 */
export async function startTestCluster(serverUrl: string | undefined): Promise<TestCluster> {
  const server = serverUrl === undefined ? await startOwnServer() : { url: serverUrl, stop: () => Promise.resolve() };
  const template = `quiesce_test_${process.pid}_${randomBytes(3).toString("hex")}`;
  try {
    await createTemplate(server.url, template);
  } catch (error) {
    if (serverUrl !== undefined) await dropDatabases(server.url, template);
    await server.stop();
    throw error;
  }
  return {
    adminUrl: server.url,
    template,
    stop: async () => {
      try {
        if (serverUrl !== undefined) await dropDatabases(server.url, template);
      } finally {
        await server.stop();
      }
    },
  };
}
