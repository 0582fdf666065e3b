import { createHash, randomUUID } from "node:crypto";
import { DomainError, hasRoom, judgeSentAt, webhookLimits } from "@quiesce/core";
import { ConnectorError, type WebhookHandshake, type WebhookRequest } from "@quiesce/sdk";
import { sql } from "drizzle-orm";
import { inTransaction, readNow } from "../command.js";
import type { CredentialChoice } from "../connector-host/load-endpoint.js";
import type { WebhookCalls, WebhookLook } from "../connector-host/webhook-calls.js";
import type { Database, Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { storableText } from "../pipeline/storable-json.js";
import type { Log } from "../log.js";
import { type ArrivingDelivery, insertDelivery, isKnown, isNewest, waitingOf } from "./store.js";

export interface WebhookServices {
  readonly database: Database;
  readonly webhooks: WebhookCalls;
  readonly log: Log;
}

/** What became of a request. Once it is answered, an accepted delivery is durable. */
export type Reception =
  | { readonly kind: "handshake"; readonly answer: WebhookHandshake }
  | { readonly kind: "accepted"; readonly duplicate: boolean };

/** Secrets that a rotation has not ended yet: so many are tried beside those in force. */
const MAX_OLDER_CREDENTIALS = 4;

/**
 * Takes a request that a system sent to an endpoint. Throws QSC_WEBHOOK_REFUSED for what no endpoint vouches for, in one form for strangers, its
 * reason in the log; QSC_WEBHOOK_FULL when too much waits.
 */
export async function receiveDelivery(
  services: WebhookServices,
  given: { readonly endpointKey: string; readonly facet: string | undefined; readonly request: WebhookRequest },
): Promise<Reception> {
  const { database, webhooks, log } = services;
  const { endpointKey, facet, request } = given;
  const now = await readNow(database.db);
  const credentials = await credentialsOf(database.db, endpointKey);
  const look = await webhooks.look(endpointKey, { facet, request, credentials, now }).catch((error: unknown) => lookOf(error));
  if (look.kind === "handshake") return { kind: "handshake", answer: look.answer };
  const why = look.kind === "verified" ? whyNot(look, now) : look.why;
  if (look.kind !== "verified" || why !== null) {
    log.info({ endpoint: endpointKey.slice(0, 100), why }, "A webhook's delivery was refused.");
    throw new DomainError(
      "QSC_WEBHOOK_REFUSED",
      "No endpoint takes this delivery: its address, its signature, its secret or its time of sending is not right. The server's log says which, under the endpoint's key.",
    );
  }
  const { endpointId, facet: taken, sentAt, request: kept } = look;
  const { deliveryId, digest } = identityOf(look, request);
  const delivery: ArrivingDelivery = { endpointId, facet: taken, deliveryId, sentAt, request: kept };
  return { kind: "accepted", duplicate: !(await inTransaction({ database }, (tx) => keep(tx, delivery, digest))) };
}

async function keep(tx: Tx, delivery: ArrivingDelivery, digest: string | null): Promise<boolean> {
  // One endpoint's deliveries are numbered in the order in which they are kept.
  await tx.execute(sql`select pg_advisory_xact_lock(${ENDPOINT_LOCK}, ${delivery.endpointId})`);
  if (digest === null ? await isKnown(tx, delivery) : await isNewest(tx, delivery, digest)) return false;
  if (!hasRoom(await waitingOf(tx, delivery.endpointId), delivery.request.body.byteLength))
    throw new DomainError(
      "QSC_WEBHOOK_FULL",
      `${webhookLimits.waitingDeliveries} deliveries or ${webhookLimits.waitingBytes} bytes wait for this endpoint already. Send this again after a minute. Nothing of it was accepted.`,
      { details: { retryAfterSeconds: 60 } },
    );
  return insertDelivery(tx, delivery);
}

/** The first half of the lock's key; the second is the endpoint. */
const ENDPOINT_LOCK = 0x51_5c_68_6b;

function whyNot(look: WebhookLook & { readonly kind: "verified" }, now: number): string | null {
  const { kind, ...more } = judgeSentAt(look.sentAt, now);
  if (kind === "fresh") return null;
  const seconds = "byMs" in more ? Math.ceil(more.byMs / 1_000) : 0;
  return `its signed time of sending is ${seconds} s beyond the ${webhookLimits.toleranceMs / 60_000} minutes that are allowed: ${kind === "stale" ? "it is old" : "it lies ahead"}`;
}

/** Secrets in force first, then those that a rotation still lets live. */
async function credentialsOf(tx: Tx, endpointKey: string): Promise<readonly CredentialChoice[]> {
  const older = await selectRows<{ id: number }>(
    tx,
    sql`
    select c.id from credential as c join endpoint as e on e.id = c.endpoint_id
    where e.key = ${endpointKey} and not c.in_force and c.secrets <> '{}' order by c.id desc limit ${MAX_OLDER_CREDENTIALS}`,
  );
  const rotates = await selectRows<{ any: boolean }>(
    tx,
    sql`select exists (select from credential as c join endpoint as e on e.id = c.endpoint_id where e.key = ${endpointKey} and c.in_force) as any`,
  );
  // The workspace's own secrets are older than those of a rotation that is in force.
  return ["in-force", ...older.map(({ id }) => ({ id })), ...(rotates[0]?.any === true ? [{ id: null }] : [])];
}

/** What loading an endpoint, or a connector, threw: no delivery is taken, and the log says why. */
function lookOf(error: unknown): WebhookLook {
  if (error instanceof DomainError && error.code === "QSC_ENDPOINT_NOT_FOUND") return { kind: "none", why: "there is no such endpoint" };
  if (error instanceof ConnectorError) return { kind: "refused", why: error.message };
  throw error;
}

/** How a delivery is known: by its id alone, or, with a digest, as long as nothing else has come after it. */
interface Identity {
  readonly deliveryId: string;
  readonly digest: string | null;
}

/**
 * The sender's id tells repetitions. Without one a signed time does: played back within the minutes that it is good for, a request has the same. What is
 * not signed, such as the query, must not make it a new one. With neither, the same again may be a state that has come back (on, off, on), so only what
 * came last is known: it is the same state as before, whether it was said once more or sent once more.
 */
function identityOf(look: WebhookLook & { readonly kind: "verified" }, { query, body }: WebhookRequest): Identity {
  const { deliveryId, facet, sentAt } = look;
  if (deliveryId !== undefined)
    return { deliveryId: storableText(deliveryId.slice(0, webhookLimits.charactersOfDeliveryId)), digest: null };
  if (sentAt !== null) return { deliveryId: digestOf([facet, sentAt], body), digest: null };
  const digest = digestOf([facet, Object.entries(query)], body);
  return { deliveryId: `${digest} ${randomUUID()}`, digest };
}

function digestOf(about: readonly unknown[], body: Uint8Array): string {
  return `sha256 ${createHash("sha256").update(JSON.stringify(about)).update("\n").update(body).digest("hex")}`;
}
