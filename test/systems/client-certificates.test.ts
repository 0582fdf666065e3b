import { mariadbConnector, mqttConnector, natsConnector, rabbitmqConnector, redisConnector } from "@quiesce/connectors";
import type { Connector } from "@quiesce/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rejection, runContext } from "../connectors/run-context.js";
import { type Certificate, issueCertificate, makeAuthority } from "../tls/certificates.js";
import { MARIADB, startMariadb } from "./mariadb.js";
import { MOSQUITTO, startMosquitto } from "./mosquitto.js";
import { NATS, startNats } from "./nats.js";
import { RABBITMQ, startRabbitmq } from "./rabbitmq.js";
import { REDIS, startRedis } from "./redis.js";
import { suiteRuns } from "./server-process.js";

interface Demanding {
  readonly config: { readonly [name: string]: unknown };
  readonly password: string;
  readonly client: Certificate;
  readonly remove: () => Promise<void>;
}

interface System {
  readonly name: string;
  readonly connector: Connector;
  readonly needs: { readonly programs: readonly string[]; readonly packages: string };
  readonly start: () => Promise<Demanding>;
}

const stranger = issueCertificate(makeAuthority("Another authority"), { name: "quiesce" });
const at = (port: number, ca: string, user: string, more: object = {}): Demanding["config"] => ({
  host: "localhost",
  port,
  tls: "verify-full",
  ca,
  user,
  connectTimeoutSeconds: 5,
  ...more,
});

const SYSTEMS: readonly System[] = [
  {
    name: "MariaDB",
    connector: mariadbConnector,
    needs: MARIADB,
    start: async () => {
      const { server, certified, password, ca, client } = await startMariadb();
      const streams = [{ name: "readable", table: "readable", key: ["id"] }];
      return { config: at(server.port, ca, certified, { database: "shop", streams }), password, client, remove: () => server.remove() };
    },
  },
  {
    name: "RabbitMQ",
    connector: rabbitmqConnector,
    needs: RABBITMQ,
    start: async () => {
      const rabbitmq = await startRabbitmq({ clientCertificates: true });
      const { tlsPort, user, password, ca, client } = rabbitmq;
      const streams = [{ name: "orders", keyFields: ["id"], write: { exchange: "", routingKey: "orders" } }];
      return { config: at(tlsPort, ca, user, { streams }), password, client, remove: () => rabbitmq.remove() };
    },
  },
  {
    name: "NATS",
    connector: natsConnector,
    needs: NATS,
    start: async () => {
      const { server, user, password, ca, client } = await startNats({ clientCertificates: true });
      const streams = [{ name: "orders", stream: "ORDERS", write: { subject: "orders" } }];
      return { config: at(server.port, ca, user, { streams }), password, client, remove: () => server.remove() };
    },
  },
  {
    name: "Redis",
    connector: redisConnector,
    needs: REDIS,
    start: async () => {
      const { server, user, password, ca, client } = await startRedis({ clientCertificates: true });
      const streams = [{ name: "orders", key: "orders" }];
      return { config: at(server.port, ca, user, { streams }), password, client, remove: () => server.remove() };
    },
  },
  {
    name: "Mosquitto",
    connector: mqttConnector,
    needs: MOSQUITTO,
    start: async () => {
      const { server, tlsPort, user, password, ca, client } = await startMosquitto({ clientCertificates: true });
      const streams = [{ name: "orders", write: { topic: "orders/{key}" } }];
      return { config: at(tlsPort, ca, user, { streams }), password, client, remove: () => server.remove() };
    },
  },
];

for (const { name, connector, needs, start } of SYSTEMS)
  describe.runIf(suiteRuns(name, needs))(`a ${name} that wants a client certificate`, () => {
    let system: Demanding;
    beforeAll(async () => {
      system = await start();
    });
    afterAll(async () => system?.remove());

    async function check(secrets: object): Promise<unknown> {
      const { config, password } = system;
      const x = await runContext(connector, { config, secrets: { password, ...secrets } });
      return connector.check?.({ ...x, resolveHost: async () => ["127.0.0.1"] });
    }

    test("lets the one of its authority in", async () => {
      const { cert: certificate, key: privateKey } = system.client;
      expect(await check({ certificate, privateKey })).toMatchObject({ status: "up" });
    });

    test("refuses who has none, and one of another authority", async () => {
      const { cert: certificate, key: privateKey } = stranger;
      for (const secrets of [{}, { certificate, privateKey }]) {
        const error = await rejection(check(secrets));
        // Under TLS 1.3 the refusal comes behind the handshake, and a connection that is cut then may take it along.
        expect(error).toMatchObject({
          kind: expect.stringMatching(/^(?:auth|unavailable)$/u),
          message: expect.stringContaining("localhost"),
        });
      }
    });

    test("half of one is a wrong configuration", async () => {
      expect(await rejection(check({ certificate: system.client.cert }))).toMatchObject({ kind: "config" });
    });
  });
