import { decideAcceptance, DomainError, inboxLimits, type InboxLimits, type PushedRecord } from "@quiesce/core";
import { type CommandContext, inTransaction, readNow } from "../command.js";
import type { Tx } from "../db/client.js";
import { appendEvents, payloadInstant } from "../events/append-events.js";
import { activeHolds, heldUntil } from "../runs/active-holds.js";
import { queuePushRun } from "./queue-push-run.js";
import {
  type ArrivingRecord,
  findPushTarget,
  type InboxSums,
  insertRecords,
  knownDeliveries,
  lockInbox,
  markFull,
  type PushTarget,
} from "./store.js";

export interface PushRequest {
  readonly integration: string;
  /** May be left out where the integration has one stream that is pushed. */
  readonly stream?: string | undefined;
  /** Names the whole request: its records are known by their place in it, where they have no id of their own. */
  readonly idempotencyKey?: string | undefined;
  readonly records: readonly PushedRecord[];
}

/** What became of a request; once it is answered, its records are durable. */
export interface PushAnswer {
  readonly integration: string;
  readonly stream: string;
  /** Records that are new. */
  readonly accepted: number;
  /** Records that were accepted before under the same id. */
  readonly duplicates: number;
  /** Everything that waits for the integration now. */
  readonly waitingRecords: number;
  readonly waitingBytes: number;
  readonly held: boolean;
  /** When the last hold ends as planned; null: open-ended, or not held. */
  readonly heldUntil: number | null;
}

type Verdict = { readonly kind: "accepted"; readonly answer: PushAnswer } | { readonly kind: "refused"; readonly error: DomainError };

/**
 * Takes records in, all of a request or none. Whatever holds the integration, they are accepted, and wait in their order; a run of the push job
 * delivers them when it may start. Throws QSC_INTEGRATION_NOT_FOUND, QSC_INBOX_STREAM and QSC_INBOX_FULL.
 */
export async function acceptRecords(context: CommandContext, request: PushRequest, limits: InboxLimits = inboxLimits): Promise<PushAnswer> {
  const verdict = await inTransaction(context, (tx) => takeIn(tx, { context, request, limits }));
  // Thrown only here, so that what was noted of the refusal is committed.
  if (verdict.kind === "refused") throw verdict.error;
  return verdict.answer;
}

async function takeIn(
  tx: Tx,
  input: { readonly context: CommandContext; readonly request: PushRequest; readonly limits: InboxLimits },
): Promise<Verdict> {
  const { context, request, limits } = input;
  const target = await findPushTarget(tx, request.integration);
  if (target === undefined) throw notFound(request.integration);
  const stream = streamOf(target, request.stream);
  const inbox = await lockInbox(tx, target.integrationId);
  const now = await readNow(tx);
  const arriving = request.records.map((record, index) => ({ ...record, deliveryId: deliveryId(request, record, index) }));
  const fresh = await freshOf(tx, { integrationId: target.integrationId, stream }, arriving);
  const holds = await activeHolds(tx, target.integrationId);
  const until = heldUntil(holds);
  const { waitingRecords, waitingBytes } = inbox;
  const newBytes = fresh.reduce((sum, one) => sum + one.bytes, 0);
  const room = decideAcceptance({ waitingRecords, waitingBytes, newRecords: fresh.length, newBytes, heldUntil: until, now, limits });
  if (room.kind === "full") {
    await noteFull(tx, { target, inbox, stream, room, now });
    return { kind: "refused", error: fullError(target.key, { ...room, waitingRecords, waitingBytes, until }) };
  }
  const answer: PushAnswer = {
    integration: target.key,
    stream,
    accepted: fresh.length,
    duplicates: arriving.length - fresh.length,
    waitingRecords: waitingRecords + fresh.length,
    waitingBytes: waitingBytes + newBytes,
    held: holds.length > 0,
    heldUntil: until ?? null,
  };
  if (fresh.length > 0) {
    await insertRecords(tx, { integrationId: target.integrationId, stream, now, by: context.actor.name }, fresh);
    await queuePushRun(tx, { target, inbox, waiting: answer.waitingRecords, notBefore: now, now });
    const { accepted, duplicates } = answer;
    const payload = { stream, accepted, duplicates, waitingRecords: answer.waitingRecords, heldBy: holds.map((one) => one.holdId) };
    await appendEvents(tx, [{ ...subjectOf(target), kind: "inbox.accepted", payload }]);
  }
  return { kind: "accepted", answer };
}

const subjectOf = ({ key }: PushTarget) => ({ subjectKind: "integration", subjectKey: key, integrationKey: key }) as const;

/** One event when it becomes full, however often it is tried. */
async function noteFull(
  tx: Tx,
  full: {
    readonly target: PushTarget;
    readonly inbox: InboxSums;
    readonly stream: string;
    readonly room: { readonly what: string; readonly limit: number };
    readonly now: number;
  },
): Promise<void> {
  const { target, inbox, stream, room, now } = full;
  if (inbox.fullSince !== null) return;
  await markFull(tx, target.integrationId, now);
  const { waitingRecords, waitingBytes } = inbox;
  const payload = { stream, waitingRecords, waitingBytes, what: room.what, limit: room.limit };
  await appendEvents(tx, [{ ...subjectOf(target), kind: "inbox.filled", payload }]);
}

/** The sender's names and those of places in a request never meet. */
function deliveryId(request: PushRequest, record: PushedRecord, index: number): string | null {
  if (record.id !== null) return `id ${record.id}`;
  return request.idempotencyKey === undefined ? null : `request ${index} ${request.idempotencyKey}`;
}

/** What nobody has accepted yet; of two records of one id in a request the first. */
async function freshOf(
  tx: Tx,
  at: { readonly integrationId: number; readonly stream: string },
  arriving: readonly ArrivingRecord[],
): Promise<readonly ArrivingRecord[]> {
  const seen = new Set(
    await knownDeliveries(
      tx,
      at,
      arriving.flatMap((one) => one.deliveryId ?? []),
    ),
  );
  return arriving.filter(({ deliveryId: id }) => {
    if (id === null) return true;
    const known = seen.has(id);
    seen.add(id);
    return !known;
  });
}

function streamOf(target: PushTarget, wanted: string | undefined): string {
  const [first, ...others] = target.streams;
  if (wanted === undefined && first !== undefined && others.length === 0) return first;
  if (wanted !== undefined && target.streams.includes(wanted)) return wanted;
  throw new DomainError(
    "QSC_INBOX_STREAM",
    `Found ${wanted === undefined ? "no stream" : `the stream "${wanted.slice(0, 200)}"`}; records are pushed for integration "${target.key}" on ${target.streams.map((one) => `"${one}"`).join(", ")}. Name one of these.`,
    { field: "stream" },
  );
}

/** One answer for what does not exist and what takes no records: who may not see more learns no more. */
function notFound(key: string): DomainError {
  return new DomainError(
    "QSC_INTEGRATION_NOT_FOUND",
    `There is no integration "${key.slice(0, 200)}" that takes pushed records. Look at its key, and at push: true on its stream and on a job of it.`,
    { field: "integration" },
  );
}

function fullError(
  key: string,
  full: {
    readonly what: "records" | "bytes";
    readonly limit: number;
    readonly retryAfterSeconds: number;
    readonly waitingRecords: number;
    readonly waitingBytes: number;
    readonly until: number | null | undefined;
  },
): DomainError {
  const held =
    full.until === undefined
      ? "It is not held, and being delivered"
      : full.until === null
        ? "It is held until somebody lifts that"
        : `It is held until ${payloadInstant(full.until)}`;
  return new DomainError(
    "QSC_INBOX_FULL",
    `${full.waitingRecords} records of ${full.waitingBytes} bytes wait for integration "${key}", and at most ${full.limit} ${full.what} may. ${held}: send this again after ${full.retryAfterSeconds} seconds. Nothing of the request was accepted.`,
    {
      details: {
        integration: key,
        waitingRecords: full.waitingRecords,
        waitingBytes: full.waitingBytes,
        limitOf: full.what,
        limit: full.limit,
        held: full.until !== undefined,
        heldUntil: full.until === undefined || full.until === null ? null : payloadInstant(full.until),
        retryAfterSeconds: full.retryAfterSeconds,
      },
    },
  );
}
