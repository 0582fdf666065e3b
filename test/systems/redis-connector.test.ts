import { redisConnector } from "@quiesce/connectors";
import { type Connector, type JsonObject, writeIdempotency } from "@quiesce/sdk";
import { createClient } from "@redis/client";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openPages, readPages, readResumed, rejection, runContext, writeItem } from "../connectors/run-context.js";
import { REDIS, startRedis, type Redis } from "./redis.js";
import { suiteRuns, type ServerProcess } from "./server-process.js";
import { inTime } from "../connectors/in-time.js";

describe.runIf(suiteRuns("Redis", REDIS))("the redis connector on a real Redis", () => {
  const connector: Connector = redisConnector;
  let redis: Redis;
  let client: ReturnType<typeof newClient>;

  const newClient = () =>
    createClient({
      username: redis.user,
      password: redis.password,
      socket: { host: "127.0.0.1", port: redis.server.port, reconnectStrategy: false },
    }).on("error", () => undefined);
  const open = async (): Promise<void> => {
    client = newClient();
    await client.connect();
  };
  beforeAll(async () => {
    redis = await startRedis();
    await open();
  });
  afterAll(async () => {
    client?.destroy();
    await redis?.server.remove();
  });
  beforeEach(async () => void (await client.flushAll()));

  function endpoint(
    stream: Record<string, unknown> = {},
    more: { readonly config?: Record<string, unknown>; readonly secrets?: Record<string, unknown>; readonly signal?: AbortSignal } = {},
  ) {
    const streams = [{ name: "s", key: "orders", field: "order", keyFields: ["id"], write: {}, ...stream }];
    return runContext(connector, {
      config: {
        host: "127.0.0.1",
        port: redis.server.port,
        tls: "disable",
        user: redis.user,
        answerTimeoutSeconds: 5,
        ...more.config,
        streams,
      },
      secrets: { password: redis.password, ...more.secrets },
      ...(more.signal === undefined ? {} : { signal: more.signal }),
    });
  }
  const add = async (from: number, to: number): Promise<void> => {
    for (let id = from; id <= to; id += 1) await client.xAdd("orders", "*", { order: JSON.stringify({ id }) });
  };
  const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => String(from + index));
  const apply = async (stream: Record<string, unknown>, items: Parameters<NonNullable<typeof connector.write>["apply"]>[2]) =>
    connector.write?.apply(await endpoint(stream), "s", items);

  describe("reads", () => {
    test.each([1, 7, 30, 100])("every entry once, in order, in pages of %d, though many share a millisecond", async (pageSize) => {
      for (let id = 1; id <= 30; id += 1) await client.xAdd("orders", `1795248000000-${id}`, { order: JSON.stringify({ id }) });
      const x = await endpoint();
      const { records, complete } = await readPages(connector, x, { stream: "s", pageSize });
      expect(complete).toBe(true);
      expect(records.map((record) => record.key)).toEqual(numbers(1, 30));
      expect(records[9]).toEqual({ key: "10", version: "1795248000000-10", at: "2026-11-21T08:00:00.000Z", data: { id: 10 } });
      expect(await readResumed(connector, x, { stream: "s", pageSize })).toEqual(records);
    });

    test("only what came after the cursor, and begins again with a stream that was made anew", async () => {
      await add(1, 12);
      const x = await endpoint();
      const { cursor } = await readPages(connector, x, { stream: "s", pageSize: 5 });
      expect((await readPages(connector, x, { stream: "s", cursor })).records).toEqual([]);
      await add(13, 14);
      expect((await readPages(connector, x, { stream: "s", cursor })).records.map((record) => record.key)).toEqual(["13", "14"]);
      await client.del("orders");
      expect((await readPages(connector, x, { stream: "s", cursor })).records).toEqual([]);
      await client.xAdd("orders", "5-1", { order: '{"id": 1}' });
      expect((await readPages(connector, x, { stream: "s", cursor })).records.map((record) => record.key)).toEqual(["1"]);
      expect((await readPages(connector, x, { stream: "s", cursor: { id: "nonsense" } })).records).toHaveLength(1);
    });

    test("a stop in the middle of a page loses nothing, and ends within 250 ms", async () => {
      await add(1, 25);
      const stop = new AbortController();
      const pages = openPages(connector, await endpoint({}, { signal: stop.signal }), 10);
      const first = await pages.next();
      stop.abort({ why: "window" });
      expect(await inTime(rejection(pages.next()))).toMatchObject({ kind: "cancelled" });
      const rest = await readPages(connector, await endpoint(), { stream: "s", cursor: first.cursor });
      expect(rest.records.map((record) => record.key)).toEqual(numbers(11, 25));
    });

    test("a server that dies in the middle is unavailable, and reading goes on from the cursor when it is back", async () => {
      await add(1, 25);
      const pages = openPages(connector, await endpoint(), 10);
      const first = await pages.next();
      await redis.server.kill();
      expect(await rejection(pages.next())).toMatchObject({ kind: "unavailable" });
      await redis.server.start();
      await open();
      const rest = await readPages(connector, await endpoint(), { stream: "s", cursor: first.cursor });
      expect(rest.records.map((record) => record.key)).toEqual(numbers(11, 25));
    });

    test("says how many entries were trimmed before they were read", async () => {
      await add(1, 3);
      const { cursor } = await readPages(connector, await endpoint(), { stream: "s" });
      await add(4, 9);
      await client.xTrim("orders", "MAXLEN", 2);
      const metrics: unknown[] = [];
      const x = { ...(await endpoint()), metric: (...figures: unknown[]) => void metrics.push(figures) };
      expect((await readPages(connector, x, { stream: "s", cursor })).records.map((record) => record.key)).toEqual(["8", "9"]);
      expect(metrics).toEqual([["messages_missed", 4, { stream: "s" }]]);
    });

    test("an entry's own fields as texts, and entries without the field as records that say so", async () => {
      await client.xAdd("orders", "1-1", { id: "7", total: "9.90" });
      const { records } = await readPages(connector, await endpoint({ field: undefined }), { stream: "s" });
      expect(records).toMatchObject([{ key: "7", version: "1-1", data: { id: "7", total: "9.90" } }]);
      const other = await readPages(connector, await endpoint(), { stream: "s" });
      expect(other.records).toMatchObject([{ key: "1-1", problem: expect.stringContaining("has no field order; it has id, total") }]);
      await client.xAdd("orders", "1-2", { order: "{broken" });
      const broken = await readPages(connector, await endpoint(), { stream: "s", cursor: { id: "1-1" } });
      expect(broken.records).toMatchObject([{ key: "1-2", data: { value: "{broken" }, problem: expect.stringContaining("is not JSON") }]);
    });
  });

  describe("writes", () => {
    test.each(["order", undefined])("entries that reading gives back as the same records (field %s)", async (field) => {
      const results = await apply({ field }, [writeItem("1", { id: "1", name: "é" }), writeItem("2", {}, { op: "delete" })]);
      expect(results).toMatchObject([
        { key: "1", ok: true, remoteId: expect.stringMatching(/^\d+-\d+$/u) },
        { key: "2", ok: true },
      ]);
      const { records } = await readPages(connector, await endpoint({ field, keyFields: undefined }), { stream: "s" });
      expect(records).toMatchObject([
        { key: "1", data: { id: "1", name: "é" } },
        { key: "2", op: "delete", data: {} },
      ]);
      expect(await client.xLen("orders")).toBe(2);
    });

    test("a repetition once, where it is told to remember; and promises no more than that", async () => {
      const items = [writeItem("1", { id: 1 }), writeItem("2", { id: 2 })];
      const once = { write: { deduplicateSeconds: 60 } };
      const first = await apply(once, items);
      expect(await apply(once, items)).toEqual(first?.map((result) => ({ ...result, unchanged: true })));
      expect(await client.xLen("orders")).toBe(2);
      await apply({}, items);
      expect(await client.xLen("orders")).toBe(4);
      if (connector.write === undefined) throw new Error("no write");
      expect(writeIdempotency(connector.write, (await endpoint(once)).config, "s")).toBe("key");
      expect(writeIdempotency(connector.write, (await endpoint()).config, "s")).toBe("none");
    });

    test("no more than about the length that is allowed", async () => {
      await apply(
        { write: { maxLength: 100 } },
        Array.from({ length: 500 }, (_, index) => writeItem(String(index), { id: index })),
      );
      expect(await client.xLen("orders")).toBeLessThan(300);
    });

    test("a server that dies before it answers leaves a doubt, and what was remembered is not added twice", async () => {
      let frozen = false;
      /** Stops the server as soon as somebody looks at the data: what is sent from then on is not answered. */
      const freezing = (server: ServerProcess, data: JsonObject): JsonObject => ({
        ...data,
        get note() {
          server.freeze();
          frozen = true;
          return "frozen";
        },
      });
      const once = { write: { deduplicateSeconds: 600 } };
      const items = Array.from({ length: 500 }, (_, index) => writeItem(String(index), { id: index }));
      const writing = apply(
        once,
        items.map((item, index) => (index === 250 ? { ...item, data: freezing(redis.server, item.data) } : item)),
      );
      await expect.poll(() => frozen).toBe(true);
      await redis.server.kill();
      const doubts = ((await writing) ?? []).filter((result) => !result.ok);
      expect(doubts.length).toBeGreaterThanOrEqual(250);
      for (const result of doubts) expect(result).toMatchObject({ error: { kind: "unavailable", ambiguous: true } });
      await redis.server.start();
      await open();
      expect((await apply(once, items))?.every((result) => result.ok)).toBe(true);
      expect(await client.xLen("orders")).toBe(500);
    });
  });

  describe("classifies", () => {
    test("a wrong password, no right, no stream, a closed port", async () => {
      const check = async (config: Record<string, unknown> = {}, secrets = {}) =>
        connector.check?.(await endpoint({}, { config, secrets }));
      expect(await rejection(Promise.resolve(check({}, { password: "wrong" })))).toMatchObject({
        kind: "auth",
        info: { status: "WRONGPASS" },
      });
      expect(await rejection(Promise.resolve(check({ user: undefined }, { password: undefined })))).toMatchObject({ kind: "auth" });
      expect(await rejection(Promise.resolve(check({ database: 9_999 })))).toMatchObject({ kind: "config" });
      expect(await rejection(Promise.resolve(check({ port: 1 })))).toMatchObject({ kind: "unavailable" });
      await client.set("orders", "no stream");
      expect(await rejection(readPages(connector, await endpoint(), { stream: "s" }))).toMatchObject({
        kind: "config",
        info: { status: "WRONGTYPE" },
      });
      const { user, password } = redis.reader;
      const x = await endpoint({}, { config: { user }, secrets: { password } });
      expect(await connector.write?.apply(x, "s", [writeItem("1", {})])).toMatchObject([
        { ok: false, error: { kind: "permission", status: "NOPERM" } },
      ]);
      expect(await connector.check?.(x)).toEqual({ status: "up", identity: { principal: "reader" } });
      expect(await check()).toEqual({ status: "up", version: expect.stringMatching(/^\d+\./u), identity: { principal: redis.user } });
    });

    test("encryption: the certificate and its name are checked; nothing is sent in plain text instead", async () => {
      const { server: started, ca } = await startRedis({ tls: true });
      await using server = started;
      const check = async (config: Record<string, unknown>, host?: string) => {
        const tls = { tls: "verify-full", port: server.port, ...config, ...(host === undefined ? {} : { host }) };
        const x = await endpoint({}, { config: tls });
        return connector.check?.({ ...x, resolveHost: async () => ["127.0.0.1"] });
      };
      await expect(check({ ca }, "localhost")).resolves.toMatchObject({ status: "up" });
      await expect(check({ ca })).resolves.toMatchObject({ status: "up" });
      await expect(check({ tls: "require" })).resolves.toMatchObject({ status: "up" });
      expect(await rejection(check({}, "localhost"))).toMatchObject({ kind: "config" });
      expect(await rejection(check({ ca }, "erp.example.com"))).toMatchObject({ kind: "config" });
      expect(await rejection(check({ tls: "require", port: redis.server.port, connectTimeoutSeconds: 2 }))).toMatchObject({
        kind: expect.stringMatching(/config|unavailable|timeout/u),
      });
    });
  });
});
