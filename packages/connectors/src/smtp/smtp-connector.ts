import { defineConnector } from "@quiesce/sdk";
import { originOf } from "../network/connection-settings.js";
import { smtpConfig, smtpSecrets } from "./smtp-config.js";

/**
 * Sends a mail for every record. A mail whose fate is unknown is never sent again by itself.
 * The client is loaded by the first call: who has no such endpoint does not pay for it.
 */
export const smtpConnector = defineConnector({
  apiVersion: 1,
  id: "smtp",
  version: "0.1.0",
  displayName: "SMTP (send mail)",
  stability: "beta",
  config: smtpConfig,
  secrets: smtpSecrets,
  egress: (config) => [originOf(config.tls === "disable" || config.startTls ? "smtp" : "smtps", config)],
  check: async (x) => (await import("./smtp-check.js")).checkServer(x),
  streams: async (x) => x.config.streams.map(({ name }) => ({ name, schema: MAIL_SCHEMA, key: [], cursor: "none", deletes: "none" })),
  write: {
    idempotency: "none",
    maxBatch: 50,
    apply: async (x, stream, items) => (await import("./smtp-write.js")).writeItems(x, stream, items),
  },
});

const texts = { anyOf: [{ type: "string" }, { type: "array", items: { type: "string" } }] };
const MAIL_SCHEMA = {
  type: "object",
  additionalProperties: false,
  required: ["subject"],
  properties: {
    to: texts,
    cc: texts,
    bcc: texts,
    replyTo: { type: "string" },
    subject: { type: "string" },
    text: { type: "string" },
    html: { type: "string" },
  },
} as const;
