import { once } from "node:events";
import { createServer } from "node:net";
import { describe, expect, expectTypeOf, test } from "vitest";
import {
  ConnectorError,
  ERROR_KINDS,
  ERROR_POLICIES,
  httpError,
  isConnectorError,
  networkError,
  retryAfterMs,
  toConnectorError,
  type ErrorKind,
} from "./index.js";

const NOW = new Date("2026-11-20T08:00:00.000Z");

describe("errors", () => {
  test("there are thirteen kinds, and no permanent one is retried", () => {
    expect(ERROR_KINDS).toHaveLength(13);
    expectTypeOf<"auth">().toExtend<ErrorKind>();
    const retried = ERROR_KINDS.filter((kind) => ERROR_POLICIES[kind].retry);
    expect(retried).toEqual(["rate_limited", "unavailable", "timeout", "transient", "cancelled"]);
  });

  test("only config, auth and permission hold the integration; only unavailable and timeout feed the breaker", () => {
    expect(ERROR_KINDS.filter((kind) => ERROR_POLICIES[kind].holdsIntegration)).toEqual(["config", "auth", "permission"]);
    expect(ERROR_KINDS.filter((kind) => ERROR_POLICIES[kind].feedsBreaker)).toEqual(["unavailable", "timeout"]);
  });

  test("being slowed down and being stopped are no failures", () => {
    expect(ERROR_KINDS.filter((kind) => !ERROR_POLICIES[kind].countsAsFailure)).toEqual(["rate_limited", "cancelled"]);
    expect(ERROR_KINDS.filter((kind) => ERROR_POLICIES[kind].delaysEndpoint)).toEqual(["rate_limited"]);
  });

  test("the brand survives structured cloning, and a stranger's error is not taken for ours", () => {
    const error = new ConnectorError("conflict", "changed", { status: 412, cause: new Error("x") });
    const crossed: unknown = structuredClone(error.toJSON());
    expect(isConnectorError(crossed)).toBe(true);
    expect(toConnectorError(crossed)).toMatchObject({ kind: "conflict", info: { status: 412 } });
    expect(isConnectorError({ quiesceError: 1, kind: "toString", message: "" })).toBe(false);
    expect(isConnectorError(new Error("x"))).toBe(false);
  });

  test("an unclassified throw is a bug, unless the call was being stopped", () => {
    expect(toConnectorError(new TypeError("x is not a function")).kind).toBe("bug");
    expect(toConnectorError("text", AbortSignal.abort({ why: "window" })).kind).toBe("cancelled");
  });
});

describe("networkError", () => {
  test.each([
    ["ECONNREFUSED", "unavailable", undefined],
    ["ENOTFOUND", "unavailable", undefined],
    ["ECONNRESET", "unavailable", true],
    ["UND_ERR_HEADERS_TIMEOUT", "timeout", true],
    ["CERT_HAS_EXPIRED", "config", true],
  ])("%s inside fetch's cause is %s (ambiguous: %s)", (code, kind, ambiguous) => {
    const thrown = new TypeError("fetch failed", { cause: Object.assign(new Error(code), { code }) });
    const error = networkError(thrown, "erp");
    expect(error.kind).toBe(kind);
    expect(error.info.ambiguous).toBe(ambiguous);
  });

  test("a real refused connection is unavailable, a real time limit a timeout", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    server.close();
    await once(server, "close");
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const refused: unknown = await fetch(`http://127.0.0.1:${port}/`).catch((error: unknown) => error);
    expect(networkError(refused, "erp").kind).toBe("unavailable");
    const late: unknown = await new Promise((_resolve, reject) => {
      const signal = AbortSignal.timeout(1);
      signal.addEventListener("abort", () => reject(signal.reason));
    }).catch((error: unknown) => error);
    expect(networkError(late, "erp").kind).toBe("timeout");
  });
});

describe("httpError", () => {
  test.each([
    [401, "auth"],
    [403, "permission"],
    [404, "not_found"],
    [409, "conflict"],
    [412, "conflict"],
    [422, "invalid"],
    [429, "rate_limited"],
    [500, "transient"],
    [503, "unavailable"],
    [504, "timeout"],
    [304, "contract"],
  ])("%d is %s", (status, kind) => {
    expect(httpError({ status, headers: new Headers(), text: "" }, "GET /x", NOW).kind).toBe(kind);
  });

  test("the message shows the beginning of the body without markup", () => {
    const error = httpError({ status: 502, headers: new Headers(), text: "<h1>Bad\n gateway</h1>" }, "GET /x", NOW);
    expect(error.message).toBe("GET /x was answered with 502: Bad gateway.");
  });

  test.each([
    ["retry-after", "30", 30_000],
    ["retry-after", "Fri, 20 Nov 2026 08:02:00 GMT", 120_000],
    ["retry-after", "99999", 3_600_000],
    ["ratelimit-reset", "7", 7_000],
    ["x-ratelimit-reset", "1795161660", 60_000],
    ["x-ratelimit-reset", "1795161660000", 60_000],
    ["x-ratelimit-reset", "1795161660000000", 60_000],
    ["x-ratelimit-reset", "2026-11-20T08:01Z", 60_000],
    ["x-ratelimit-reset", "2026-11-20T07:00Z", 0],
    ["retry-after", "soon", undefined],
  ])("%s: %s is %s ms", (name, value, expected) => {
    expect(retryAfterMs(new Headers({ [name]: value }), NOW)).toBe(expected);
  });

  test("Retry-After wins over the other headers", () => {
    expect(retryAfterMs(new Headers({ "x-ratelimit-reset": "60", "retry-after": "2" }), NOW)).toBe(2_000);
  });
});
