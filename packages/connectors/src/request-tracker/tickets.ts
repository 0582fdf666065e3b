import { ConnectorError, z, type JsonObject, type RemoteTicket, type Ticket, type TicketField, type TicketPatch } from "@quiesce/sdk";
import { request, shapeOf, type RequestTrackerContext } from "./request-tracker-request.js";
import { requireDone } from "./sentences.js";
import { membersOf, severityOf, stateOf, subjectOf, tagIn, tagOf, titleOf } from "./ticket-words.js";

const userSchema = z.union([z.object({ id: z.string() }), z.string()]).transform((user) => (typeof user === "string" ? user : user.id));
const customFieldSchema = z.object({ name: z.string(), values: z.array(z.union([z.string(), z.number()])).default([]) });
const ticketSchema = z.object({
  id: z.union([z.string(), z.number()]).transform(String),
  Subject: z.string().default(""),
  Status: z.string(),
  Priority: z.union([z.string(), z.number()]).transform(String).default("0"),
  Owner: userSchema.optional(),
  Queue: z.object({ Name: z.string().optional(), id: z.union([z.string(), z.number()]).transform(String) }),
  LastUpdated: z.string(),
  LastUpdatedBy: userSchema.optional(),
  CustomFields: z.array(customFieldSchema).default([]),
});
const foundSchema = z.object({ items: z.array(z.object({ id: z.union([z.string(), z.number()]).transform(String) })) });
const queueSchema = z.object({
  TicketCustomFields: z.array(z.object({ id: z.union([z.string(), z.number()]).transform(String), name: z.string() })).default([]),
});
const fieldSchema = z.object({
  Name: z.string(),
  Type: z.string(),
  Values: z.array(z.string()).default([]),
  Pattern: z.string().default(""),
});

/** Keys that a text of TicketSQL may hold as they are. */
const PLAIN_KEY = /^[^'"\\\p{Cc}]{1,200}$/u;
/** How RT calls the owner of what nobody has taken. */
const NOBODY = "Nobody";

/** A ticket as it is there; throws `not_found`. */
export async function readTicket(x: RequestTrackerContext, id: string): Promise<RemoteTicket> {
  if (!/^\d{1,18}$/u.test(id)) throw new ConnectorError("not_found", `"${id.slice(0, 40)}" is no number of a ticket.`);
  const { json, version } = await request(x, `/ticket/${id}`);
  const found = shapeOf(ticketSchema, json, `ticket ${id}`);
  const { config } = x;
  const owner = found.Owner === undefined || found.Owner === NOBODY ? undefined : found.Owner;
  const key = found.CustomFields.find((one) => one.name === config.deduplicationField)?.values[0];
  const others = found.CustomFields.filter((one) => one.name !== config.deduplicationField && one.values.length > 0);
  const fields: JsonObject = Object.fromEntries(
    others.map((one) => [one.name, one.values.length === 1 ? (one.values[0] ?? "") : one.values]),
  );
  return {
    id: found.id,
    ...(version === undefined ? {} : { version }),
    url: `${config.url.replace(/\/+$/u, "")}/Ticket/Display.html?id=${found.id}`,
    ticket: {
      title: titleOf(found.Subject),
      state: stateOf(config, found.Status),
      severity: severityOf(config, found.Priority),
      group: found.Queue.Name ?? (await queueName(x, found.Queue.id)),
      ...(owner === undefined ? {} : { assignee: owner }),
      ...(Object.keys(fields).length === 0 ? {} : { fields }),
      ...(key === undefined ? {} : { deduplicationKey: String(key) }),
    },
    updatedAt: found.LastUpdated,
    ...(found.LastUpdatedBy === undefined ? {} : { updatedBy: found.LastUpdatedBy }),
  };
}

/** The ticket of that id or key; of several with one key the oldest. */
export async function findTicket(
  x: RequestTrackerContext,
  by: { readonly id: string } | { readonly deduplicationKey: string },
): Promise<RemoteTicket | undefined> {
  const key = "id" in by ? undefined : by.deduplicationKey;
  const id = "id" in by ? by.id : await idOfKey(x, by.deduplicationKey);
  if (id === undefined) return undefined;
  try {
    const found = await readTicket(x, id);
    const field = x.config.deduplicationField;
    // For a field that it does not know RT finds any ticket.
    if (key !== undefined && field !== undefined && found.ticket.deduplicationKey !== key) throw keyNotKept(field, id);
    return withKey(found, key);
  } catch (error) {
    if (error instanceof ConnectorError && error.kind === "not_found") return undefined;
    throw error;
  }
}

/** Makes a ticket, unless one of that key is there: RT knows no idempotency, so the search comes first. */
export async function createTicket(x: RequestTrackerContext, ticket: Ticket): Promise<RemoteTicket> {
  const standing = await findTicket(x, { deduplicationKey: ticket.deduplicationKey });
  if (standing !== undefined) return standing;
  const { config } = x;
  const keyField = config.deduplicationField;
  if (keyField !== undefined) await requireKeyField(x, keyField);
  const members = membersOf(config, ticket);
  const fields = { ...ticket.fields, ...(keyField === undefined ? {} : { [keyField]: ticket.deduplicationKey }) };
  const body: JsonObject = {
    Queue: config.queue,
    ...members,
    Subject: subjectOf(config, ticket.title, tagOf(ticket.deduplicationKey)),
    Content: ticket.body,
    ContentType: "text/plain",
    ...(Object.keys(fields).length === 0 ? {} : { CustomFields: fields }),
  };
  const { json } = await request(x, "/ticket", { method: "POST", body });
  const { id } = shapeOf(z.object({ id: z.union([z.string(), z.number()]).transform(String) }), json, "answer to a new ticket");
  const made = withKey(await readTicket(x, id), ticket.deduplicationKey);
  requireKept(ticket, made);
  return made;
}

/** Changes a ticket, then adds the comment. RT does what it can and refuses the rest: then `invalid` says what, though other fields are changed. */
export async function updateTicket(
  x: RequestTrackerContext,
  id: string,
  patch: TicketPatch,
  { ifVersion }: { readonly ifVersion?: string },
): Promise<RemoteTicket> {
  const { title, comment, body, ...rest } = patch;
  if (body !== undefined)
    throw new ConnectorError("invalid", "RT does not change the first text of a ticket; add a comment.", { field: "body" });
  const subject = title === undefined ? {} : { Subject: subjectOf(x.config, title, await tagOfTicket(x, id)) };
  const members = { ...membersOf(x.config, rest), ...subject };
  if (Object.keys(members).length > 0) {
    const { json } = await request(x, `/ticket/${encodeURIComponent(id)}`, { method: "PUT", body: members, ifVersion });
    requireDone(json, `the change of ticket ${id}`);
  } else if (ifVersion !== undefined && (await readTicket(x, id)).version !== ifVersion) {
    throw new ConnectorError("conflict", `Ticket ${id} has been changed since it was read.`, { status: 412 });
  }
  if (comment !== undefined) {
    const way = comment.public ? "correspond" : "comment";
    const { json } = await request(x, `/ticket/${encodeURIComponent(id)}/${way}`, {
      method: "POST",
      body: { Content: comment.body, ContentType: "text/plain" },
    });
    requireDone(json, `the comment on ticket ${id}`);
  }
  return readTicket(x, id);
}

/** The fields of a ticket in the configured queue, custom ones by their name. */
export async function ticketFields(x: RequestTrackerContext): Promise<readonly TicketField[]> {
  const { json } = await request(x, `/queue/${encodeURIComponent(x.config.queue)}`);
  const own: TicketField[] = [];
  for (const { id, name } of shapeOf(queueSchema, json, `queue ${x.config.queue}`).TicketCustomFields) {
    if (name === x.config.deduplicationField) continue;
    const field = shapeOf(fieldSchema, (await request(x, `/customfield/${encodeURIComponent(id)}`)).json, `custom field ${name}`);
    const type = field.Type === "Select" ? "enum" : field.Type.startsWith("Date") ? "date" : "text";
    own.push({
      name,
      type,
      required: field.Pattern.startsWith("(?#Mandatory)"),
      ...(type === "enum" ? { values: field.Values.map((value) => ({ id: value, label: value })) } : {}),
    });
  }
  return own;
}

/** RT 5.0 gives a ticket's queue by its number. */
async function queueName(x: RequestTrackerContext, id: string): Promise<string> {
  const { json } = await request(x, `/queue/${encodeURIComponent(id)}`);
  return shapeOf(z.object({ Name: z.string() }), json, `queue ${id}`).Name;
}

async function idOfKey(x: RequestTrackerContext, key: string): Promise<string | undefined> {
  const { queue, deduplicationField } = x.config;
  if (deduplicationField !== undefined && !PLAIN_KEY.test(key))
    throw new ConnectorError("invalid", "A key in a custom field of RT has 1 to 200 characters, no quotes and no backslash.", {
      field: "deduplicationKey",
    });
  const condition = deduplicationField === undefined ? `Subject LIKE '${tagOf(key)}'` : `'CF.{${deduplicationField}}' = '${key}'`;
  // A ticket may have been moved to another queue; a deleted or rejected one is still ours.
  const query = new URLSearchParams({ query: condition, orderby: "id", order: "ASC", per_page: "1" });
  const { json } = await request(x, `/tickets?${query.toString()}`);
  const [first] = shapeOf(foundSchema, json, `tickets of queue ${queue}`).items;
  return first?.id;
}

async function tagOfTicket(x: RequestTrackerContext, id: string): Promise<string> {
  const { json } = await request(x, `/ticket/${encodeURIComponent(id)}`);
  return tagIn(shapeOf(ticketSchema, json, `ticket ${id}`).Subject);
}

/** A tag cannot be turned back into its key. */
function withKey(ticket: RemoteTicket, deduplicationKey: string | undefined): RemoteTicket {
  if (deduplicationKey === undefined || ticket.ticket.deduplicationKey !== undefined) return ticket;
  return { ...ticket, ticket: { ...ticket.ticket, deduplicationKey } };
}

function keyNotKept(field: string, id: string): ConnectorError {
  return new ConnectorError(
    "config",
    `RT does not keep our key in the custom field "${field}" (seen at ticket ${id}). Make the field, one text, and apply it to the queue.`,
    {
      field: "deduplicationField",
    },
  );
}

/** RT leaves out fields that it does not know, and says so only in its log: every try would make another ticket that nobody finds again. */
async function requireKeyField(x: RequestTrackerContext, field: string): Promise<void> {
  const { queue } = x.config;
  const { json } = await request(x, `/queue/${encodeURIComponent(queue)}`);
  if (shapeOf(queueSchema, json, `queue ${queue}`).TicketCustomFields.some((one) => one.name === field)) return;
  throw new ConnectorError(
    "config",
    `The queue ${queue} of RT has no custom field "${field}". Make the field, one text, and apply it to the queue.`,
    {
      field: "deduplicationField",
    },
  );
}

function requireKept(wanted: Ticket, made: RemoteTicket): void {
  const owner = wanted.assignee;
  if (owner === undefined || owner === "" || made.ticket.assignee === owner) return;
  throw new ConnectorError("invalid", `RT has made ticket ${made.id}, but not for ${owner}: nobody of that name may own it.`, {
    field: "assignee",
  });
}
