import { defineConnector, type Stream } from "@quiesce/sdk";
import { httpConfig, httpSecrets, type HttpStream } from "./http-config.js";
import { listStreamKeys, readStream } from "./http-read.js";
import { send } from "./http-request.js";
import { httpIdempotency, writeItems } from "./http-write.js";

/**
 * JSON over REST. Streams, paging, key and write paths are configuration. Paging by page or offset can miss a record if
 * another is deleted while it pages: prefer token paging or `since` where the system has them.
 */
export const httpConnector = defineConnector({
  apiVersion: 1,
  id: "http",
  version: "0.1.0",
  displayName: "HTTP (JSON over REST)",
  stability: "beta",
  config: httpConfig,
  secrets: httpSecrets,
  egress: (config) => [new URL(config.baseUrl).origin],
  check: async (x) => {
    const response = await send(x, x.config.checkPath ?? x.config.streams[0]?.path ?? "/");
    await response.body?.cancel();
    return { status: "up" };
  },
  streams: async (x) => x.config.streams.map(streamInfo),
  read: readStream,
  listKeys: listStreamKeys,
  write: {
    idempotency: "none",
    idempotencyOf: httpIdempotency,
    maxBatch: 100,
    apply: writeItems,
  },
});

function streamInfo(stream: HttpStream): Stream {
  return {
    name: stream.name,
    schema: {},
    key: stream.key,
    cursor: stream.since === undefined ? "none" : "incremental",
    deletes: stream.deletedPath === undefined ? "snapshot" : "tombstone",
  };
}
