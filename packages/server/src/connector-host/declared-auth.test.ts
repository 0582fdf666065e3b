import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type AuthMethod, type Connector, defineConnector, z } from "@quiesce/sdk";
import pino from "pino";
import { afterEach, describe, expect, it } from "vitest";
import { issueCertificate, makeAuthority } from "../../../../test/tls/certificates.js";
import { startMutualServer } from "../../../../test/tls/mutual-server.js";
import { memoryTarget } from "../../../../test/pipeline/memory-target.js";
import { type PipelineBench, pipelineBench } from "../../../../test/pipeline/pipeline-bench.js";
import { createConnectorHost } from "./connector-host.js";

let bench: PipelineBench | undefined;
let servers: Server[] = [];
afterEach(async () => {
  await bench?.close();
  bench = undefined;
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
    await once(server, "close");
  }
  servers = [];
});

interface Seen {
  readonly url: string;
  readonly authorization: string | undefined;
  readonly key: string | undefined;
  readonly body: string;
}

async function serve(answer: (seen: Seen, response: ServerResponse) => void): Promise<{ readonly url: string; readonly seen: Seen[] }> {
  const seen: Seen[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    let body = "";
    request.on("data", (piece: Buffer) => (body += piece.toString()));
    request.on("end", () => {
      const { authorization, "x-key": key } = request.headers;
      const one = { url: request.url ?? "", authorization, key: typeof key === "string" ? key : undefined, body };
      seen.push(one);
      answer(one, response);
    });
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen };
}

const secrets = z.object({ password: z.string() });
type Settings = { readonly url: string; readonly tokenUrl?: string | undefined };

function connectorWith(
  auth: (config: Settings, secrets: { readonly password: string }) => AuthMethod,
  more: Partial<Connector> = {},
): Connector {
  const settings = { config: z.object({ url: z.string(), tokenUrl: z.string().optional() }), secrets };
  const own = defineConnector({
    apiVersion: 1,
    id: "asking",
    version: "1.0.0",
    displayName: "Asking",
    stability: "beta",
    ...settings,
    egress: (config) => [config.url, ...(config.tokenUrl === undefined ? [] : [config.tokenUrl])].map((url) => new URL(url).origin),
    auth,
    check: async (x) => {
      const response = await x.fetch(`${x.config.url}/me`);
      return { status: response.ok ? "up" : "down", message: await response.text() };
    },
  });
  return { ...own, ...more };
}

async function open(connector: Connector, config: Settings): Promise<PipelineBench> {
  bench = await pipelineBench({ source: { connector, config, secrets: { password: "pass-word-1" } }, target: memoryTarget() });
  return bench;
}
const check = (on: PipelineBench) => on.host.checkEndpoint("source", new AbortController().signal);

describe("what a connector declares", () => {
  it.each([
    ["basic", () => ({ kind: "basic", username: "me", password: "pass-word-1" }), { authorization: `Basic ${btoa("me:pass-word-1")}` }],
    ["bearer", () => ({ kind: "bearer", token: "pass-word-1" }), { authorization: "Bearer pass-word-1" }],
    ["header", () => ({ kind: "header", name: "x-key", value: "made-of-secrets-9" }), { key: "made-of-secrets-9" }],
  ] as readonly [string, () => AuthMethod, object][])("is added to requests: %s", async (_kind, auth, expected) => {
    const api = await serve((_seen, response) => response.end("fine"));
    const on = await open(connectorWith(auth), { url: api.url });
    expect(await check(on)).toMatchObject({ status: "up" });
    expect(api.seen[0]).toMatchObject(expected);
    expect(on.logged()).not.toContain("pass-word-1");
  });

  it.each([
    ["bearer", () => ({ kind: "bearer", token: "pass-word-1" })],
    // Not a secret of the endpoint by itself, but made of them.
    ["header", () => ({ kind: "header", name: "x-key", value: "made-of-secrets-9" })],
  ] as readonly [string, () => AuthMethod][])("does not go on to another origin that an answer redirects to: %s", async (_kind, auth) => {
    const elsewhere = await serve((_seen, response) => response.end("elsewhere"));
    const api = await serve((_seen, response) => response.writeHead(302, { location: `${elsewhere.url}/files` }).end());
    const on = await open(connectorWith(auth), { url: api.url, tokenUrl: elsewhere.url });
    expect(await check(on)).toMatchObject({ message: "elsewhere" });
    expect(api.seen[0]?.authorization ?? api.seen[0]?.key).toMatch(/pass-word-1|made-of-secrets-9/);
    expect(elsewhere.seen).toEqual([{ url: "/files", authorization: undefined, key: undefined, body: "" }]);
  });

  it("may be a client certificate", async () => {
    const authority = makeAuthority("Test");
    const client = issueCertificate(authority, { name: "client" });
    const server = await startMutualServer(authority, { token: "pass-word-1", cert: client.cert });
    const items = async (x: Parameters<NonNullable<Connector["check"]>>[0]) => {
      const headers = { authorization: "Bearer pass-word-1" };
      const response = await x.fetch(`${(x.config as Settings).url}/items`, { headers });
      return { status: response.ok ? ("up" as const) : ("down" as const), message: await response.text() };
    };
    const on = await open(
      connectorWith(() => ({ kind: "mtls", ...client, ca: authority.cert }), { check: items }),
      { url: server.url },
    );
    const health = await check(on).finally(() => server.close());
    expect(health).toMatchObject({ status: "up" });
    expect(server.counts).toMatchObject({ allowed: 1, refused: [] });
  });

  it("gives way to what the connector sets itself, and is what a check says about authentication", async () => {
    const api = await serve((_seen, response) => response.end("fine"));
    const own = connectorWith(() => ({ kind: "basic", username: "me", password: "pass-word-1" }));
    const on = await open(own, { url: api.url });
    await check(on);
    expect(await on.database.sql`select message from endpoint_finding where kind = 'authentication'`).toHaveLength(1);
    const setting = connectorWith(() => ({ kind: "bearer", token: "pass-word-1" }), {
      check: async (x) => {
        await x.fetch(`${(x.config as Settings).url}/me`, { headers: { authorization: "Own one" } });
        return { status: "up" };
      },
    });
    await on.close();
    const again = await open(setting, { url: api.url });
    await check(again);
    expect(api.seen.at(-1)?.authorization).toBe("Own one");
  });
});

/** A token endpoint and an API that takes the newest of its tokens. */
async function oauthServer(options: { readonly expiresIn?: number } = {}) {
  let issued = 0;
  let revoked = 0;
  const tokens = await serve((seen, response) => {
    const form = new URLSearchParams(seen.body);
    const isRefused = seen.authorization === undefined && form.get("client_secret") === null;
    issued += 1;
    const body = isRefused
      ? { error: "invalid_client", error_description: "Who are you?" }
      : {
          access_token: `access-token-${issued}`,
          token_type: "Bearer",
          expires_in: options.expiresIn ?? 3_600,
          refresh_token: `refresh-token-${issued}`,
        };
    setTimeout(() => response.writeHead(isRefused ? 401 : 200, { "content-type": "application/json" }).end(JSON.stringify(body)), 30);
  });
  const api = await serve((seen, response) => {
    const number = Number(/^Bearer access-token-(\d+)$/.exec(seen.authorization ?? "")?.[1] ?? 0);
    // A careless system: it says what it was shown.
    response.writeHead(number > revoked ? 200 : 401).end(`You said ${seen.authorization}.`);
  });
  return { tokens, api, revoke: () => (revoked = issued), issued: () => issued };
}
const clientCredentials = (config: Settings, { password }: { readonly password: string }): AuthMethod => ({
  kind: "oauth2-client-credentials",
  tokenUrl: `${config.tokenUrl}/token`,
  clientId: "me & you",
  clientSecret: password,
  scopes: ["orders.read"],
  parameters: { audience: "shop" },
});

describe("an access token", () => {
  it("is fetched once for many calls and servers, kept sealed, and sent to the API alone", async () => {
    const { tokens, api, issued } = await oauthServer();
    const on = await open(connectorWith(clientCredentials), { url: api.url, tokenUrl: tokens.url });
    const other = createConnectorHost({
      database: on.database,
      connectors: [connectorWith(clientCredentials)],
      keyRing: on.keys,
      log: pino({ level: "silent" }),
    });
    const never = new AbortController().signal;
    const answers = await Promise.all(Array.from({ length: 8 }, (_, n) => (n % 2 === 0 ? on.host : other).checkEndpoint("source", never)));
    await other.close();
    expect(answers).toEqual(answers.map(() => ({ status: "up", message: "You said Bearer [redacted]." })));
    expect(issued()).toBe(1);
    const [asked] = tokens.seen;
    expect(Object.fromEntries(new URLSearchParams(asked?.body))).toEqual({
      grant_type: "client_credentials",
      scope: "orders.read",
      audience: "shop",
    });
    expect(asked?.authorization).toBe(`Basic ${btoa("me+%26+you:pass-word-1")}`);
    const stored = JSON.stringify(await on.database.sql`select * from connector_state`);
    expect(stored).toContain("host:oauth2");
    expect(stored).not.toContain("access-token-1");
    expect(on.logged()).not.toContain("access-token-1");
  });

  it("is renewed once when the system refuses it, and a second refusal is the system's answer", async () => {
    const { tokens, api, revoke, issued } = await oauthServer();
    const on = await open(connectorWith(clientCredentials), { url: api.url, tokenUrl: tokens.url });
    await check(on);
    revoke();
    expect(await check(on)).toMatchObject({ status: "up" });
    expect(issued()).toBe(2);
    expect(api.seen.map(({ authorization }) => authorization)).toEqual([
      "Bearer access-token-1",
      "Bearer access-token-1",
      "Bearer access-token-2",
    ]);
  });

  it("is renewed before it ends", async () => {
    const { tokens, api, issued } = await oauthServer({ expiresIn: 1 });
    const on = await open(connectorWith(clientCredentials), { url: api.url, tokenUrl: tokens.url });
    await check(on);
    await new Promise((resolve) => setTimeout(resolve, 850));
    await check(on);
    expect(issued()).toBe(2);
    expect(api.seen.map(({ authorization }) => authorization)).toEqual(["Bearer access-token-1", "Bearer access-token-2"]);
  });

  it("of a person's consent is renewed with the newest refresh token, and with the configured one after that changed", async () => {
    const { tokens, api, revoke } = await oauthServer();
    const consent = (config: Settings, { password }: { readonly password: string }): AuthMethod => ({
      kind: "oauth2-authorization-code",
      tokenUrl: `${config.tokenUrl}/token`,
      clientId: "me",
      clientSecret: "client-secret-1",
      clientAuthentication: "body",
      refreshToken: password,
    });
    const on = await open(connectorWith(consent), { url: api.url, tokenUrl: tokens.url });
    await check(on);
    revoke();
    await check(on);
    const sent = () => tokens.seen.map(({ body }) => new URLSearchParams(body).get("refresh_token"));
    expect(sent()).toEqual(["pass-word-1", "refresh-token-1"]);
    await on.close();
    bench = await pipelineBench({
      source: { connector: connectorWith(consent), config: { url: api.url, tokenUrl: tokens.url }, secrets: { password: "another-one" } },
      target: memoryTarget(),
    });
    await check(bench);
    expect(sent().at(-1)).toBe("another-one");
  });

  it("that is refused is an error of the credentials, without them", async () => {
    const { tokens, api } = await oauthServer();
    const nobody = (config: Settings): AuthMethod => ({
      kind: "oauth2-authorization-code",
      tokenUrl: `${config.tokenUrl}/token`,
      clientId: "me",
      refreshToken: "pass-word-1",
    });
    const on = await open(connectorWith(nobody), { url: api.url, tokenUrl: tokens.url });
    await expect(check(on)).rejects.toMatchObject({ kind: "auth", message: expect.stringMatching(/invalid_client \(Who are you\?\)/) });
    await on.close();
    const far = await open(
      connectorWith((config, all) => ({ ...clientCredentials(config, all), tokenUrl: "http://127.0.0.1:1/token" }) as AuthMethod),
      { url: api.url },
    );
    await expect(check(far)).rejects.toMatchObject({ kind: "permission" });
  });
});
