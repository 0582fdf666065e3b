import { redisConnector } from "@quiesce/connectors";
import { conformance, real } from "@quiesce/sdk/testing";
import { createClient } from "@redis/client";
import { afterAll, beforeAll, describe, it } from "vitest";
import { REDIS, startRedis, type Redis } from "./redis.js";
import { suiteRuns } from "./server-process.js";

describe.runIf(suiteRuns("Redis", REDIS))("the contract of connectors, kept by redis on a real Redis", () => {
  let redis: Redis;
  const connect = async () => {
    const { user: username, password, server } = redis;
    const client = createClient({ username, password, socket: { host: "127.0.0.1", port: server.port } });
    await client.connect();
    return client;
  };
  let client: Awaited<ReturnType<typeof connect>>;

  beforeAll(async () => {
    redis = await startRedis();
    client = await connect();
  });
  afterAll(async () => {
    client?.destroy();
    await redis?.server.remove();
  });

  conformance(redisConnector, {
    describe,
    it,
    server: real({
      proxy: true,
      start: async () => {
        await client.flushAll();
        return { url: `redis://127.0.0.1:${redis.server.port}`, system: {}, stop: async () => undefined };
      },
    }),
    config: {
      valid: ({ url }) => ({
        host: new URL(url).hostname,
        port: Number(new URL(url).port),
        user: "quiesce",
        tls: "disable",
        connectTimeoutSeconds: 1,
        answerTimeoutSeconds: 5,
        streams: [
          { name: "orders", key: "orders", field: "order", keyFields: ["id"] },
          { name: "written", key: "written", field: "order", write: { deduplicateSeconds: 600 } },
        ],
      }),
      invalid: [{}, { host: "x", streams: [] }],
    },
    secrets: { valid: { password: "p@ss-word" }, wrong: { password: "wrong-password" } },
    read: {
      stream: "orders",
      clock: "real",
      seed: async (_system, rows) => {
        for (const { id, at, n } of rows) await client.xAdd("orders", "*", { order: JSON.stringify({ id, at: at.toISOString(), n }) });
      },
    },
    write: {
      stream: "written",
      item: (n) => ({ key: `order ${n}`, data: { n } }),
      stored: async () => ((await client.xRange("written", "-", "+")) ?? []).map(({ message }) => message["quiesce-key"] ?? ""),
    },
  });
});
