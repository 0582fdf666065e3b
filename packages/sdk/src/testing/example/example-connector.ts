import { createHmac } from "node:crypto";
import { defineConnector, isConnectorError, z, type Connector, type HttpAnswer } from "../../index.js";
import type { ConformanceOptions } from "../conformance-options.js";
import { fake } from "../system-under-test.js";
import { countOrders, digestsOfOrders, keysOfOrders, listThings } from "./example-catalog.js";
import { alertWebhook, announce, listDowntimes, pullAlerts, withdraw } from "./example-monitor.js";
import { allowance, approveChange, plannedChanges, tell } from "./example-planning.js";
import { readOrders, writeOrders } from "./example-records.js";
import { ask } from "./example-request.js";
import { ExampleSystem } from "./example-system.js";
import { createTicket, findTicket, ticketChanges, updateTicket, whoAmI } from "./example-tracker.js";

const CODES = { BAD_CONTENT: "invalid", NOT_ALLOWED: "invalid", NO_SUCH_HOST: "not_found", MAINTENANCE: "unavailable" } as const;

/** What the system says by an error in a 200. */
function classify({ status, text }: HttpAnswer): { kind: (typeof CODES)[keyof typeof CODES]; message: string; field?: string } | undefined {
  if (status !== 200 || !text.startsWith('{"error"')) return undefined;
  const parsed = z.object({
    error: z.object({ code: z.enum(["BAD_CONTENT", "NOT_ALLOWED", "NO_SUCH_HOST", "MAINTENANCE"]), field: z.string().optional() }),
  });
  const found = parsed.safeParse(JSON.parse(text));
  if (!found.success) return undefined;
  const { code, field } = found.data.error;
  return { kind: CODES[code], message: `The system refuses it: ${code} ${field ?? ""}`, ...(field === undefined ? {} : { field }) };
}

/** A connector that does everything right, for a system that has a little of everything: what mutants are made of, and an example to read. @experimental */
export const exampleConnector = defineConnector({
  apiVersion: 1,
  id: "example",
  version: "1.0.0",
  displayName: "Example",
  stability: "experimental",
  config: z.object({ url: z.url(), pageSize: z.int().default(50) }),
  secrets: z.object({ token: z.string().min(1), webhookSecret: z.string().min(1) }),
  configVersion: 2,
  migrate: (old) => {
    const { address } = z.object({ address: z.string() }).parse(old);
    return { url: address };
  },
  egress: ({ url }) => [new URL(url).origin],
  auth: (_config, { token }) => ({ kind: "bearer", token }),
  classify,
  check: async (x) => {
    const { version } = await ask(x, "/health", z.object({ ok: z.literal(true), version: z.string() }));
    return { status: "up", version };
  },
  streams: async () => [{ name: "orders", schema: { type: "object" }, key: ["id"], cursor: "incremental", deletes: "tombstone" }],
  read: readOrders,
  write: { idempotency: "upsert", maxBatch: 100, apply: writeOrders },
  alerts: { pull: pullAlerts, webhook: alertWebhook },
  downtime: { announce, withdraw, list: listDowntimes },
  tracker: {
    fields: async () => [{ name: "state", type: "enum", required: true, values: [{ id: "open", label: "Open" }] }],
    whoAmI,
    create: createTicket,
    update: updateTicket,
    find: findTicket,
    changes: ticketChanges,
  },
  rotate: {
    secrets: ["token"],
    issue: async (x) => ({ secrets: { token: (await ask(x, "/tokens", z.object({ token: z.string() }), { method: "POST" })).token } }),
    revoke: async (x, old) => {
      if (old.token === x.secrets.token) return;
      try {
        await ask(x, `/tokens/${encodeURIComponent(old.token)}`, z.undefined(), { method: "DELETE" });
      } catch (thrown) {
        if (!isConnectorError(thrown) || thrown.kind !== "not_found") throw thrown;
      }
    },
  },
  calendar: { changes: plannedChanges, approve: approveChange },
  catalog: listThings,
  quota: allowance,
  notify: tell,
  reconcile: { count: countOrders, keys: keysOfOrders, digest: digestsOfOrders },
  close: async () => undefined,
});

/** The example's own type, for mutants. */
export type ExampleConnector = typeof exampleConnector extends Connector<infer C, infer S> ? Connector<C, S> : never;

/** How the example is tested. @experimental */
export const exampleOptions: ConformanceOptions<ExampleSystem> = {
  server: fake(() => new ExampleSystem()),
  config: {
    valid: ({ url }) => ({ url }),
    invalid: [{}, { url: "no address" }, { url: "https://example.com", pageSize: "many" }],
    older: [{ version: 1, config: { address: "https://example.com" } }],
  },
  secrets: {
    valid: { token: "good", webhookSecret: "whsec_b2xkIHNlY3JldA==" },
    wrong: { token: "bad", webhookSecret: "whsec_b2xkIHNlY3JldA==" },
    readOnly: { token: "reader", webhookSecret: "whsec_b2xkIHNlY3JldA==" },
    rotated: { token: "good", webhookSecret: "whsec_bmV3IHNlY3JldA==" },
  },
  bodyErrors: [{ answer: { json: { error: { code: "MAINTENANCE" } } }, kind: "unavailable" }],
  read: {
    stream: "orders",
    seed: (system, rows) => {
      for (const { id, at, n } of rows) system.orders.set(id, { id, at: at.toISOString(), n });
    },
    remove: (system, id) => {
      system.orders.set(id, { id, at: "2026-11-20T07:59:59.500Z", n: 0, deleted: true });
    },
  },
  write: {
    stream: "orders",
    item: (n) => ({ key: `order/${n}`, data: { n } }),
    bad: (n) => ({ key: `order/${n}`, data: { n: "many" } }),
    stored: (system) => system.written,
    staleVersion: "0",
    deletes: true,
  },
  alerts: {
    raise: (system, name) => system.raise(name),
    resolve: (system, name) => system.resolve(name),
    silence: (system, name) => system.silence(name),
  },
  webhooks: {
    alerts: {
      body: '{"alert": {"host": "erp", "since": "2026-11-20T08:00:00Z", "state": "firing"}}',
      request: ({ body, secrets, at, deliveryId }) => {
        const timestamp = String(Math.floor(at.getTime() / 1000));
        const key = Buffer.from((secrets["webhookSecret"] as string).replace("whsec_", ""), "base64");
        const signature = createHmac("sha256", key).update(`${deliveryId}.${timestamp}.${body}`).digest("base64");
        return {
          method: "POST",
          path: "/",
          query: {},
          headers: {
            "webhook-id": deliveryId,
            "webhook-timestamp": timestamp,
            "webhook-signature": `v1,${signature}`,
            "content-type": "application/json",
          },
          body: new TextEncoder().encode(body),
        };
      },
    },
  },
  downtime: { resources: ["erp", "shop"], unknownResource: "nowhere" },
  tracker: { illegal: { patch: { state: "closed" }, field: "state" }, edit: (system, id) => system.editTicket(id) },
  calendar: {
    plan: (system, change) => system.changes.plan(change),
    cancel: (system, id) => system.changes.put(id, "cancelled"),
    awaitApproval: (system, id) => system.changes.put(id, "approval"),
  },
  catalog: {
    things: [
      { id: "database", dependsOn: [] },
      { id: "erp", dependsOn: ["database", "network"] },
      { id: "network", dependsOn: [] },
      { id: "shop", dependsOn: ["erp"] },
    ],
    seed: (system, things) => {
      for (const { id, dependsOn } of things) system.things.put(id, dependsOn);
    },
    remove: (system, id) => system.things.put(id, [], true),
  },
  quota: {
    use: (system, requests) => {
      system.used += requests;
    },
  },
  notify: { shown: (system) => system.messages.shown, unknownRecipient: "nobody" },
  reconcile: { fields: ["n"], data: ({ n }) => ({ n }) },
};
