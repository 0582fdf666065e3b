import { z } from "zod";
import { secretSchema } from "./secret-schema.js";
import { slugSchema } from "./slug.js";
import { strictObject } from "./strict-object.js";

const MAX_WEBHOOKS = 20;
const MAX_MAILS = 20;
/** Longer ones are no address (RFC 5321, 4.5.3.1). */
const MAX_ADDRESS_LENGTH = 320;
const MAX_EVENTS = 50;

/** Credentials belong into the secret, and what follows # never reaches a server. */
function isPlainUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { username, password, hash } = new URL(text);
  return username === "" && password === "" && hash === "";
}

/** Kinds of events of windows, such as window.quiesced or window.*, of incidents, of the audit trail, of unusual access and of access reviews; empty: the usual ones of windows and incidents. */
const eventsSchema = z
  .array(
    z
      .string()
      .regex(
        /^(window\.(\*|[a-z][a-z-]{0,60})|incident\.(\*|[a-z][a-z-]{0,60})|audit\.(\*|head|broken|mended)|access\.(\*|new-network|after-silence|denials|searching|bulk-read)|access-review\.(\*|opened|overdue|closed))$/,
        "Expected a kind of a window's events, such as window.quiesced or window.*, of an incident's, such as incident.opened or incident.*, audit.head, audit.broken, audit.mended, audit.*, of unusual access, such as access.new-network or access.*, or of access reviews: access-review.opened, access-review.overdue, access-review.closed, access-review.*.",
      ),
  )
  .max(MAX_EVENTS)
  .default([])
  .transform((kinds) => [...new Set(kinds)].toSorted());

/** Yes, also of windows that only observe. */
const observeSchema = z.boolean().default(false);

const webhookSchema = strictObject({
  url: z
    .url({ protocol: /^https?$/ })
    .max(2_000)
    .refine(isPlainUrl, { message: "Expected an address without user, password and fragment, such as https://hooks.example.com/quiesce." }),
  /** What the messages are signed with: whsec_ and base64, as Standard Webhooks writes it. */
  secret: secretSchema,
  events: eventsSchema,
  observe: observeSchema,
});

/** A mail to one address, sent through an endpoint that writes mails: records with `to`, `subject` and `text` into one of its streams. */
const mailSchema = strictObject({
  to: z
    .string()
    .max(MAX_ADDRESS_LENGTH)
    .regex(/^[^\s@<>()[\]\\,;:"]+@[^\s@<>()[\]\\,;:"]+$/, "Expected one plain address, such as oncall@example.com."),
  endpoint: slugSchema,
  stream: z.string().min(1).max(100),
  events: eventsSchema,
  observe: observeSchema,
});

/** Who answers for windows and integrations, and where they are told. `owner` and `ownerTeam` name a team by its key. */
export const teamSchema = strictObject({
  key: slugSchema,
  title: z.string().trim().min(1).max(200).optional(),
  webhooks: z
    .array(webhookSchema)
    .max(MAX_WEBHOOKS)
    .default([])
    .refine((hooks) => new Set(hooks.map((hook) => hook.url)).size === hooks.length, { message: "Found an address twice. Keep one." })
    .transform((hooks) => hooks.toSorted((a, b) => (a.url < b.url ? -1 : 1))),
  mails: z
    .array(mailSchema)
    .max(MAX_MAILS)
    .default([])
    .refine((mails) => new Set(mails.map((mail) => mail.to)).size === mails.length, { message: "Found an address twice. Keep one." })
    .transform((mails) => mails.toSorted((a, b) => (a.to < b.to ? -1 : 1))),
}).transform((team) => ({ ...team, title: team.title ?? team.key }));

export type TeamEntry = z.output<typeof teamSchema>;

const SECRET = /^whsec_([A-Za-z0-9+/]+={0,2})$/;
const MIN_KEY_BYTES = 24;
const MAX_KEY_BYTES = 64;

/** What is wrong with a value as the secret of a webhook; undefined when nothing is. The value is not repeated. */
export function webhookSecretProblem(value: string): string | undefined {
  const key = SECRET.exec(value)?.[1];
  const bytes = key === undefined || key.length % 4 !== 0 ? 0 : (key.length / 4) * 3 - (key.endsWith("==") ? 2 : key.endsWith("=") ? 1 : 0);
  if (bytes >= MIN_KEY_BYTES && bytes <= MAX_KEY_BYTES) return undefined;
  return `Expected whsec_ and ${MIN_KEY_BYTES} to ${MAX_KEY_BYTES} bytes in base64, as: echo "whsec_$(openssl rand -base64 32)"`;
}
