import { webhookLimits } from "@quiesce/core";
import type { WebhookRequest } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import type { WebhookFacet } from "../connector-host/webhook-calls.js";
import type { Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";

/** A delivery that was verified, on its way into the table. */
export interface ArrivingDelivery {
  readonly endpointId: number;
  readonly facet: WebhookFacet;
  readonly deliveryId: string;
  readonly sentAt: number | null;
  readonly request: WebhookRequest;
}

/** What waits for one endpoint. */
export async function waitingOf(tx: Tx, endpointId: number): Promise<{ readonly deliveries: number; readonly bytes: number }> {
  const [row] = await selectRows<{ deliveries: number; bytes: number }>(
    tx,
    sql`select count(*)::integer as deliveries, coalesce(sum(bytes), 0)::float8 as bytes from webhook_delivery where endpoint_id = ${endpointId} and state = 'waiting'`,
  );
  return row ?? { deliveries: 0, bytes: 0 };
}

/** Whether a delivery of this id is known already. */
export async function isKnown(tx: Tx, { endpointId, deliveryId }: Pick<ArrivingDelivery, "endpointId" | "deliveryId">): Promise<boolean> {
  const rows = await tx.execute(sql`select from webhook_delivery where endpoint_id = ${endpointId} and delivery_id = ${deliveryId}`);
  return rows.length > 0;
}

/** Whether what this endpoint's webhook took last has an id that begins with the digest; what it took longer ago than ids are known counts as nothing. */
export async function isNewest(
  tx: Tx,
  { endpointId, facet }: Pick<ArrivingDelivery, "endpointId" | "facet">,
  digest: string,
): Promise<boolean> {
  const rows = await tx.execute(sql`
    select from (
      select delivery_id, received_at from webhook_delivery where endpoint_id = ${endpointId} and facet = ${facet} order by id desc limit 1) as newest
    where starts_with(delivery_id, ${digest}) and received_at > app_now() - ${webhookLimits.rememberedHours}::integer * interval '1 hour'`);
  return rows.length > 0;
}

/** Keeps a delivery; false: it is known already. */
export async function insertDelivery(tx: Tx, { endpointId, facet, deliveryId, sentAt, request }: ArrivingDelivery): Promise<boolean> {
  const { method, path, query, headers, body } = request;
  const rows = await tx.execute(sql`
    insert into webhook_delivery (endpoint_id, facet, delivery_id, received_at, sent_at, method, path, query, headers, body, bytes)
    values (${endpointId}, ${facet}, ${deliveryId}, app_now(), ${sentAt}::timestamptz, ${method}, ${path}, ${JSON.stringify(query)}::text::jsonb,
      ${JSON.stringify(headers)}::text::jsonb, decode(${Buffer.from(body).toString("base64")}, 'base64'), ${body.byteLength})
    on conflict (endpoint_id, delivery_id) do nothing returning id`);
  return rows.length > 0;
}

/** A delivery that is being worked through. */
export interface WaitingDelivery {
  readonly id: number;
  readonly endpointId: number;
  readonly endpointKey: string;
  readonly facet: WebhookFacet;
  readonly deliveryId: string;
  readonly method: string;
  readonly path: string;
  readonly query: { readonly [name: string]: string };
  readonly headers: { readonly [name: string]: string };
  /** base64 */
  readonly body: string;
  /** How often it was put off, for whatever cause. */
  readonly tries: number;
  /** How often in a row it failed; waiting for room is no failure. */
  readonly failures: number;
}

/** Locks the next delivery to work through: of each endpoint the oldest that waits, so that its order is kept, unless somebody has it or it waits for a later try. */
export async function lockNext(tx: Tx): Promise<WaitingDelivery | undefined> {
  const [row] = await selectRows<WaitingDelivery>(
    tx,
    sql`
    select d.id, d.endpoint_id as "endpointId", e.key as "endpointKey", d.facet, d.delivery_id as "deliveryId", d.method, d.path, d.query, d.headers,
      replace(encode(d.body, 'base64'), E'\n', '') as body, d.tries,
      coalesce((d.error ->> 'failures')::integer, 0) as failures
    from webhook_delivery as d join endpoint as e on e.id = d.endpoint_id
    where d.state = 'waiting' and coalesce(d.next_try_at <= app_now(), true) and not exists (
      select from webhook_delivery as earlier where earlier.endpoint_id = d.endpoint_id and earlier.state = 'waiting' and earlier.id < d.id)
    order by d.id limit 1 for update of d skip locked`,
  );
  return row;
}

/** Locks a delivery; whether it still waits to be worked through. */
export async function isWaiting(tx: Tx, id: number): Promise<boolean> {
  const rows = await tx.execute(sql`select from webhook_delivery where id = ${id}::bigint and state = 'waiting' for update`);
  return rows.length > 0;
}

/** A delivery has come to its end. What is dead keeps its body, so that it can be tried once more. */
export async function settle(
  tx: Tx,
  id: number,
  outcome:
    | { readonly state: "done"; readonly result: { readonly [name: string]: unknown } }
    | { readonly state: "dead"; readonly error: { readonly [name: string]: unknown } },
): Promise<void> {
  if (outcome.state === "done")
    await tx.execute(sql`
      update webhook_delivery set state = 'done', settled_at = app_now(), body = null, headers = '{}', query = '{}', next_try_at = null, error = null,
        result = ${JSON.stringify(outcome.result)}::text::jsonb
      where id = ${id}::bigint`);
  else
    await tx.execute(sql`
      update webhook_delivery set state = 'dead', settled_at = app_now(), next_try_at = null, error = ${JSON.stringify(outcome.error)}::text::jsonb where id = ${id}::bigint`);
}

/** A delivery that finds no room now, or met what may pass, is tried again; what came after it for its endpoint waits with it. */
export async function putOff(tx: Tx, id: number, at: number, error: { readonly [name: string]: unknown }): Promise<void> {
  await tx.execute(sql`
    update webhook_delivery set tries = tries + 1, next_try_at = ${at}::timestamptz, error = ${JSON.stringify(error)}::text::jsonb where id = ${id}::bigint`);
}
