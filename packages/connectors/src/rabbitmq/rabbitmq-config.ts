import { z, type WriteIdempotency } from "@quiesce/sdk";
import { messageFields, repeatsField } from "../messages/message-fields.js";
import { certificateFields, connectionFields, portField } from "../network/connection-settings.js";
import { namedStream, streamList } from "../streams/stream-list.js";

/** Names of queues, exchanges and routing keys are short strings of the protocol. */
const shortText = z.string().refine((text) => Buffer.byteLength(text) <= 255, { message: "has at most 255 bytes" });

const stream = z
  .object({
    name: z.string().min(1).max(100).describe("The stream's name; often that of the queue."),
    ...messageFields,
    queue: shortText.min(1).optional().describe("The queue to read from. It must be there; nothing is declared."),
    write: z
      .object({
        exchange: shortText
          .default("")
          .describe("Where messages are published; empty for the default exchange, whose routing keys are queues."),
        routingKey: shortText.describe("{key} stands for the record's key."),
        persistent: z.boolean().default(true).describe("Messages survive a restart of the broker, in queues that do."),
        repeats: repeatsField,
      })
      .optional()
      .describe("How records are published; without it the stream is read-only."),
  })
  .refine(({ queue, write }) => queue !== undefined || write !== undefined, { message: "has neither a queue to read nor a write" });

/** Configuration of a RabbitMQ endpoint. */
export const rabbitmqConfig = z.object({
  ...connectionFields,
  port: portField(5671).describe("5671 with TLS, 5672 without."),
  vhost: z.string().min(1).max(255).default("/"),
  user: z.string().min(1).max(255),
  answerTimeoutSeconds: z
    .int()
    .min(1)
    .max(300)
    .default(30)
    .describe("How long the broker may take to confirm; a blocked one does not confirm at all."),
  streams: streamList(stream),
});

/** Secrets of a RabbitMQ endpoint. */
export const rabbitmqSecrets = z.object({ password: z.string().min(1), ...certificateFields });

export type RabbitmqConfig = z.output<typeof rabbitmqConfig>;
export type RabbitmqSecrets = z.output<typeof rabbitmqSecrets>;
export type RabbitmqStream = RabbitmqConfig["streams"][number];

/** RabbitMQ knows no repetitions: it is its consumers that may. */
export function rabbitmqIdempotency(config: RabbitmqConfig, streamName: string): WriteIdempotency {
  return namedStream(config.streams, streamName).write?.repeats === "recognised" ? "key" : "none";
}
