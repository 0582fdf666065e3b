import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { alertmanagerConnector } from "@quiesce/connectors";
import type { Alert, Connector, Context, Downtime, WebhookRequest } from "@quiesce/sdk";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rejection, runContext } from "../connectors/run-context.js";
import { ALERTMANAGER, startAlertmanager, startPrometheus, type Alertmanager } from "./alertmanager.js";
import { freePort } from "../lifecycle/free-port.js";
import { suiteRuns } from "./server-process.js";
import { waitUntil } from "./wait-until.js";

const SECOND_MS = 1_000;
const WEBHOOK_SECRET = "webhook-secret-of-the-test";

describe.runIf(suiteRuns("Alertmanager", ALERTMANAGER))("the alertmanager connector on a real Alertmanager", () => {
  const connector: Connector = alertmanagerConnector;
  let receiver: Receiver;
  let alertmanager: Alertmanager;
  let x: Context;

  beforeAll(async () => {
    receiver = await startReceiver();
    alertmanager = await startAlertmanager({ webhooks: [{ url: receiver.url, authorization: WEBHOOK_SECRET }] });
    x = await context({});
  });
  afterAll(async () => {
    await alertmanager?.remove();
    await receiver?.close();
  });

  const context = async (
    more: Record<string, unknown>,
    secrets: Record<string, unknown> = { webhookSecret: WEBHOOK_SECRET },
  ): Promise<Context> =>
    runContext(connector, { config: { url: alertmanager.url, resourceLabel: "system", parentLabels: ["cluster"], ...more }, secrets });
  const pull = async (): Promise<readonly Alert[]> => {
    for await (const page of connector.alerts?.pull?.(x, { cursor: null }) ?? []) return page.alerts;
    throw new Error("no page");
  };
  const listed = async () => (await connector.downtime?.list(x)) ?? [];
  const ofWindow = async (windowId: string) => (await listed()).filter((one) => one.windowId === windowId);
  const announce = async (downtime: Downtime) => connector.downtime?.announce(x, downtime);
  const withdraw = async (windowId: string) => connector.downtime?.withdraw(x, windowId);

  function window(windowId: string, more: Partial<Downtime> = {}): Downtime {
    const start = Date.now() + 60 * SECOND_MS;
    return {
      windowId,
      start: new Date(start).toISOString(),
      end: new Date(start + 3_600 * SECOND_MS).toISOString(),
      resources: ["erp"],
      title: "ERP — monthly maintenance",
      suppress: "notifications",
      ...more,
    };
  }

  test("is up with its version; a closed port is unavailable, another site a broken contract", async () => {
    expect(await connector.check?.(x)).toEqual({ status: "up", version: expect.stringMatching(/^0\.\d+/u) });
    const failing = async (url: string) => rejection(Promise.resolve(connector.check?.(await context({ url }))));
    expect(await failing(`http://127.0.0.1:${await freePort()}`)).toMatchObject({ kind: "unavailable" });
    expect(await failing(`${alertmanager.url}/nowhere`)).toMatchObject({ kind: "not_found" });
    expect(await failing(receiver.url)).toMatchObject({ kind: "contract" });
  });

  test("an outage arrives as one firing and one resolved alert, by webhook and by asking under one fingerprint", async () => {
    const labels = { alertname: "ErpDown", system: "erp", cluster: "madrid", severity: "page", instance: "10.0.0.1" };
    // As exact as Prometheus's own times; a minute ago, as an alert's end must lie behind its start.
    const began = new Date(Date.now() - 60 * SECOND_MS).toISOString().replace("Z", "184344Z");
    await alertmanager.tell([{ labels, annotations: { summary: "ERP is down" }, startsAt: began }]);
    await waitUntil(async () => (await pull()).length === 1, { withinMs: 5 * SECOND_MS });
    const [pulled] = await pull();
    expect(pulled).toMatchObject({
      status: "firing",
      severity: "critical",
      title: "ErpDown: ERP is down",
      resource: { kind: "target", name: "erp", parents: ["madrid"] },
      labels,
    });
    expect(pulled).not.toHaveProperty("endsAt");
    await waitUntil(async () => receiver.requests.length === 1, { withinMs: 10 * SECOND_MS });
    await alertmanager.tell([{ labels, startsAt: began, endsAt: new Date().toISOString() }]);
    await waitUntil(async () => receiver.requests.length === 2, { withinMs: 10 * SECOND_MS });
    expect(await pull()).toEqual([]);
    const delivered = receiver.requests.flatMap((request) => connector.alerts?.webhook?.parse(request, x.config) ?? []);
    expect(delivered.map(({ status, fingerprint, startsAt }) => ({ status, fingerprint, startsAt }))).toEqual([
      { status: "firing", fingerprint: pulled?.fingerprint, startsAt: pulled?.startsAt },
      { status: "resolved", fingerprint: pulled?.fingerprint, startsAt: pulled?.startsAt },
    ]);
    expect(delivered[0]).not.toHaveProperty("endsAt");
    expect(Date.parse(delivered[1]?.endsAt ?? "")).toBeGreaterThan(Date.parse(delivered[1]?.startsAt ?? ""));
  });

  test("knows its webhook by the secret, also by the one before, and by Basic credentials; and nobody else", async () => {
    const [request] = receiver.requests;
    if (request === undefined) throw new Error("no delivery");
    const verdict = (headers: Record<string, string>, secrets: unknown) =>
      connector.alerts?.webhook?.verify({ ...request, headers }, secrets, new Date(), x.config);
    expect(verdict(request.headers, { webhookSecret: WEBHOOK_SECRET })).toEqual({ ok: true });
    expect(verdict(request.headers, { webhookSecret: "a newer secret", previousWebhookSecret: WEBHOOK_SECRET })).toEqual({ ok: true });
    const basic = `Basic ${Buffer.from("am:secret-pass").toString("base64")}`;
    expect(verdict({ authorization: basic }, { webhookSecret: "am:secret-pass" })).toEqual({ ok: true });
    for (const [headers, secrets] of [
      [request.headers, { webhookSecret: "another secret" }],
      [{}, { webhookSecret: WEBHOOK_SECRET }],
      [{ authorization: "Bearer " }, {}],
      [{ authorization: "Bearer undefined" }, {}],
    ] as const)
      expect(verdict(headers, secrets)).toMatchObject({ ok: false });
    const parse = (body: string) => () => connector.alerts?.webhook?.parse({ ...request, body: Buffer.from(body) }, x.config);
    for (const body of ["{}", "no json", '{"version":"3","alerts":[]}', "\u00ff"]) expect(parse(body)).toThrow(/webhook/u);
  });

  test("announces one silence for any number of resources, keeps it, puts its end and resources right, and withdraws", async () => {
    const downtime = window("erp@2026-01-04T02:00", { resources: ["erp", "shop (old)|1"] });
    const first = await announce(downtime);
    expect(await announce(downtime)).toEqual(first);
    expect(await ofWindow(downtime.windowId)).toEqual([
      {
        id: first?.ids[0],
        windowId: downtime.windowId,
        start: downtime.start,
        end: downtime.end,
        resources: ["erp", "shop (old)|1"],
        title: downtime.title,
        author: "quiesce",
      },
    ]);
    const longer = { ...downtime, end: new Date(Date.parse(downtime.end) + 60_000).toISOString() };
    await announce(longer);
    expect(await ofWindow(downtime.windowId)).toMatchObject([{ end: longer.end, resources: ["erp", "shop (old)|1"] }]);
    await announce({ ...longer, resources: ["erp", "job=batch"] });
    expect((await ofWindow(downtime.windowId)).map((one) => one.resources.join()).toSorted()).toEqual(["erp", "job=batch"]);
    await withdraw(downtime.windowId);
    await withdraw(downtime.windowId);
    expect(await ofWindow(downtime.windowId)).toEqual([]);
  });

  test("a window that has begun is announced once, though Alertmanager moves its start; its alerts say who keeps them quiet", async () => {
    const downtime = window("begun@1", { start: new Date(Date.now() - 60 * SECOND_MS).toISOString() });
    const first = await announce(downtime);
    expect(await announce(downtime)).toEqual(first);
    const labels = { alertname: "ErpSlow", system: "erp", severity: "warning" };
    await alertmanager.tell([{ labels }]);
    await waitUntil(async () => (await pull()).some((one) => one.suppressedBy?.[0] === `silence ${first?.ids[0]}`), {
      withinMs: 5 * SECOND_MS,
    });
    const shorter = { ...downtime, end: new Date(Date.now() + 120 * SECOND_MS).toISOString() };
    await announce(shorter);
    expect(await ofWindow("begun@1")).toMatchObject([{ end: shorter.end }]);
    await withdraw("begun@1");
    await waitUntil(async () => (await pull()).every((one) => one.suppressedBy === undefined), { withinMs: 5 * SECOND_MS });
    await alertmanager.tell([{ labels, endsAt: new Date().toISOString() }]);
  });

  test("a doubled silence becomes one again; one that somebody made there is listed and left alone", async () => {
    const downtime = window("twice@1");
    await announce(downtime);
    await alertmanager.silence({ system: "erp" }, "[quiesce twice@1] once more");
    const theirs = await alertmanager.silence({ system: "erp", team: "a" }, "disk swap");
    expect(await ofWindow("twice@1")).toHaveLength(2);
    await announce(downtime);
    expect(await ofWindow("twice@1")).toMatchObject([{ start: downtime.start, end: downtime.end }]);
    await withdraw("twice@1");
    expect(await listed()).toEqual([
      expect.objectContaining({ id: theirs, title: "disk swap", author: "admin", resources: ['{system="erp",team="a"}'] }),
    ]);
  });

  test("silences outlive kill -9 of Alertmanager as far as it keeps them, and announcing again gives one", async () => {
    const downtime = window("killed@1");
    await announce(downtime);
    await alertmanager.kill();
    expect(await rejection(listed())).toMatchObject({ kind: "unavailable" });
    await alertmanager.start();
    await announce(downtime);
    expect(await ofWindow("killed@1")).toHaveLength(1);
    await withdraw("killed@1");
  });

  test("takes figures from Prometheus with its checks", async () => {
    await using prometheus = await startPrometheus();
    const queries = [
      { kpi: "availability", query: "up", labels: ["job"] },
      { kpi: "x_answer", query: "scalar(vector(42))" },
      { kpi: "x_nothing", query: "0/vector(0)" },
    ];
    const watching = await context({ prometheus: { url: `http://127.0.0.1:${prometheus.port}`, queries } });
    await waitUntil(async () => ((await connector.check?.(watching))?.kpis?.length ?? 0) >= 3, { withinMs: 10 * SECOND_MS });
    const health = await connector.check?.(watching);
    expect(health?.status).toBe("up");
    expect(health?.kpis?.map(({ name, value, labels }) => ({ name, value, labels }))).toEqual(
      expect.arrayContaining([
        { name: "availability", value: 1, labels: { job: "self" } },
        { name: "availability", value: 0, labels: { job: "erp" } },
        { name: "x_answer", value: 42, labels: undefined },
      ]),
    );
    expect(health?.kpis?.some((one) => one.name === "x_nothing")).toBe(false);
    const broken = await context({ prometheus: { url: `http://127.0.0.1:${prometheus.port}`, queries: [{ kpi: "x_a", query: "up{" }] } });
    expect(await rejection(Promise.resolve(connector.check?.(broken)))).toMatchObject({ kind: "invalid" });
    await prometheus.stop();
    expect(await connector.check?.(watching)).toMatchObject({ status: "degraded", message: expect.stringContaining("Prometheus") });
  });
});

interface Receiver {
  readonly url: string;
  readonly requests: readonly WebhookRequest[];
  close(): Promise<void>;
}

/** Keeps what is delivered, as a host does. */
async function startReceiver(): Promise<Receiver> {
  const requests: WebhookRequest[] = [];
  const server: Server = createServer((request, response) => {
    void (async () => {
      const parts: Buffer[] = [];
      for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
      const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]));
      if (request.method === "POST") requests.push({ method: "POST", path: "/", headers, query: {}, body: Buffer.concat(parts) });
      response.end("thank you");
    })();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
