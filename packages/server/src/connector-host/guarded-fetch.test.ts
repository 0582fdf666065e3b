import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { once } from "node:events";
import { type AddressInfo, isIP } from "node:net";
import { gzipSync } from "node:zlib";
import type { FetchOptions } from "@quiesce/sdk";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RESPONSE_MAX_BYTES } from "./capped-response.js";
import { guardedLookup, REFUSED_ADDRESS } from "./egress-address.js";
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
    const response = await request([origin], `${origin}/begun`, { timeoutMs: 5_000 });
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

  it("never reaches metadata, groups or nobody, although the endpoint itself names such an address", async () => {
    for (const host of ["169.254.169.254", "[fd00:ec2::254]", "0.0.0.0", "[::]", "224.0.0.1", "[64:ff9b::7f00:1]", "[2002:7f00:1::]"]) {
      const url = `http://${host}/`;
      expect(await errorOf(request([new URL(url).origin], url)), host).toMatch(/^permission: .*never reached/);
    }
  });

  it("refuses every spelling of the machine itself that an answer redirects to, or that a connector asks for", async () => {
    let asked = 0;
    const inside = await serve((_incoming, response) => {
      asked += 1;
      response.end("secret");
    });
    const { port } = new URL(inside);
    const spellings = [
      "127.0.0.1",
      "2130706433",
      "0x7f000001",
      "0177.0.0.1",
      "0x7f.1",
      "127.1",
      "127.0.0.1.",
      "[::1]",
      "[::ffff:127.0.0.1]",
    ];
    // Full-width digits, ideographic full stops, a user name that looks like the host, the root's dot.
    spellings.push("\uff11\uff12\uff17.0.0.1", "127\u30020\u30020\u30021", "localhost.", "LOCALHOST", "shop.example.com@127.0.0.1");
    let target = "";
    const shop = await serve((_incoming, response) => response.writeHead(302, { location: target }).end());
    for (const spelling of spellings) {
      // A header holds no other letters than these.
      target = /^[\x20-\x7e]+$/.test(spelling) ? `http://${spelling}:${port}/` : encodeURI(`http://${spelling}:${port}/`);
      expect(await errorOf(request([shop], shop)), spelling).toMatch(/^permission: The connector was redirected to/);
      expect(await errorOf(request([shop], `http://${spelling}:${port}/`)), spelling).toMatch(/^permission: The connector asked for/);
    }
    for (const url of [`http://[fe80::1%25eth0]:${port}/`, `http://[fe80::1%eth0]:${port}/`])
      expect(await errorOf(request([shop], url))).not.toBe("no error");
    expect(asked).toBe(0);
  });

  it("connects to the address that was checked, although the name's next answer is another", async () => {
    const origin = await serve((_incoming, response) => response.end("the checked one"));
    const { port } = new URL(origin);
    const named = `http://erp.example.lan:${port}`;
    const answers = ["127.0.0.1", "169.254.169.254", "127.0.0.1"];
    let questions = 0;
    await egress.close();
    egress = createEgress({
      resolve: (_host, callback) => {
        questions += 1;
        callback(null, [{ address: answers.shift() ?? "", family: 4 }]);
      },
    });
    const reach = { origins: [named], privateHosts: ["erp.example.lan"], signal: new AbortController().signal, mask };
    expect(await (await egress.fetchFor(reach)(named, { headers: { connection: "close" } })).text()).toBe("the checked one");
    expect(questions).toBe(1);
    expect(await errorOf(egress.fetchFor(reach)(named))).toMatch(/^permission: The name erp.example.lan leads to 169.254.169.254/);
    // For sockets of a connector's own, the same: the address is handed out, not the name.
    const database = { origins: ["postgres://erp.example.lan:5432"], privateHosts: ["erp.example.lan"] };
    expect(await egress.resolveHost(database, "erp.example.lan")).toEqual(["127.0.0.1"]);
    expect(questions).toBe(3);
  });

  it("follows a name inside only for an endpoint that says so, and shares no connection with one that does not", async () => {
    let asked = 0;
    const origin = await serve((_incoming, response) => {
      asked += 1;
      response.end("inside");
    });
    const named = `http://erp.example.lan:${new URL(origin).port}`;
    await egress.close();
    egress = createEgress({ resolve: (_host, callback) => callback(null, [{ address: "127.0.0.1", family: 4 }]) });
    const ask = (privateHosts: readonly string[]) =>
      egress.fetchFor({ origins: [named], privateHosts, signal: new AbortController().signal, mask })(named);
    expect(await errorOf(ask([]))).toMatch(/allowPrivate: \[erp.example.lan\]/);
    expect(await (await ask(["*.example.lan"])).text()).toBe("inside");
    // Its connection waits in the pool now.
    expect(await errorOf(ask(["other.example.lan"]))).toMatch(/^permission:/);
    expect(asked).toBe(1);
    const where = { origins: ["postgres://erp.example.lan:5432"] };
    expect(await errorOf(egress.resolveHost(where, "erp.example.lan"))).toMatch(/^permission: .*private|this machine/);
    expect(await errorOf(egress.resolveHost(where, "other.example.lan"))).toMatch(/^permission: .*not among the origins/);
  });

  it("takes of a name's answers only those that may be reached", async () => {
    const look = (addresses: readonly string[], privateAllowed = false) =>
      new Promise((resolve) => {
        const found = addresses.map((address) => ({ address, family: isIP(address) }));
        const lookup = guardedLookup({ privateAllowed, resolve: (_host, callback) => callback(null, found) });
        lookup("erp.example.com", { all: true }, (error, list) => resolve(error === null ? list : error.code));
      });
    expect(await look(["10.0.0.1", "93.184.216.34"])).toEqual([{ address: "93.184.216.34", family: 4 }]);
    expect(await look(["10.0.0.1", "169.254.169.254"], true)).toEqual([{ address: "10.0.0.1", family: 4 }]);
    expect(await look(["10.0.0.1", "::1"])).toBe(REFUSED_ADDRESS);
    expect(await look([])).toBe(REFUSED_ADDRESS);
  });
});
