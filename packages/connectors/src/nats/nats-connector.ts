import { defineConnector } from "@quiesce/sdk";
import { messageStream } from "../messages/message-record.js";
import { originOf } from "../network/connection-settings.js";
import { natsConfig, natsSecrets } from "./nats-config.js";

/**
 * Streams of NATS JetStream. Reading is by the stream's sequence, writing by message ids that the stream recognises.
 * The client is loaded by the first call: who has no such endpoint does not pay for it.
 */
export const natsConnector = defineConnector({
  apiVersion: 1,
  id: "nats",
  version: "0.1.0",
  displayName: "NATS JetStream",
  stability: "beta",
  config: natsConfig,
  secrets: natsSecrets,
  egress: (config) => [originOf("nats", config)],
  check: async (x) => (await import("./nats-check.js")).checkServer(x),
  streams: async (x) => x.config.streams.map((stream) => messageStream(stream, "log")),
  read: async function* (x, request) {
    yield* (await import("./nats-read.js")).readStream(x, request);
  },
  write: {
    idempotency: "key",
    maxBatch: 500,
    apply: async (x, stream, items) => (await import("./nats-write.js")).writeItems(x, stream, items),
  },
});
