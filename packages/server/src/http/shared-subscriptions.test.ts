import { createClient } from "graphql-ws";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import { type StartedApi, startApi } from "../../../../test/server/start-api.js";
import { createToken, revokeToken } from "../access/tokens.js";
import { appendEvents, type NewEvent } from "../events/append-events.js";

/** A busy machine takes its time; what is waited for comes by an event. */
const soon = (look: () => unknown): Promise<unknown> => vi.waitFor(look, { timeout: 60_000 });

let api: StartedApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(async () => {
  await api.stop();
});

const LIVE = "subscription ($after: String) { liveEvents(after: $after) { cursor kind subjectKey payload } }";
const emit = (keys: readonly string[], options: { readonly subjectKind?: NewEvent["subjectKind"]; readonly text?: string } = {}) => {
  const { subjectKind = "system", text = "" } = options;
  return api.database.db.transaction((tx) =>
    appendEvents(
      tx,
      keys.map((subjectKey) => ({ kind: `${subjectKind}.touched`, subjectKind, subjectKey, payload: { text } })),
    ),
  );
};
const cursorNow = async () => (await api.ask("{ eventCursor }")).data?.["eventCursor"] as string;

interface Watched {
  readonly keys: string[];
  readonly codes: unknown[];
  readonly closed: Promise<number | string>;
  stop(): void;
}

function watchSocket(token: string, after: string): Watched {
  const keys: string[] = [];
  const codes: unknown[] = [];
  let close: (code: number) => void = () => undefined;
  const closed = new Promise<number>((resolve) => {
    close = resolve;
  });
  const client = createClient({
    url: `${api.url.replace("http", "ws")}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
    on: { closed: (event) => close((event as { code: number }).code) },
  });
  client.subscribe<{ liveEvents: { subjectKey: string } }>(
    { query: LIVE, variables: { after } },
    {
      next: ({ data, errors }) => {
        if (data) keys.push(data.liveEvents.subjectKey);
        if (errors) codes.push(...errors.map(({ extensions }) => extensions?.["code"]));
      },
      error: () => undefined,
      complete: () => undefined,
    },
  );
  return { keys, codes, closed, stop: () => void client.dispose() };
}

function watchStream(token: string, after: string): Watched {
  const keys: string[] = [];
  const codes: unknown[] = [];
  const abort = new AbortController();
  const closed = (async () => {
    const response = await fetch(`${api.url}/graphql`, {
      method: "POST",
      headers: { authorization: `Bearer ${token}`, "content-type": "application/json", accept: "text/event-stream" },
      body: JSON.stringify({ query: LIVE, variables: { after } }),
      signal: abort.signal,
    });
    let text = "";
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString("utf8");
      const events = text.split("\n\n");
      text = events.pop() ?? "";
      for (const event of events) {
        const data = /^data: (.+)$/m.exec(event)?.[1];
        if (data === undefined) continue;
        const answer = JSON.parse(data) as { data?: { liveEvents: { subjectKey: string } }; errors?: { extensions: { code: string } }[] };
        if (answer.data) keys.push(answer.data.liveEvents.subjectKey);
        codes.push(...(answer.errors ?? []).map(({ extensions }) => extensions.code));
      }
    }
    return "end";
  })().catch((error: unknown) => String(error));
  return { keys, codes, closed, stop: () => abort.abort() };
}

describe.each([
  ["a WebSocket", watchSocket],
  ["server-sent events", watchStream],
] as const)("over %s", (_, watch) => {
  it("nothing that happens after a token was revoked goes out to it, and everything to the others", async () => {
    const token = await createToken(api.context, { name: "revoked-soon", role: "auditor" });
    const after = await cursorNow();
    const watchers = [watch(token.secret, after), watch(token.secret, after)];
    const other = watch(api.tokens.auditor, after);
    await emit(["before"]);
    await soon(() => expect([...watchers, other].map(({ keys }) => keys.at(-1))).toEqual(["before", "before", "before"]));
    await revokeToken(api.context, { id: token.id });
    await emit(["after"]);
    await soon(() => expect(other.keys.at(-1)).toBe("after"));
    await Promise.all(watchers.map(({ closed }) => closed));
    for (const { keys } of watchers) expect(keys).not.toContain("after");
    other.stop();
  });

  it("a token whose role is narrowed sees from then on only what the new role may, without a gap", async () => {
    const token = await createToken(api.context, { name: "narrowed", role: "auditor" });
    const watched = watch(token.secret, await cursorNow());
    await emit(["t1"], { subjectKind: "token" });
    await soon(() => expect(watched.keys).toContain("t1"));
    await grant(token.id, [{ role: "viewer", scope: { kind: "all" } }]);
    // An event about the token makes the server look at once.
    await api.database.db.transaction((tx) =>
      appendEvents(tx, [{ kind: "token.changed", subjectKind: "token", subjectKey: String(token.id) }]),
    );
    await emit(["t2"], { subjectKind: "token" });
    await emit(["s2"]);
    await soon(() => expect(watched.keys).toContain("s2"));
    // The token's own making is an event too, of which it depends whether it was numbered before the cursor was read.
    expect(watched.keys.filter((key) => key !== String(token.id))).toEqual(["t1", "s2"]);
    watched.stop();
  });

  it("a token whose reach is narrowed sees from then on only what is in reach, live and from the past, without a gap", async () => {
    const token = await createToken(api.context, { name: "nearer", role: "viewer" });
    const start = await cursorNow();
    const watched = watch(token.secret, start);
    await emit(["erp", "shop"]);
    await soon(() => expect(watched.keys).toContain("shop"));
    await grant(token.id, [{ role: "viewer", scope: { kind: "system", name: "shop" } }]);
    await api.database.db.transaction((tx) =>
      appendEvents(tx, [{ kind: "token.changed", subjectKind: "token", subjectKey: String(token.id) }]),
    );
    await emit(["erp", "erp-db", "shop"]);
    await emit(["orders", "invoices"], { subjectKind: "integration" });
    await emit(["control"], { subjectKind: "control" });
    await emit(["stock"], { subjectKind: "integration" });
    await soon(() => expect(watched.keys).toContain("stock"));
    // The ERP is on the route of the orders, which are the shop's too; its database and the invoices are not.
    expect(watched.keys).toEqual(["erp", "shop", "erp", "shop", "orders", "stock"]);
    // Another server, another day: the past is narrowed as the present is.
    const later = watch(token.secret, start);
    await soon(() => expect(later.keys).toContain("stock"));
    expect(later.keys).toEqual(["erp", "shop", "erp", "shop", "orders", "stock"]);
    watched.stop();
    later.stop();
  });

  it("a role that may watch nothing any more ends the subscription with its code", async () => {
    const token = await createToken(api.context, { name: "emptied", role: "viewer" });
    const watched = watch(token.secret, await cursorNow());
    await emit(["s1"]);
    await soon(() => expect(watched.keys).toEqual(["s1"]));
    await grant(token.id, [{ role: "nobody", scope: { kind: "all" } }]);
    await soon(() => expect(watched.codes).toEqual(["QSC_ACCESS_DENIED"]));
    watched.stop();
  });
});

const grant = (tokenId: number, grants: readonly object[]) =>
  api.database.sql`update api_token set grants = ${JSON.stringify(grants)}::text::jsonb where id = ${tokenId}`;

describe("a client that does not read its socket", () => {
  it("gets what was sent, without a gap, and then the code with the cursor to continue from, which brings the rest", async () => {
    const after = await cursorNow();
    const socket = new WebSocket(`${api.url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
    const messages: {
      type: string;
      payload?: {
        data?: { liveEvents: { subjectKey: string } };
        errors?: { extensions: { code: string; details: { resumeFrom: string } } }[];
      };
    }[] = [];
    socket.on("message", (data: Buffer) => messages.push(JSON.parse(data.toString("utf8")) as (typeof messages)[number]));
    await new Promise((resolve) => socket.once("open", resolve));
    socket.send(JSON.stringify({ type: "connection_init", payload: { authorization: `Bearer ${api.tokens.viewer}` } }));
    await soon(() => expect(messages.length).toBe(1));
    socket.send(JSON.stringify({ id: 'an "id"', type: "subscribe", payload: { query: LIVE, variables: { after } } }));
    await emit(["first"]);
    await soon(() => expect(messages.length).toBe(2));
    socket.pause();
    // More than both ends' buffers take.
    const keys = Array.from({ length: 1_500 }, (_, index) => `k${index}`);
    const text = "x".repeat(12_000);
    for (let at = 0; at < keys.length; at += 100) await emit(keys.slice(at, at + 100), { text });
    const quick = watchStream(api.tokens.viewer, after);
    await soon(() => expect(quick.keys.length).toBe(1_501));
    quick.stop();
    socket.resume();
    await soon(() => expect(messages.at(-1)?.type).toBe("complete"));
    const seen = messages.flatMap(({ payload }) => payload?.data?.liveEvents.subjectKey ?? []);
    expect(seen).toEqual(["first", ...keys].slice(0, seen.length));
    expect(seen.length).toBeLessThan(1_500);
    const refusal = messages.at(-2)?.payload?.errors?.[0]?.extensions;
    expect(refusal?.code).toBe("QSC_EVENTS_SUBSCRIBER_TOO_SLOW");
    socket.terminate();
    const rest = watchStream(api.tokens.viewer, refusal?.details.resumeFrom ?? "");
    await soon(() => expect(rest.keys.length).toBe(1_501 - seen.length));
    expect([...seen, ...rest.keys]).toEqual(["first", ...keys]);
    rest.stop();
  }, 300_000);
});
