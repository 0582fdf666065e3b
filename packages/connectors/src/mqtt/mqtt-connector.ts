import { defineConnector } from "@quiesce/sdk";
import { messageStream } from "../messages/message-record.js";
import { originOf } from "../network/connection-settings.js";
import { mqttConfig, mqttIdempotency, mqttSecrets } from "./mqtt-config.js";

/**
 * Topics of an MQTT broker (version 5 or 3.1.1). Reading is by a session that the broker keeps, with acknowledgements after the commit; writing is QoS 1.
 * The client is loaded by the first call: who has no such endpoint does not pay for it.
 */
export const mqttConnector = defineConnector({
  apiVersion: 1,
  id: "mqtt",
  version: "0.1.0",
  displayName: "MQTT",
  stability: "beta",
  config: mqttConfig,
  secrets: mqttSecrets,
  egress: (config) => [originOf(config.tls === "disable" ? "mqtt" : "mqtts", config)],
  check: async (x) => (await import("./mqtt-check.js")).checkBroker(x),
  streams: async (x) => x.config.streams.map((stream) => messageStream(stream, "log")),
  read: async function* (x, request) {
    yield* (await import("./mqtt-read.js")).readStream(x, request);
  },
  write: {
    idempotency: "none",
    idempotencyOf: mqttIdempotency,
    maxBatch: 500,
    apply: async (x, stream, items) => (await import("./mqtt-write.js")).writeItems(x, stream, items),
  },
});
