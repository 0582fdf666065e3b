import { type Client, createClient } from "graphql-ws";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type StartedApi, startApi } from "../../../../test/server/start-api.js";
import { revokeToken, createToken } from "../access/tokens.js";
import { appendEvents } from "../events/append-events.js";
import { defaultApiLimits } from "./api-limits.js";

interface LiveEvent {
  readonly cursor: string;
  readonly kind: string;
  readonly subjectKey: string;
}

let api: StartedApi;
let clients: Client[] = [];
beforeAll(async () => {
  api = await startApi();
});
afterEach(async () => {
  await Promise.all(clients.map(async (client) => client.dispose()));
  clients = [];
});
afterAll(async () => {
  await api.stop();
});

function connect(token: string, on: Parameters<typeof createClient>[0]["on"] = {}): Client {
  const client = createClient({
    url: `${api.url.replace("http", "ws")}/graphql`,
    webSocketImpl: WebSocket,
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 0,
    on,
  });
  clients.push(client);
  return client;
}

/** Five seconds are promised, and kept on a machine that has time. */
const ENDED_MS = 30_000;
const LIVE =
  "subscription ($after: String, $subjects: [String!]) { liveEvents(after: $after, subjects: $subjects) { cursor kind subjectKey } }";
const names = (from: number, count: number) => Array.from({ length: count }, (_, index) => `e${from + index}`);
const emit = async (keys: readonly string[], subjectKind: "system" | "token" | "principal" = "system") => {
  await api.database.db.transaction((tx) =>
    appendEvents(
      tx,
      keys.map((subjectKey) => ({ kind: `${subjectKind}.touched`, subjectKind, subjectKey })),
    ),
  );
};
/** After all that was emitted so far: what still waits for its number would come behind the cursor. */
const cursorNow = async () => {
  await expect.poll(async () => (await api.database.sql`select from event_inbox limit 1`).length, { timeout: 60_000 }).toBe(0);
  return (await api.ask("{ eventCursor }")).data?.["eventCursor"] as string;
};

/** The next `count` events, and then the subscription ends. */
async function take(client: Client, variables: Record<string, unknown>, count: number): Promise<LiveEvent[]> {
  const events: LiveEvent[] = [];
  for await (const { data, errors } of client.iterate<{ liveEvents: LiveEvent }>({ query: LIVE, variables })) {
    if (errors !== undefined) throw new Error(JSON.stringify(errors));
    if (data) events.push(data.liveEvents);
    if (events.length === count) break;
  }
  return events;
}

/** Reads server-sent events until `count` of them carried data. */
async function* serverSentEvents(
  token: string,
  query: string,
  variables: object,
  signal?: AbortSignal,
): AsyncGenerator<{ data?: Record<string, unknown>; errors?: { extensions: { code: string } }[] }> {
  const response = await fetch(`${api.url}/graphql`, {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json", accept: "text/event-stream" },
    body: JSON.stringify({ query, variables }),
    ...(signal === undefined ? {} : { signal }),
  });
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString("utf8");
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const data = /^data: (.+)$/m.exec(text.slice(0, end))?.[1];
      text = text.slice(end + 2);
      if (data !== undefined) yield JSON.parse(data) as { data?: Record<string, unknown> };
    }
  }
}

describe("subscriptions over WebSocket", () => {
  it("bring every event once and in order across forced reconnects, while events keep coming", async () => {
    const expected = names(0, 600);
    let after = await cursorNow();
    const writing = (async () => {
      for (let at = 0; at < expected.length; at += 20) await emit(expected.slice(at, at + 20));
    })();
    const seen: string[] = [];
    for (const portion of [3, 97, 250, 250]) {
      let socket: WebSocket | null = null;
      const client = connect(api.tokens.viewer, { opened: (opened) => void (socket = opened as WebSocket) });
      const events = await take(client, { after }, portion);
      (socket as WebSocket | null)?.terminate();
      seen.push(...events.map(({ subjectKey }) => subjectKey));
      after = events.at(-1)?.cursor ?? after;
    }
    await writing;
    expect(seen).toEqual(expected);
  });

  it("continue exactly where a query read its cursor", async () => {
    await emit(["before"]);
    const summary = (await api.ask("{ statusSummary { cursor } }")).data?.["statusSummary"] as { cursor: string } | undefined;
    const cursor = summary?.cursor ?? "";
    await emit(["after"]);
    const [first] = await take(connect(api.tokens.viewer), { after: cursor, subjects: ["system:before", "system:after"] }, 1);
    // The summary may be half a second old: what it has not seen comes again from its own cursor, never the other way round.
    expect(["before", "after"]).toContain(first?.subjectKey);
  });

  it("refuse a forged cursor with its code, and the socket stays usable", async () => {
    const client = connect(api.tokens.viewer);
    const forged = Buffer.from("1:00000000-0000-4000-8000-000000000000:0").toString("base64url");
    await expect(take(client, { after: forged }, 1)).rejects.toThrow(/QSC_EVENTS_CURSOR_FOREIGN/);
    const after = await cursorNow();
    await emit(["still"]);
    expect((await take(client, { after }, 1))[0]?.subjectKey).toBe("still");
  });

  it("answer queries too, with the same masking and rights", async () => {
    const client = connect(api.tokens.viewer);
    const ask = async (query: string) => {
      for await (const result of client.iterate({ query })) return result;
      return null;
    };
    expect(await ask("{ control { mode } }")).toMatchObject({ data: { control: { mode: "ENFORCE" } } });
    expect(await ask("{ tokens { nodes { name } } }")).toMatchObject({ errors: [{ extensions: { code: "QSC_ACCESS_DENIED" } }] });
  });

  it("hide events about tokens and principals from who may not see tokens", async () => {
    const after = await cursorNow();
    await emit(["secret"], "token");
    await emit(["ada"], "principal");
    await emit(["open"]);
    expect((await take(connect(api.tokens.viewer), { after }, 1)).map(({ subjectKey }) => subjectKey)).toEqual(["open"]);
    expect((await take(connect(api.tokens.auditor), { after }, 3)).map(({ subjectKey }) => subjectKey)).toEqual(["secret", "ada", "open"]);
  });

  it("are refused without a valid token, for good", async () => {
    for (const [token, code] of [
      ["", "QSC_ACCESS_TOKEN_MISSING"],
      [`qsc_${"z".repeat(43)}`, "QSC_ACCESS_TOKEN_INVALID"],
    ] as const) {
      await expect(take(connect(token), {}, 1)).rejects.toMatchObject({ code: 4401, reason: code });
    }
  });

  it("are refused before connection_init", async () => {
    const socket = new WebSocket(`${api.url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
    const closed = new Promise<number>((resolve) => socket.once("close", resolve));
    socket.once("open", () => socket.send(JSON.stringify({ id: "1", type: "subscribe", payload: { query: "{ __typename }" } })));
    expect(await closed).toBe(4401);
  });

  it("are at most fifty on a socket", async () => {
    const client = connect(api.tokens.viewer);
    const first = client.iterate({ query: LIVE });
    const rest = Array.from({ length: defaultApiLimits.operationsPerSocket }, () => client.iterate({ query: LIVE }));
    const pending = [first, ...rest].map((one) =>
      one.next().then(
        () => "answered",
        (error: unknown) => JSON.stringify(error),
      ),
    );
    const refused = await Promise.race(pending);
    expect(refused).toContain("QSC_GRAPHQL_TOO_MANY_SUBSCRIPTIONS");
  });

  it("end soon when their token is revoked, and not before", async () => {
    const token = await createToken(api.context, { name: "short", role: "viewer" });
    const closed = new Promise<{ code: number; at: number }>((resolve) => {
      const client = connect(token.secret, { closed: (event) => resolve({ code: (event as { code: number }).code, at: Date.now() }) });
      client.subscribe({ query: LIVE }, { next: () => undefined, error: () => undefined, complete: () => undefined });
    });
    const other = connect(api.tokens.viewer);
    const otherNext = other.iterate<{ liveEvents: LiveEvent }>({ query: LIVE, variables: { subjects: ["system:later"] } }).next();
    const early = await Promise.race([closed, new Promise((resolve) => setTimeout(() => resolve("open"), 2_500))]);
    expect(early).toBe("open");
    const revokedAt = Date.now();
    await revokeToken(api.context, { id: token.id });
    const { code, at } = await closed;
    expect(code).toBe(4401);
    expect(at - revokedAt).toBeLessThan(ENDED_MS);
    await emit(["later"]);
    expect((await otherNext).value).toMatchObject({ data: { liveEvents: { subjectKey: "later" } } });
  });
});

describe("subscriptions over server-sent events", () => {
  it("bring events in order and resume from a cursor", async () => {
    let after = await cursorNow();
    await emit(names(0, 30));
    const seen: string[] = [];
    for (const portion of [4, 26]) {
      const abort = new AbortController();
      let count = 0;
      for await (const { data } of serverSentEvents(api.tokens.viewer, LIVE, { after }, abort.signal)) {
        const event = data?.["liveEvents"] as LiveEvent;
        seen.push(event.subjectKey);
        after = event.cursor;
        count += 1;
        if (count === portion) break;
      }
      abort.abort();
    }
    expect(seen).toEqual(names(0, 30));
  });

  it("end soon when their token is revoked", async () => {
    const token = await createToken(api.context, { name: "short-sse", role: "viewer" });
    const after = await cursorNow();
    await emit(["first"]);
    const stream = serverSentEvents(token.secret, LIVE, { after });
    expect((await stream.next()).value?.data).toMatchObject({ liveEvents: { subjectKey: "first" } });
    const revokedAt = Date.now();
    await revokeToken(api.context, { id: token.id });
    // Whatever still comes; what counts is that the stream ends.
    while ((await stream.next()).done !== true);
    expect(Date.now() - revokedAt).toBeLessThan(ENDED_MS);
  });

  it("say why they cannot begin", async () => {
    const answers = [];
    for await (const answer of serverSentEvents(api.tokens.viewer, LIVE, { after: "nonsense" })) answers.push(answer);
    expect(answers[0]?.errors?.[0]?.extensions.code).toBe("QSC_EVENTS_CURSOR_MALFORMED");
  });
});

describe("watching a state", () => {
  it("shows an integration at once, and again when a pause covers it", async () => {
    const client = connect(api.tokens.viewer);
    const states = client.iterate<{ integrationStatus: { integration: { gate: { state: string } } } }>({
      query: 'subscription { integrationStatus(key: "orders") { cursor integration { key gate { state by { reason } } } } }',
    });
    const next = async () =>
      ((await states.next()).value as { data: { integrationStatus: { integration: { gate: { state: string } } } } }).data.integrationStatus
        .integration.gate.state;
    expect(await next()).toBe("OPEN");
    await api.ask('mutation { pause(input: { scope: { integrations: ["orders"] }, reason: "watch" }) { key } }');
    expect(await next()).toBe("HELD");
    await api.ask('mutation { resume(input: { scope: { integrations: ["orders"] }, reason: "watched" }) { released { key } } }');
    for (let tries = 0; tries < 3; tries += 1) if ((await next()) === "OPEN") return;
    throw new Error("It never opened again.");
  });

  it("sends the summary at most once a second, however much happens", async () => {
    const client = connect(api.tokens.viewer);
    const times: number[] = [];
    const startedAt = Date.now();
    const stop = client.subscribe(
      { query: "subscription { statusSummary { cursor integrations } }" },
      { next: () => times.push(Date.now()), error: () => undefined, complete: () => undefined },
    );
    while (Date.now() - startedAt < 2_600 || times.length < 2) {
      await emit(["noise"]);
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
    const seconds = (Date.now() - startedAt) / 1_000;
    stop();
    // One at once and one a second; a timer may be a few milliseconds early.
    expect(times.length).toBeLessThanOrEqual(1 + Math.floor(seconds + 0.05));
  });

  it("follows a window by its key and refuses one that does not exist", async () => {
    const at = (offsetMs: number) => new Date(Date.now() + offsetMs).toISOString().slice(0, 16);
    await api.ask("mutation ($input: MaintenanceWindowInput!) { createMaintenanceWindow(input: $input) { key } }", {
      input: {
        key: "watched",
        title: "Watched",
        series: { start: at(3_600_000), end: at(7_200_000), timeZone: "UTC" },
        scope: { all: true },
        owner: "me",
        reason: "x",
      },
    });
    const client = connect(api.tokens.viewer);
    const progress = client.iterate({
      query: 'subscription { windowProgress(key: "watched") { occurrence { state inFlight heldRuns } } }',
    });
    expect((await progress.next()).value).toMatchObject({
      data: { windowProgress: { occurrence: { state: "SCHEDULED", inFlight: 0, heldRuns: 0 } } },
    });
    const missing = await client
      .iterate({ query: 'subscription { windowProgress(key: "missing") { cursor } }' })
      .next()
      .catch((error: unknown) => ({ value: error }));
    expect(JSON.stringify(missing.value)).toContain("QSC_WINDOW_NOT_FOUND");
  });
});

describe("the stop of the server", () => {
  it("ends silent streams and sockets at once, and does not wait for connections that are kept alive", async () => {
    const other = await startApi();
    try {
      const stream = await fetch(`${other.url}/graphql`, {
        method: "POST",
        headers: { authorization: `Bearer ${other.tokens.viewer}`, "content-type": "application/json", accept: "text/event-stream" },
        body: JSON.stringify({ query: LIVE }),
      });
      const reader = stream.body?.getReader();
      await other.ask('mutation { pause(input: { scope: { all: true }, reason: "an event" }) { key } }');
      // The stream has brought something and waits for more.
      await reader?.read();
      const ended = (async () => {
        let text = "";
        for (let one = await reader?.read(); one?.done === false; one = await reader?.read())
          text += Buffer.from(one.value).toString("utf8");
        return text;
      })();
      const socket = new WebSocket(`${other.url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
      const closed = new Promise<number>((resolve) => socket.once("close", resolve));
      await new Promise((resolve) => socket.once("open", resolve));
      const startedAt = performance.now();
      await other.http.stop();
      // After three seconds it would cut off whoever is still there.
      expect(performance.now() - startedAt).toBeLessThan(2_900);
      expect(await closed).toBe(1001);
      // Nothing tells the client that the subscription is complete: it is to come back.
      expect(await ended).not.toContain("complete");
    } finally {
      await other.stop();
    }
  });
});
