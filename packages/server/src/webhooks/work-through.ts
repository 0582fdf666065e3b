import { DomainError, inboxLimits, nextTry, pushedRecords } from "@quiesce/core";
import { ConnectorError, ERROR_POLICIES, type PushedRecords, type SourceRecord, type WebhookRequest } from "@quiesce/sdk";
import { type CommandContext, inTransaction, readNow } from "../command.js";
import type { Tx } from "../db/client.js";
import { appendEvents } from "../events/append-events.js";
import { acceptRecords } from "../inbox/commands.js";
import { lookRegularly } from "../look-regularly.js";
import { isWorkerEnd } from "../connector-host/worker/worker-thread.js";
import { takeAlerts } from "../alerts/take-alerts.js";
import { checkedAlerts } from "../alerts/checked-alerts.js";
import type { WebhookServices } from "./receive-delivery.js";
import { forgetDeliveries } from "./forget-deliveries.js";
import { pushStreamsOf } from "./push-streams.js";
import { isWaiting, lockNext, putOff, settle, type WaitingDelivery } from "./store.js";

const LOOK_EVERY_MS = 1_000;
const FORGET_EVERY = 600;

type WorkContext = WebhookServices & Pick<CommandContext, "zones">;

/** Works kept deliveries through, beside those who send them; answers the stop. */
export function followDeliveries(context: WorkContext, options: { readonly afterWrite: () => void }): () => Promise<void> {
  let looks = 0;
  return lookRegularly(
    async (signal) => {
      let worked = 0;
      while (!signal.aborted && (await workThroughNext(context))) worked += 1;
      if (worked > 0) options.afterWrite();
      if (looks % FORGET_EVERY === 0) await forgetDeliveries(context);
      looks += 1;
    },
    {
      everyMs: LOOK_EVERY_MS,
      onFailure: (err) => context.log.error({ err }, "Deliveries of webhooks could not be worked through; the next look tries again."),
    },
  );
}

/** So often a delivery is tried that meets what may pass; then it is put aside, so that what came after it is not kept back for ever. */
const MAX_FAILURES = 10;
/** So often one that may be the cause itself: each such try can end the connector's worker, which after five ends is not started any more. */
const MAX_FAILURES_OF_SUSPECTS = 3;

/** Works one delivery through; false: none waits. What it says is taken first, and idempotently: a kill in between repeats it without effect. */
export async function workThroughNext(context: WorkContext): Promise<boolean> {
  let current: WaitingDelivery | undefined;
  try {
    return await inTransaction(context, async (tx) => {
      current = await lockNext(tx);
      if (current === undefined) return false;
      try {
        const result = await take(context, tx, current);
        await settle(tx, current.id, { state: "done", result });
      } catch (thrown) {
        await fail(context, tx, current, thrown);
      }
      return true;
    });
  } catch (thrown) {
    if (current === undefined) throw thrown;
    context.log.error(
      { err: thrown, endpoint: current.endpointKey, delivery: current.id },
      "A delivery of a webhook met a fault of the server.",
    );
    await noteOwnFault(context, current);
    return true;
  }
}

/** The transaction that met the fault is gone; this one only counts it. */
function noteOwnFault(context: WorkContext, delivery: WaitingDelivery): Promise<void> {
  const error = { kind: "bug", message: "The server met a fault of its own; its log has it under the delivery's number." };
  return inTransaction(context, async (tx) => {
    // Whoever had it in hand meanwhile may have brought it to its end.
    if (await isWaiting(tx, delivery.id)) await putOffOrGiveUp(tx, delivery, { error, most: MAX_FAILURES });
  });
}

/** Answers whether it will be tried again. Until then what came after it waits too, so that the order stays. */
async function putOffOrGiveUp(
  tx: Tx,
  delivery: WaitingDelivery,
  { error, most }: { readonly error: { readonly kind: string; readonly message: string }; readonly most: number },
): Promise<boolean> {
  const { id, tries } = delivery;
  const failures = delivery.failures + 1;
  if (failures < most) await putOff(tx, id, nextTry(tries, await readNow(tx)), { ...error, failures });
  else await giveUp(tx, delivery, error);
  return failures < most;
}

/** How often a delivery that failed so is tried in all. */
function mostTries(thrown: ConnectorError | DomainError): number {
  if (thrown instanceof DomainError) return 1;
  if (thrown.kind === "timeout" || isWorkerEnd(thrown)) return MAX_FAILURES_OF_SUSPECTS;
  return ERROR_POLICIES[thrown.kind].retry ? MAX_FAILURES : 1;
}

async function take(context: WorkContext, tx: Tx, delivery: WaitingDelivery): Promise<{ readonly [name: string]: unknown }> {
  const { method, path, query, headers, body, facet, endpointId } = delivery;
  const request: WebhookRequest = { method, path, query, headers, body: Buffer.from(body, "base64") };
  const said = await context.webhooks.parse(endpointId, facet, request);
  if (facet === "alerts") {
    const alerts = checkedAlerts(said);
    return {
      ...(await takeAlerts(tx, {
        endpoint: { id: endpointId, key: delivery.endpointKey },
        alerts,
        completeAsOf: null,
        now: await readNow(tx),
      })),
    };
  }
  return takeRecords(context, tx, delivery, checkedPushes(said));
}

/** Hands records to every integration that takes the stream from this endpoint. Each knows them by the delivery's id, however often they come. */
async function takeRecords(
  context: WorkContext,
  tx: Tx,
  delivery: WaitingDelivery,
  pushes: readonly PushedRecords[],
): Promise<{ readonly [name: string]: unknown }> {
  let accepted = 0;
  let duplicates = 0;
  const actor = { kind: "system", name: `webhook:${delivery.endpointKey}`, role: "webhook" } as const;
  // All of it is looked at before any of it is handed in: half a delivery that is tried once more after weeks would come twice.
  const parts = [];
  for (const [index, { stream, records }] of pushes.entries()) {
    const integrations = await pushStreamsOf(tx, delivery.endpointId, stream);
    if (integrations.length === 0)
      throw new ConnectorError(
        "config",
        `No integration takes the stream "${stream.slice(0, 100)}" from endpoint "${delivery.endpointKey}". Give one the endpoint as its source, and this stream with push: true.`,
      );
    for (let from = 0; from < records.length; from += inboxLimits.recordsOfRequest) {
      const some = pushedRecords(records.slice(from, from + inboxLimits.recordsOfRequest).map(handedIn));
      parts.push({ stream, integrations, some, idempotencyKey: `webhook ${delivery.id} ${index} ${from}` });
    }
  }
  for (const { stream, integrations, some, idempotencyKey } of parts)
    for (const integration of integrations) {
      const answer = await acceptRecords(
        { database: context.database, zones: context.zones, actor },
        { integration, stream, idempotencyKey, records: some },
      );
      accepted += answer.accepted;
      duplicates += answer.duplicates;
    }
  return { accepted, duplicates };
}

/** What is no record at all is refused by the inbox, with its place in the request. */
function handedIn(record: SourceRecord | null | undefined): unknown {
  if (typeof record !== "object" || record === null) return record ?? null;
  const { key, op, version, data } = record;
  return { key, record: data, ...(op === undefined ? {} : { op }), ...(version === undefined ? {} : { version }) };
}

function checkedPushes(said: unknown): readonly PushedRecords[] {
  const good = (one: unknown): one is PushedRecords =>
    typeof one === "object" &&
    one !== null &&
    "stream" in one &&
    typeof one.stream === "string" &&
    "records" in one &&
    Array.isArray(one.records);
  if (Array.isArray(said) && said.every(good)) return said;
  throw new ConnectorError("bug", "The connector read something from the delivery that is no list of { stream, records }.");
}

/** No room is no fault: it waits, and what came after it too. What may pass is tried again. Anything else will be the same the next time: it is kept for a person. */
async function fail(context: WorkContext, tx: Tx, delivery: WaitingDelivery, thrown: unknown): Promise<void> {
  const { id, endpointKey, tries } = delivery;
  if (thrown instanceof DomainError && thrown.code === "QSC_INBOX_FULL") {
    await putOff(tx, id, nextTry(tries, await readNow(tx)), { code: thrown.code, message: thrown.message });
    return;
  }
  const known = thrown instanceof ConnectorError || thrown instanceof DomainError;
  if (!known) throw thrown;
  const error = { kind: thrown instanceof ConnectorError ? thrown.kind : thrown.code, message: thrown.message };
  const isTriedAgain = await putOffOrGiveUp(tx, delivery, { error, most: mostTries(thrown) });
  const next = isTriedAgain ? "is tried again" : "is kept";
  context.log.warn({ endpoint: endpointKey, delivery: id, ...error }, `A delivery of a webhook could not be worked through; it ${next}.`);
}

/** Keeps a delivery for a person, and tells so. */
async function giveUp(
  tx: Tx,
  { id, endpointKey }: Pick<WaitingDelivery, "id" | "endpointKey">,
  error: { readonly kind: string; readonly message: string },
): Promise<void> {
  await settle(tx, id, { state: "dead", error });
  await appendEvents(tx, [
    { kind: "webhook.failed", subjectKind: "endpoint", subjectKey: endpointKey, payload: { delivery: id, ...error } },
  ]);
}
