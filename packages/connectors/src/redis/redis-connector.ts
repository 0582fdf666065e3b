import { defineConnector } from "@quiesce/sdk";
import { messageStream } from "../messages/message-record.js";
import { originOf } from "../network/connection-settings.js";
import { redisConfig, redisIdempotency, redisSecrets } from "./redis-config.js";

/**
 * Streams of one Redis (6.2 or newer) or Valkey server. Reading is by the entries' ids; it takes nothing away and needs no consumer group.
 * The client is loaded by the first call: who has no such endpoint does not pay for it.
 */
export const redisConnector = defineConnector({
  apiVersion: 1,
  id: "redis",
  version: "0.1.0",
  displayName: "Redis streams",
  stability: "beta",
  config: redisConfig,
  secrets: redisSecrets,
  egress: (config) => [originOf(config.tls === "disable" ? "redis" : "rediss", config)],
  check: async (x) => (await import("./redis-check.js")).checkServer(x),
  streams: async (x) => x.config.streams.map((stream) => messageStream(stream, "log")),
  read: async function* (x, request) {
    yield* (await import("./redis-read.js")).readStream(x, request);
  },
  write: {
    idempotency: "none",
    idempotencyOf: redisIdempotency,
    maxBatch: 500,
    apply: async (x, stream, items) => (await import("./redis-write.js")).writeItems(x, stream, items),
  },
});
