import { mqttConnector } from "@quiesce/connectors";
import { type Connector, writeIdempotency } from "@quiesce/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openPages, readPages, rejection, runContext, writeItem } from "../connectors/run-context.js";
import { MOSQUITTO, startMosquitto, type Mosquitto } from "./mosquitto.js";
import { suiteRuns } from "./server-process.js";
import { inTime } from "../connectors/in-time.js";

describe.runIf(suiteRuns("Mosquitto", MOSQUITTO))("the mqtt connector on a real Mosquitto", () => {
  const connector: Connector = mqttConnector;
  let mosquitto: Mosquitto;
  let sessions = 0;

  beforeAll(async () => {
    mosquitto = await startMosquitto();
  });
  afterAll(async () => mosquitto?.server.remove());

  type More = { readonly config?: Record<string, unknown>; readonly secrets?: Record<string, unknown>; readonly signal?: AbortSignal };
  function endpoint(stream: Record<string, unknown> = {}, more: More = {}) {
    const { user, password, server } = mosquitto;
    return runContext(connector, {
      config: {
        host: "127.0.0.1",
        port: server.port,
        tls: "disable",
        user,
        ...more.config,
        streams: [{ name: "s", keyFields: ["id"], ...stream }],
      },
      secrets: { password, ...more.secrets },
      ...(more.signal === undefined ? {} : { signal: more.signal }),
    });
  }
  /** A session of its own for each test, subscribed and still empty. */
  async function subscribed(
    options: { readonly topics?: readonly string[]; readonly config?: Record<string, unknown>; readonly stream?: object } = {},
  ) {
    sessions += 1;
    const topic = `orders/${sessions}`;
    const read = { topics: options.topics ?? [topic], clientId: `session-${sessions}` };
    const stream = { read, write: { topic, repeats: "in-doubt" }, ...options.stream };
    const context = (more: More = {}) => endpoint(stream, { ...more, config: { ...options.config, ...more.config } });
    const first = await readPages(connector, await context(), { stream: "s" });
    return {
      topic,
      context,
      cursor: first.cursor,
      read: async (pageSize = 10, stopAfter?: number) =>
        readPages(connector, await context(), { stream: "s", pageSize, ...(stopAfter === undefined ? {} : { stopAfter }) }),
      write: async (items: Parameters<NonNullable<typeof connector.write>["apply"]>[2]) =>
        connector.write?.apply(await context(), "s", items),
    };
  }
  const items = (from: number, to: number) =>
    Array.from({ length: to - from + 1 }, (_, index) => writeItem(String(from + index), { id: from + index }));
  const numbers = (from: number, to: number) => items(from, to).map(({ key }) => key);

  describe.each(["5", "3.1.1"])("in version %s", (version) => {
    test.each([1, 7, 100])("reads what was sent while nobody read, in order, in pages of at most %d", async (pageSize) => {
      const { read, write } = await subscribed({ config: { version } });
      expect((await write(items(1, 60)))?.every((result) => result.ok)).toBe(true);
      const { records, complete } = await read(pageSize);
      expect(complete).toBe(true);
      expect(records.map((record) => record.key)).toEqual(numbers(1, 60));
      expect(records[0]?.data).toEqual({ id: 1 });
      expect((await read()).records).toEqual([]);
    });

    test("a page that was not committed comes again; one that was committed does not", async () => {
      const { read, write } = await subscribed({ config: { version } });
      await write(items(1, 25));
      // The engine stops within the second page: the first is acknowledged, because the second was asked for.
      const begun = await read(5, 2);
      expect(begun.records.map((record) => record.key)).toEqual(numbers(1, 10));
      expect((await read(100)).records.map((record) => record.key)).toEqual(numbers(6, 25));
      expect((await read()).records).toEqual([]);
    });

    test("a stop in the middle of a page loses nothing, and ends within 250 ms", async () => {
      const { context, read, write } = await subscribed({ config: { version } });
      await write(items(1, 25));
      const stop = new AbortController();
      const pages = openPages(connector, await context({ signal: stop.signal }), 10);
      const first = await pages.next();
      expect(first.records.map((record) => record.key)).toEqual(numbers(1, 10));
      stop.abort({ why: "window" });
      expect(await inTime(rejection(pages.next()))).toMatchObject({ kind: "cancelled" });
      const again = (await read(100)).records.map((record) => record.key);
      // The first page may have been acknowledged; everything behind it comes.
      expect(again.slice(-15)).toEqual(numbers(11, 25));
    });
  });

  test("reads on after a restart of the broker", async () => {
    const { read, write } = await subscribed();
    await write(items(1, 25));
    await mosquitto.server.stop();
    expect(await rejection(read())).toMatchObject({ kind: "unavailable" });
    await mosquitto.server.start();
    expect((await read()).records.map((record) => record.key)).toEqual(numbers(1, 25));
  });

  test("gives back what was written: keys, deletions and the id of the change", async () => {
    const { read, write } = await subscribed();
    expect(await write([writeItem("1", { id: 1, name: "é" }), writeItem("2", { id: 2 }, { op: "delete" })])).toEqual([
      { key: "1", ok: true },
      { key: "2", ok: true },
    ]);
    expect((await read()).records).toEqual([
      { key: "1", version: "test:stream:1:1", data: { id: 1, name: "é" } },
      { key: "2", op: "delete", version: "test:stream:2:1", data: { id: 2 } },
    ]);
  });

  test("the topic as the key, or as a part of it; unreadable messages say so", async () => {
    const topics = [`devices/${sessions + 1}/+/temperature`];
    const device = (id: string) => `devices/${sessions}/${id}/temperature`;
    const stream = { payload: "json", topicField: "topic", keyFields: ["topic"] };
    const { read } = await subscribed({ topics, stream });
    const publish = async (topic: string, payload: string, value: string) =>
      connector.write?.apply(await endpoint({ payload, keyFields: undefined, write: { topic } }), "s", [writeItem("k", { value })]);
    await publish(device("a"), "text", '{"celsius": 21.5}');
    await publish(device("b"), "text", "21.5 degrees");
    const { records } = await read();
    expect(records).toMatchObject([
      { key: device("a"), data: { topic: device("a"), celsius: 21.5 } },
      { problem: expect.stringContaining("is not JSON"), data: { topic: device("b"), value: "21.5 degrees" } },
    ]);
  });

  test("says that the broker lost the session, and with it what came meanwhile", async () => {
    const { context, cursor } = await subscribed();
    const metrics: unknown[] = [];
    const stream = { read: { topics: ["orders/x"], clientId: "never-seen" } };
    const x = { ...(await endpoint(stream)), metric: (...figures: unknown[]) => void metrics.push(figures) };
    await readPages(connector, x, { stream: "s", cursor });
    expect(metrics).toEqual([["session_lost", 1, { stream: "s" }]]);
    // A session that is there loses nothing.
    const known = { ...(await context()), metric: (...figures: unknown[]) => void metrics.push(figures) };
    await readPages(connector, known, { stream: "s", cursor });
    expect(metrics).toHaveLength(1);
  });

  test("a message that nobody gets is a failure, unless it is kept or nobody has to", async () => {
    const write = async (settings: object) =>
      connector.write?.apply(await endpoint({ write: { topic: "orders/nobody/{key}", ...settings } }), "s", [writeItem("a/b", {})]);
    expect(await write({})).toMatchObject([
      { ok: false, error: { kind: "not_found", message: expect.stringContaining("orders/nobody/a%2Fb") } },
    ]);
    expect(await write({ requireSubscriber: false })).toMatchObject([{ ok: true }]);
    expect(await write({ retain: true })).toMatchObject([{ ok: true }]);
  });

  test("promises to recognise repetitions only if the operator says that the subscribers do", async () => {
    if (connector.write === undefined) throw new Error("no write");
    const config = async (write: object) => (await endpoint({ write: { topic: "orders/1", ...write } })).config;
    expect(writeIdempotency(connector.write, await config({}), "s")).toBe("none");
    expect(writeIdempotency(connector.write, await config({ repeats: "recognised" }), "s")).toBe("key");
  });

  test("a broker that dies before it answers leaves a doubt about what was sent, and none about the rest", async () => {
    const { write } = await subscribed();
    let frozen = false;
    const batch = items(1, 100).map((item, index) => {
      if (index !== 10) return item;
      return {
        ...item,
        data: {
          id: 11,
          get note() {
            mosquitto.server.freeze();
            frozen = true;
            return "frozen";
          },
        },
      };
    });
    const writing = write(batch);
    await expect.poll(() => frozen).toBe(true);
    await mosquitto.server.kill();
    const results = (await writing) ?? [];
    const doubts = results.filter((result) => !result.ok && result.error.ambiguous === true);
    const unsent = results.filter((result) => !result.ok && result.error.ambiguous !== true);
    expect(doubts.length).toBeGreaterThanOrEqual(10);
    expect(unsent.length).toBeGreaterThanOrEqual(70);
    for (const result of [...doubts, ...unsent]) expect(result).toMatchObject({ error: { kind: "unavailable" } });
    await mosquitto.server.start();
  });

  test("classifies a wrong password, topics without a right, a closed port", async () => {
    const check = async (config: Record<string, unknown> = {}, secrets = {}) =>
      connector.check?.(await endpoint({ write: { topic: "orders/1" } }, { config, secrets }));
    expect(await rejection(Promise.resolve(check({}, { password: "wrong" })))).toMatchObject({
      kind: "auth",
    });
    expect(await rejection(Promise.resolve(check({ version: "3.1.1" }, { password: "wrong" })))).toMatchObject({ kind: "auth" });
    expect(await rejection(Promise.resolve(check({ port: 1 })))).toMatchObject({ kind: "unavailable" });
    const x = await endpoint({ write: { topic: "secret/1" } });
    expect(await connector.write?.apply(x, "s", [writeItem("1", {})])).toMatchObject([{ ok: false, error: { kind: "permission" } }]);
    expect(await check()).toEqual({ status: "up", identity: { principal: mosquitto.user } });
  });

  test("encryption: the certificate and its name are checked; nothing is sent in plain text instead", async () => {
    const { tlsPort: port, ca, server } = mosquitto;
    const check = async (config: Record<string, unknown>, host?: string) => {
      const x = await endpoint(
        { write: { topic: "orders/1" } },
        { config: { tls: "verify-full", port, ...config, ...(host === undefined ? {} : { host }) } },
      );
      return connector.check?.({ ...x, resolveHost: async () => ["127.0.0.1"] });
    };
    await expect(check({ ca }, "localhost")).resolves.toMatchObject({ status: "up" });
    await expect(check({ ca })).resolves.toMatchObject({ status: "up" });
    await expect(check({ tls: "require" })).resolves.toMatchObject({ status: "up" });
    expect(await rejection(check({}, "localhost"))).toMatchObject({ kind: "config" });
    expect(await rejection(check({ ca }, "erp.example.com"))).toMatchObject({ kind: "config" });
    expect(await rejection(check({ tls: "require", port: server.port, connectTimeoutSeconds: 2 }))).toMatchObject({
      kind: expect.stringMatching(/config|unavailable|timeout/u),
    });
  });
});
