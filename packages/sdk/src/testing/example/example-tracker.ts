import { isConnectorError, TICKET_STATES, z, type RemoteTicket, type Ticket, type TicketPage, type TicketPatch } from "../../index.js";
import { ask, type ExampleContext } from "./example-request.js";

const ticket = z.object({
  id: z.string(),
  key: z.string(),
  version: z.string(),
  title: z.string(),
  body: z.string(),
  state: z.enum(TICKET_STATES),
  by: z.string(),
});
const list = z.object({ tickets: z.array(ticket) });

export async function whoAmI(): Promise<string> {
  return "writer";
}

export async function findTicket(
  x: ExampleContext,
  by: { readonly id: string } | { readonly deduplicationKey: string },
): Promise<RemoteTicket | undefined> {
  if ("deduplicationKey" in by) {
    const { tickets } = await ask(x, `/tickets?${new URLSearchParams({ key: by.deduplicationKey }).toString()}`, list);
    return tickets[0] === undefined ? undefined : remoteOf(tickets[0]);
  }
  try {
    return remoteOf(await ask(x, `/tickets/${encodeURIComponent(by.id)}`, ticket));
  } catch (thrown) {
    if (isConnectorError(thrown) && thrown.kind === "not_found") return undefined;
    throw thrown;
  }
}

export async function createTicket(x: ExampleContext, given: Ticket): Promise<RemoteTicket> {
  const { title, body, state, deduplicationKey: key } = given;
  const present = await findTicket(x, { deduplicationKey: key });
  if (present !== undefined) return present;
  return remoteOf(await ask(x, "/tickets", ticket, { method: "POST", body: JSON.stringify({ key, title, body, state }) }));
}

export async function updateTicket(
  x: ExampleContext,
  id: string,
  patch: TicketPatch,
  request: { readonly ifVersion?: string },
): Promise<RemoteTicket> {
  const { title, body, state } = patch;
  const headers = request.ifVersion === undefined ? {} : { "if-match": request.ifVersion };
  return remoteOf(
    await ask(x, `/tickets/${encodeURIComponent(id)}`, ticket, { method: "PATCH", headers, body: JSON.stringify({ title, body, state }) }),
  );
}

/** The system keeps no history: all that others touched last. */
export async function* ticketChanges(x: ExampleContext): AsyncGenerator<TicketPage, void, void> {
  const { tickets } = await ask(x, "/tickets", list);
  const me = await whoAmI();
  yield { tickets: tickets.filter(({ by }) => by !== me).map(remoteOf), cursor: {}, more: false };
}

function remoteOf({ id, key, version, title, body, state, by }: z.output<typeof ticket>): RemoteTicket {
  return { id, version, ticket: { title, body, state, deduplicationKey: key }, updatedAt: "2026-11-20T08:00:00Z", updatedBy: by };
}
