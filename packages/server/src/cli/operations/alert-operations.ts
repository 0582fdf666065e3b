import { z } from "zod";
import { operation } from "../graphql-client.js";

const pageInfo = z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() });

const alertShape = z.object({
  key: z.string(),
  status: z.string(),
  severity: z.string(),
  title: z.string(),
  resourceKind: z.string(),
  resourceName: z.string(),
  startedAt: z.string(),
  endedAt: z.string().nullable(),
  acknowledgedBy: z.string().nullable(),
  suppressedBy: z.array(z.string()),
  endpoint: z.object({ key: z.string() }),
});
export type AlertAnswer = z.infer<typeof alertShape>;

export const listAlerts = operation(
  `query Alerts($first: Int, $after: String, $filter: AlertFilter) {
    alerts(first: $first, after: $after, filter: $filter) {
      nodes { key status severity title resourceKind resourceName startedAt endedAt acknowledgedBy suppressedBy endpoint { key } }
      pageInfo { hasNextPage endCursor }
    }
  }`,
  z.object({ alerts: z.object({ nodes: z.array(alertShape), pageInfo }) }),
);

const shownAlertShape = alertShape.extend({
  origin: z.string(),
  isMuted: z.boolean(),
  resourceParents: z.array(z.string()),
  url: z.string().nullable(),
  incident: z.object({ key: z.string() }).nullable(),
  reasons: z.array(
    z.object({
      kind: z.string(),
      rule: z.string(),
      path: z.string(),
      reason: z.string(),
      mutes: z.boolean(),
      until: z.string().nullable(),
      beganAt: z.string(),
      endedAt: z.string().nullable(),
    }),
  ),
});
export type ShownAlertAnswer = z.infer<typeof shownAlertShape>;

export const showAlert = operation(
  `query Alert($key: String!) {
    alert(key: $key) {
      key status severity title resourceKind resourceName startedAt endedAt acknowledgedBy suppressedBy endpoint { key }
      origin isMuted resourceParents url incident { key } reasons { kind rule path reason mutes until beganAt endedAt }
    }
  }`,
  z.object({ alert: shownAlertShape.nullable() }),
);

const deliveryShape = z.object({
  key: z.string(),
  facet: z.string(),
  deliveryId: z.string(),
  receivedAt: z.string(),
  bytes: z.number(),
  state: z.string(),
  error: z.looseObject({ message: z.string().optional() }).nullable(),
  result: z.unknown(),
  endpoint: z.object({ key: z.string() }),
});
export type WebhookDeliveryAnswer = z.infer<typeof deliveryShape>;

export const listWebhookDeliveries = operation(
  `query WebhookDeliveries($first: Int, $after: String, $filter: WebhookDeliveryFilter) {
    webhookDeliveries(first: $first, after: $after, filter: $filter) {
      nodes { key facet deliveryId receivedAt bytes state error result endpoint { key } }
      pageInfo { hasNextPage endCursor }
    }
  }`,
  z.object({ webhookDeliveries: z.object({ nodes: z.array(deliveryShape), pageInfo }) }),
);
export const replayDelivery = operation(
  "mutation ReplayWebhookDelivery($input: WebhookDeliveryInput!) { replayWebhookDelivery(input: $input) }",
  z.object({ replayWebhookDelivery: z.string() }),
);
export const discardDelivery = operation(
  "mutation DiscardWebhookDelivery($input: WebhookDeliveryInput!) { discardWebhookDelivery(input: $input) }",
  z.object({ discardWebhookDelivery: z.string() }),
);
