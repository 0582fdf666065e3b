import { jetstream, jetstreamManager, type JetStreamManager } from "@nats-io/jetstream";
import { connect, nanos, type NatsConnection } from "@nats-io/transport-node";
import { natsConnector } from "@quiesce/connectors";
import { conformance, real } from "@quiesce/sdk/testing";
import { afterAll, beforeAll, describe, it } from "vitest";
import { NATS, startNats, type Nats } from "./nats.js";
import { suiteRuns } from "./server-process.js";

describe.runIf(suiteRuns("NATS", NATS))("the contract of connectors, kept by nats on a real NATS server", () => {
  let nats: Nats;
  let connection: NatsConnection;
  let manager: JetStreamManager;

  beforeAll(async () => {
    nats = await startNats();
    connection = await connect({ servers: `127.0.0.1:${nats.server.port}`, user: nats.user, pass: nats.password });
    manager = await jetstreamManager(connection);
  });
  afterAll(async () => {
    await connection?.close();
    await nats?.server.remove();
  });

  /** The keys of the messages in a stream, in order. */
  async function keysIn(stream: string): Promise<string[]> {
    const { state } = await manager.streams.info(stream);
    const keys: string[] = [];
    for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; seq += 1) {
      keys.push((await manager.streams.getMessage(stream, { seq }))?.header.get("quiesce-key") ?? "");
    }
    return keys;
  }

  conformance(natsConnector, {
    describe,
    it,
    server: real({
      proxy: true,
      start: async () => {
        for (const name of ["ORDERS", "WRITTEN"]) {
          await manager.streams.delete(name).catch(() => undefined);
          await manager.streams.add({ name, subjects: [`${name.toLowerCase()}.>`], duplicate_window: nanos(120_000) });
        }
        return { url: `nats://127.0.0.1:${nats.server.port}`, system: {}, stop: async () => undefined };
      },
    }),
    config: {
      valid: ({ url }) => ({
        host: new URL(url).hostname,
        port: Number(new URL(url).port),
        user: "quiesce",
        tls: "disable",
        connectTimeoutSeconds: 1,
        answerTimeoutSeconds: 2,
        streams: [
          { name: "orders", stream: "ORDERS", keyFields: ["id"] },
          { name: "written", stream: "WRITTEN", write: { subject: "written.{key}" } },
        ],
      }),
      invalid: [{}, { host: "x", streams: [] }],
    },
    secrets: { valid: { password: "p@ss word" }, wrong: { password: "wrong-password" } },
    read: {
      stream: "orders",
      clock: "real",
      seed: async (_system, rows) => {
        for (const { id, at, n } of rows)
          await jetstream(connection).publish("orders.new", JSON.stringify({ id, at: at.toISOString(), n }));
      },
    },
    write: {
      stream: "written",
      item: (n) => ({ key: `order ${n}`, data: { n } }),
      stored: () => keysIn("WRITTEN"),
    },
  });
});
