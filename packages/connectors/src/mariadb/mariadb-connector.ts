import { defineConnector } from "@quiesce/sdk";
import { originOf } from "../network/connection-settings.js";
import { mariadbConfig, mariadbSecrets } from "./mariadb-config.js";

/**
 * Tables of a MariaDB (10.5 or newer) or MySQL (8.0 or newer) database. Reading is by keyset over (cursor column, key), lossless to the microsecond;
 * deleted rows are found by `listKeys`. Writing is an upsert by key in one transaction a batch. The client is loaded by the first call: who has no such endpoint does not pay for it.
 */
export const mariadbConnector = defineConnector({
  apiVersion: 1,
  id: "mariadb",
  version: "0.1.0",
  displayName: "MariaDB and MySQL",
  stability: "beta",
  config: mariadbConfig,
  secrets: mariadbSecrets,
  egress: (config) => [originOf("mysql", config)],
  check: async (x) => (await import("./describe-database.js")).checkDatabase(x),
  streams: async (x) => (await import("./describe-database.js")).listStreams(x),
  read: async function* (x, request) {
    yield* (await import("./mariadb-read.js")).readStream(x, request);
  },
  listKeys: async function* (x, request) {
    yield* (await import("./mariadb-read.js")).listTableKeys(x, request);
  },
  write: {
    idempotency: "upsert",
    maxBatch: 1_000,
    apply: async (x, stream, items) => (await import("./mariadb-write.js")).writeItems(x, stream, items),
  },
});
