import { type SQL, sql } from "drizzle-orm";
import type { Database } from "../db/client.js";
import { type Page, type PageArgs, readPage, type SortKey } from "../db/read-page.js";
import { texts } from "../db/sql-arrays.js";

export const webhookDeliveryStates = ["waiting", "done", "dead", "discarded"] as const;

/** A delivery of a webhook as the API shows it: never its body, which may hold anything. */
export interface WebhookDeliveryView {
  readonly id: number;
  readonly endpointId: number;
  readonly facet: string;
  readonly deliveryId: string;
  readonly receivedAt: number;
  readonly sentAt: number | null;
  readonly bytes: number;
  readonly state: (typeof webhookDeliveryStates)[number];
  readonly tries: number;
  readonly nextTryAt: number | null;
  readonly error: unknown;
  readonly result: unknown;
  readonly settledAt: number | null;
}

export interface WebhookDeliveryFilter {
  readonly endpoint?: string | null | undefined;
  readonly states?: readonly WebhookDeliveryView["state"][] | null | undefined;
}

const columns = sql`d.id, d.endpoint_id as "endpointId", d.facet, d.delivery_id as "deliveryId", d.received_at as "receivedAt", d.sent_at as "sentAt", d.bytes,
  d.state, d.tries, d.next_try_at as "nextTryAt", d.error, d.result, d.settled_at as "settledAt"`;

/** A page of deliveries, the newest first. */
export function webhookDeliveryPage(database: Database, args: PageArgs, filter: WebhookDeliveryFilter): Promise<Page<WebhookDeliveryView>> {
  const { endpoint, states } = filter;
  const where: SQL[] = [
    ...(states ? [sql`d.state = any (${texts(states)})`] : []),
    ...(typeof endpoint === "string" ? [sql`d.endpoint_id = (select e.id from endpoint as e where e.key = ${endpoint})`] : []),
  ];
  const byId: SortKey<WebhookDeliveryView> = { column: sql`d.id`, type: "bigint", of: (row) => row.id };
  return readPage(database, args, { columns, from: sql`webhook_delivery as d`, where, sort: [byId], direction: "desc" });
}
