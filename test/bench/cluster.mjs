import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { migrate } from "../../packages/server/dist/db/migrate.js";
import { startEmbeddedPostgres } from "../../packages/server/dist/db/embedded/start-embedded-postgres.js";

/** A durable cluster (fsync on) in a folder of its own, for one benchmark run; every contender gets its own database on it. */
export async function startBenchCluster() {
  const folder = await mkdtemp(join(tmpdir(), "quiesce-bench-"));
  const server = await startEmbeddedPostgres({ dataDir: folder, durable: true, log: () => undefined });
  const admin = postgres(server.url, { max: 1, onnotice: () => undefined });
  return {
    async database(name, options = {}) {
      await admin.unsafe(`drop database if exists ${name} with (force)`);
      await admin.unsafe(`create database ${name}`);
      const url = new URL(server.url);
      url.pathname = `/${name}`;
      if (options.migrated === true) await migrate(url.href, { log: () => undefined });
      return url.href;
    },
    async settings() {
      const rows =
        await admin`select name, setting from pg_settings where name in ('server_version', 'fsync', 'synchronous_commit', 'shared_buffers', 'max_connections') order by name`;
      return rows.map((row) => `${row.name}=${row.setting}`).join(" ");
    },
    async stop() {
      await admin.end();
      await server.stop();
      await rm(server.dataDir, { recursive: true, force: true });
      await rm(folder, { recursive: true, force: true });
    },
  };
}
