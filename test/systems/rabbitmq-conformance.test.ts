import amqp from "amqplib";
import { rabbitmqConnector } from "@quiesce/connectors";
import { conformance, real } from "@quiesce/sdk/testing";
import { afterAll, beforeAll, describe, it } from "vitest";
import { RABBITMQ, startRabbitmq, type Rabbitmq } from "./rabbitmq.js";
import { suiteRuns } from "./server-process.js";

describe.runIf(suiteRuns("RabbitMQ", RABBITMQ))("the contract of connectors, kept by rabbitmq on a real RabbitMQ", () => {
  let rabbitmq: Rabbitmq;
  let model: amqp.ChannelModel;
  let channel: amqp.Channel;

  beforeAll(async () => {
    rabbitmq = await startRabbitmq();
    const { server, user: username, password } = rabbitmq;
    model = await amqp.connect({ hostname: "127.0.0.1", port: server.port, username, password });
    channel = await model.createChannel();
  });
  afterAll(async () => {
    await model?.close();
    await rabbitmq?.remove();
  });

  /** The keys of the messages that were written, taken out of the queue. */
  async function takeKeys(): Promise<string[]> {
    const keys: string[] = [];
    for (;;) {
      const message = await channel.get("written", { noAck: true });
      if (message === false) return keys;
      keys.push(String(message.properties.headers?.["quiesce-key"]));
    }
  }

  conformance(rabbitmqConnector, {
    describe,
    it,
    server: real({
      proxy: true,
      start: async () => {
        for (const queue of ["orders", "written"]) {
          await channel.deleteQueue(queue);
          await channel.assertQueue(queue, { durable: false });
        }
        const stored: string[] = [];
        return { url: `amqp://127.0.0.1:${rabbitmq.server.port}`, system: { stored }, stop: async () => undefined };
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
          { name: "orders", queue: "orders", keyFields: ["id"] },
          { name: "written", write: { routingKey: "written" } },
        ],
      }),
      invalid: [{}, { host: "x", user: "u", streams: [] }],
    },
    secrets: { valid: { password: "p@ss/word" }, wrong: { password: "wrong-password" } },
    except: {
      "read: options are given": "a queue forgets what was acknowledged: its own suite shows what the kit shows of logs and tables",
    },
    write: {
      stream: "written",
      item: (n) => ({ key: `order ${n}`, data: { n } }),
      stored: async ({ stored }) => {
        stored.push(...(await takeKeys()));
        return stored;
      },
    },
  });
});
