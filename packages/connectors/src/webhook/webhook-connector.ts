import { defineConnector, type Health } from "@quiesce/sdk";
import { webhookConfig, webhookSecrets } from "./webhook-config.js";
import { refusedRequest, urlOf, webhookIdempotency, writeItems, type WebhookContext } from "./webhook-write.js";

/** Sends records to others as signed messages (Standard Webhooks). */
export const webhookConnector = defineConnector({
  apiVersion: 1,
  id: "webhook",
  version: "0.1.0",
  displayName: "Webhook (Standard Webhooks)",
  stability: "beta",
  config: webhookConfig,
  secrets: webhookSecrets,
  egress: (config) => [new URL(config.url).origin],
  check: knock,
  streams: async (x) => x.config.streams.map(({ name }) => ({ name, schema: {}, key: [], cursor: "none", deletes: "none" })),
  write: { idempotency: "key", idempotencyOf: webhookIdempotency, maxBatch: 100, apply: writeItems },
  rotate: { secrets: ["signingSecret", "previousSigningSecret"] },
});

/** Receivers that know nothing but POST say so in one of these ways: they are there. */
const ONLY_POST = new Set([400, 404, 405, 411, 415, 422, 501]);

/** Only a message would tell whether the secret is the right one, and a check sends none: it asks for the head of the address. */
async function knock(x: WebhookContext): Promise<Health> {
  const url = urlOf(x.config, {});
  const response = await x.fetch(url, {
    method: "HEAD",
    redirect: "manual",
    signal: x.signal,
    ...(x.config.ca === undefined ? {} : { tls: { ca: x.config.ca } }),
  });
  if (!response.ok && !ONLY_POST.has(response.status)) throw await refusedRequest(x, response, `HEAD ${url.pathname}`);
  await response.body?.cancel();
  return { status: "up" };
}
