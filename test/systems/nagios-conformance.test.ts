import { nagiosConnector } from "@quiesce/connectors";
import { conformanceCases, fake, type FakeAnswer, type SeenRequest } from "@quiesce/sdk/testing";
import { afterAll, beforeAll, describe, it } from "vitest";
import { NAGIOS, startNagios, type Nagios } from "./nagios.js";
import { suiteRuns } from "./server-process.js";

/** Alerts and downtimes need seconds of Nagios's own time for each case; what they do there is in a suite of its own. */
const SUITES = new Set(["manifest", "catalog"]);
const CALLS = /^(?:check|cancel|limits|egress): (?:check|catalog)\b/u;
const LIMIT_MS = 60_000;

describe.runIf(suiteRuns("Nagios", NAGIOS))("the contract of connectors, kept by nagios on a real Nagios 4", () => {
  let nagios: Nagios;

  beforeAll(async () => {
    nagios = await startNagios();
  });
  afterAll(async () => nagios?.remove());

  /** The kit's server stands before the real one: what goes wrong goes wrong there, everything else is Nagios's own word. */
  const forward = async ({ method, url, headers, body }: SeenRequest): Promise<FakeAnswer> => {
    const to = new URL(url.pathname + url.search, nagios.url);
    const { authorization = "", "content-type": type = "" } = headers;
    const response = await fetch(to, { method, headers: { authorization, "content-type": type }, ...(body === "" ? {} : { body }) });
    return {
      status: response.status,
      headers: { "content-type": response.headers.get("content-type") ?? "" },
      text: await response.text(),
    };
  };
  const { cases } = conformanceCases(nagiosConnector, {
    server: fake(() => ({ handle: forward })),
    config: {
      valid: ({ url }) => ({ url: new URL(new URL(nagios.url).pathname, url).href, user: nagios.user, statusDelaySeconds: 3 }),
      invalid: [{}, { url: "ftp://nagios.example.com", user: "quiesce" }, { url: "https://nagios.example.com", user: "" }],
    },
    secrets: { valid: { password: "nagios-pass" }, wrong: { password: "wrong" } },
    catalog: {
      things: [
        { id: "erp", dependsOn: [] },
        { id: "erp!orders-api", dependsOn: ["erp"] },
        { id: "shop", dependsOn: ["erp"] },
        { id: "shop!passive-import", dependsOn: ["shop"] },
      ],
    },
  });
  for (const { suite, name, run } of cases) if (SUITES.has(suite) || CALLS.test(name)) it(name, { timeout: LIMIT_MS }, run);
});
