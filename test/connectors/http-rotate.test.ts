import { httpConnector } from "@quiesce/connectors";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { issueCertificate, makeAuthority } from "../tls/certificates.js";
import { rejection, runContext } from "./run-context.js";
import { type SeenRequest, type ShopServer, startShopServer } from "./shop-server.js";

let shop: ShopServer;
beforeAll(async () => {
  shop = await startShopServer(() => ({ json: {} }));
});
beforeEach(() => {
  shop.seen.length = 0;
  shop.answer = () => ({ json: { data: { value: "new-token-canary", id: 42, ends: 1_900_000_000 } } });
});
afterAll(() => shop.close());

const rotation = {
  issue: {
    path: "/tokens?for={key}",
    body: { name: "quiesce-{key}", scopes: ["read", "write"], days: 90 },
    tokenPath: "data.value",
    tokenIdPath: "data.id",
    expiresAtPath: "data.ends",
    idempotencyHeader: "Idempotency-Key",
  },
  discard: { path: "/tokens?name=quiesce-{key}" },
  revoke: { path: "/tokens/{tokenId}" },
};
const as = (secrets: object, more: object = {}) =>
  runContext(httpConnector, {
    config: { baseUrl: shop.url, auth: { type: "bearer" }, rotation, streams: [{ name: "s", path: "/s", key: ["id"] }], ...more },
    secrets,
  });
const line = ({ method, url, headers }: SeenRequest) => `${method} ${url.pathname}${url.search} ${headers.authorization ?? ""}`;
const issue = async (more: object = {}) => httpConnector.rotate?.issue?.(await as({ token: "old-token" }, more), { key: "r 1", fence: 1 });

describe("a token over HTTP", () => {
  test("is asked for with the old one, after what an earlier try left was taken away", async () => {
    expect(await issue()).toEqual({ secrets: { token: "new-token-canary", tokenId: "42" }, expiresAt: "2030-03-17T17:46:40.000Z" });
    expect(shop.seen.map(line)).toEqual(["DELETE /tokens?name=quiesce-r%201 Bearer old-token", "POST /tokens?for=r%201 Bearer old-token"]);
    expect(JSON.parse(shop.seen[1]?.body ?? "")).toEqual({ name: "quiesce-r 1", scopes: ["read", "write"], days: 90 });
    expect(shop.seen[1]?.headers["idempotency-key"]).toBe("r 1");
  });

  test("is ended with the one that stays; what is gone already was to be gone, and the one in use is never ended", async () => {
    const stays = await as({ token: "new-token", tokenId: "43" });
    await httpConnector.rotate?.revoke?.(stays, { token: "old-token", tokenId: "42/?" });
    shop.answer = () => ({ status: 404, json: {} });
    await httpConnector.rotate?.revoke?.(stays, { token: "old-token", tokenId: "42" });
    await httpConnector.rotate?.revoke?.(stays, { token: "new-token", tokenId: "43" });
    expect(shop.seen.map(line)).toEqual(["DELETE /tokens/42%2F%3F Bearer new-token", "DELETE /tokens/42 Bearer new-token"]);
  });

  test("that an answer does not hold is said without the answer", async () => {
    shop.answer = (seen) => (seen.method === "DELETE" ? { json: {} } : { json: { other: "leaked-token-canary" } });
    const error = await rejection(Promise.resolve(issue()));
    expect(error).toMatchObject({ kind: "contract", message: expect.stringContaining("data.value") });
    expect(String(error)).not.toContain("leaked-token-canary");
  });

  test("is renewed where that is configured, and ended where an end is", async () => {
    const { rotate } = httpConnector;
    const { config } = await as({ token: "x" });
    const { rotation: _none, ...without } = config;
    expect([rotate?.canIssue?.(config), rotate?.canRevoke?.(config)]).toEqual([true, true]);
    expect([rotate?.canIssue?.(without), rotate?.canRevoke?.(without)]).toEqual([false, false]);
    expect(await rejection(Promise.resolve(issue({ auth: { type: "none" } })))).toMatchObject({ kind: "config" });
  });
});

describe("a client certificate of the http connector", () => {
  test("comes with its key, or not at all", async () => {
    const { cert, key } = issueCertificate(makeAuthority("Test"), { name: "client" });
    const parse = async (secrets: object) => JSON.stringify(await httpConnector.secrets["~standard"].validate(secrets));
    expect(await parse({ certificate: cert, privateKey: key })).not.toContain("issues");
    expect(await parse({ certificate: cert })).toContain("needs both");
    expect(await parse({ certificate: "no PEM", privateKey: key })).toContain("issues");
  });
});
