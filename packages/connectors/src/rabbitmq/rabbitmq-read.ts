import { createHash } from "node:crypto";
import { ConnectorError, type Page, type ReadRequest } from "@quiesce/sdk";
import type { Channel, ConsumeMessage } from "amqplib";
import { KEY_HEADER, OPERATION_HEADER } from "../messages/message-fields.js";
import { recordOf, type ReceivedMessage } from "../messages/message-record.js";
import { namedStream, neededPart } from "../streams/stream-list.js";
import { openLink, type Link, type RabbitmqContext } from "./rabbitmq-link.js";

/** So many messages at most wait for their commit. The broker knows no limit by size, and a message may have megabytes. */
const MAX_UNACKNOWLEDGED = 1_000;
/** A queue from which nothing comes for so long has nothing more for us, whatever it counted: others read it too. */
const QUIET_MS = 5_000;

/**
 * Reads the messages that a queue holds now. A page is acknowledged when the engine asks for the next one, which it does after the commit; what was
 * delivered and not acknowledged comes again, at least once. So the last page is empty: its messages could not be acknowledged. The cursor only counts,
 * so that a message without an id which says the same as one before it is another change.
 */
export async function* readStream(x: RabbitmqContext, request: ReadRequest): AsyncGenerator<Page, void, void> {
  const stream = namedStream(x.config.streams, request.stream);
  const queue = neededPart(stream.queue, { stream: stream.name, what: "queue", without: "write-only" });
  if (request.from !== undefined || request.to !== undefined) {
    throw new ConnectorError("config", "A queue has no past: the rabbitmq connector cannot read a range of time. Leave from and to away.");
  }
  const link = await openLink(x);
  try {
    const channel = await openChannel(link);
    let left = (await link.answer(channel.checkQueue(queue))).messageCount;
    let taken = countOf(request.cursor);
    if (left > 0) {
      const size = Math.min(request.pageSize, MAX_UNACKNOWLEDGED, left);
      const inbox = await consume(link, channel, { queue, size });
      while (left > 0) {
        const page = await inbox.take(Math.min(size, left));
        const last = page.at(-1);
        if (last === undefined) break;
        left -= page.length;
        taken += page.length;
        yield { records: page.map((message) => recordOf(stream, received(message))), cursor: { taken }, more: true };
        await link.answer(acknowledge(channel, last));
      }
    }
    // In order after the last acknowledgement; the end of a connection alone would overtake it.
    await link.answer(channel.close());
    yield { records: [], cursor: { taken }, more: false };
  } finally {
    await link.close();
  }
}

async function openChannel(link: Link): Promise<Channel> {
  const channel = await link.answer(link.model.createChannel());
  channel.on("error", () => undefined);
  return channel;
}

/** Everything up to this message. There is no answer; on a channel that was lost it fails. */
async function acknowledge(channel: Channel, last: ConsumeMessage): Promise<void> {
  channel.ack(last, true);
}

interface Inbox {
  /** So many messages, fewer if nothing came for a while, none if nothing is left. */
  take(count: number): Promise<readonly ConsumeMessage[]>;
}

async function consume(link: Link, channel: Channel, options: { readonly queue: string; readonly size: number }): Promise<Inbox> {
  const messages: ConsumeMessage[] = [];
  const ends: unknown[] = [];
  let wake = (): void => undefined;
  const end = (thrown: unknown): void => {
    ends.push(thrown);
    wake();
  };
  channel.on("error", end);
  link.model.on("close", () => end(new Error("Connection closed")));
  await link.answer(channel.prefetch(options.size));
  await link.answer(
    channel.consume(options.queue, (message) => {
      if (message === null)
        end(new ConnectorError("unavailable", `${link.where} no longer gives us queue ${options.queue}: it was deleted, or moved.`));
      else messages.push(message);
      wake();
    }),
  );
  const arrived = async (): Promise<boolean> => {
    const quiet = AbortSignal.timeout(QUIET_MS);
    await link.answer(
      new Promise<void>((resolve) => {
        wake = resolve;
        quiet.addEventListener("abort", () => resolve(), { once: true });
      }),
    );
    return !quiet.aborted;
  };
  return {
    take: async (count) => {
      while (messages.length < count && ends.length === 0) if (!(await arrived())) break;
      // What came before the end may be used: it is only acknowledged if the connection lives.
      if (ends.length > 0 && messages.length === 0) await link.answer(Promise.reject(ends[0]));
      return messages.splice(0, count);
    },
  };
}

function received(message: ConsumeMessage): ReceivedMessage {
  const { messageId, headers, timestamp } = message.properties as {
    messageId?: unknown;
    headers?: Record<string, unknown>;
    timestamp?: unknown;
  };
  const text = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
  const id = text(messageId);
  return {
    body: message.content,
    // The same at every delivery; nothing else of such a message is.
    id: id ?? createHash("sha256").update(message.content).digest("hex").slice(0, 32),
    version: id,
    key: text(headers?.[KEY_HEADER]),
    operation: text(headers?.[OPERATION_HEADER]),
    at: typeof timestamp === "number" && timestamp > 0 ? new Date(timestamp * 1_000).toISOString() : undefined,
  };
}

function countOf(cursor: ReadRequest["cursor"]): number {
  const taken = cursor?.["taken"];
  return typeof taken === "number" && Number.isSafeInteger(taken) ? taken : 0;
}
