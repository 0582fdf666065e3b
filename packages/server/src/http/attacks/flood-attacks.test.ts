import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type StartedApi, startApi } from "../../../../../test/server/start-api.js";
import { createToken } from "../../access/tokens.js";
import { defaultApiLimits } from "../api-limits.js";

/** Much of what is allowed. Each part has a server whose buckets are so small that nothing comes back while it is looked at. */
let api: StartedApi;
const PATIENCE = { timeout: 60_000 };
const slow = { burst: 5, perSecond: 0.001 };
const codeOf = (answer: Awaited<ReturnType<StartedApi["ask"]>>) => answer.errors?.[0]?.extensions.code ?? "answered";

function rest(path: string, token: string, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(api.url + path, { headers: { authorization: `Bearer ${token}`, ...headers } });
}

/** The codes of operations sent over one socket, and the code with which it was closed, if it was. */
async function overSocket(
  token: string,
  operations: number,
): Promise<{ readonly answers: readonly string[]; readonly closed: number | null }> {
  const socket = new WebSocket(`${api.url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
  await once(socket, "open");
  const answers: string[] = [];
  const over = new Promise<number | null>((resolve) => {
    socket.once("close", (code: number) => resolve(code));
    socket.on("message", (data: Buffer) => {
      const message = JSON.parse(String(data)) as { type: string; payload?: unknown };
      if (message.type === "connection_ack")
        for (let id = 0; id < operations; id += 1)
          socket.send(JSON.stringify({ id: String(id), type: "subscribe", payload: { query: "{ __typename }" } }));
      if (message.type === "next") answers.push("answered");
      if (message.type === "error") answers.push((message.payload as { extensions: { code: string } }[])[0]?.extensions.code ?? "");
      if (answers.length === operations) resolve(null);
    });
  });
  socket.send(JSON.stringify({ type: "connection_init", payload: { authorization: `Bearer ${token}` } }));
  const closed = await over;
  socket.terminate();
  return { answers, closed };
}

describe("a principal that asks too often", () => {
  beforeAll(async () => {
    api = await startApi({ callerLimit: slow });
  });
  afterAll(() => api.stop());

  it("is refused with 429 and a time, over GraphQL and REST together; others are not", async () => {
    expect(codeOf(await api.ask("{ __typename }"))).toBe("answered");
    expect((await rest("/gate/orders", api.tokens.admin)).status).toBe(200);
    for (let tries = 0; tries < 3; tries += 1) await api.ask("{ __typename }");
    const refused = await rest("/gate/orders", api.tokens.admin);
    expect([refused.status, Number(refused.headers.get("retry-after")) > 0]).toEqual([429, true]);
    expect(codeOf(await api.ask("{ __typename }"))).toBe("QSC_HTTP_RATE_LIMITED");
    expect(codeOf(await api.ask("{ __typename }", {}, api.tokens.viewer))).toBe("answered");
  });

  it("gains nothing by another token of its own", async () => {
    const second = await createToken(api.context, { name: "test-approver", role: "approver" });
    for (let tries = 0; tries < 5; tries += 1) expect(codeOf(await api.ask("{ __typename }", {}, api.tokens.approver))).toBe("answered");
    expect(codeOf(await api.ask("{ __typename }", {}, second.secret))).toBe("QSC_HTTP_RATE_LIMITED");
  });

  it("is refused on sockets too, which are closed with 4429", async () => {
    const { answers, closed } = await overSocket(api.tokens.operator, 20);
    expect(answers.filter((answer) => answer === "answered").length).toBeLessThanOrEqual(5);
    expect(closed).toBe(4429);
    expect(codeOf(await api.ask("{ __typename }", {}, api.tokens.operator))).toBe("QSC_HTTP_RATE_LIMITED");
  });
});

describe("a principal whose operations cost too much", () => {
  const dear = "{ integrations(first: 200) { nodes { key jobs { key name } } } }";
  const post = async (query: string, token: string, operationName?: string) => {
    const headers = { "content-type": "application/json", authorization: `Bearer ${token}` };
    return fetch(`${api.url}/graphql`, { method: "POST", headers, body: JSON.stringify({ query, operationName }) });
  };
  beforeAll(async () => {
    api = await startApi({ costLimit: { burst: 50_000, perSecond: 0.001 } });
  });
  afterAll(() => api.stop());

  it("spends its points sooner, and is told when there are enough again", async () => {
    const codes: string[] = [];
    for (let tries = 0; tries < 60 && codes.at(-1) !== "QSC_HTTP_RATE_LIMITED"; tries += 1) codes.push(codeOf(await api.ask(dear)));
    expect(codes.at(-1)).toBe("QSC_HTTP_RATE_LIMITED");
    expect(codes.length).toBeLessThan(40);
    const refused = await post(dear, api.tokens.admin);
    const body = (await refused.json()) as { extensions?: unknown; errors: { extensions: { details: object } }[] };
    expect([refused.status, Number(refused.headers.get("retry-after")) > 0]).toEqual([429, true]);
    expect(body.errors[0]?.extensions.details).toEqual({ retryAfterSeconds: expect.any(Number) });
    expect(body.extensions).toBeUndefined();
    expect(codeOf(await api.ask("{ __typename }", {}, api.tokens.viewer))).toBe("answered");
  });

  it("pays for what it calls, not for what stands first in the document", async () => {
    const query = `query A { __typename } ${dear.replace("{", "query B {")}`;
    const statuses: number[] = [];
    for (let tries = 0; tries < 40; tries += 1) statuses.push((await post(query, api.tokens.viewer, "B")).status);
    expect(statuses).toContain(429);
  });
});

describe("an address that asks too often", () => {
  beforeAll(async () => {
    api = await startApi({ addressLimit: slow, trustedProxies: ["127.0.0.1"] });
  });
  afterAll(() => api.stop());

  it("is refused before its token is looked at, and its health page goes on for balancers", async () => {
    const statuses: number[] = [];
    for (let tries = 0; tries < 20; tries += 1) statuses.push((await rest("/gate/orders", "wrong")).status);
    expect(statuses.slice(0, 5)).toEqual([401, 401, 401, 401, 401]);
    expect(new Set(statuses.slice(5))).toEqual(new Set([429]));
    expect((await fetch(`${api.url}/readyz`)).status).toBe(200);
    expect((await fetch(`${api.url}/livez`)).status).toBe(200);
  });

  it("is the client's behind a trusted proxy, and one that nobody can write for himself", async () => {
    const from = async (forwarded: string) => (await rest("/gate/orders", api.tokens.viewer, { "x-forwarded-for": forwarded })).status;
    const statuses: number[] = [];
    for (let tries = 0; tries < 20; tries += 1) statuses.push(await from(`10.0.0.${tries}, 198.51.100.1`));
    expect(statuses).toContain(429);
    expect(await from("198.51.100.2")).toBe(200);
  });
});

describe("a socket that says too much", () => {
  beforeAll(async () => {
    api = await startApi({ addressLimit: slow, trustedProxies: ["127.0.0.1"] });
  });
  afterAll(() => api.stop());

  it.each([
    ["pings of GraphQL", (socket: WebSocket) => socket.send('{"type":"ping"}')],
    ["completions of nothing", (socket: WebSocket) => socket.send('{"type":"complete","id":"1"}')],
    ["pings of WebSocket", (socket: WebSocket) => socket.ping()],
  ])("is closed with 4429: %s", async (from, say) => {
    const headers = { "x-forwarded-for": `198.51.100.${from.length}` };
    const socket = new WebSocket(`${api.url.replace("http", "ws")}/graphql`, "graphql-transport-ws", { headers });
    await once(socket, "open");
    for (let said = 0; said < 50; said += 1) say(socket);
    const [code] = (await once(socket, "close")) as [number];
    expect(code).toBe(4429);
  });
});

describe("sockets of one address", () => {
  beforeAll(async () => {
    api = await startApi({ limits: { ...defaultApiLimits, socketsPerAddress: 2 } });
  });
  afterAll(() => api.stop());

  it("are so many and no more, and a closed one makes room", async () => {
    const open = async () => {
      const socket = new WebSocket(`${api.url.replace("http", "ws")}/graphql`, "graphql-transport-ws");
      socket.on("error", () => undefined);
      const status = await Promise.race([
        once(socket, "open").then(() => 101),
        once(socket, "unexpected-response").then(([, response]) => (response as { statusCode: number }).statusCode),
      ]);
      return { socket, status };
    };
    const [first, second, third] = [await open(), await open(), await open()];
    expect([first.status, second.status, third.status]).toEqual([101, 101, 503]);
    first.socket.terminate();
    third.socket.terminate();
    await expect
      .poll(async () => {
        const { socket, status } = await open();
        socket.terminate();
        return status;
      }, PATIENCE)
      .toBe(101);
    second.socket.terminate();
  });
});
