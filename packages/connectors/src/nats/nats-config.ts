import { z } from "@quiesce/sdk";
import { messageFields } from "../messages/message-fields.js";
import { certificateFields, connectionFields, portField } from "../network/connection-settings.js";
import { streamList } from "../streams/stream-list.js";

const jetstreamName = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[^\s.*>/\\]+$/u, "is a JetStream name: no space, dot, *, > or slash");
const subject = z.string().min(1).max(1_000).regex(/^\S+$/u, "is a subject: no space");

const stream = z.object({
  name: z.string().min(1).max(100).describe("The stream's name in Quiesce; often that in JetStream."),
  ...messageFields,
  stream: jetstreamName.describe("The stream in JetStream. It must be there; nothing is created."),
  subject: subject.optional().describe("Read only messages of this subject; may hold * and >."),
  write: z
    .object({
      subject: subject.describe(
        "Where messages are published, a subject of the stream. {key} stands for the record's key, with %XX for what a subject cannot hold.",
      ),
      minDuplicateWindowSeconds: z
        .number()
        .min(1)
        .max(86_400 * 30)
        .default(120)
        .describe("How long the stream must know message ids at least (its duplicate_window): a repetition that comes later doubles."),
    })
    .optional()
    .describe("How records are published; without it the stream is read-only."),
});

/** Configuration of a NATS endpoint with JetStream. */
export const natsConfig = z.object({
  ...connectionFields,
  port: portField(4222),
  user: z
    .string()
    .min(1)
    .max(255)
    .optional()
    .describe("With the secret `password`. Absent where a token, credentials or a certificate say who asks."),
  answerTimeoutSeconds: z.int().min(1).max(300).default(30),
  streams: streamList(stream),
});

/** Secrets of a NATS endpoint. */
export const natsSecrets = z.object({
  password: z.string().min(1).optional(),
  token: z.string().min(1).optional(),
  credentials: z.string().includes("-----BEGIN NATS USER JWT-----").optional().describe("The text of a .creds file (JWT and seed)."),
  ...certificateFields,
});

export type NatsConfig = z.output<typeof natsConfig>;
export type NatsSecrets = z.output<typeof natsSecrets>;
export type NatsStream = NatsConfig["streams"][number];
