import { decideDelivery, type DeliveryAnswer, type DeliveryVerdict } from "@quiesce/core";
import { sql } from "drizzle-orm";
import { recordAudit } from "../audit/record-audit.js";
import { inTransaction, readNow, systemActor } from "../command.js";
import type { Egress } from "../connector-host/guarded-fetch.js";
import type { NoticeCalls } from "../connector-host/notice-calls.js";
import type { KeyRing } from "../credentials/master-key.js";
import { open, sealedSecretSchema } from "../credentials/sealed-secret.js";
import type { Database, Tx } from "../db/client.js";
import { selectRows } from "../db/select-rows.js";
import { appendEvents, payloadInstant } from "../events/append-events.js";
import { mailUrl } from "./destination.js";
import { sendMail } from "./send-mail.js";
import { sendWebhook } from "./send-webhook.js";
import { webhookSecretAddress } from "./table.js";

/** Messages under way at once, of one server. */
const batchSize = 20;
/** A server that took messages and died gives them free after this; an attempt takes a quarter of it at most. */
const leaseMs = 60_000;

export interface DeliveryContext {
  readonly database: Database;
  readonly keys: KeyRing;
  readonly egress: Egress;
  /** Writes mails through endpoints. */
  readonly notices: NoticeCalls;
  /** A number in [0, 1) for spreading attempts. */
  readonly random: () => number;
}

interface Taken {
  readonly id: number;
  readonly messageId: string;
  readonly kind: string;
  readonly webhookId: number;
  readonly team: string;
  readonly destination: string;
  readonly url: string;
  /** null of a mail, which goes through the stream of an endpoint. */
  readonly sealed: unknown;
  readonly endpointId: number | null;
  readonly stream: string | null;
  readonly payload: { readonly [name: string]: unknown };
  /** Which attempt this is, of all; it fences the row. */
  readonly attempts: number;
  /** Which since it was last ordered. */
  readonly attempt: number;
  readonly since: number;
  readonly at: number;
}

/** How many messages came to which end. */
export interface DeliveryResult {
  readonly taken: number;
  readonly delivered: number;
  readonly failed: number;
}

/**
 * Sends what is due, one batch, and writes down what came of it. Any server may do this at any time: a message is taken for a minute by one of them, and one
 * whose server died is sent again under its old id. Messages about one thing go to one destination in their order.
 */
export async function deliverOutbox(context: DeliveryContext, signal: AbortSignal): Promise<DeliveryResult> {
  const taken = await inTransaction(context, takeDue);
  const verdicts = await Promise.all(taken.map((message) => deliverOne(context, message, signal)));
  const count = (kinds: readonly DeliveryVerdict["kind"][]) =>
    verdicts.filter((verdict) => verdict !== null && kinds.includes(verdict.kind)).length;
  return { taken: taken.length, delivered: count(["delivered"]), failed: count(["give-up", "disable"]) };
}

async function takeDue(tx: Tx): Promise<readonly Taken[]> {
  await tx.execute(sql`
    update outbox set failed_at = app_now(), last_error = 'the webhook was removed'
    where webhook_id is null and delivered_at is null and failed_at is null`);
  return selectRows<Taken>(
    tx,
    sql`
    update outbox as x set attempts = x.attempts + 1, next_at = app_now() + ${leaseMs}::float8 * interval '1 millisecond'
    from team_webhook as k join team as t on t.id = k.team_id
    where k.id = x.webhook_id and x.id in (
      select y.id from outbox as y
      where y.delivered_at is null and y.failed_at is null and y.next_at <= app_now()
        and not exists (select from outbox as earlier where earlier.webhook_id = y.webhook_id and earlier.thing = y.thing and earlier.id < y.id
          and earlier.delivered_at is null and earlier.failed_at is null)
      order by y.next_at, y.id limit ${batchSize} for update skip locked)
    returning x.id, x.message_id as "messageId", x.kind, x.webhook_id as "webhookId", t.key as team, x.destination, k.url, k.sealed, k.endpoint_id as "endpointId", k.stream, x.payload,
      x.attempts, x.attempts - x.patience_attempts as attempt, x.patience_from as since, app_now() as at`,
  );
}

async function deliverOne(context: DeliveryContext, message: Taken, signal: AbortSignal): Promise<DeliveryVerdict | null> {
  const answer = await attempt(context, message, signal);
  if (signal.aborted && answer.kind === "unreachable") {
    await giveBack(context, message);
    return null;
  }
  return inTransaction(context, async (tx) => {
    const now = await readNow(tx);
    const { attempt: count, since } = message;
    const verdict = decideDelivery(answer, { attempt: count, since, now, jitter: context.random() });
    return (await writeDown(tx, { message, answer, verdict, now })) ? verdict : null;
  });
}

/** A server that stops may have been heard or not: whoever looks next sends the message again under its id. */
async function giveBack({ database }: DeliveryContext, { id, attempts }: Taken): Promise<void> {
  await database.db.execute(sql`
    update outbox set next_at = app_now() where id = ${id} and attempts = ${attempts} and delivered_at is null and failed_at is null`);
}

async function attempt(context: DeliveryContext, message: Taken, signal: AbortSignal): Promise<DeliveryAnswer> {
  const { endpointId, stream, url } = message;
  if (endpointId !== null && stream !== null)
    return sendMail(context.notices, { ...message, to: url.slice(mailUrl("").length), endpointId, stream }, AbortSignal.any([signal]));
  let secret: string;
  try {
    secret = open(context.keys, webhookSecretAddress(message.team, message.url), sealedSecretSchema.parse(message.sealed));
  } catch (error) {
    // A wrong master key: a person has to act, and the message waits for it as for a receiver that is down.
    return { kind: "unreachable", problem: error instanceof Error ? error.message : String(error) };
  }
  // A signal of its own: each request listens to it.
  return sendWebhook(context.egress, { ...message, secret }, AbortSignal.any([signal]));
}

/** False when somebody else has the message by now. */
async function writeDown(
  tx: Tx,
  ending: { readonly message: Taken; readonly answer: DeliveryAnswer; readonly verdict: DeliveryVerdict; readonly now: number },
): Promise<boolean> {
  const { message, answer, verdict, now } = ending;
  // The webhook before its messages, as whoever removes it takes them.
  const disabled = verdict.kind === "disable" && (await disable(tx, message));
  const status = answer.kind === "answered" ? answer.status : null;
  const isOver = verdict.kind === "give-up" || verdict.kind === "disable";
  const rows = await tx.execute(sql`
    update outbox set last_status = ${status}::integer, last_error = ${verdict.kind === "delivered" ? null : verdict.reason}::text,
      delivered_at = ${verdict.kind === "delivered" ? now : null}::timestamptz, failed_at = ${isOver ? now : null}::timestamptz,
      next_at = ${verdict.kind === "retry" ? verdict.at : now}::timestamptz
    where id = ${message.id} and attempts = ${message.attempts} and delivered_at is null and failed_at is null
    returning id`);
  if (disabled) await tellDisabled(tx, message);
  if (rows.length === 0) return false;
  if (verdict.kind === "give-up") {
    const { kind, destination, attempt: attempts } = message;
    const payload = {
      message: `msg_${message.messageId}`,
      messageKind: kind,
      destination,
      attempts,
      reason: verdict.reason,
      since: payloadInstant(message.since),
    };
    await appendEvents(tx, [{ kind: "team.delivery-failed", subjectKind: "team", subjectKey: message.team, payload }]);
  }
  return true;
}

async function disable(tx: Tx, { webhookId }: Taken): Promise<boolean> {
  const rows = await tx.execute(
    sql`update team_webhook set disabled_at = app_now() where id = ${webhookId} and disabled_at is null returning id`,
  );
  return rows.length > 0;
}

async function tellDisabled(tx: Tx, { webhookId, team, destination }: Taken): Promise<void> {
  const reason = "410 Gone";
  await tx.execute(sql`
    update outbox set failed_at = app_now(), last_error = 'the webhook is disabled since its receiver said 410 Gone'
    where webhook_id = ${webhookId} and delivered_at is null and failed_at is null`);
  await recordAudit(tx, {
    actor: systemActor,
    action: "team.disable-webhook",
    subjectKind: "team",
    subjectKey: team,
    reason,
    after: { destination },
  });
  await appendEvents(tx, [{ kind: "team.webhook-disabled", subjectKind: "team", subjectKey: team, payload: { destination, reason } }]);
}

/** For so long ended messages and announcements are kept. */
const keptDays = 30;
const deletedAtOnce = 5_000;

/** Removes messages that ended, and announcements whose occurrence is over, long ago. Answers how many. */
export async function forgetMessages(context: { readonly database: Database }): Promise<number> {
  const { db } = context.database;
  const before = sql`app_now() - ${keptDays}::integer * interval '1 day'`;
  let forgotten = 0;
  for (let more = true; more;) {
    const rows = await db.execute(sql`
      delete from outbox where id in (
        select id from outbox where coalesce(delivered_at, failed_at) < ${before} order by coalesce(delivered_at, failed_at) limit ${deletedAtOnce})
      returning id`);
    forgotten += rows.length;
    more = rows.length === deletedAtOnce;
  }
  const announcements = await db.execute(sql`delete from announcement where ends_at < ${before} returning window_id`);
  return forgotten + announcements.length;
}
