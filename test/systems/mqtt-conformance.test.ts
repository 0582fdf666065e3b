import { mqttConnector } from "@quiesce/connectors";
import { conformance, real } from "@quiesce/sdk/testing";
import { afterAll, beforeAll, describe, it } from "vitest";
import { readPages, runContext } from "../connectors/run-context.js";
import { MOSQUITTO, startMosquitto, type Mosquitto } from "./mosquitto.js";
import { suiteRuns } from "./server-process.js";

describe.runIf(suiteRuns("Mosquitto", MOSQUITTO))("the contract of connectors, kept by mqtt on a real Mosquitto", () => {
  let mosquitto: Mosquitto;
  let rounds = 0;

  beforeAll(async () => {
    mosquitto = await startMosquitto();
  });
  afterAll(async () => mosquitto?.server.remove());

  /** What the broker keeps for a subscriber of this round, past the kit's proxy. */
  async function takeKeys(round: number): Promise<string[]> {
    const { server, user, password } = mosquitto;
    const read = { topics: [`orders/${round}/#`], clientId: `round-${round}` };
    const config = { host: "127.0.0.1", port: server.port, tls: "disable", user, streams: [{ name: "s", read }] };
    const x = await runContext(mqttConnector, { config, secrets: { password } });
    return (await readPages(mqttConnector, x, { stream: "s" })).records.map(({ key }) => key);
  }

  conformance(mqttConnector, {
    describe,
    it,
    server: real({
      proxy: true,
      start: async () => {
        rounds += 1;
        const round = rounds;
        await takeKeys(round);
        const stored: string[] = [];
        return { url: `mqtt://127.0.0.1:${mosquitto.server.port}`, system: { round, stored }, stop: async () => undefined };
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
          { name: "orders", keyFields: ["id"], read: { topics: ["devices/#"], clientId: `reader-${rounds}` } },
          { name: "written", write: { topic: `orders/${rounds}/{key}` } },
        ],
      }),
      invalid: [{}, { host: "x", streams: [] }],
    },
    secrets: { valid: { password: "p@ss word" }, wrong: { password: "wrong-password" } },
    except: {
      "read: options are given": "a broker forgets what was acknowledged: its own suite shows what the kit shows of logs and tables",
    },
    write: {
      stream: "written",
      item: (n) => ({ key: `order ${n}`, data: { n } }),
      stored: async ({ round, stored }) => {
        stored.push(...(await takeKeys(round)));
        return stored;
      },
    },
  });
});
