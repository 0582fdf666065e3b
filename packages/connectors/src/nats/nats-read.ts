import { AckPolicy, DeliverPolicy, type Consumer, type JsMsg, type StreamInfo } from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport-node";
import { ConnectorError, type Cursor, type Page, type ReadRequest } from "@quiesce/sdk";
import { KEY_HEADER, OPERATION_HEADER } from "../messages/message-fields.js";
import { recordOf, type ReceivedMessage } from "../messages/message-record.js";
import { namedStream } from "../streams/stream-list.js";
import type { NatsStream } from "./nats-config.js";
import { openLink, type Link, type NatsContext } from "./nats-link.js";

/** So many messages at most in one page: a message may have a megabyte. */
const MAX_PAGE = 1_000;
/** How long the server waits for a page that should be there at once. */
const FETCH_MS = 5_000;
/** The server forgets our reader when nothing was asked for so long, if we cannot tell it to. */
const READER_LIFE_MS = 10 * 60_000;

/**
 * Reads a stream by its sequence, up to what it holds now. Nothing is acknowledged and nothing is kept on the server: the cursor is the sequence, with
 * the time the stream was created, because a stream that was made anew begins again at one.
 */
export async function* readStream(x: NatsContext, request: ReadRequest): AsyncGenerator<Page, void, void> {
  const stream = namedStream(x.config.streams, request.stream);
  if (request.from !== undefined || request.to !== undefined) {
    throw new ConnectorError("config", "The nats connector cannot read a range of time; leave from and to away.");
  }
  const link = await openLink(x);
  try {
    const info = await link.answer(link.manager.streams.info(stream.stream));
    const { created, state } = info;
    const from = positionOf(request.cursor, info) + 1;
    noteMissed(x, stream, { from, info });
    const end = { created, seq: state.last_seq };
    if (from > state.last_seq) {
      yield { records: [], cursor: end, more: false };
      return;
    }
    const reader = await openReader(link, stream, from);
    try {
      yield* pagesOf(link, { stream, reader, end, size: Math.min(request.pageSize, MAX_PAGE) });
    } finally {
      // A reader that cannot be taken away goes by itself.
      if (!x.signal.aborted) await link.answer(link.manager.consumers.delete(stream.stream, reader.name)).catch(() => undefined);
    }
  } finally {
    await link.close();
  }
}

interface Reader {
  readonly name: string;
  readonly consumer: Consumer;
  /** Messages behind the position, at the beginning. */
  readonly pending: number;
}

/**
 * The cursor only passes over what was given, or what the server says is not there: a fetch that ends early, because the connection was lost or the
 * server is slow, looks like one that found nothing more.
 */
async function* pagesOf(link: Link, options: PageOptions): AsyncGenerator<Page, void, void> {
  const { stream, reader, end, size } = options;
  let left = reader.pending;
  let delivered = 0;
  while (left > 0) {
    const messages = await link.answer(fetchPage(link, reader.consumer, { count: Math.min(size, left), delivered }));
    if (messages.length === 0) {
      await requireNothingLeft(link, reader.consumer);
      break;
    }
    delivered += messages.length;
    // What came after the beginning is for the next read.
    const page = messages.filter((message) => message.seq <= end.seq);
    const last = page.at(-1);
    left = page.length < messages.length || last === undefined || last.seq === end.seq ? 0 : last.info.pending;
    const seq = left === 0 || last === undefined ? end.seq : last.seq;
    const records = page.map((message) => recordOf(stream, received(end.created, message)));
    yield { records, cursor: { created: end.created, seq }, more: left > 0 };
    if (left === 0) return;
  }
  yield { records: [], cursor: { ...end }, more: false };
}

interface PageOptions {
  readonly stream: NatsStream;
  readonly reader: Reader;
  readonly end: { readonly created: string; readonly seq: number };
  readonly size: number;
}

async function fetchPage(
  link: Link,
  consumer: Consumer,
  { count, delivered }: { readonly count: number; readonly delivered: number },
): Promise<readonly JsMsg[]> {
  const messages: JsMsg[] = [];
  for await (const message of await consumer.fetch({ max_messages: count, expires: FETCH_MS })) {
    messages.push(message);
    const place = message.info.deliverySequence;
    if (place !== delivered + messages.length) {
      throw new ConnectorError(
        "transient",
        `${link.where} gave delivery ${place} where ${delivered + messages.length} was due: one was lost on the way.`,
      );
    }
  }
  if (link.connection.isClosed()) throw new ConnectorError("unavailable", `${link.where} ended the connection.`);
  return messages;
}

async function requireNothingLeft(link: Link, consumer: Consumer): Promise<void> {
  const { num_pending: waiting } = await link.answer(consumer.info(false));
  if (waiting > 0) throw new ConnectorError("timeout", `${link.where} gave none of ${waiting} waiting messages within ${FETCH_MS} ms.`);
}

async function openReader(link: Link, stream: NatsStream, from: number): Promise<Reader> {
  const info = await link.answer(
    link.manager.consumers.add(stream.stream, {
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: from,
      inactive_threshold: nanos(READER_LIFE_MS),
      mem_storage: true,
      ...(stream.subject === undefined ? {} : { filter_subject: stream.subject }),
    }),
  );
  return { name: info.name, pending: info.num_pending, consumer: link.client.consumers.getConsumerFromInfo(info) };
}

/** The last sequence that was read; 0 for the beginning, and for a cursor of a stream that is no more. */
function positionOf(cursor: Cursor | null, { created, state }: StreamInfo): number {
  const { seq } = cursor ?? {};
  if (cursor?.["created"] !== created || typeof seq !== "number" || !Number.isSafeInteger(seq)) return 0;
  return seq <= state.last_seq ? Math.max(0, seq) : 0;
}

/** A stream with limits throws old messages away, read or not. */
function noteMissed(x: NatsContext, stream: NatsStream, { from, info }: { readonly from: number; readonly info: StreamInfo }): void {
  const missed = info.state.first_seq - from;
  if (from <= 1 || missed <= 0) return;
  x.metric("messages_missed", missed, { stream: stream.name });
  x.log.warn("The stream's limits have removed messages that were never read.", { stream: stream.name, missed, from });
}

function received(created: string, message: JsMsg): ReceivedMessage {
  const header = (name: string): string | undefined => {
    const value = message.headers?.get(name);
    return value === undefined || value === "" ? undefined : value;
  };
  return {
    body: message.data,
    id: String(message.seq),
    version: `${Date.parse(created)}-${message.seq}`,
    key: header(KEY_HEADER),
    operation: header(OPERATION_HEADER),
    at: message.timestamp,
  };
}
