import { z } from "@quiesce/sdk";
import { certificateFields, connectionFields, portField } from "../network/connection-settings.js";
import { streamList } from "../streams/stream-list.js";

/** Longer ones are no address (RFC 5321, 4.5.3.1.3, with room for a name). */
const MAX_ADDRESS_LENGTH = 500;
/** Servers take a hundred at least (RFC 5321, 4.5.3.1.8), and few more. */
const MAX_RECIPIENTS = 100;

const address = z
  .string()
  .min(3)
  .max(MAX_ADDRESS_LENGTH)
  .refine((text) => text.includes("@") && !/[\r\n]/u.test(text), { message: "is an address: a@example.com, or Name <a@example.com>" });
const addresses = z.union([address.transform((one) => [one]), z.array(address).max(MAX_RECIPIENTS)]);

const stream = z.object({
  name: z.string().min(1).max(100),
  from: address.describe("Who the mails are from. Records cannot say another one."),
  to: addresses.optional().describe("To whom, if a record does not say."),
});

/** Configuration of an SMTP endpoint. */
export const smtpConfig = z.object({
  ...connectionFields,
  port: portField(587).describe("587 with STARTTLS, 465 with TLS from the beginning."),
  startTls: z
    .boolean()
    .default(true)
    .describe("Begin in plain text and demand TLS before anything is said. False: TLS from the beginning."),
  user: z.string().min(1).max(255).optional().describe("With the secret `password`; never sent without TLS unless tls is disable."),
  clientName: z
    .string()
    .regex(/^[A-Za-z0-9.-]{1,255}$/u, "is a host name")
    .default("quiesce.localdomain")
    .describe("What we call ourselves (EHLO); some servers want a name that leads back here."),
  answerTimeoutSeconds: z.int().min(1).max(600).default(120).describe("How long the server may take over one mail."),
  streams: streamList(stream),
});

/** Secrets of an SMTP endpoint. */
export const smtpSecrets = z.object({ password: z.string().min(1).optional(), ...certificateFields });

const subject = z
  .string()
  .max(998)
  .refine((text) => !/[\r\n]/u.test(text), { message: "has no line break" });

/** The members of a record that is to be sent. */
export const mailSchema = z
  .strictObject({
    to: addresses.optional(),
    cc: addresses.optional(),
    bcc: addresses.optional(),
    replyTo: address.optional(),
    subject,
    text: z.string().optional(),
    html: z.string().optional(),
  })
  .refine(({ text, html }) => text !== undefined || html !== undefined, { message: "needs a text, or html", path: ["text"] });

export type SmtpConfig = z.output<typeof smtpConfig>;
export type SmtpSecrets = z.output<typeof smtpSecrets>;
export type SmtpStream = SmtpConfig["streams"][number];
