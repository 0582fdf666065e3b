import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type StartedApi, startApi } from "../../../../../test/server/start-api.js";
import { statementsOf } from "../../../../../test/server/statements-of.js";

/** What a request may be, before anybody looks at the operation inside. */
let api: StartedApi;
beforeAll(async () => {
  api = await startApi();
});
afterAll(async () => {
  await api.stop();
});

interface Refusal {
  readonly status: number;
  readonly code: string | undefined;
  readonly text: string;
}

async function send(path: string, init: RequestInit, token: string | null = api.tokens.operator): Promise<Refusal> {
  const headers = new Headers({ "content-type": "application/json", ...Object.fromEntries(new Headers(init.headers)) });
  if (token !== null) headers.set("authorization", `Bearer ${token}`);
  const response = await fetch(api.url + path, { ...init, headers });
  const text = await response.text();
  const json = (text.startsWith("{") ? JSON.parse(text) : {}) as {
    errors?: { extensions: { code: string } }[];
    error?: { code: string };
  };
  return { status: response.status, code: json.errors?.[0]?.extensions.code ?? json.error?.code, text };
}

/** Bytes as they are, for what no client library would send; answers everything until the server closes. */
function raw(bytes: string): Promise<string> {
  const { hostname, port } = new URL(api.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    let answer = "";
    socket.on("data", (data) => {
      answer += String(data);
    });
    socket.once("close", () => resolve(answer));
    socket.once("error", reject);
  });
}

const operation = JSON.stringify({ query: "{ eventCursor }" });

describe("bodies", () => {
  it("that are huge are refused while they come, whatever their Content-Length says", async () => {
    const huge = JSON.stringify({ query: "{ eventCursor }", variables: { x: "x".repeat(300 * 1024) } });
    expect(await send("/graphql", { method: "POST", body: huge })).toMatchObject({ status: 413, code: "QSC_HTTP_BODY_TOO_LARGE" });
    expect(await send("/gate/orders/enter", { method: "POST", body: huge })).toMatchObject({
      status: 413,
      code: "QSC_HTTP_BODY_TOO_LARGE",
    });
    // In pieces, without a length: the 257th KiB ends it.
    const { host } = new URL(api.url);
    const piece = `4000\r\n${"x".repeat(0x4000)}\r\n`.repeat(17);
    const answer = await raw(
      `POST /graphql HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${api.tokens.operator}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${piece}0\r\n\r\n`,
    );
    expect(answer).toContain("413 ");
  });

  it("that are packed are not unpacked: a kibibyte cannot become a gigabyte", async () => {
    const bomb = new Uint8Array(gzipSync(Buffer.alloc(20 * 1024 * 1024, " ")));
    expect(bomb.length).toBeLessThan(64 * 1024);
    for (const encoding of ["gzip", "deflate", "br", "zstd", "gzip, gzip"]) {
      const headers = { "content-encoding": encoding };
      const push = { "content-encoding": encoding, "content-type": "application/x-ndjson" };
      expect(await send("/graphql", { method: "POST", body: bomb, headers })).toMatchObject({
        status: 415,
        code: "QSC_HTTP_CONTENT_ENCODING",
      });
      expect(await send("/push/orders", { method: "POST", body: bomb, headers: push })).toMatchObject({ status: 415 });
    }
    expect((await send("/graphql", { method: "POST", body: operation, headers: { "content-encoding": "identity" } })).status).toBe(200);
  });

  it("of a stranger are not read at all", async () => {
    const { host } = new URL(api.url);
    // It promises a body and sends none; the answer comes all the same.
    const answer = await raw(
      `POST /graphql HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: 200000\r\nConnection: close\r\n\r\n`,
    );
    expect(answer).toContain("401 Unauthorized");
  });

  it("that are no JSON, or JSON of another shape, are the caller's mistake and no fault of ours", async () => {
    for (const body of ["", "{", "[]", "null", "7", '"x"', '{"query":7}', '{"query":"{ eventCursor }","variables":[1]}', "\u0000", "{}"]) {
      const { status, text } = await send("/graphql", { method: "POST", body });
      expect([status < 500, /"errors"/.test(text), /"data":\{|stack|node_modules/.test(text)], body).toEqual([true, true, false]);
    }
    expect(api.errors).toEqual([]);
  });
});

describe("requests that a browser sends for a foreign page without asking first", () => {
  it("are refused by their type: forms, text, several parts, and none", async () => {
    const types = [
      "application/x-www-form-urlencoded",
      "text/plain",
      "text/plain; x=application/json",
      "multipart/form-data; boundary=x",
      "application/graphql",
      "",
    ];
    for (const type of types) {
      const graphql = await send("/graphql", { method: "POST", body: operation, headers: { "content-type": type } });
      expect([graphql.status, graphql.code], type).toEqual([415, "QSC_HTTP_CONTENT_TYPE"]);
      expect((await send("/gate/orders/enter", { method: "POST", body: "{}", headers: { "content-type": type } })).status, type).toBe(415);
      expect((await send("/push/orders", { method: "POST", body: "[]", headers: { "content-type": type } })).status, type).toBe(415);
    }
  });

  it("change nothing over GET, whatever the document is called", async () => {
    const mutation = 'mutation Q { setMode(input: { mode: OBSERVE, reason: "x" }) { mode } }';
    const both = `query A { eventCursor } ${mutation}`;
    for (const query of [`query=${encodeURIComponent(mutation)}`, `query=${encodeURIComponent(both)}&operationName=Q`])
      expect((await send(`/graphql?${query}`, {}, api.tokens.admin)).status).toBe(405);
    expect((await send("/gate/orders/enter", {})).status).toBe(405);
    expect((await api.ask("{ control { mode } }")).data).toEqual({ control: { mode: "ENFORCE" } });
  });

  it("are no batch: of a list nothing is executed", async () => {
    const mutation = { query: 'mutation { pause(input: { scope: { all: true }, reason: "x" }) { key } }' };
    const batch = await send("/graphql", { method: "POST", body: JSON.stringify([mutation, mutation]) });
    expect([batch.status, batch.text.startsWith("[")]).toEqual([400, false]);
    expect((await api.ask("{ holds { totalCount } }")).data).toEqual({ holds: { totalCount: 0 } });
  });
});

describe("requests that are none", () => {
  it("are refused by the parser, and the server goes on", async () => {
    const { host } = new URL(api.url);
    const token = `Authorization: Bearer ${api.tokens.operator}\r\n`;
    const twoLengths = `POST /graphql HTTP/1.1\r\nHost: ${host}\r\n${token}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /livez HTTP/1.1\r\n\r\n`;
    for (const bytes of [
      "\u0016\u0003\u0001\u0002\u0000\r\n\r\n",
      "GARBAGE\r\n\r\n",
      twoLengths,
      `GET /livez HTTP/1.1\r\nHost: ${host}\r\nX: ${"x".repeat(20_000)}\r\n\r\n`,
      `GET /livez HTTP/1.1\r\nHost: ${host}\r\nX : y\r\n\r\n`,
    ])
      expect(await raw(bytes)).toMatch(/^HTTP\/1\.1 4\d\d /);
    expect((await fetch(`${api.url}/livez`)).status).toBe(200);
  });

  it("reach no address by another spelling", async () => {
    for (const path of ["/gate/%", "/push/%2e%2e/x", "//livez", "/graphql/../gate/orders", "/gate/a%00b", "/GRAPHQL"]) {
      const { status, text } = await send(path, {}, null);
      expect([status >= 400 && status < 500, /stack|node_modules/.test(text)], path).toEqual([true, false]);
    }
    expect(api.errors).toEqual([]);
  });

  it("cost the database nothing, of strangers", async () => {
    const statements = await statementsOf(api.database, async () => {
      for (let tries = 0; tries < 10; tries += 1) await send("/graphql", { method: "POST", body: operation }, null);
      await send("/graphql", { method: "POST", body: operation }, "not-a-token");
    });
    expect(statements).toEqual([]);
  });
});
