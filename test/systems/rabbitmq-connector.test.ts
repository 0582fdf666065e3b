import { rabbitmqConnector } from "@quiesce/connectors";
import { type Connector, writeIdempotency } from "@quiesce/sdk";
import amqp from "amqplib";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openPages, readPages, rejection, runContext, writeItem } from "../connectors/run-context.js";
import { RABBITMQ, startRabbitmq, type Rabbitmq } from "./rabbitmq.js";
import { suiteRuns } from "./server-process.js";
import { inTime } from "../connectors/in-time.js";

describe.runIf(suiteRuns("RabbitMQ", RABBITMQ))("the rabbitmq connector on a real RabbitMQ", () => {
  const connector: Connector = rabbitmqConnector;
  let rabbitmq: Rabbitmq;
  let model: amqp.ChannelModel;
  let channel: amqp.ConfirmChannel;

  const open = async (): Promise<void> => {
    const { server, user, password } = rabbitmq;
    model = await amqp.connect({ hostname: "127.0.0.1", port: server.port, username: user, password });
    model.on("error", () => undefined);
    channel = await model.createConfirmChannel();
  };
  beforeAll(async () => {
    rabbitmq = await startRabbitmq();
    await open();
  });
  afterAll(async () => {
    await model?.close().catch(() => undefined);
    await rabbitmq?.remove();
  });
  beforeEach(async () => {
    await channel.deleteQueue("orders");
    await channel.assertQueue("orders", { durable: true });
  });

  function endpoint(
    stream: Record<string, unknown> = {},
    more: { readonly config?: Record<string, unknown>; readonly secrets?: Record<string, unknown>; readonly signal?: AbortSignal } = {},
  ) {
    const { user, password, server } = rabbitmq;
    const streams = [{ name: "s", queue: "orders", keyFields: ["id"], write: { routingKey: "orders" }, ...stream }];
    return runContext(connector, {
      config: { host: "127.0.0.1", port: server.port, tls: "disable", user, ...more.config, streams },
      secrets: { password, ...more.secrets },
      ...(more.signal === undefined ? {} : { signal: more.signal }),
    });
  }
  const send = async (from: number, to: number): Promise<void> => {
    for (let id = from; id <= to; id += 1)
      channel.sendToQueue("orders", Buffer.from(JSON.stringify({ id })), { persistent: true, messageId: `m${id}` });
    await channel.waitForConfirms();
  };
  const read = async (pageSize = 10, stopAfter?: number) =>
    readPages(connector, await endpoint(), { stream: "s", pageSize, ...(stopAfter === undefined ? {} : { stopAfter }) });
  const ready = async () => (await channel.checkQueue("orders")).messageCount;
  const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => String(from + index));
  const apply = async (stream: Record<string, unknown>, items: Parameters<NonNullable<typeof connector.write>["apply"]>[2]) =>
    connector.write?.apply(await endpoint(stream), "s", items);

  describe("reads", () => {
    test.each([1, 7, 30, 100])("what the queue holds, in order, in pages of %d, and leaves nothing in it", async (pageSize) => {
      await send(1, 30);
      const { records, complete } = await read(pageSize);
      expect(complete).toBe(true);
      expect(records.map((record) => record.key)).toEqual(numbers(1, 30));
      expect(records[0]).toEqual({ key: "1", version: "m1", data: { id: 1 } });
      expect(await ready()).toBe(0);
      expect(await read()).toMatchObject({ records: [], complete: true });
    });

    test("a page that was not committed comes again; one that was committed does not", async () => {
      await send(1, 25);
      // The engine stops within the second page: the first is acknowledged, because the second was asked for.
      const first = await read(10, 2);
      expect(first.records.map((record) => record.key)).toEqual(numbers(1, 20));
      await expect.poll(ready).toBe(15);
      expect((await read()).records.map((record) => record.key)).toEqual(numbers(11, 25));
      expect(await ready()).toBe(0);
    });

    test("a stop in the middle of a page loses nothing, and ends within 250 ms", async () => {
      await send(1, 25);
      const stop = new AbortController();
      const pages = openPages(connector, await endpoint({}, { signal: stop.signal }), 10);
      const first = await pages.next();
      expect(first.records.map((record) => record.key)).toEqual(numbers(1, 10));
      const second = await pages.next();
      expect(second.records.map((record) => record.key)).toEqual(numbers(11, 20));
      stop.abort({ why: "window" });
      // The third page is asked for: the second was committed, but its acknowledgement cannot be sent any more.
      expect(await inTime(rejection(pages.next()))).toMatchObject({ kind: "cancelled" });
      await expect.poll(ready).toBe(15);
      expect((await read()).records.map((record) => record.key)).toEqual(numbers(11, 25));
    });

    test("a broker that dies in the middle is unavailable, and what was not acknowledged comes again", async () => {
      await send(1, 25);
      const pages = openPages(connector, await endpoint(), 10);
      await pages.next();
      await pages.next();
      await rabbitmq.server.kill();
      expect(await rejection(pages.next())).toMatchObject({ kind: "unavailable" });
      await rabbitmq.server.start();
      await open();
      // The first page may have been acknowledged, the second was not; the third was never given.
      const again = (await read()).records.map((record) => Number(record.key));
      for (let id = 11; id <= 25; id += 1) expect(again).toContain(id);
      expect(await ready()).toBe(0);
    });

    test("unreadable messages as records that say so, with their text, and tombstones as deletions", async () => {
      const publish = (text: string, options: amqp.Options.Publish = {}) => channel.sendToQueue("orders", Buffer.from(text), options);
      publish("{broken", { messageId: "m1" });
      publish("[1]");
      publish('{"name": "no id"}');
      publish('{"id": 5}', { headers: { "quiesce-op": "delete" }, timestamp: 1_795_248_000 });
      publish("", { headers: { "quiesce-op": "delete", "quiesce-key": "6" } });
      await channel.waitForConfirms();
      const { records } = await read();
      expect(records).toMatchObject([
        { key: "m1", data: { value: "{broken" }, problem: expect.stringContaining("is not JSON") },
        { problem: expect.stringContaining("found a list") },
        { problem: expect.stringContaining("no value in its key (id)") },
        { key: "5", op: "delete", at: "2026-11-21T08:00:00.000Z", data: { id: 5 } },
        { key: "6", op: "delete", data: {} },
      ]);
    });

    test("a later message with the same text as another change: the cursor moves", async () => {
      channel.sendToQueue("orders", Buffer.from('{"id": 1}'));
      channel.sendToQueue("orders", Buffer.from('{"id": 1}'));
      await channel.waitForConfirms();
      const x = await endpoint();
      const first = await readPages(connector, x, { stream: "s", pageSize: 1, stopAfter: 1 });
      expect(first.cursor).toEqual({ taken: 1 });
      expect((await readPages(connector, x, { stream: "s", cursor: first.cursor, pageSize: 1 })).cursor).toEqual({ taken: 3 });
    });
  });

  describe("writes", () => {
    test("messages that reading gives back as the same records, with the idempotency key as their id", async () => {
      const results = await apply({}, [writeItem("1", { id: 1, name: "é" }), writeItem("2", { id: 2 }, { op: "delete" })]);
      expect(results).toEqual([
        { key: "1", ok: true },
        { key: "2", ok: true },
      ]);
      const { records } = await read();
      expect(records).toMatchObject([
        { key: "1", version: "test:stream:1:1", data: { id: 1, name: "é" } },
        { key: "2", op: "delete", data: { id: 2 } },
      ]);
    });

    test("survive a restart of the broker", async () => {
      await apply({}, [writeItem("1", { id: 1 })]);
      await model.close();
      await rabbitmq.server.stop();
      await rabbitmq.server.start();
      await open();
      expect((await read()).records.map((record) => record.key)).toEqual(["1"]);
    });

    test("to an exchange by a routing key of the record; what no queue takes is said, record by record", async () => {
      await channel.assertExchange("changes", "topic", { durable: false });
      await channel.bindQueue("orders", "changes", "order.1");
      const write = { exchange: "changes", routingKey: "order.{key}" };
      expect(await apply({ write }, [writeItem("1", { id: 1 }), writeItem("2", { id: 2 }), writeItem("k".repeat(300), {})])).toMatchObject([
        { key: "1", ok: true },
        { key: "2", ok: false, error: { kind: "not_found", message: expect.stringContaining("exchange changes") } },
        { ok: false, error: { kind: "invalid" } },
      ]);
      const absent = { exchange: "absent", routingKey: "x" };
      expect(await rejection(apply({ write: absent }, [writeItem("1", {})]))).toMatchObject({ kind: "config", info: { status: 404 } });
    });

    test("a full queue that refuses as transient, without a doubt", async () => {
      await channel.deleteQueue("full");
      await channel.assertQueue("full", { durable: false, maxLength: 1, overflow: "reject-publish" });
      const results = await apply({ write: { routingKey: "full" } }, [writeItem("1", {}), writeItem("2", {})]);
      expect(results).toMatchObject([{ ok: true }, { ok: false, error: { kind: "transient" } }]);
      expect(results?.[1]).not.toMatchObject({ error: { ambiguous: true } });
    });

    test("promises to recognise repetitions only if the operator says that the consumers do", async () => {
      const { config } = await endpoint();
      const recognised = (await endpoint({ write: { routingKey: "orders", repeats: "recognised" } })).config;
      if (connector.write === undefined) throw new Error("no write");
      expect(writeIdempotency(connector.write, config, "s")).toBe("none");
      expect(writeIdempotency(connector.write, recognised, "s")).toBe("key");
    });

    test("a stop before the confirm as in doubt, within 250 ms", async () => {
      const stop = new AbortController();
      const x = await endpoint({}, { signal: stop.signal });
      const items = Array.from({ length: 500 }, (_, index) => writeItem(String(index), { text: "x".repeat(20_000) }));
      const writing = connector.write?.apply(x, "s", items);
      await expect.poll(async () => ready(), { interval: 1 }).toBeGreaterThan(0);
      stop.abort({ why: "window" });
      const results = (await inTime(Promise.resolve(writing))) ?? [];
      expect(results).toHaveLength(500);
      const doubts = results.filter((result) => !result.ok);
      for (const result of doubts) expect(result).toMatchObject({ error: { kind: "cancelled", ambiguous: true } });
      // What is called written is in the queue.
      await expect.poll(ready).toBeGreaterThanOrEqual(500 - doubts.length);
    });
  });

  describe("classifies", () => {
    test("a wrong password, a missing vhost and queue, a closed port, and says how full queues are", async () => {
      const check = async (config: Record<string, unknown> = {}, secrets = {}) =>
        connector.check?.(await endpoint({}, { config, secrets }));
      expect(await rejection(Promise.resolve(check({}, { password: "wrong" })))).toMatchObject({ kind: "auth" });
      expect(await rejection(Promise.resolve(check({ vhost: "absent" })))).toMatchObject({ kind: "config", info: { field: "vhost" } });
      expect(await rejection(Promise.resolve(check({ port: 1 })))).toMatchObject({ kind: "unavailable" });
      expect(await rejection(readPages(connector, await endpoint({ queue: "absent" }), { stream: "s" }))).toMatchObject({
        kind: "config",
        info: { status: 404 },
      });
      expect(await rejection(readPages(connector, await endpoint({ queue: undefined }), { stream: "s" }))).toMatchObject({
        kind: "config",
      });
      await send(1, 3);
      expect(await check()).toEqual({
        status: "up",
        version: expect.stringMatching(/^\d+\.\d+/u),
        identity: { principal: rabbitmq.user },
        kpis: [{ name: "queue_depth", value: 3, labels: { queue: "orders" } }],
      });
    });

    test("encryption: the certificate and its name are checked; nothing is sent in plain text instead", async () => {
      const { tlsPort: port, ca, server } = rabbitmq;
      const check = async (config: Record<string, unknown>, host?: string) => {
        const x = await endpoint({}, { config: { tls: "verify-full", port, ...config, ...(host === undefined ? {} : { host }) } });
        return connector.check?.({ ...x, resolveHost: async () => ["127.0.0.1"] });
      };
      await expect(check({ ca }, "localhost")).resolves.toMatchObject({ status: "up" });
      await expect(check({ tls: "require" })).resolves.toMatchObject({ status: "up" });
      expect(await rejection(check({}, "localhost"))).toMatchObject({ kind: "config" });
      expect(await rejection(check({ ca }, "erp.example.com"))).toMatchObject({ kind: "config" });
      expect(await rejection(check({ tls: "require", port: server.port }))).toMatchObject({
        kind: expect.stringMatching(/unavailable|config/u),
      });
    });

    test("a stop while it opens as cancelled, and leaves no connection", async () => {
      const stop = new AbortController();
      const x = await endpoint({}, { signal: stop.signal });
      const checking = rejection(Promise.resolve(connector.check?.(x)));
      stop.abort({ why: "shutdown" });
      expect(await checking).toMatchObject({ kind: "cancelled" });
    });
  });
});
