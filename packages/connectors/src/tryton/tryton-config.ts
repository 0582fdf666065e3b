import { z } from "@quiesce/sdk";

const model = z
  .string()
  .max(100)
  .regex(/^[a-z][a-z0-9_]*(?:\.[a-z0-9_]+)*$/u, "is a model's name, such as party.party");
const field = z
  .string()
  .max(100)
  .regex(/^[a-z][a-z0-9_]*$/u, "is a field's name, such as code");

const fieldPath = z
  .string()
  .max(200)
  .regex(/^[a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*){0,3}$/u, "is a field's name such as code, or a path such as party.code");

const stream = z
  .object({
    name: z.string().min(1).max(100),
    model: model.describe("The Tryton model, such as party.party."),
    fields: z
      .array(fieldPath)
      .min(1)
      .max(200)
      .refine((paths) => !paths.some((path) => paths.some((other) => other.startsWith(`${path}.`))), {
        message: "names a field and what stands behind it; party.id gives the id beside party.code",
      })
      .describe(
        "The fields to read. A path reads what a record refers to: party.code gives {party: {code}}, lines.quantity a list of lines. Without a path they come as ids.",
      ),
    key: z
      .enum(["id", "code"])
      .default("id")
      .describe(
        "What a record that is read is called: its id, or what codeField holds. Fields that flow both ways need code; records without a code are left out then.",
      ),
    domain: z.array(z.json()).max(100).default([]).describe('An additional condition, such as [["customer", "=", true]].'),
    overlapSeconds: z
      .number()
      .min(0)
      .max(86_400)
      .default(10)
      .describe("How long a transaction may stay open before its records become visible. Newer records are read again."),
    codeField: field
      .optional()
      .describe("Written to: the field that holds the record's key, so that a repetition finds it. Without it the stream is read-only."),
  })
  .refine((value) => value.key === "id" || value.codeField !== undefined, {
    message: "needs a codeField, because its key is code",
    path: ["codeField"],
  });

/** Configuration of a Tryton endpoint. */
export const trytonConfig = z.object({
  url: z.url({ protocol: /^https?$/u }).describe("Where trytond answers, such as https://erp.example.com."),
  database: z.string().regex(/^[A-Za-z0-9_.-]{1,63}$/u, "is a database's name"),
  user: z.string().min(1).max(200),
  language: z
    .string()
    .regex(/^[a-z]{2,3}(?:_[A-Z0-9]{2,8})?$/u, "is a language code such as en")
    .default("en")
    .describe("Language of messages and of translated fields."),
  company: z.int().positive().optional().describe("The id of the company to work in, if the user has several: sales and stock are of one."),
  streams: z
    .array(stream)
    .min(1)
    .max(200)
    .refine((streams) => new Set(streams.map((one) => one.name)).size === streams.length, {
      message: "has two streams of one name",
    }),
});

/** Secrets of a Tryton endpoint. */
export const trytonSecrets = z.object({ password: z.string().min(1) });

export type TrytonConfig = z.output<typeof trytonConfig>;
export type TrytonSecrets = z.output<typeof trytonSecrets>;
export type TrytonStream = TrytonConfig["streams"][number];
