import { builder } from "../graphql/builder.js";
import { capsEnum } from "../graphql/caps-enum.js";
import { pageArgs, pageComplexity } from "../graphql/connection.js";
import { keyOf, numberOf } from "../graphql/key-or-id.js";
import { EndpointRef } from "../graphql/refs.js";
import { runCommand } from "../graphql/request-context.js";
import { discardWebhookDelivery, replayWebhookDelivery } from "./commands.js";
import { webhookDeliveryPage, webhookDeliveryStates, type WebhookDeliveryView } from "./queries.js";

/** What systems send by themselves: what came, what became of it, and trying once more what failed. */
export function defineWebhooks(): void {
  const StateEnum = capsEnum("WebhookDeliveryState", "How far a delivery is.", webhookDeliveryStates, {
    waiting: "It is kept, and worked through in its turn.",
    dead: "It could not be worked through; it is kept for 30 days.",
    discarded: "Somebody gave it up.",
  });
  const DeliveryRef = builder.objectRef<WebhookDeliveryView>("WebhookDelivery").implement({
    description: "One request that a system sent to /hooks/<endpoint>, and that was vouched for. Its body is never shown.",
    authScopes: { can: "records.read" },
    fields: (t) => ({
      key: t.string({ description: "Its number.", resolve: (row) => String(row.id) }),
      endpoint: t.field({ type: EndpointRef, description: "Where it came in.", resolve: (row) => String(row.endpointId) }),
      facet: t.exposeString("facet", { description: "Which part of the connector reads it: push or alerts." }),
      deliveryId: t.exposeString("deliveryId", {
        description: "The sender's name of it, or one that begins with a digest of what it holds.",
      }),
      receivedAt: t.expose("receivedAt", { type: "DateTime", description: "When it came." }),
      sentAt: t.expose("sentAt", { type: "DateTime", nullable: true, description: "When it says it was sent, where that is signed." }),
      bytes: t.exposeInt("bytes", { description: "The size of its body." }),
      state: t.expose("state", { type: StateEnum, description: "How far it is." }),
      tries: t.exposeInt("tries", { description: "How often it was put off: it found no room, or met what may pass." }),
      nextTryAt: t.expose("nextTryAt", {
        type: "DateTime",
        nullable: true,
        description: "When it is tried next, where it was put off.",
      }),
      error: t.expose("error", { type: "JSON", nullable: true, description: "Why it is dead, or waits." }),
      result: t.expose("result", {
        type: "JSON",
        nullable: true,
        description: "What became of it: records accepted, alerts begun and ended.",
      }),
      settledAt: t.expose("settledAt", { type: "DateTime", nullable: true, description: "When it was done with." }),
    }),
  });
  const DeliveryConnection = builder.connectionObject(
    { type: DeliveryRef, name: "WebhookDeliveryConnection", description: "A page of deliveries." },
    { name: "WebhookDeliveryEdge", description: "A delivery in a list." },
  );
  const Filter = builder.inputType("WebhookDeliveryFilter", {
    description: "Which deliveries; every condition must hold.",
    fields: (t) => ({
      endpoint: t.string({ description: "To this endpoint (key or id)." }),
      states: t.field({ type: [StateEnum], description: "In one of these states." }),
    }),
  });
  builder.queryField("webhookDeliveries", (t) =>
    t.field({
      type: DeliveryConnection,
      authScopes: { can: "records.read" },
      description: "What systems have sent, the newest first; kept for 72 hours at least, what failed for 30 days.",
      args: { ...pageArgs, filter: t.arg({ type: Filter, description: "Only these." }) },
      complexity: pageComplexity,
      resolve: async (_root, { filter, ...args }, context) => {
        const endpoint = typeof filter?.endpoint === "string" ? await keyOf(context, "Endpoint", filter.endpoint) : null;
        return webhookDeliveryPage(context.database, args, { ...filter, endpoint });
      },
    }),
  );
  const Input = builder.inputType("WebhookDeliveryInput", {
    description: "A delivery that could not be worked through.",
    fields: (t) => ({
      key: t.string({ required: true, description: "Its number." }),
      reason: t.string({ required: true, description: "Why; it goes into the audit trail." }),
    }),
  });
  const write = { authScopes: { can: "runs.write" } } as const;
  builder.mutationFields((t) => ({
    replayWebhookDelivery: t.string({
      ...write,
      description: "Has a delivery that is dead tried once more; answers its number.",
      args: { input: t.arg({ type: Input, required: true, description: "Which one." }) },
      resolve: async (_root, { input }, context) => {
        const id = numberOf("WebhookDelivery", input.key, "key");
        const on = [{ kind: "webhook-delivery", key: id }] as const;
        return String(
          await runCommand(context, { action: "runs.write", on }, (command) =>
            replayWebhookDelivery(command, { id, reason: input.reason }),
          ),
        );
      },
    }),
    discardWebhookDelivery: t.string({
      ...write,
      description: "Gives a delivery up that is dead; answers its number.",
      args: { input: t.arg({ type: Input, required: true, description: "Which one." }) },
      resolve: async (_root, { input }, context) => {
        const id = numberOf("WebhookDelivery", input.key, "key");
        const on = [{ kind: "webhook-delivery", key: id }] as const;
        return String(
          await runCommand(context, { action: "runs.write", on }, (command) =>
            discardWebhookDelivery(command, { id, reason: input.reason }),
          ),
        );
      },
    }),
  }));
}
