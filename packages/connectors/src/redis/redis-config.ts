import { z, type WriteIdempotency } from "@quiesce/sdk";
import { messageFields, repeatsField } from "../messages/message-fields.js";
import { certificateFields, connectionFields, portField } from "../network/connection-settings.js";
import { namedStream, streamList } from "../streams/stream-list.js";

const stream = z.object({
  name: z.string().min(1).max(100).describe("The stream's name in Quiesce; often that of its key."),
  ...messageFields,
  key: z.string().min(1).max(1_000).describe("The key of the stream in Redis."),
  field: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .describe(
      "The field of an entry that holds the payload. Absent: the entry's fields are the record's members, as texts, and payload says nothing.",
    ),
  write: z
    .object({
      maxLength: z
        .int()
        .min(1)
        .max(1_000_000_000)
        .optional()
        .describe("Keep about so many entries: the oldest go with every write. Absent: all stay."),
      deduplicateSeconds: z
        .int()
        .min(1)
        .max(86_400 * 30)
        .optional()
        .describe(
          "Remember for so long, in a key beside the stream, what was added: a repetition within it is added once. Absent: see repeats.",
        ),
      repeats: repeatsField,
    })
    .optional()
    .describe("How records are added; without it the stream is read-only."),
});

/** Configuration of a Redis or Valkey endpoint. */
export const redisConfig = z.object({
  ...connectionFields,
  port: portField(6379),
  user: z.string().min(1).max(255).optional().describe("An ACL user. Absent: the default one, with the secret `password` if it has one."),
  database: z.int().min(0).max(10_000).default(0),
  answerTimeoutSeconds: z.int().min(1).max(300).default(30),
  streams: streamList(stream),
});

/** Secrets of a Redis endpoint. */
export const redisSecrets = z.object({ password: z.string().min(1).optional(), ...certificateFields });

export type RedisConfig = z.output<typeof redisConfig>;
export type RedisSecrets = z.output<typeof redisSecrets>;
export type RedisStream = RedisConfig["streams"][number];

/** Redis itself knows no repetitions; with deduplicateSeconds a key beside the stream does, and else its consumers may. */
export function redisIdempotency(config: RedisConfig, streamName: string): WriteIdempotency {
  const { write } = namedStream(config.streams, streamName);
  return write?.deduplicateSeconds !== undefined || write?.repeats === "recognised" ? "key" : "none";
}
