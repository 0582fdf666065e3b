import { ConnectorError, z, type Cursor, type RemoteTicket, type TicketPage } from "@quiesce/sdk";
import { request, shapeOf, type RequestTrackerContext } from "./request-tracker-request.js";
import { readTicket } from "./tickets.js";

const PAGE_SIZE = 100;
/** So many changed tickets at most are looked for in one go; a queue with more has to be begun closer to now. */
const MAX_TICKETS = 20_000;
/** RT's times are whole seconds: the last two may still bring something. */
const SETTLES_MS = 2_000;
/** RT's own deeds (scrips, reminders) are nobody's news. */
const SYSTEM_USERS: ReadonlySet<string> = new Set(["RT_System"]);

const listSchema = z.object({
  items: z.array(
    z.object({
      id: z.union([z.string(), z.number()]).transform(Number),
      LastUpdated: z.string(),
      LastUpdatedBy: z.union([z.object({ id: z.string() }), z.string()]).optional(),
    }),
  ),
  pages: z.number().optional(),
});
const historySchema = z.object({ items: z.array(z.object({ Created: z.string(), Creator: z.object({ id: z.string() }) })) });

interface Touched {
  readonly id: number;
  readonly atMs: number;
  readonly by: string | undefined;
}

/**
 * Tickets of the queue that others have touched, the oldest change first. TicketSQL takes times in the zone of RT's user, so it is not asked for any: the
 * newest changes are listed first, down to the cursor.
 */
export async function* changedTickets(
  x: RequestTrackerContext,
  { cursor }: { readonly cursor: Cursor | null },
): AsyncGenerator<TicketPage, void, void> {
  const since = { atMs: numberAt(cursor, "at"), id: numberAt(cursor, "id") };
  const touched = (await touchedSince(x, since)).toSorted((a, b) => a.atMs - b.atMs || a.id - b.id);
  let last: Cursor = { at: since.atMs, id: since.id };
  for (let first = 0; first < touched.length; first += PAGE_SIZE) {
    const some = touched.slice(first, first + PAGE_SIZE);
    const tickets: RemoteTicket[] = [];
    for (const one of some) if (await isNews(x, one, since.atMs)) tickets.push(await readTicket(x, String(one.id)));
    const end = some.at(-1);
    if (end !== undefined) last = { at: end.atMs, id: end.id };
    const more = first + PAGE_SIZE < touched.length;
    yield { tickets, cursor: last, more };
    if (!more) return;
  }
  yield { tickets: [], cursor: last, more: false };
}

async function touchedSince(x: RequestTrackerContext, since: { readonly atMs: number; readonly id: number }): Promise<readonly Touched[]> {
  const touched = new Map<number, Touched>();
  for (let page = 1; ; page += 1) {
    const parameters = { query: `Queue = '${x.config.queue}'`, orderby: "LastUpdated", order: "DESC", fields: "LastUpdated,LastUpdatedBy" };
    const query = new URLSearchParams({ ...parameters, page: String(page), per_page: String(PAGE_SIZE) });
    const { json, serverMs } = await request(x, `/tickets?${query.toString()}`);
    const { items } = shapeOf(listSchema, json, `tickets of queue ${x.config.queue}`);
    const untilMs = (serverMs ?? x.clock.now().getTime()) - SETTLES_MS;
    let isBehind = items.length < PAGE_SIZE;
    for (const item of items) {
      const atMs = Date.parse(item.LastUpdated);
      if (atMs < since.atMs) isBehind = true;
      if (atMs > untilMs || atMs < since.atMs || (atMs === since.atMs && item.id <= since.id)) continue;
      const by = typeof item.LastUpdatedBy === "string" ? item.LastUpdatedBy : item.LastUpdatedBy?.id;
      if (!touched.has(item.id)) touched.set(item.id, { id: item.id, atMs, by });
    }
    if (isBehind) return [...touched.values()];
    if (touched.size > MAX_TICKETS)
      throw new ConnectorError(
        "config",
        `More than ${MAX_TICKETS} tickets of queue ${x.config.queue} have changed. Begin with a later cursor.`,
        {
          field: "queue",
        },
      );
  }
}

/** Whoever touched it last: it is news if somebody else did anything since. */
async function isNews(x: RequestTrackerContext, one: Touched, sinceMs: number): Promise<boolean> {
  const isOther = (user: string): boolean => user !== x.config.user && !SYSTEM_USERS.has(user);
  if (one.by !== undefined && isOther(one.by)) return true;
  const query = new URLSearchParams({ fields: "Created,Creator", orderby: "id", order: "DESC", per_page: String(PAGE_SIZE) });
  const { json } = await request(x, `/ticket/${one.id}/history?${query.toString()}`);
  const { items } = shapeOf(historySchema, json, `history of ticket ${one.id}`);
  return items.some((item) => Date.parse(item.Created) >= sinceMs && isOther(item.Creator.id));
}

function numberAt(cursor: Cursor | null, name: string): number {
  const value = cursor?.[name];
  return typeof value === "number" ? value : 0;
}
