import { ConnectorError, type WriteItem, type WriteResult } from "@quiesce/sdk";
import type { IPublishPacket } from "mqtt-packet";
import { bodyOf, failed } from "../messages/message-body.js";
import { KEY_HEADER, OPERATION_HEADER } from "../messages/message-fields.js";
import { writeResults } from "../messages/write-results.js";
import { namedStream, neededPart } from "../streams/stream-list.js";
import type { MqttConfig, MqttStream } from "./mqtt-config.js";
import { refusal } from "./mqtt-error.js";
import { ID_HEADER } from "./mqtt-read.js";
import { openSession, type MqttContext, type Session } from "./mqtt-session.js";

type Publishing = NonNullable<MqttStream["write"]>;

/** What a broker of version 3.1.1 bears is not told; it is what others send without an answer. */
const USUAL_IN_FLIGHT = 20;
const MAX_IN_FLIGHT = 500;
const NO_SUBSCRIBER = 0x10;

/** Publishes a message a record (QoS 1) and waits until the broker has each. */
export async function writeItems(x: MqttContext, streamName: string, items: readonly WriteItem[]): Promise<WriteResult[]> {
  const stream = namedStream(x.config.streams, streamName);
  const write = neededPart(stream.write, { stream: streamName, what: "write", without: "read-only" });
  const session = await openSession(x, { clientId: x.config.clientId ?? "", keptSeconds: 0 });
  try {
    const { receiveMaximum = USUAL_IN_FLIGHT } = session.opened.properties ?? {};
    const results: WriteResult[] = [];
    const inFlight = Math.min(receiveMaximum, MAX_IN_FLIGHT);
    for (let start = 0; start < items.length; start += inFlight) {
      const send = (item: WriteItem): Promise<WriteResult> =>
        publish(x, { session, stream, write, messageId: items.indexOf(item) + 1 }, item);
      results.push(...(await writeResults(items.slice(start, start + inFlight), { send, wait: session.answer, signal: x.signal })));
    }
    return results;
  } finally {
    await session.close();
  }
}

interface Publication {
  readonly session: Session;
  readonly stream: MqttStream;
  readonly write: Publishing;
  readonly messageId: number;
}

async function publish(x: MqttContext, publication: Publication, item: WriteItem): Promise<WriteResult> {
  const { session, write } = publication;
  const { key } = item;
  try {
    const packet = publishPacket(x.config, publication, item);
    const answer = await session.exchange(packet);
    const { reasonCode = 0, properties } = answer.cmd === "puback" ? answer : {};
    if (reasonCode >= 0x80)
      throw refusal(session.where, `the message to ${packet.topic}`, { code: reasonCode, text: properties?.reasonString });
    if (reasonCode === NO_SUBSCRIBER && write.requireSubscriber && !write.retain) {
      throw new ConnectorError("not_found", `Nobody is subscribed to ${packet.topic}, so nobody got the message.`, { status: reasonCode });
    }
    return { key, ok: true };
  } catch (thrown) {
    return failed(key, thrown, x.signal);
  }
}

function publishPacket(config: MqttConfig, { session, stream, write, messageId }: Publication, item: WriteItem): IPublishPacket {
  const topic = write.topic.replaceAll("{key}", () => item.key.replaceAll(/[+#%/\0]/gu, (sign) => encodeURIComponent(sign)));
  const payload = bodyOf(stream, item);
  const most = session.opened.properties?.maximumPacketSize ?? Number.POSITIVE_INFINITY;
  if (payload.byteLength >= most) {
    throw new ConnectorError(
      "invalid",
      `The message has ${payload.byteLength} bytes; ${session.where} takes at most ${most} with its headers.`,
    );
  }
  const headers = { [KEY_HEADER]: item.key, [OPERATION_HEADER]: item.op ?? "upsert", [ID_HEADER]: item.idempotencyKey };
  if (config.version !== "5" && item.op === "delete") {
    throw new ConnectorError("invalid", `Record ${item.key} is a deletion, which a message of version 3.1.1 cannot say.`);
  }
  return {
    cmd: "publish",
    qos: 1,
    dup: false,
    retain: write.retain,
    messageId,
    topic,
    payload,
    ...(config.version === "5" ? { properties: { userProperties: headers } } : {}),
  };
}
