import { requestTrackerConnector } from "@quiesce/connectors";
import type { Connector, Context, Cursor, RemoteTicket, Ticket, TicketPatch } from "@quiesce/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rejection, runContext } from "../connectors/run-context.js";
import { REQUEST_TRACKER, type RequestTracker, startRequestTracker } from "./request-tracker.js";
import { freePort } from "../lifecycle/free-port.js";
import { suiteRuns } from "./server-process.js";
import { waitUntil } from "./wait-until.js";

const SECOND_MS = 1_000;

describe.runIf(suiteRuns("Request Tracker", REQUEST_TRACKER))("the request-tracker connector on a real RT 5", () => {
  const connector: Connector = requestTrackerConnector;
  let rt: RequestTracker;
  let byField: Context;
  let byTag: Context;

  beforeAll(async () => {
    rt = await startRequestTracker();
    byField = await context({ deduplicationField: "Quiesce key" });
    byTag = await context({});
  });
  afterAll(async () => rt?.server.remove());

  const context = async (more: Record<string, unknown>, password = rt.password): Promise<Context> =>
    runContext(connector, { config: { url: rt.url, user: rt.user, queue: "General", ...more }, secrets: { password } });

  const ticketOf = (key: string, more: Partial<Ticket> = {}): Ticket => ({
    title: "ERP is down",
    body: "Since 02:00.\nAll orders wait.",
    severity: "critical",
    state: "open",
    deduplicationKey: key,
    ...more,
  });
  const tracker = () => {
    const { tracker: facet } = connector;
    if (facet === undefined) throw new Error("no tracker");
    return facet;
  };
  const create = (x: Context, ticket: Ticket) => tracker().create(x, ticket, { idempotencyKey: ticket.deduplicationKey });
  const update = (x: Context, id: string, patch: TicketPatch, ifVersion?: string) =>
    tracker().update(x, id, patch, { idempotencyKey: "u", ...(ifVersion === undefined ? {} : { ifVersion }) });

  async function changes(cursor: Cursor | null): Promise<{ tickets: readonly RemoteTicket[]; cursor: Cursor }> {
    const tickets: RemoteTicket[] = [];
    let last: Cursor = {};
    for await (const page of tracker().changes?.(byField, { cursor }) ?? []) {
      tickets.push(...page.tickets);
      last = page.cursor;
      if (!page.more) break;
    }
    return { tickets, cursor: JSON.parse(JSON.stringify(last)) as Cursor };
  }

  test("is up with its version; refuses a wrong password and a queue that is not there", async () => {
    expect(await connector.check?.(byField)).toEqual({
      status: "up",
      version: expect.stringMatching(/^5\./u),
      identity: { principal: "root" },
    });
    const failing = async (more: Record<string, unknown>, password?: string) =>
      rejection(Promise.resolve(connector.check?.(await context(more, password))));
    expect(await failing({}, "wrong")).toMatchObject({ kind: "auth" });
    expect(await failing({ queue: "Nowhere" })).toMatchObject({ kind: "permission", info: { field: "queue" } });
    expect(await failing({ url: `http://127.0.0.1:${await freePort()}` })).toMatchObject({ kind: "unavailable" });
  });

  test("tells its custom fields with their values, and who it is", async () => {
    expect(await tracker().whoAmI(byField)).toBe("root");
    expect(await tracker().fields(byField)).toEqual([
      {
        name: "Area",
        type: "enum",
        required: false,
        values: [
          { id: "erp", label: "erp" },
          { id: "shop", label: "shop" },
        ],
      },
    ]);
  });

  for (const way of ["a custom field", "a tag in the subject"] as const) {
    test(`creates one ticket for one key, found again by it: by ${way}`, async () => {
      const x = way === "a custom field" ? byField : byTag;
      const key = `incident 4711/${way}`;
      const made = await create(x, ticketOf(key, { assignee: "alice", fields: { Area: "erp" } }));
      expect(made).toMatchObject({
        version: expect.stringMatching(/^"\d+"$/u),
        url: expect.stringContaining(`id=${made.id}`),
        ticket: {
          title: "ERP is down",
          severity: "critical",
          state: "open",
          assignee: "alice",
          group: "General",
          fields: { Area: "erp" },
          deduplicationKey: key,
        },
      });
      const again = await create(x, ticketOf(key, { title: "another title" }));
      expect(again.id).toBe(made.id);
      expect((await tracker().find(x, { deduplicationKey: key }))?.id).toBe(made.id);
      expect(await tracker().find(x, { deduplicationKey: `${key}2` })).toBeUndefined();
      expect((await tracker().find(x, { id: made.id }))?.ticket.title).toBe("ERP is down");
      expect(await tracker().find(x, { id: "999999" })).toBeUndefined();
      // A new title keeps the key.
      await update(x, made.id, { title: "ERP is slow" });
      expect((await tracker().find(x, { deduplicationKey: key }))?.ticket.title).toBe("ERP is slow");
    });
  }

  test("a key that could end its text in TicketSQL is refused in a custom field, and harmless as a tag", async () => {
    const key = "x' OR id > 0 OR Subject = 'y";
    expect(await rejection(tracker().find(byField, { deduplicationKey: key }))).toMatchObject({
      kind: "invalid",
      info: { field: "deduplicationKey" },
    });
    expect(await tracker().find(byTag, { deduplicationKey: key })).toBeUndefined();
    const made = await create(byTag, ticketOf(key));
    expect((await tracker().find(byTag, { deduplicationKey: key }))?.id).toBe(made.id);
  });

  test("changes state, severity, owner and fields, adds comments, and refuses a version that is no more", async () => {
    const made = await create(byField, ticketOf("update"));
    const patch = { state: "in_progress", severity: "minor", assignee: "alice", fields: { Area: "shop" } } as const;
    const changed = await update(byField, made.id, patch, made.version);
    expect(changed.ticket).toMatchObject({ ...patch, title: "ERP is down" });
    // The same again is no refusal.
    expect((await update(byField, made.id, patch)).ticket).toMatchObject(patch);
    const stale = await rejection(update(byField, made.id, { state: "resolved" }, made.version));
    expect(stale).toMatchObject({ kind: "conflict", info: { status: 412 } });
    const commented = await update(byField, made.id, { comment: { body: "looked at it", public: false } }, changed.version);
    expect(commented.version).not.toBe(changed.version);
    expect(await rejection(update(byField, made.id, { comment: { body: "late", public: true } }, changed.version))).toMatchObject({
      kind: "conflict",
    });
    await update(byField, made.id, { comment: { body: "for the customer", public: true } });
    const history = (await rt.ask("GET", `/ticket/${made.id}/history?fields=Type&per_page=100`)) as { items: { Type: string }[] };
    expect(history.items.map((item) => item.Type).filter((type) => ["Comment", "Correspond"].includes(type))).toEqual([
      "Comment",
      "Correspond",
    ]);
    expect((await update(byField, made.id, { assignee: "" })).ticket.assignee).toBeUndefined();
  });

  test("what RT refuses with status 200 and a sentence is invalid, with the field", async () => {
    const made = await create(byField, ticketOf("refused"));
    const strange = await context({ statuses: { on_hold: "nonsense" } });
    expect(await rejection(update(strange, made.id, { state: "on_hold" }))).toMatchObject({
      kind: "invalid",
      message: expect.stringContaining("isn't a valid status"),
      info: { field: "state" },
    });
    expect(await rejection(update(byField, made.id, { assignee: "nobody-of-that-name" }))).toMatchObject({
      kind: "invalid",
      info: { field: "assignee" },
    });
    expect(await rejection(update(byField, made.id, { group: "Nowhere" }))).toMatchObject({ kind: "invalid", info: { field: "group" } });
    expect(await rejection(update(byField, made.id, { body: "another text" }))).toMatchObject({ kind: "invalid", info: { field: "body" } });
    const unkept = await context({ deduplicationField: "No such field" });
    expect(await rejection(create(unkept, ticketOf("unkept", { title: "never made" })))).toMatchObject({
      kind: "config",
      info: { field: "deduplicationField" },
    });
    const { total } = (await rt.ask("GET", `/tickets?${new URLSearchParams({ query: "Subject = 'never made'" }).toString()}`)) as {
      total: number;
    };
    expect(total).toBe(0);
  });

  test("brings what others have touched, once, and not what was written here", async () => {
    const made = await create(byField, ticketOf("watched"));
    const settled = async (): Promise<Cursor> => {
      // Whole seconds: the last two are left for the next look.
      await new Promise((resolve) => setTimeout(resolve, 3 * SECOND_MS));
      return (await changes(null)).cursor;
    };
    const cursor = await settled();
    await update(byField, made.id, { comment: { body: "ours", public: false } });
    await new Promise((resolve) => setTimeout(resolve, 3 * SECOND_MS));
    const own = await changes(cursor);
    expect(own.tickets).toEqual([]);
    await rt.ask("PUT", `/ticket/${made.id}`, { Status: "stalled" }, "alice");
    await rt.ask("POST", `/ticket/${made.id}/comment`, { Content: "waiting", ContentType: "text/plain" }, "alice");
    // Ours is the last word, and alice's is news all the same.
    await update(byField, made.id, { severity: "warning" });
    let found: Awaited<ReturnType<typeof changes>> = own;
    await waitUntil(async () => (found = await changes(own.cursor)).tickets.length > 0, { withinMs: 10 * SECOND_MS });
    expect(found.tickets.map((one) => one.id)).toEqual([made.id]);
    expect(found.tickets[0]?.ticket).toMatchObject({ state: "on_hold", severity: "warning" });
    expect((await changes(found.cursor)).tickets).toEqual([]);
  });
});
