import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type StartedApi, startApi } from "../../../../test/server/start-api.js";
import { schedulerHealth } from "../scheduler/scheduler-health.js";

let api: StartedApi;
let looks = 0;
let isReady = true;
beforeAll(async () => {
  const healthChecks = () => {
    looks += 1;
    return schedulerHealth(api.database);
  };
  api = await startApi({ isReady: () => isReady, healthChecks });
  await api.ask('mutation { pause(input: { scope: { integrations: ["invoices"] }, reason: "closed books" }) { key } }');
});
afterAll(async () => {
  await api.stop();
});

const call = async (path: string, body?: object, token = api.tokens.operator) => {
  const response = await fetch(`${api.url}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${token}`, ...(body === undefined ? {} : { "content-type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, headers: response.headers, json: (await response.json()) as Record<string, unknown> };
};

describe("GET /gate/<integration>", () => {
  it("answers 200 with the verdict, which no cache may keep", async () => {
    const open = await call("/gate/orders");
    expect(open).toMatchObject({ status: 200, json: { integration: "orders", state: "open", held: false, by: [], until: null } });
    expect(open.headers.get("cache-control")).toBe("no-store");
    expect(await call("/gate/invoices")).toMatchObject({
      status: 200,
      json: { state: "held", held: true, by: [{ reason: "closed books", kind: "manual", until: null }], until: null },
    });
  });

  it("answers 423 while held when it is asked strictly", async () => {
    expect((await call("/gate/invoices?strict=1")).status).toBe(423);
    expect((await call("/gate/orders?strict=1")).status).toBe(200);
    expect((await call("/gate/invoices?strict=0")).status).toBe(200);
  });

  it("refuses strangers, unknown integrations and malformed addresses", async () => {
    expect((await fetch(`${api.url}/gate/orders`)).status).toBe(401);
    expect(await call("/gate/nowhere")).toMatchObject({ status: 404, json: { error: { code: "QSC_INTEGRATION_NOT_FOUND" } } });
    expect((await call("/gate/%E0%A4%A")).status).toBe(404);
    expect((await call("/gate/")).status).toBe(405);
  });
});

describe("the gate's lease", () => {
  it("is taken, renewed and left, and is a run meanwhile", async () => {
    const entered = await call("/gate/orders/enter", { leaseSeconds: 30, reason: "nightly script" });
    expect(entered).toMatchObject({ status: 201, json: { entered: true, integration: "orders" } });
    const { runId, leaseToken, leaseUntil } = entered.json as { runId: string; leaseToken: string; leaseUntil: string };
    expect(
      (await api.ask("query ($key: String!) { run(key: $key) { state trigger integration { key } requestedBy } }", { key: runId })).data?.[
        "run"
      ],
    ).toEqual({
      state: "RUNNING",
      trigger: "GATE",
      integration: { key: "orders" },
      requestedBy: "test-operator",
    });
    const renewed = await call(`/gate/runs/${runId}/renew`, { leaseToken, leaseSeconds: 600 });
    expect(renewed.status).toBe(200);
    expect(Date.parse(String(renewed.json["leaseUntil"]))).toBeGreaterThan(Date.parse(leaseUntil));
    expect(await call(`/gate/runs/${runId}/renew`, { leaseToken: "00000000-0000-4000-8000-000000000000" })).toMatchObject({
      status: 409,
      json: { error: { code: "QSC_GATE_LEASE_LOST" } },
    });
    expect(await call(`/gate/runs/${runId}/leave`, { leaseToken, exitCode: 3 })).toMatchObject({
      status: 200,
      json: { outcome: "failed" },
    });
    expect((await api.ask("query ($key: String!) { run(key: $key) { state figures } }", { key: runId })).data?.["run"]).toEqual({
      state: "FAILED",
      figures: { exitCode: 3 },
    });
  });

  it("is refused with 423 and the reasons while held", async () => {
    expect(await call("/gate/invoices/enter", {})).toMatchObject({
      status: 423,
      json: { entered: false, held: true, by: [{ reason: "closed books" }] },
    });
  });

  it("is refused to a viewer, to wrong methods and to bodies that are not JSON objects", async () => {
    expect(await call("/gate/orders/enter", {}, api.tokens.viewer)).toMatchObject({
      status: 403,
      json: { error: { code: "QSC_ACCESS_DENIED" } },
    });
    expect((await call("/gate/orders/enter")).status).toBe(405);
    expect((await call("/gate/orders/enter", [1])).json).toMatchObject({ error: { code: "QSC_HTTP_BODY_INVALID" } });
    expect((await call("/gate/orders/enter", { leaseSeconds: "long" })).json).toMatchObject({
      error: { code: "QSC_HTTP_BODY_INVALID", field: "leaseSeconds" },
    });
    const text = await fetch(`${api.url}/gate/orders/enter`, {
      method: "POST",
      body: "{}",
      headers: { authorization: `Bearer ${api.tokens.operator}`, "content-type": "text/plain" },
    });
    expect(text.status).toBe(415);
  });
});

describe("health pages", () => {
  const readiness = async () => (await fetch(`${api.url}/readyz`)).status;
  const expansion = async () => {
    const { json } = await call("/health");
    return (json["checks"] as { name: string; status: string }[]).find(({ name }) => name === "windows.expansion")?.status;
  };

  it("tell strangers whether, and callers what", async () => {
    expect(await (await fetch(`${api.url}/livez`)).json()).toEqual({ status: "pass" });
    expect(await readiness()).toBe(200);
    const stranger = await fetch(`${api.url}/health`);
    expect(stranger.headers.get("content-type")).toContain("application/health+json");
    // No worker is registered here: that is a warning.
    expect(await stranger.json()).toEqual({ status: "warn" });
    expect((await call("/health")).json).toMatchObject({
      status: "warn",
      version: "0.0.0-test",
      checks: [
        "database",
        "live-events",
        "dispatch.clock",
        "windows.expansion",
        "scheduler.workers",
        "scheduler.lateness",
        "windows.overrun",
        "notifications.deliveries",
        "endpoints.findings",
        "credentials",
        "audit.chain",
        "ledger.conservation",
        "limits",
      ].map((name) => ({ name })),
    });
  });

  it("look at the database once a second, however many ask", async () => {
    const before = looks;
    const startedAt = performance.now();
    await Promise.all(Array.from({ length: 50 }, () => readiness()));
    await Promise.all(Array.from({ length: 50 }, () => fetch(`${api.url}/health`)));
    // A busy machine takes more than a second to answer them all.
    expect(looks - before).toBeLessThanOrEqual(2 + Math.floor((performance.now() - startedAt) / 1_000));
  });

  it("say that it is not ready while it starts and stops", async () => {
    isReady = false;
    expect(await readiness()).toBe(503);
    isReady = true;
    expect(await readiness()).toBe(200);
  });

  it("say that nothing is dispatched when the windows are not computed past now, and stay ready for the operator who overrides that", async () => {
    await api.database.sql`update control set expanded_until = app_now() - interval '1 second'`;
    await expect.poll(expansion, { timeout: 60_000 }).toBe("fail");
    expect(await readiness()).toBe(200);
    expect((await call("/gate/orders")).json).toMatchObject({ held: true, by: [] });
    const answer = await api.ask(
      "mutation ($input: OverrideExpansionInput!) { overrideExpansion(input: $input) { expansionOverriddenUntil } }",
      {
        input: { until: new Date(Date.now() + 60_000).toISOString(), reason: "known state" },
      },
    );
    expect(answer.errors).toBeUndefined();
    await expect.poll(expansion, { timeout: 60_000 }).toBe("warn");
    expect((await call("/gate/orders")).json).toMatchObject({ held: false });
    await api.database.sql`update control set expanded_until = app_now() + interval '30 days', expansion_override_until = '-infinity'`;
    await expect.poll(expansion, { timeout: 60_000 }).toBe("pass");
  });
});
