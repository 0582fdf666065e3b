import { constants } from "node:fs";
import { access } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { defineConnector, type Stream } from "@quiesce/sdk";
import { fileConfig, fileSecrets, type FileStream } from "./file-config.js";
import { fileError } from "./file-error.js";
import { listFileKeys, readStream } from "./file-read.js";
import { countRecords, listKeyHashes } from "./file-reconcile.js";
import { fileIdempotency, writeItems } from "./file-write.js";

/** CSV and JSON Lines files in one folder. Reads what was added since, or everything if a file was replaced; writes by append or by upsert. */
export const fileConnector = defineConnector({
  apiVersion: 1,
  id: "file",
  version: "0.1.0",
  displayName: "Files (CSV, JSON Lines)",
  stability: "beta",
  config: fileConfig,
  secrets: fileSecrets,
  egress: (config) => [pathToFileURL(config.folder).href],
  check: async (x) => {
    const writes = x.config.streams.some((stream) => stream.write !== undefined);
    try {
      await access(x.config.folder, constants.R_OK | constants.X_OK | (writes ? constants.W_OK : 0));
      return { status: "up" };
    } catch (thrown) {
      throw fileError(thrown, x.config.folder, x.signal);
    }
  },
  streams: async (x) => x.config.streams.map(streamInfo),
  read: readStream,
  listKeys: listFileKeys,
  reconcile: { count: countRecords, keys: listKeyHashes },
  write: { idempotency: "none", idempotencyOf: fileIdempotency, maxBatch: 10_000, apply: writeItems },
});

function streamInfo(stream: FileStream): Stream {
  const cells = (stream.columns ?? []).map((name) => [name, { type: "string" }]);
  return {
    name: stream.name,
    schema: stream.format === "csv" ? { type: "object", properties: Object.fromEntries(cells) } : { type: "object" },
    key: stream.key,
    cursor: "incremental",
    deletes: "snapshot",
  };
}
