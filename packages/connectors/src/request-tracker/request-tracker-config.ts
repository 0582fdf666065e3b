import { SEVERITIES, TICKET_STATES, z } from "@quiesce/sdk";

const status = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[^'"\\]+$/u, "has no quotes and no backslash");
const name = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^'"\\{}]+$/u, "has no quotes, braces or backslashes");

/** Configuration of a Request Tracker endpoint. */
export const requestTrackerConfig = z.object({
  url: z
    .url({ protocol: /^https?$/u })
    .describe("Where RT is, such as https://rt.example.com. Needs REST 2.0, which is part of RT 5 (an extension of RT 4.4)."),
  user: z
    .string()
    .min(1)
    .max(200)
    .describe("The user of RT: what it changes is no news. With the secret `password`, or with `token`, an auth token of this user."),
  ca: z.string().max(100_000).optional().describe("Certificates to trust instead of the system's, as PEM."),
  queue: name.describe("The queue whose tickets are kept in step, and in which new ones are made."),
  deduplicationField: name
    .optional()
    .describe(
      "A custom field of the queue (one text) for our key. Without it a tag in the subject stands for the key: [quiesce 3f9a1c2b4d5e].",
    ),
  statuses: z
    .partialRecord(z.enum(TICKET_STATES), status)
    .default({})
    .describe("The queue's statuses, where they are not new, open, open, stalled, resolved and resolved for our six states."),
  readStatuses: z
    .record(status, z.enum(TICKET_STATES))
    .default({})
    .describe("What further statuses mean here, such as { waiting: on_hold }."),
  priorities: z
    .partialRecord(z.enum(SEVERITIES), z.int().min(0).max(1_000))
    .default({})
    .describe("Priorities for severities, where they are not 100, 75, 50, 25 and 0."),
});

/** Secrets of a Request Tracker endpoint. */
export const requestTrackerSecrets = z.object({ password: z.string().min(1).optional(), token: z.string().min(1).optional() });

export type RequestTrackerConfig = z.output<typeof requestTrackerConfig>;
export type RequestTrackerSecrets = z.output<typeof requestTrackerSecrets>;
