import { z, type WriteIdempotency } from "@quiesce/sdk";
import { messageFields, repeatsField } from "../messages/message-fields.js";
import { certificateFields, connectionFields, portField } from "../network/connection-settings.js";
import { namedStream, streamList } from "../streams/stream-list.js";

/** The protocol's texts have at most 65,535 bytes; brokers allow less. */
const MAX_TOPIC_LENGTH = 1_000;

const clientId = z
  .string()
  .min(1)
  .max(100)
  .regex(/^[\w.:-]+$/u, "is a client id: letters, digits, dot, colon, dash and underscore");
const topic = z
  .string()
  .min(1)
  .max(MAX_TOPIC_LENGTH)
  .refine((text) => !text.includes("\0"), { message: "has no zero character" });

const stream = z
  .object({
    name: z.string().min(1).max(100),
    ...messageFields,
    topicField: z
      .string()
      .min(1)
      .max(100)
      .optional()
      .describe("Member of the record that takes the topic a message came by; it may be one of keyFields."),
    read: z
      .object({
        topics: z.array(topic).min(1).max(50).describe("Topics to subscribe to; may hold + and #."),
        clientId: clientId.describe("Names the session that the broker keeps for this stream: no other client may have it."),
        sessionDays: z
          .number()
          .min(0.01)
          .max(365)
          .default(7)
          .describe("How long the broker keeps messages while nobody reads them. With version 3.1.1 the broker itself decides."),
      })
      .optional(),
    write: z
      .object({
        topic: topic
          .refine((text) => !/[+#]/u.test(text), { message: "cannot hold + or #, which only subscriptions may" })
          .describe("Where messages are published. {key} stands for the record's key, with %XX for +, #, % and slash."),
        retain: z.boolean().default(false).describe("The broker keeps the last message of each topic for those who subscribe later."),
        requireSubscriber: z
          .boolean()
          .default(true)
          .describe("A message that nobody gets is a failure. Only version 5 tells; not asked for with retain."),
        repeats: repeatsField,
      })
      .optional(),
  })
  .refine(({ read, write }) => read !== undefined || write !== undefined, { message: "has neither a read nor a write" });

/** Configuration of an MQTT endpoint. */
export const mqttConfig = z.object({
  ...connectionFields,
  port: portField(8883).describe("8883 with TLS, 1883 without."),
  version: z.enum(["5", "3.1.1"]).default("5").describe("Of the protocol. 3.1.1 has no headers: deletions and keys do not travel."),
  user: z.string().min(1).max(255).optional().describe("With the secret `password`."),
  clientId: clientId
    .optional()
    .describe("Who checks and writes, for brokers that demand a name. Two at once end one another. Absent: the broker gives one."),
  answerTimeoutSeconds: z.int().min(1).max(300).default(30),
  streams: streamList(stream),
});

/** Secrets of an MQTT endpoint. */
export const mqttSecrets = z.object({ password: z.string().min(1).optional(), ...certificateFields });

export type MqttConfig = z.output<typeof mqttConfig>;
export type MqttSecrets = z.output<typeof mqttSecrets>;
export type MqttStream = MqttConfig["streams"][number];

/** A broker knows no repetitions: it is its subscribers that may. */
export function mqttIdempotency(config: MqttConfig, streamName: string): WriteIdempotency {
  return namedStream(config.streams, streamName).write?.repeats === "recognised" ? "key" : "none";
}
