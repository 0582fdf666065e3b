import { once } from "node:events";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import { type StartedApi, startApi } from "../../../../../test/server/start-api.js";
import { statementsOf } from "../../../../../test/server/statements-of.js";
import { defaultApiLimits } from "../api-limits.js";

/** Clients of graphql-transport-ws that do not keep to the protocol. Each is answered with the close code that the protocol has for it. */
let api: StartedApi;
let sockets: WebSocket[] = [];
beforeAll(async () => {
  api = await startApi({ limits: { ...defaultApiLimits, bodyKib: 16, operationsPerSocket: 3 } });
});
afterEach(() => {
  for (const socket of sockets) socket.terminate();
  sockets = [];
});
afterAll(async () => {
  await api.stop();
});

async function open(protocol = "graphql-transport-ws"): Promise<WebSocket> {
  const socket = new WebSocket(`${api.url.replace("http", "ws")}/graphql`, protocol);
  socket.on("error", () => undefined);
  sockets.push(socket);
  await once(socket, "open");
  return socket;
}
const closeCode = async (socket: WebSocket) => ((await once(socket, "close")) as [number, Buffer])[0];
const say = (socket: WebSocket, message: object) => socket.send(JSON.stringify(message));
const init = (token: string) => ({ type: "connection_init", payload: { authorization: `Bearer ${token}` } });

async function acknowledged(token = api.tokens.viewer): Promise<WebSocket> {
  const socket = await open();
  say(socket, init(token));
  const [data] = (await once(socket, "message")) as [Buffer];
  expect(JSON.parse(String(data))).toMatchObject({ type: "connection_ack" });
  return socket;
}

describe("a socket without a valid connection_init", () => {
  it("is closed with 4408 when none comes in five seconds, and has cost the database nothing", async () => {
    const statements = await statementsOf(api.database, async () => {
      const socket = await open();
      expect(await closeCode(socket)).toBe(4408);
    });
    expect(statements).toEqual([]);
  });

  it("is closed with 4401 when it shows no token, a wrong one, or something else", async () => {
    for (const payload of [
      undefined,
      {},
      { authorization: "Bearer qsc_x" },
      { authorization: 7 },
      { authorization: ["Bearer"] },
      { __proto__: null },
    ]) {
      const socket = await open();
      say(socket, { type: "connection_init", payload });
      expect(await closeCode(socket), JSON.stringify(payload)).toBe(4401);
    }
  });

  it("is closed with 4401 when it asks first", async () => {
    const socket = await open();
    say(socket, { id: "1", type: "subscribe", payload: { query: "{ eventCursor }" } });
    expect(await closeCode(socket)).toBe(4401);
  });

  it("is closed with 4429 when it says it twice, and with 4406 in another language", async () => {
    const twice = await acknowledged();
    say(twice, init(api.tokens.viewer));
    expect(await closeCode(twice)).toBe(4429);
    const other = new WebSocket(`${api.url.replace("http", "ws")}/graphql`);
    sockets.push(other);
    expect(await closeCode(other)).toBe(4406);
  });
});

describe("an open socket", () => {
  it("is closed with 4400 for what is no message", async () => {
    for (const text of [
      "{",
      "[]",
      "null",
      "7",
      '{"type":"nothing"}',
      '{"type":"subscribe","id":7}',
      '{"id":"1","type":"subscribe","payload":{"query":{}}}',
    ]) {
      const socket = await acknowledged();
      socket.send(text);
      expect(await closeCode(socket), text).toBe(4400);
    }
  });

  it("is closed with 1009 for a message over the limit, and takes no compressed ones", async () => {
    const socket = await acknowledged();
    expect(socket.extensions).toBe("");
    say(socket, { id: "1", type: "subscribe", payload: { query: "{ eventCursor }", variables: { x: "x".repeat(20_000) } } });
    expect(await closeCode(socket)).toBe(1009);
  });

  it("is closed with 4409 for a second operation of the same id", async () => {
    const socket = await acknowledged();
    const operation = { id: "1", type: "subscribe", payload: { query: "subscription { liveEvents { cursor } }" } };
    say(socket, operation);
    say(socket, operation);
    expect(await closeCode(socket)).toBe(4409);
  });

  it("is refused the operations that HTTP is refused, and mutations of a viewer", async () => {
    const socket = await acknowledged();
    const answers = new Map<string, unknown>();
    socket.on("message", (data: Buffer) => {
      const message = JSON.parse(String(data)) as { id?: string; type: string; payload?: unknown };
      if (message.id !== undefined && message.type !== "complete") answers.set(message.id, message.payload);
    });
    const deep = `{ integrations { nodes { ${"jobs { integration { ".repeat(6)} key ${"} }".repeat(6)} } } }`;
    const queries = {
      deep,
      aliases: `{ ${Array.from({ length: 16 }, (_, index) => `a${index}: __typename`).join(" ")} }`,
      cycle: "{ ...f } fragment f on Query { ...f }",
      write: 'mutation { setMode(input: { mode: OBSERVE, reason: "x" }) { mode } }',
    };
    const codes: Record<string, string | undefined> = {};
    for (const [id, query] of Object.entries(queries)) {
      say(socket, { id, type: "subscribe", payload: { query } });
      await vi.waitFor(() => expect(answers.has(id)).toBe(true), { timeout: 60_000 });
      codes[id] = /QSC_[A-Z_]+/.exec(JSON.stringify(answers.get(id)))?.[0];
    }
    expect(codes).toEqual({
      deep: "QSC_GRAPHQL_TOO_COMPLEX",
      aliases: "QSC_GRAPHQL_TOO_COMPLEX",
      cycle: "QSC_GRAPHQL_INVALID",
      write: "QSC_ACCESS_DENIED",
    });
  });

  it("carries so many operations and no more", async () => {
    const socket = await acknowledged();
    const refused = new Promise<string>((resolve) => {
      socket.on("message", (data: Buffer) => {
        const message = JSON.parse(String(data)) as { id: string; type: string; payload: unknown };
        if (message.type === "error") resolve(`${message.id} ${JSON.stringify(message.payload)}`);
      });
    });
    for (const id of ["1", "2", "3", "4"])
      say(socket, { id, type: "subscribe", payload: { query: "subscription { liveEvents { cursor } }" } });
    expect(await refused).toMatch(/^4 .*QSC_GRAPHQL_TOO_MANY_SUBSCRIPTIONS/);
  });
});

describe("a handshake", () => {
  it("that is none, or to another address, is refused", async () => {
    for (const [path, headers] of [
      ["/other", { upgrade: "websocket", connection: "upgrade", "sec-websocket-key": "x", "sec-websocket-version": "13" }],
      ["/graphql", { upgrade: "websocket", connection: "upgrade" }],
      ["/graphql", { upgrade: "h2c", connection: "upgrade" }],
    ] as const) {
      const { request } = await import("node:http");
      const status = await new Promise<number | undefined>((resolve, reject) => {
        request(api.url + path, { headers })
          .once("response", (response) => resolve(response.resume().statusCode))
          .once("upgrade", () => resolve(101))
          .once("error", reject)
          .end();
      });
      expect([path, status === undefined ? 0 : status >= 400]).toEqual([path, true]);
    }
  });
});
