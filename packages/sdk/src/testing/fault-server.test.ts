import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ConnectorError, defineConnector, isConnectorError, readText, z } from "../index.js";
import { startFaultServer, testContext, type Fault, type FaultServer } from "./index.js";

const connector = defineConnector({
  apiVersion: 1,
  id: "plain",
  version: "1.0.0",
  displayName: "Plain",
  stability: "experimental",
  config: z.object({ url: z.string(), also: z.string().optional(), auth: z.json().optional() }),
  secrets: z.object({ password: z.string().default("p:ä") }),
  egress: ({ url, also }) => [new URL(url).origin, ...(also === undefined ? [] : [new URL(also).origin])],
  auth: ({ auth, url }, { password }) => {
    if (auth === "basic") return { kind: "basic", username: "u", password };
    if (auth === "header") return { kind: "header", name: "x-key", value: password };
    if (auth !== "oauth") return undefined;
    return { kind: "oauth2-client-credentials", tokenUrl: `${url}/token`, clientId: "c", clientSecret: password, scopes: ["a", "b"] };
  },
  check: async () => ({ status: "up" }),
});

let server: FaultServer;
let handled = 0;
beforeEach(async () => {
  handled = 0;
  server = await startFaultServer(({ url }) => {
    handled += 1;
    return url.pathname === "/token" ? { json: { access_token: `token-${handled}`, expires_in: 60 } } : { json: { path: url.pathname } };
  });
});
afterEach(() => server.stop());

async function ask(options: { readonly fault?: Fault; readonly requestTimeoutMs?: number } = {}): Promise<string> {
  const x = await testContext(connector, { config: { url: server.url }, requestTimeoutMs: options.requestTimeoutMs ?? 2_000 });
  if (options.fault !== undefined) server.inject(options.fault);
  return readText(await x.fetch(`${server.url}/a`));
}
async function kindOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => "nothing",
    (thrown: unknown) => (isConnectorError(thrown) ? thrown.kind : String(thrown)),
  );
}

describe("a fault", () => {
  test.each<[Fault, string, number]>([
    [{ kind: "reset" }, "unavailable", 0],
    [{ kind: "lost-answer" }, "unavailable", 1],
    [{ kind: "black-hole" }, "timeout", 0],
    [{ kind: "slow-loris" }, "timeout", 0],
    [{ kind: "truncated" }, "unavailable", 1],
    [{ kind: "huge-body" }, "contract", 0],
    [{ kind: "gzip-bomb" }, "contract", 0],
    [{ kind: "redirect", to: "http://127.0.0.1:9/" }, "permission", 0],
  ])("%j is %s to who asks, and the system behind has done %d", async (fault, kind, done) => {
    // Only what never ends has to be waited for.
    const endless = fault.kind === "black-hole" || fault.kind === "slow-loris";
    expect(await kindOf(ask({ fault, requestTimeoutMs: endless ? 300 : 10_000 }))).toBe(kind);
    expect(handled).toBe(done);
    expect(server.seen).toHaveLength(1);
  });

  test("a delay, a page for people and another answer come whole", async () => {
    const begun = performance.now();
    expect(await ask({ fault: { kind: "delay", ms: 60 } })).toBe('{"path":"/a"}');
    expect(performance.now() - begun).toBeGreaterThan(50);
    expect(await ask({ fault: { kind: "html" } })).toContain("<h1>");
    expect(await ask({ fault: { kind: "answer", answer: { status: 418, text: "tea" } } })).toBe("tea");
    server.clear();
    expect(await ask()).toBe('{"path":"/a"}');
  });

  test("meets the requests of its condition only, and says so", async () => {
    const x = await testContext(connector, { config: { url: server.url } });
    server.inject({ kind: "reset" }, ({ url }, index) => url.pathname === "/b" && index === 2);
    const kinds = [];
    for (const path of ["/b", "/a", "/b", "/b"]) kinds.push(await kindOf(x.fetch(server.url + path)));
    expect(kinds).toEqual(["nothing", "nothing", "unavailable", "nothing"]);
    await server.met();
  });
});

describe("the context's fetch", () => {
  test("reaches the connector's origins only, wherever it is sent", async () => {
    const other = await startFaultServer(({ headers }) => ({ json: { authorization: headers.authorization ?? null } }));
    try {
      const narrow = await testContext(connector, { config: { url: server.url } });
      expect(await kindOf(narrow.fetch(other.url))).toBe("permission");
      server.inject({ kind: "redirect", to: `${other.url}/x` });
      expect(await kindOf(narrow.fetch(server.url))).toBe("permission");
      expect(other.seen).toEqual([]);
      const wide = await testContext(connector, { config: { url: server.url, also: other.url, auth: "basic" } });
      expect(await (await wide.fetch(server.url)).text()).toBe('{"authorization":null}');
      expect(server.seen.at(-1)?.headers.authorization).toBe(`Basic ${Buffer.from("u:p:ä").toString("base64")}`);
      expect(wide.requests.map(({ url }) => url.origin)).toEqual([server.url, other.url]);
    } finally {
      await other.stop();
    }
  });

  test("shows who asks, and gets a new token when the old one ends", async () => {
    const keyed = await testContext(connector, { config: { url: server.url, auth: "header" }, secrets: { password: "secret" } });
    await keyed.fetch(server.url);
    expect(server.seen.at(-1)?.headers["x-key"]).toBe("secret");
    const x = await testContext(connector, { config: { url: server.url, auth: "oauth" }, secrets: { password: "s" } });
    const before = server.seen.length;
    await x.fetch(`${server.url}/a`);
    await x.fetch(`${server.url}/a`);
    x.advance(60_000);
    await x.fetch(`${server.url}/a`);
    const seen = server.seen.slice(before);
    expect(seen.map(({ url }) => url.pathname)).toEqual(["/token", "/a", "/a", "/token", "/a"]);
    expect(seen[0]?.body).toBe("grant_type=client_credentials&scope=a+b");
    expect(new Set(seen.map(({ headers }) => headers.authorization)).size).toBe(3);
  });

  test("renews a token that is refused, once, and leaves a header that the connector has set", async () => {
    const x = await testContext(connector, { config: { url: server.url, auth: "oauth" }, secrets: { password: "s" } });
    server.inject({ kind: "answer", answer: { status: 401 } }, ({ url }) => url.pathname === "/a");
    expect((await x.fetch(`${server.url}/a`)).status).toBe(401);
    expect(server.seen.map(({ url }) => url.pathname)).toEqual(["/token", "/a", "/token", "/a"]);
    await x.fetch(`${server.url}/b`, { headers: { authorization: "Own" } });
    expect(server.seen.at(-1)?.headers.authorization).toBe("Own");
  });

  test("stops at once when it is told to, before and during an answer", async () => {
    for (const kind of ["black-hole", "slow-loris"] as const) {
      const stop = new AbortController();
      const x = await testContext(connector, { config: { url: server.url }, signal: stop.signal });
      server.inject({ kind });
      const work = kindOf(x.fetch(server.url).then((response) => readText(response, stop.signal)));
      await server.met();
      stop.abort({ why: "window" });
      expect(await work).toBe("cancelled");
    }
  });
});

describe("a context", () => {
  test("keeps a state by the virtual clock, as JSON", async () => {
    const x = await testContext(connector, { config: { url: server.url } });
    await x.state.set("session", { at: 1 }, { ttlMs: 1_000 });
    await x.state.set("for ever", [1]);
    expect(await x.state.get("session")).toEqual({ at: 1 });
    x.advance(1_000);
    expect(await x.state.get("session")).toBeUndefined();
    expect(await x.state.get("for ever")).toEqual([1]);
    await expect(x.state.set("much", "x".repeat(70_000))).rejects.toThrow(/64|65536/u);
    const same = await testContext(connector, { config: { url: server.url }, stored: x.stored });
    expect(await same.state.get("for ever")).toEqual([1]);
  });

  test("remembers what was logged and measured, and resolves own hosts only", async () => {
    const x = await testContext(connector, { config: { url: "http://localhost:1" }, meta: { attempt: 3 } });
    x.log.warn("careful", { rows: 2 });
    x.metric("rows_skipped", 2, { stream: "a" });
    expect(x.lines).toEqual([{ level: "warn", message: "careful", fields: { rows: 2 } }]);
    expect(x.metrics).toEqual([{ name: "rows_skipped", value: 2, labels: { stream: "a" } }]);
    expect(x.meta.attempt).toBe(3);
    expect(await x.resolveHost("localhost")).toEqual(["127.0.0.1"]);
    expect(await kindOf(x.resolveHost("example.com"))).toBe("permission");
  });

  test("settings that the schema refuses are config, with the path", async () => {
    const work = testContext(connector, { config: {} });
    await expect(work).rejects.toThrow(ConnectorError);
    await expect(work).rejects.toThrow(/url: /u);
  });
});
