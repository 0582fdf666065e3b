import { ConnectorError, type JsonObject, type Page, type ReadRequest, type SourceRecord } from "@quiesce/sdk";
import type { IPublishPacket } from "mqtt-packet";
import { KEY_HEADER, OPERATION_HEADER } from "../messages/message-fields.js";
import { recordOf } from "../messages/message-record.js";
import { namedStream, neededPart } from "../streams/stream-list.js";
import type { MqttStream } from "./mqtt-config.js";
import { refusal } from "./mqtt-error.js";
import { openSession, type MqttContext, type Session } from "./mqtt-session.js";

/** So many messages at most wait for their commit. */
const MAX_PAGE = 1_000;
/** A broker never says that there is nothing more: a read ends here at the latest, and the next one goes on. */
const MAX_ROUND = 50_000;
const SECONDS_A_DAY = 86_400;
/** The header in which our writing puts the idempotency key. */
export const ID_HEADER = "quiesce-id";

/**
 * Reads what the broker kept for the session of this stream. A page is acknowledged when the engine asks for the next one, which it does after the
 * commit; what was given and not acknowledged comes again, at least once. So the last page is empty. The cursor only counts: see the RabbitMQ connector.
 */
export async function* readStream(x: MqttContext, request: ReadRequest): AsyncGenerator<Page, void, void> {
  const stream = namedStream(x.config.streams, request.stream);
  const read = neededPart(stream.read, { stream: stream.name, what: "read", without: "write-only" });
  if (request.from !== undefined || request.to !== undefined) {
    throw new ConnectorError("config", "A broker has no past: the mqtt connector cannot read a range of time. Leave from and to away.");
  }
  const size = Math.min(request.pageSize, MAX_PAGE);
  const session = await openSession(x, {
    clientId: read.clientId,
    keptSeconds: Math.ceil(read.sessionDays * SECONDS_A_DAY),
    receiveMaximum: size,
  });
  try {
    if (!session.opened.sessionPresent && request.cursor !== null) noteLost(x, stream);
    await subscribe(session, x.config.version, read.topics);
    let taken = countOf(request.cursor);
    const limit = taken + MAX_ROUND;
    while (taken < limit) {
      const messages = await collect(session, size);
      if (messages.length === 0) break;
      taken += messages.length;
      yield { records: messages.map((message) => messageRecord(stream, message)), cursor: { taken }, more: true };
      for (const { messageId } of messages) if (messageId !== undefined) session.send({ cmd: "puback", messageId, reasonCode: 0 });
    }
    // Answered after everything before it: the acknowledgements have arrived.
    await session.request({ cmd: "pingreq" });
    yield { records: [], cursor: { taken }, more: false };
  } finally {
    await session.close();
  }
}

async function subscribe(session: Session, version: string, topics: readonly string[]): Promise<void> {
  // A kept message of a topic is told when the subscription is new, not at every read.
  const retained = version === "5" ? { rh: 1 } : {};
  const subscriptions = topics.map((topic) => ({ topic, qos: 1 as const, ...retained }));
  const answer = await session.request({ cmd: "subscribe", messageId: 1, subscriptions });
  const granted = answer.cmd === "suback" ? answer.granted.map(Number) : [];
  const refused = granted.findIndex((code) => code >= 0x80);
  if (refused >= 0)
    throw refusal(session.where, `the subscription to ${topics[refused] ?? ""}`, {
      code: granted[refused] === 0x80 ? 0x87 : (granted[refused] ?? 0x87),
    });
  if (granted.includes(0)) {
    throw new ConnectorError(
      "config",
      `${session.where} gives messages at most once (QoS 0): one that is under way when a read ends would be lost.`,
    );
  }
}

/**
 * Up to so many messages. A ping is answered after what the broker had to send before it, so two in a row with nothing between say that it has no more
 * for us now. If it had, nothing is lost: it comes at the next read.
 */
async function collect(session: Session, count: number): Promise<readonly IPublishPacket[]> {
  const messages: IPublishPacket[] = [];
  for (;;) {
    await session.request({ cmd: "pingreq" });
    const arrived = session.take(count - messages.length);
    messages.push(...arrived);
    if (arrived.length === 0 || messages.length >= count) return messages;
  }
}

function messageRecord(stream: MqttStream, message: IPublishPacket): SourceRecord {
  const { topic, payload } = message;
  const headers = message.properties?.userProperties ?? {};
  const header = (name: string): string | undefined => {
    const value = headers[name];
    const text = Array.isArray(value) ? value[0] : value;
    return text === "" ? undefined : text;
  };
  const { topicField } = stream;
  const received = {
    body: Buffer.from(payload),
    id: topic,
    version: header(ID_HEADER),
    key: header(KEY_HEADER),
    operation: header(OPERATION_HEADER),
    at: undefined,
  };
  if (topicField === undefined) return recordOf(stream, received);
  // The topic may be what identifies the record.
  const { keyFields, ...keyless } = stream;
  const record = recordOf(keyless, received);
  const data: JsonObject = { ...record.data, [topicField]: topic };
  if (record.problem !== undefined || keyFields === undefined) return { ...record, data };
  return { ...recordOf({ payload: "json", keyFields }, { ...received, body: Buffer.from(JSON.stringify(data)) }), data };
}

/** The session was there when something was read by it: the broker has forgotten it, and what came meanwhile. */
function noteLost(x: MqttContext, stream: MqttStream): void {
  x.metric("session_lost", 1, { stream: stream.name });
  x.log.warn("The broker no longer had the session of this stream: messages that were sent since the last read may be lost.", {
    stream: stream.name,
  });
}

function countOf(cursor: ReadRequest["cursor"]): number {
  const taken = cursor?.["taken"];
  return typeof taken === "number" && Number.isSafeInteger(taken) ? taken : 0;
}
