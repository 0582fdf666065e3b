import { z } from "@quiesce/sdk";
import { streamList } from "../streams/stream-list.js";

const eventType = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[A-Za-z0-9_.]+$/u, "is an event type: letters, digits, underscore and dot");

const stream = z.object({
  name: z.string().min(1).max(100),
  path: z
    .string()
    .max(2_000)
    .regex(/^\//u, "begins with /")
    .optional()
    .describe("Where this stream's messages go, below the origin of url; url itself if absent."),
  type: eventType.describe("The event type of a message, such as order.updated."),
  deletedType: eventType.optional().describe("That of a deletion, such as order.deleted. Without it deletions are refused."),
});

/** Configuration of a webhook endpoint. */
export const webhookConfig = z.object({
  url: z.url({ protocol: /^https?$/u }).describe("Where messages are posted."),
  ca: z.string().max(100_000).optional().describe("Certificates to trust instead of the system's, as PEM."),
  headers: z.record(z.string(), z.string()).default({}).describe("Fixed headers. Never secrets: they are shown."),
  timeoutSeconds: z.int().min(1).max(60).default(30).describe("How long the receiver may take to answer."),
  repeats: z
    .enum(["recognised", "in-doubt"])
    .default("recognised")
    .describe(
      "What is done with a message whose fate is unknown. recognised: sent again with the same webhook-id, as the standard has it. in-doubt: it goes to review.",
    ),
  streams: streamList(stream),
});

const MIN_SECRET_BYTES = 24;
const MAX_SECRET_BYTES = 64;
const signingSecret = z
  .string()
  .regex(/^whsec_[A-Za-z0-9+/]+={0,2}$/u, "is whsec_ and base64")
  .refine((text) => isLongEnough(text), { message: `has ${MIN_SECRET_BYTES} to ${MAX_SECRET_BYTES} bytes` });

function isLongEnough(text: string): boolean {
  const { byteLength } = Buffer.from(text.slice("whsec_".length), "base64");
  return byteLength >= MIN_SECRET_BYTES && byteLength <= MAX_SECRET_BYTES;
}

/** Secrets of a webhook endpoint. */
export const webhookSecrets = z.object({
  signingSecret: signingSecret.describe("Shared with the receiver; as the standard has it, beginning with whsec_."),
  previousSigningSecret: signingSecret.optional().describe("While the receiver changes over: messages are signed with both."),
});

export type WebhookConfig = z.output<typeof webhookConfig>;
export type WebhookSecrets = z.output<typeof webhookSecrets>;
export type WebhookStream = WebhookConfig["streams"][number];
