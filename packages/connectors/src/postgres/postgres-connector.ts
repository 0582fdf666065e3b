import { defineConnector, type Stream } from "@quiesce/sdk";
import { openDatabase, type PostgresContext } from "./postgres-client.js";
import { postgresConfig, postgresSecrets } from "./postgres-config.js";
import { listTableKeys, readStream } from "./postgres-read.js";
import { countRows, digestRows, listKeyHashes } from "./postgres-reconcile.js";
import { issuePassword, revokePassword } from "./postgres-rotate.js";
import { writeItems } from "./postgres-write.js";
import { neededColumns, rowSchema } from "./table-columns.js";

/**
 * Tables of a PostgreSQL database (12 or newer). Reading is by keyset over (cursor column, key), lossless to the microsecond;
 * deleted rows are found by `listKeys`. Writing is an upsert by key, one statement a batch. Passwords are renewed with two roles that take turns.
 */
export const postgresConnector = defineConnector({
  apiVersion: 1,
  id: "postgres",
  version: "0.1.0",
  displayName: "PostgreSQL",
  stability: "beta",
  config: postgresConfig,
  secrets: postgresSecrets,
  egress: (config) => [`postgres://${config.host.includes(":") ? `[${config.host}]` : config.host}:${config.port}`],
  check: async (x) => {
    const database = await openDatabase(x);
    try {
      const rows = await database.query("select current_setting('server_version') as version, current_user::text as principal");
      return {
        status: "up",
        version: String(rows[0]?.["version"]),
        identity: { principal: String(rows[0]?.["principal"]) },
      };
    } finally {
      await database.close();
    }
  },
  streams: listStreams,
  read: readStream,
  listKeys: listTableKeys,
  reconcile: { count: countRows, keys: listKeyHashes, digest: digestRows },
  write: { idempotency: "upsert", maxBatch: 1_000, apply: writeItems },
  rotate: {
    secrets: ["password", "turn"],
    canIssue: (config) => config.rotation !== undefined,
    canRevoke: (config) => config.rotation !== undefined,
    issue: issuePassword,
    revoke: revokePassword,
  },
});

async function listStreams(x: PostgresContext): Promise<Stream[]> {
  const database = await openDatabase(x);
  try {
    const streams: Stream[] = [];
    for (const stream of x.config.streams) {
      // A table that is still to be created has no columns to show.
      const columns = stream.createTable ? [] : await neededColumns(database, stream, stream.key);
      streams.push({
        name: stream.name,
        schema: rowSchema(columns),
        key: stream.key,
        cursor: stream.cursorColumn === undefined ? "none" : "incremental",
        deletes: "snapshot",
      });
    }
    return streams;
  } finally {
    await database.close();
  }
}
