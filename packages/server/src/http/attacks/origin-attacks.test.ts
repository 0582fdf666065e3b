import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { type StartedApi, startApi } from "../../../../../test/server/start-api.js";

/** Pages of other sites in the browser of somebody who may do much. */
const ALLOWED = "https://ops.example.com";
let api: StartedApi;
beforeAll(async () => {
  api = await startApi({ corsOrigins: [ALLOWED], trustedProxies: ["127.0.0.1"], publicUrl: "https://quiesce.example.com" });
});
afterAll(async () => {
  await api.stop();
});

const foreign = [
  "null",
  "https://evil.example",
  "https://ops.example.com.evil.example",
  "https://evilops.example.com",
  "https://ops.example.comevil",
  "https://sub.ops.example.com",
  "http://ops.example.com",
  "https://ops.example.com:8443",
  "https://ops.example.com/",
  "HTTPS://OPS.EXAMPLE.COM",
  "https://ops.example.com, https://evil.example",
  "file://",
  "https://user@ops.example.com",
];

describe("a page of a foreign origin", () => {
  it("is not told that it may ask, nor what was answered", async () => {
    for (const origin of foreign) {
      for (const init of [
        {
          method: "OPTIONS",
          headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization" },
        },
        { method: "GET", headers: { origin } },
      ]) {
        const response = await fetch(`${api.url}/graphql?query={__typename}`, init);
        const granted = [...response.headers.keys()].filter((name) => name.startsWith("access-control-"));
        expect([granted, response.headers.get("vary")], `${init.method} ${origin}`).toEqual([[], "Origin"]);
      }
    }
  });

  it("opens no socket", async () => {
    for (const origin of foreign) expect(await handshake({ origin }), origin).toBe(403);
  });
});

/** The status that a handshake is answered with; 101 when it succeeds. */
async function handshake(headers: Record<string, string>): Promise<number> {
  const socket = new WebSocket(`${api.url.replace("http", "ws")}/graphql`, "graphql-transport-ws", { headers });
  socket.on("error", () => undefined);
  const opened = once(socket, "open").then(() => 101);
  const refused = once(socket, "unexpected-response").then(([, response]) => (response as { statusCode: number }).statusCode);
  const status = await Promise.race([opened, refused]);
  socket.terminate();
  return status;
}

describe("a page of an allowed origin", () => {
  it("may send a token and read the answer, and no cookie", async () => {
    const asked = await fetch(`${api.url}/graphql`, {
      method: "OPTIONS",
      headers: { origin: ALLOWED, "access-control-request-method": "POST" },
    });
    expect(asked.status).toBe(204);
    expect(Object.fromEntries(asked.headers)).toMatchObject({
      "access-control-allow-origin": ALLOWED,
      "access-control-allow-methods": "GET, POST",
      "access-control-allow-headers": "authorization, content-type, idempotency-key",
      vary: "Origin",
    });
    expect(asked.headers.has("access-control-allow-credentials")).toBe(false);
  });

  it("opens a socket, as do the server's own page and a program", async () => {
    expect(await handshake({ origin: ALLOWED })).toBe(101);
    expect(await handshake({ origin: api.url })).toBe(101);
    expect(await handshake({ origin: "https://quiesce.example.com" })).toBe(101);
    expect(await handshake({})).toBe(101);
  });
});

describe("every answer", () => {
  const paths = ["/livez", "/readyz", "/health", "/graphql", "/gate/orders", "/push/orders", "/calendars/x.ics", "/nothing", "/"];

  const closedHeaders = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  };
  // Its page runs what is served beside it and nothing that is written into it.
  const dashboardHeaders = {
    "cache-control": "no-cache",
    "content-security-policy": expect.stringMatching(
      /^default-src 'none'; script-src 'self' 'nonce-[\w+/=]{24}'; script-src-attr 'none'; style-src 'self' 'nonce-(?!.*unsafe).*frame-ancestors 'none'; base-uri 'none'/u,
    ) as unknown,
  };

  it("keeps browsers from guessing types, framing, sending referrers, keeping it and running anything", async () => {
    for (const path of paths) {
      const { headers } = await fetch(api.url + path, { redirect: "manual" });
      expect(Object.fromEntries(headers), path).toMatchObject({
        ...(path === "/" ? dashboardHeaders : closedHeaders),
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": expect.stringContaining("camera=()"),
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
      });
      expect(headers.has("x-powered-by")).toBe(false);
      expect(headers.has("server")).toBe(false);
    }
    const answered = await fetch(`${api.url}/graphql?query={__typename}`, { headers: { authorization: `Bearer ${api.tokens.viewer}` } });
    expect(answered.headers.get("cache-control")).toBe("no-store");
    expect(answered.headers.get("referrer-policy")).toBe("no-referrer");
  });

  it("asks for https from now on when a trusted proxy has it in front, and not otherwise", async () => {
    const hsts = async (headers: Record<string, string>) =>
      (await fetch(`${api.url}/livez`, { headers })).headers.get("strict-transport-security");
    expect(await hsts({ "x-forwarded-proto": "https" })).toBe("max-age=31536000");
    expect(await hsts({ "x-forwarded-proto": "http" })).toBeNull();
    expect(await hsts({})).toBeNull();
    const open = await startApi();
    try {
      const forged = await fetch(`${open.url}/livez`, { headers: { "x-forwarded-proto": "https" } });
      expect(forged.headers.get("strict-transport-security")).toBeNull();
    } finally {
      await open.stop();
    }
  });

  it("of an address that is none carries them too", async () => {
    const { hostname, port } = new URL(api.url);
    const socket = connect(Number(port), hostname, () => socket.write(`GET http://[ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`));
    const [data] = (await once(socket, "data")) as [Buffer];
    socket.destroy();
    expect(String(data)).toMatch(/^HTTP\/1\.1 404 [\s\S]*content-security-policy: default-src 'none'/i);
  });
});

describe("the GraphiQL page", () => {
  it("runs its own scripts by their digests and no other, and may not be framed", async () => {
    const response = await fetch(`${api.url}/graphql`, { headers: { accept: "text/html" } });
    const html = await response.text();
    const policy = response.headers.get("content-security-policy") ?? "";
    const scripts = [...html.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, script = ""]) => script);
    expect(scripts.length).toBeGreaterThan(2);
    // Nothing else in the page is a script, so nothing is left without a digest.
    expect(html.replaceAll(/<script>[\s\S]*?<\/script>/g, "")).not.toMatch(/<script/i);
    for (const script of scripts) expect(policy).toContain(`'sha256-${createHash("sha256").update(script).digest("base64")}'`);
    const directives = new Map(policy.split("; ").map((directive) => [directive.split(" ")[0], directive]));
    expect(directives.get("script-src")).not.toMatch(/unsafe|\*|https?:|data:/);
    expect(directives.get("frame-ancestors")).toBe("frame-ancestors 'none'");
    expect(directives.get("default-src")).toBe("default-src 'none'");
    expect(html).not.toMatch(/\son(?:load|error|click)=/i);
  });

  it("is sent again only when it has changed: it is large, and anybody may ask", async () => {
    const headers = { accept: "text/html" };
    const etag = (await fetch(`${api.url}/graphql`, { headers })).headers.get("etag") ?? "";
    const again = await fetch(`${api.url}/graphql`, { headers: { ...headers, "if-none-match": etag } });
    expect([again.status, (await again.arrayBuffer()).byteLength]).toEqual([304, 0]);
  });
});
