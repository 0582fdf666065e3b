import { defineConnector } from "@quiesce/sdk";
import { messageStream } from "../messages/message-record.js";
import { originOf } from "../network/connection-settings.js";
import { rabbitmqConfig, rabbitmqIdempotency, rabbitmqSecrets } from "./rabbitmq-config.js";

/**
 * Queues and exchanges of RabbitMQ (AMQP 0-9-1). Reading acknowledges after the commit, writing waits for confirms.
 * The client is loaded by the first call: who has no such endpoint does not pay for it.
 */
export const rabbitmqConnector = defineConnector({
  apiVersion: 1,
  id: "rabbitmq",
  version: "0.1.0",
  displayName: "RabbitMQ",
  stability: "beta",
  config: rabbitmqConfig,
  secrets: rabbitmqSecrets,
  egress: (config) => [originOf(config.tls === "disable" ? "amqp" : "amqps", config)],
  check: async (x) => (await import("./rabbitmq-check.js")).checkBroker(x),
  streams: async (x) => x.config.streams.map((stream) => messageStream(stream, "log")),
  read: async function* (x, request) {
    yield* (await import("./rabbitmq-read.js")).readStream(x, request);
  },
  write: {
    idempotency: "none",
    idempotencyOf: rabbitmqIdempotency,
    maxBatch: 500,
    apply: async (x, stream, items) => (await import("./rabbitmq-write.js")).writeItems(x, stream, items),
  },
});
