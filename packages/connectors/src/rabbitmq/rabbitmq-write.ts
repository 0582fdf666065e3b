import { createHash } from "node:crypto";
import { ConnectorError, type WriteItem, type WriteResult } from "@quiesce/sdk";
import type { ConfirmChannel } from "amqplib";
import { bodyOf, failed } from "../messages/message-body.js";
import { KEY_HEADER, OPERATION_HEADER } from "../messages/message-fields.js";
import type { RabbitmqStream } from "./rabbitmq-config.js";
import { rabbitmqError } from "./rabbitmq-error.js";
import { writeResults } from "../messages/write-results.js";
import { namedStream, neededPart } from "../streams/stream-list.js";
import { openLink, type Link, type RabbitmqContext } from "./rabbitmq-link.js";

type Publishing = NonNullable<RabbitmqStream["write"]>;

const MAX_SHORT_TEXT_BYTES = 255;

/** Publishes a message a record and waits for the broker's confirmation of each. */
export async function writeItems(x: RabbitmqContext, streamName: string, items: readonly WriteItem[]): Promise<WriteResult[]> {
  const stream = namedStream(x.config.streams, streamName);
  const write = neededPart(stream.write, { stream: streamName, what: "write", without: "read-only" });
  const link = await openLink(x);
  try {
    await requireExchange(link, write.exchange);
    const channel = await link.answer(link.model.createConfirmChannel());
    channel.on("error", () => undefined);
    const unroutable = new Set<string>();
    // A message that no queue takes is returned, and then confirmed.
    channel.on("return", (message) => unroutable.add(String(message.properties["messageId"])));
    const send = (item: WriteItem): Promise<WriteResult> => confirmed(x, { link, channel, stream, write, unroutable }, item);
    return await writeResults(items, { send, wait: link.answer, signal: x.signal });
  } finally {
    await link.close();
  }
}

interface Target {
  readonly link: Link;
  readonly channel: ConfirmChannel;
  readonly stream: RabbitmqStream;
  readonly write: Publishing;
  /** Ids of messages that were returned. */
  readonly unroutable: ReadonlySet<string>;
}

function confirmed(x: RabbitmqContext, target: Target, item: WriteItem): Promise<WriteResult> {
  const { key } = item;
  return new Promise((resolve) => {
    try {
      const messageId = publish(x, target, item, (thrown) => {
        resolve(outcomeOf(x, target, { key, thrown, unroutable: target.unroutable.has(messageId) }));
      });
    } catch (thrown) {
      resolve(failed(key, thrown instanceof ConnectorError ? thrown : rabbitmqError(thrown, target.link.where, { signal: x.signal })));
    }
  });
}

function publish(x: RabbitmqContext, { channel, stream, write }: Target, item: WriteItem, confirm: (thrown: unknown) => void): string {
  const routingKey = write.routingKey.replaceAll("{key}", () => item.key);
  if (Buffer.byteLength(routingKey) > MAX_SHORT_TEXT_BYTES) {
    throw new ConnectorError(
      "invalid",
      `The routing key of record ${item.key.slice(0, 80)} would have more than ${MAX_SHORT_TEXT_BYTES} bytes.`,
    );
  }
  const messageId = shortId(item.idempotencyKey);
  const options = {
    mandatory: true,
    persistent: write.persistent,
    messageId,
    timestamp: Math.floor(x.clock.now().getTime() / 1_000),
    contentType: { json: "application/json", text: "text/plain; charset=utf-8", bytes: "application/octet-stream" }[stream.payload],
    headers: { [KEY_HEADER]: item.key, [OPERATION_HEADER]: item.op ?? "upsert" },
  };
  channel.publish(write.exchange, routingKey, bodyOf(stream, item), options, confirm);
  return messageId;
}

function outcomeOf(
  x: RabbitmqContext,
  { link, write }: Target,
  { key, thrown, unroutable }: { readonly key: string; readonly thrown: unknown; readonly unroutable: boolean },
): WriteResult {
  if (thrown !== null && thrown !== undefined) {
    const nacked = thrown instanceof Error && thrown.message === "message nacked";
    if (nacked)
      return failed(key, new ConnectorError("transient", `${link.where} did not take the message: a queue is full, or cannot store it.`));
    const error = rabbitmqError(thrown, link.where, { signal: x.signal });
    return failed(key, new ConnectorError(error.kind, error.message, { ...error.info, ambiguous: true }));
  }
  if (!unroutable) return { key, ok: true };
  const place = write.exchange === "" ? "default exchange" : `exchange ${write.exchange}`;
  return failed(key, new ConnectorError("not_found", `No queue took the message: none is bound to the ${place} for ${write.routingKey}.`));
}

/** Published to an exchange that is not there, a message would end the channel and leave all others in doubt. */
async function requireExchange(link: Link, exchange: string): Promise<void> {
  if (exchange === "") return;
  const channel = await link.answer(link.model.createChannel());
  channel.on("error", () => undefined);
  await link.answer(channel.checkExchange(exchange));
  await link.answer(channel.close());
}

function shortId(idempotencyKey: string): string {
  if (Buffer.byteLength(idempotencyKey) <= MAX_SHORT_TEXT_BYTES) return idempotencyKey;
  return createHash("sha256").update(idempotencyKey).digest("hex");
}
