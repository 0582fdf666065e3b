import { AckPolicy, jetstream, jetstreamManager, type JetStreamManager, RetentionPolicy } from "@nats-io/jetstream";
import { connect, nanos, type NatsConnection } from "@nats-io/transport-node";
import { natsConnector } from "@quiesce/connectors";
import type { Connector, JsonObject } from "@quiesce/sdk";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openPages, readPages, readResumed, rejection, runContext, writeItem } from "../connectors/run-context.js";
import { NATS, startNats, type Nats } from "./nats.js";
import { suiteRuns, type ServerProcess } from "./server-process.js";
import { inTime } from "../connectors/in-time.js";

describe.runIf(suiteRuns("NATS", NATS))("the nats connector on a real NATS server", () => {
  const connector: Connector = natsConnector;
  let nats: Nats;
  let connection: NatsConnection;
  let manager: JetStreamManager;

  const open = async (): Promise<void> => {
    connection = await connect({ servers: `127.0.0.1:${nats.server.port}`, user: nats.user, pass: nats.password, reconnect: false });
    manager = await jetstreamManager(connection);
  };
  beforeAll(async () => {
    nats = await startNats();
    await open();
  });
  afterAll(async () => {
    await connection?.close();
    await nats?.server.remove();
  });
  beforeEach(async () => {
    await manager.streams.delete("ORDERS").catch(() => undefined);
    await manager.streams.add({ name: "ORDERS", subjects: ["orders.>"], duplicate_window: nanos(120_000) });
  });

  function endpoint(
    stream: Record<string, unknown> = {},
    more: { readonly config?: Record<string, unknown>; readonly secrets?: Record<string, unknown>; readonly signal?: AbortSignal } = {},
  ) {
    const streams = [{ name: "s", stream: "ORDERS", keyFields: ["id"], write: { subject: "orders.{key}" }, ...stream }];
    return runContext(connector, {
      config: {
        host: "127.0.0.1",
        port: nats.server.port,
        tls: "disable",
        user: nats.user,
        answerTimeoutSeconds: 5,
        ...more.config,
        streams,
      },
      secrets: { password: nats.password, ...more.secrets },
      ...(more.signal === undefined ? {} : { signal: more.signal }),
    });
  }
  const send = async (from: number, to: number, subject = "orders.new"): Promise<void> => {
    const client = jetstream(connection);
    for (let id = from; id <= to; id += 1) await client.publish(subject, JSON.stringify({ id }));
  };
  const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => String(from + index));
  const stored = async () => (await manager.streams.info("ORDERS")).state.messages;
  const consumers = async () => (await manager.streams.info("ORDERS")).state.consumer_count;
  const apply = async (stream: Record<string, unknown>, items: Parameters<NonNullable<typeof connector.write>["apply"]>[2]) =>
    connector.write?.apply(await endpoint(stream), "s", items);

  describe("reads", () => {
    test.each([1, 7, 30, 100])("every message once, in order, in pages of %d, and leaves no reader behind", async (pageSize) => {
      await send(1, 30);
      const x = await endpoint();
      const { records, complete } = await readPages(connector, x, { stream: "s", pageSize });
      expect(complete).toBe(true);
      expect(records.map((record) => record.key)).toEqual(numbers(1, 30));
      expect(records[0]).toMatchObject({ version: expect.stringMatching(/^\d+-1$/u), data: { id: 1 } });
      expect(await readResumed(connector, x, { stream: "s", pageSize })).toEqual(records);
      expect(await consumers()).toBe(0);
    });

    test("only what came after the cursor, also when it is that of the last page", async () => {
      await send(1, 12);
      const x = await endpoint();
      const first = await readPages(connector, x, { stream: "s", pageSize: 5 });
      expect((await readPages(connector, x, { stream: "s", cursor: first.cursor })).records).toEqual([]);
      await send(13, 14);
      const next = await readPages(connector, x, { stream: "s", cursor: first.cursor });
      expect(next.records.map((record) => record.key)).toEqual(["13", "14"]);
    });

    test("one subject, and passes over the others", async () => {
      await send(1, 5, "orders.new");
      await send(6, 9, "orders.old");
      const x = await endpoint({ subject: "orders.new" });
      const { records, cursor } = await readPages(connector, x, { stream: "s", pageSize: 2 });
      expect(records.map((record) => record.key)).toEqual(numbers(1, 5));
      expect(cursor).toMatchObject({ seq: 9 });
    });

    test("a stop in the middle of a page loses nothing, and ends within 250 ms", async () => {
      await send(1, 25);
      const stop = new AbortController();
      const pages = openPages(connector, await endpoint({}, { signal: stop.signal }), 10);
      const first = await pages.next();
      stop.abort({ why: "window" });
      expect(await inTime(rejection(pages.next()))).toMatchObject({ kind: "cancelled" });
      const rest = await readPages(connector, await endpoint(), { stream: "s", cursor: first.cursor });
      expect(rest.records.map((record) => record.key)).toEqual(numbers(11, 25));
    });

    test("a server that dies in the middle is unavailable, and reading goes on from the cursor when it is back", async () => {
      await send(1, 25);
      const pages = openPages(connector, await endpoint(), 10);
      const first = await pages.next();
      await nats.server.kill();
      expect(await rejection(pages.next())).toMatchObject({ kind: "unavailable" });
      await nats.server.start();
      await open();
      const rest = await readPages(connector, await endpoint(), { stream: "s", cursor: first.cursor });
      expect(rest.records.map((record) => record.key)).toEqual(numbers(11, 25));
    });

    test("a server that gives nothing any more is an error, not the end of the stream", async () => {
      await send(1, 25);
      const pages = openPages(connector, await endpoint({}, { config: { answerTimeoutSeconds: 1 } }), 10);
      await pages.next();
      nats.server.freeze();
      expect(await rejection(pages.next())).toMatchObject({ kind: expect.stringMatching(/timeout|unavailable/u) });
      await nats.server.kill();
      await nats.server.start();
      await open();
    });

    test("a stream that was made anew from its beginning, though its numbers are smaller", async () => {
      await send(1, 9);
      const x = await endpoint();
      const { cursor } = await readPages(connector, x, { stream: "s" });
      await manager.streams.delete("ORDERS");
      await manager.streams.add({ name: "ORDERS", subjects: ["orders.>"] });
      await send(1, 3);
      expect((await readPages(connector, x, { stream: "s", cursor })).records).toHaveLength(3);
      await send(4, 20);
      expect((await readPages(connector, x, { stream: "s", cursor })).records).toHaveLength(20);
    });

    test("says how many messages the stream's limits removed before they were read", async () => {
      await send(1, 3);
      const { cursor } = await readPages(connector, await endpoint(), { stream: "s" });
      await send(4, 9);
      await manager.streams.purge("ORDERS", { seq: 8 });
      const metrics: unknown[] = [];
      const x = { ...(await endpoint()), metric: (...figures: unknown[]) => void metrics.push(figures) };
      expect((await readPages(connector, x, { stream: "s", cursor })).records.map((record) => record.key)).toEqual(["8", "9"]);
      expect(metrics).toEqual([["messages_missed", 4, { stream: "s" }]]);
    });
  });

  describe("writes", () => {
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

    test("messages that reading gives back as the same records; a repetition is stored once", async () => {
      const items = [
        writeItem("1", { id: 1, name: "é" }),
        writeItem("2", { id: 2 }, { op: "delete" }),
        writeItem("a.b *>", { id: "a.b *>" }),
      ];
      expect(await apply({}, items)).toEqual(items.map(({ key }, index) => ({ key, ok: true, remoteId: String(index + 1) })));
      expect(await apply({}, items)).toEqual(
        items.map(({ key }, index) => ({ key, ok: true, remoteId: String(index + 1), unchanged: true })),
      );
      expect(await stored()).toBe(3);
      const { records } = await readPages(connector, await endpoint(), { stream: "s" });
      expect(records).toMatchObject([
        { key: "1", data: { id: 1, name: "é" } },
        { key: "2", op: "delete", data: { id: 2 } },
        { key: "a.b *>" },
      ]);
    });

    test("nothing to a stream that forgets ids sooner than is promised", async () => {
      await manager.streams.update("ORDERS", { duplicate_window: nanos(10_000) });
      expect(await rejection(apply({}, [writeItem("1", {})]))).toMatchObject({
        kind: "config",
        message: expect.stringContaining("knows message ids for 10 s"),
      });
      expect(await stored()).toBe(0);
    });

    test("bad records fail alone; a subject of no stream, and one without a right, are said", async () => {
      const results = await apply({ payload: "text" }, [
        writeItem("1", { value: "fine" }),
        writeItem("2", { other: 1 }),
        writeItem("3", { value: "x".repeat(2_000_000) }),
        writeItem("4\n", { value: "fine" }),
      ]);
      expect(results?.map((result) => (result.ok ? "ok" : result.error.kind))).toEqual(["ok", "invalid", "invalid", "invalid"]);
      expect(await apply({ write: { subject: "nowhere" } }, [writeItem("1", {})])).toMatchObject([
        { ok: false, error: { kind: "config" } },
      ]);
      const { user, password } = nats.limited;
      const x = await endpoint(
        { write: { subject: "orders.secret" } },
        { config: { user, answerTimeoutSeconds: 2 }, secrets: { password } },
      );
      expect(await connector.write?.apply(x, "s", [writeItem("1", {})])).toMatchObject([{ ok: false, error: { kind: "permission" } }]);
    });

    test("a server that dies before it answers leaves a doubt", async () => {
      const items = Array.from({ length: 500 }, (_, index) => writeItem(String(index), { id: index }));
      const half = items.map((item, index) => (index === 250 ? { ...item, data: freezing(nats.server, item.data) } : item));
      const writing = apply({}, half);
      await expect.poll(() => frozen).toBe(true);
      await nats.server.kill();
      const results = (await writing) ?? [];
      const doubts = results.filter((result) => !result.ok);
      expect(doubts.length).toBeGreaterThanOrEqual(250);
      for (const result of doubts) expect(result).toMatchObject({ error: { kind: "unavailable", ambiguous: true } });
      await nats.server.start();
      await open();
      // Sent again, all are there, and none twice.
      expect((await apply({}, items))?.every((result) => result.ok)).toBe(true);
      expect(await stored()).toBe(500);
    });
  });

  describe("classifies", () => {
    test("a wrong password, a closed port, a missing stream, and a work queue that only its consumers may read", async () => {
      const check = async (config: Record<string, unknown> = {}, secrets = {}) =>
        connector.check?.(await endpoint({}, { config, secrets }));
      expect(await rejection(Promise.resolve(check({}, { password: "wrong" })))).toMatchObject({ kind: "auth" });
      expect(await rejection(Promise.resolve(check({ port: 1 })))).toMatchObject({ kind: "unavailable" });
      expect(await rejection(readPages(connector, await endpoint({ stream: "ABSENT" }), { stream: "s" }))).toMatchObject({
        kind: "config",
        info: { status: 10059 },
      });
      await manager.streams.add({ name: "WORK", subjects: ["work"], retention: RetentionPolicy.Workqueue });
      await manager.consumers.add("WORK", { durable_name: "worker", ack_policy: AckPolicy.Explicit });
      const x = await endpoint({ stream: "WORK" });
      await connection.request("work", "{}").catch(() => undefined);
      expect(await rejection(readPages(connector, x, { stream: "s" }))).toMatchObject({ kind: "config" });
      expect(await check()).toEqual({ status: "up", version: expect.stringMatching(/^2\./u), identity: { principal: nats.user } });
    });

    test("encryption: the certificate and its name are checked; nothing is sent in plain text instead", async () => {
      const { server: started, ca } = await startNats({ tls: true });
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
      expect(await rejection(check({ tls: "require", port: nats.server.port }))).toMatchObject({ kind: "config" });
    });
  });
});
