import { describe, expect, expectTypeOf, test } from "vitest";
import { defineConnector, isConnector, parseSettings, z, type Connector, type Page } from "./index.js";

// Hello world: what the documentation promises in under ten lines.
const httpPing = defineConnector({
  apiVersion: 1,
  id: "http-ping",
  version: "1.0.0",
  displayName: "HTTP ping",
  stability: "stable",
  config: z.object({ url: z.url() }),
  secrets: z.object({}),
  egress: (config) => [new URL(config.url).origin],
  check: async (x) => ({ status: (await x.fetch(x.config.url)).ok ? "up" : "degraded" }),
});

const reader = defineConnector({
  apiVersion: 1,
  id: "reader",
  version: "1.0.0",
  displayName: "Reader",
  stability: "beta",
  config: z.object({ limit: z.coerce.number().default(5) }),
  secrets: z.object({ token: z.string() }),
  egress: () => [],
  async *read(x, request) {
    expectTypeOf(x.config.limit).toEqualTypeOf<number>();
    expectTypeOf(x.secrets).toEqualTypeOf<{ token: string }>();
    expectTypeOf(request.stream).toEqualTypeOf<string>();
    yield { records: [], cursor: {}, more: false };
  },
  write: {
    idempotency: "none",
    idempotencyOf: (config) => (config.limit > 3 ? "upsert" : "none"),
    maxBatch: 10,
    apply: async (_x, _stream, items) => items.map((item) => ({ key: item.key, ok: true })),
  },
});

describe("defineConnector", () => {
  test("infers configuration and secrets into every facet, and erases them for a host", () => {
    expectTypeOf(httpPing).toEqualTypeOf<Connector<{ url: string }, Record<string, never>>>();
    const all: readonly Connector[] = [httpPing, reader];
    expect(all.map((connector) => connector.id)).toEqual(["http-ping", "reader"]);
    expectTypeOf<ReturnType<NonNullable<Connector["read"]>>>().toEqualTypeOf<AsyncIterable<Page>>();
  });

  test("what it returns is branded and frozen, and a look-alike is not a connector", () => {
    expect(isConnector(httpPing)).toBe(true);
    expect(Object.isFrozen(httpPing)).toBe(true);
    expect(isConnector({ ...httpPing, [Symbol.for("quiesce.connector")]: 2 })).toBe(false);
    expect(isConnector({ id: "http-ping" })).toBe(false);
    expect(isConnector(null)).toBe(false);
  });

  test("the manifest lists the facets that are there and JSON Schemas of what is entered", () => {
    expect(httpPing.toManifest().facets).toEqual(["check"]);
    const manifest = reader.toManifest();
    expect(manifest.facets).toEqual(["read", "write"]);
    expect(manifest.config).toMatchObject({ type: "object", properties: { limit: { default: 5 } } });
    expect(manifest.config["required"]).toBeUndefined();
    expect(manifest.secrets).toMatchObject({ required: ["token"] });
    expect(JSON.parse(JSON.stringify(manifest))).toEqual(manifest);
  });

  test("a bad definition is refused with everything that is wrong, found and expected", () => {
    const bad = {
      apiVersion: 2,
      id: "Http Ping",
      version: "1",
      displayName: "",
      stability: "fine",
      config: z.string(),
      secrets: {},
      configVersion: 2,
      Read: () => [],
      write: { idempotency: "often", maxBatch: 0 },
    };
    let message = "";
    try {
      // @ts-expect-error -- none of this is a definition, as for an author without a compiler.
      defineConnector(bad);
    } catch (error) {
      message = String(error);
    }
    for (const part of [
      'The connector "Http Ping" is not well defined',
      "apiVersion: found 2, expected 1",
      "id: found",
      "version: found",
      "displayName: found",
      "stability: found",
      "config: found an object, expected a zod schema of an object",
      "secrets: found",
      "egress: found nothing",
      "migrate: found nothing, expected a function, because configVersion is 2",
      "Read: not a member of a connector; did you mean read?",
      "write.idempotency",
      "write.maxBatch",
      "write.apply",
    ]) {
      expect(message).toContain(part);
    }
  });

  test("a connector without a facet is refused", () => {
    const bare = () =>
      defineConnector({
        apiVersion: 1,
        id: "bare",
        version: "1.0.0",
        displayName: "Bare",
        stability: "stable",
        config: z.object({}),
        secrets: z.object({}),
        egress: () => [],
      });
    expect(bare).toThrow(/facets: found none/u);
  });

  test("settings are parsed through Standard Schema, with the paths of what is wrong", async () => {
    expect(await parseSettings(reader.config, { limit: "7" })).toEqual({ ok: true, value: { limit: 7 } });
    expect(await parseSettings(httpPing.config, { url: "no" })).toMatchObject({ ok: false, issues: [{ path: "url" }] });
  });
});
