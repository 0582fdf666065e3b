import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";
import type { FetchOptions } from "@quiesce/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RESPONSE_MAX_BYTES } from "./capped-response.js";
import { guardedLookup, isDeniedAddress, isLoopbackHost, REFUSED_ADDRESS } from "./egress-address.js";
import { createEgress, type Egress } from "./guarded-fetch.js";
import { createSecretMask } from "./secret-mask.js";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

let egress: Egress;
let servers: Server[] = [];
const mask = createSecretMask();
mask.add(["s3cret-token"]);

beforeEach(() => {
  egress = createEgress();
});
afterEach(async () => {
  await egress.close();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
  servers = [];
});

async function serve(handler: Handler): Promise<string> {
  const server = createServer(handler);
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const request = (origins: readonly string[], url: string, options?: FetchOptions, signal = new AbortController().signal) =>
  egress.fetchFor({ origins, signal, mask })(url, options);
const errorOf = (work: Promise<unknown>) =>
  work.then(
    () => "no error",
    (error: { kind?: string; message: string }) => `${error.kind}: ${error.message}`,
  );

describe("the fetch of a connector", () => {
  it("gives the answer of an allowed origin, whatever its status", async () => {
    const origin = await serve((incoming, response) => {
      let body = "";
      incoming.on("data", (piece: Buffer) => (body += piece.toString()));
      incoming.on("end", () => response.writeHead(418, { "x-method": incoming.method }).end(body));
    });
    const response = await request([origin], `${origin}/tea`, { method: "POST", body: "short and stout" });
    expect([response.status, response.headers.get("x-method"), await response.text(), response.url]).toEqual([
      418,
      "POST",
      "short and stout",
      `${origin}/tea`,
    ]);
  });

  it("refuses an origin that the endpoint does not name, and every scheme but http and https", async () => {
    const origin = await serve((_incoming, response) => response.end());
    expect(await errorOf(request(["https://erp.example.com"], origin))).toMatch(/^permission: .*not among the origins/);
    expect(await errorOf(request(["file:///etc"], "file:///etc/passwd"))).toMatch(/^permission: Only http/);
  });

  it("follows redirects within the origins, at most three, and checks each", async () => {
    let asked = 0;
    const origin = await serve((incoming, response) => {
      asked += 1;
      const left = Number(incoming.url?.slice(1));
      if (left === 0) response.end("there");
      else response.writeHead(302, { location: `/${left - 1}` }).end();
    });
    expect(await (await request([origin], `${origin}/3`)).text()).toBe("there");
    asked = 0;
    expect(await errorOf(request([origin], `${origin}/4`))).toMatch(/^contract: .*redirects/);
    expect(asked).toBe(4);
    const leading = await serve((_incoming, response) => response.writeHead(302, { location: `${origin}/0` }).end());
    expect(await errorOf(request([leading], leading))).toMatch(/^permission: .*was redirected to/);
    expect((await request([leading], leading, { redirect: "manual" })).status).toBe(302);
  });

  it("takes no credentials to another origin, in whichever header they stand", async () => {
    let seen: IncomingMessage["headers"] = {};
    const other = await serve((incoming, response) => {
      seen = incoming.headers;
      response.end();
    });
    const origin = await serve((_incoming, response) => response.writeHead(307, { location: other }).end());
    const headers = { authorization: "Basic x", cookie: "a=b", "x-api-key": "s3cret-token", accept: "text/csv" };
    await request([origin, other], origin, { headers });
    expect([seen.authorization, seen.cookie, seen["x-api-key"], seen.accept]).toEqual([undefined, undefined, undefined, "text/csv"]);
    expect(await errorOf(request([origin, other], origin, { method: "POST", body: "s3cret-token" }))).toMatch(
      /^permission: .*another origin/,
    );
  });

  it("ends an answer that is larger than 10 MiB, also when it arrives compressed", async () => {
    const origin = await serve((_incoming, response) =>
      response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(Buffer.alloc(RESPONSE_MAX_BYTES + 1))),
    );
    const response = await request([origin], origin);
    expect(await errorOf(response.text())).toMatch(/^contract: .*larger than 10 MiB/);
  });

  it("gives up after its time, before and within the answer", async () => {
    const origin = await serve((incoming, response) => {
      if (incoming.url === "/begun") response.writeHead(200).write("a");
    });
    expect(await errorOf(request([origin], origin, { timeoutMs: 50 }))).toMatch(/^timeout:/);
    const response = await request([origin], `${origin}/begun`, { timeoutMs: 200 });
    expect(await errorOf(response.text())).toMatch(/^timeout:/);
  });

  it("stops with the call's signal", async () => {
    const origin = await serve((_incoming, response) => response.writeHead(200).write("a"));
    const stop = new AbortController();
    const response = await request([origin], origin, {}, stop.signal);
    const body = errorOf(response.text());
    stop.abort({ why: "window" });
    expect(await body).toMatch(/^cancelled:/);
    expect(await errorOf(request([origin], origin, {}, stop.signal))).toMatch(/^cancelled:/);
  });

  it("says unavailable when nobody answers, and when an answer breaks off", async () => {
    const origin = await serve((_incoming, response) => {
      response.writeHead(200, { "content-length": "10" }).write("a");
      setTimeout(() => response.destroy(), 20);
    });
    expect(await errorOf((await request([origin], origin)).text())).toMatch(/^unavailable:/);
    const closed = servers[0];
    closed?.closeAllConnections();
    await new Promise((resolve) => closed?.close(resolve));
    servers = [];
    expect(await errorOf(request([origin], origin))).toMatch(/^unavailable:/);
  });

  it("does not follow a name to an address that only the machine itself has", async () => {
    const look = (loopbackAllowed: boolean) =>
      new Promise((resolve) => {
        guardedLookup({ loopbackAllowed })("localhost", { all: true }, (error, found) =>
          resolve(error === null ? found.length > 0 : error.code),
        );
      });
    expect([await look(false), await look(true)]).toEqual([REFUSED_ADDRESS, true]);
  });
});

describe("addresses", () => {
  it.each([
    ["127.0.0.1", true],
    ["::1", true],
    ["::ffff:127.0.0.1", true],
    ["169.254.169.254", true],
    ["::ffff:169.254.169.254", true],
    ["fe80::1", true],
    ["64:ff9b::7f00:1", true],
    ["0.0.0.0", true],
    ["255.255.255.255", true],
    ["10.0.0.1", false],
    ["192.0.2.1", false],
    ["2001:db8::1", false],
  ])("%s is denied: %s", (address, denied) => {
    expect(isDeniedAddress(address, { loopbackAllowed: false })).toBe(denied);
  });

  it("allow loopback only where the configured host itself is loopback", () => {
    expect(isDeniedAddress("127.0.0.1", { loopbackAllowed: true })).toBe(false);
    expect(isDeniedAddress("169.254.169.254", { loopbackAllowed: true })).toBe(true);
    expect([isLoopbackHost("localhost"), isLoopbackHost("[::1]"), isLoopbackHost("127.1.2.3"), isLoopbackHost("erp.example.com")]).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });
});
