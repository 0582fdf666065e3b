import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type CommandLineServer, commandLineServer } from "../../../../../test/server/command-line.js";

const day = 86_400_000;
const minute = 60_000;
let server: CommandLineServer;
/** A midnight of UTC that is over. */
let start: number;
const quiesce = (...args: readonly string[]) => server.quiesce(...args);
const json = async (...args: readonly string[]): Promise<unknown> => JSON.parse((await quiesce(...args, "--json")).out) as unknown;

beforeAll(async () => {
  server = await commandLineServer({ name: "objectives" });
  const file = join(server.folder, "workspace.json");
  await writeFile(file, JSON.stringify({ quiesce: 1, systems: [{ key: "erp" }], integrations: [{ key: "orders", via: ["erp"] }] }));
  expect(await quiesce("apply", "-f", file, "--yes", "--reason", "test")).toMatchObject({ code: 0 });
  start = Math.floor(Date.now() / day) * day - 2 * day;
  const samples = Array.from({ length: 1_440 }, (_, n) => ({
    integration: "orders",
    metric: "response",
    at: start + n * minute,
    value: n < 72 ? 900 : 100,
  }));
  const response = await fetch(`${server.app.url}/ingest/samples`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson", authorization: `Bearer ${server.app.firstToken ?? ""}` },
    body: samples.map((one) => `${JSON.stringify(one)}\n`).join(""),
  });
  expect(await response.json()).toMatchObject({ accepted: 1_440 });
  // The server sums up by itself; an objective is looked at once a minute.
  const period = ["--from", new Date(start).toISOString(), "--to", new Date(start + day).toISOString()];
  await vi.waitFor(
    async () => expect(await json("kpi", "show", "response-time", ...period)).toMatchObject({ current: { samples: 1_440 } }),
    {
      timeout: 60_000,
      interval: 200,
    },
  );
});
afterAll(async () => {
  await server?.close();
});

describe("quiesce objectives", () => {
  it("makes one, says how it stands, by the terms that were said, and takes it away", async () => {
    const terms = ["--title", "Fast", "--integration", "orders", "--indicator", "latency", "--kpi", "response-time", "--limit", "300"];
    const agreed = ["--notice", "2h", "--allowance", "4h", "--hours", "1-7 00:00-24:00", "--time-zone", "Europe/Madrid"];
    const saved = await quiesce(
      "objectives",
      "save",
      "fast",
      ...terms,
      ...agreed,
      "--target",
      "99%",
      "--days",
      "7",
      "--reason",
      "contract",
    );
    expect(saved).toMatchObject({ code: 0, err: "", out: expect.stringContaining("promises 99.000 % over 7 days of orders") });
    await vi.waitFor(
      async () =>
        expect(await json("objectives", "show", "fast")).toMatchObject({
          state: "MISSED",
          agreement: { minimumNoticeSeconds: 7_200, monthlyAllowanceSeconds: 14_400, timeZone: "Europe/Madrid" },
          standing: { unit: "events", budget: { valid: 1_440, spent: 72, achieved: 0.95 } },
        }),
      { timeout: 80_000, interval: 500 },
    );
    const { out } = await quiesce("objectives", "show", "fast");
    expect(out).toContain("achieved 95.000 % of 99.000 % promised");
    expect(out).toContain("14.4x");
    expect((await quiesce("objectives", "list")).out).toMatch(/fast +missed +99.000 % +7 +orders +Fast/);
    const period = ["--from", new Date(start).toISOString(), "--to", new Date(start + day).toISOString()];
    expect(await json("sla", "report", "--objective", "fast", ...period)).toMatchObject({
      integrations: [{ integration: { key: "orders" } }],
    });
    expect(await quiesce("sla", "report", "--objective", "none", ...period)).toMatchObject({
      err: expect.stringContaining("There is no objective"),
    });
    expect(await json("objectives", "delete", "fast", "--reason", "over")).toEqual({ key: "fast" });
    expect(await quiesce("objectives", "list")).toMatchObject({ err: expect.stringContaining("Nothing is promised") });
  });

  it("says what is wrong with the terms", async () => {
    const base = ["objectives", "save", "x", "--title", "X", "--reason", "r"];
    expect(await quiesce(...base, "--target", "101%")).toMatchObject({ code: 2, err: expect.stringContaining("99.9%") });
    expect(await quiesce(...base, "--target", "99%", "--hours", "8 to 18")).toMatchObject({
      code: 2,
      err: expect.stringContaining("1-5 08:00"),
    });
    expect((await quiesce(...base, "--target", "99%", "--days", "90")).err).toContain("1 to 31");
    expect((await quiesce("objectives", "show", "x")).err).toContain("There is no objective");
  });
});

describe("quiesce thresholds, anomalies and kpi", () => {
  it("make, list and take away thresholds", async () => {
    const terms = ["--title", "Slow", "--kpi", "response-time", "--system", "erp", "--reason", "agreed"];
    expect(await quiesce("thresholds", "save", "slow", ...terms)).toMatchObject({ code: 2, err: expect.stringContaining("--above") });
    const saved = await quiesce("thresholds", "save", "slow", ...terms, "--above", "500", "--clear", "400");
    expect(saved.out).toContain("response time above 500 ms of system erp raises an alert");
    expect(await json("thresholds", "list")).toMatchObject([{ key: "slow", value: 500, clearValue: 400, broken: [] }]);
    expect((await quiesce("thresholds", "save", "slow", ...terms, "--above", "500", "--clear", "600")).err).toContain("clearValue");
    expect(await quiesce("thresholds", "delete", "slow", "--reason", "over")).toMatchObject({ code: 0 });
  });

  it("make, list and take away rules of anomalies", async () => {
    expect(await quiesce("anomalies", "rules")).toMatchObject({ code: 0, err: expect.stringContaining("No anomaly raises an alert") });
    expect(await quiesce("anomalies", "save-rule", "odd", "--title", "Odd", "--kpi", "throughput", "--reason", "tried")).toMatchObject({
      code: 0,
    });
    expect(await json("anomalies", "rules")).toMatchObject([{ key: "odd", kpi: "THROUGHPUT", severity: "WARNING", leastScore: 0.8 }]);
    expect(await quiesce("anomalies", "delete-rule", "odd", "--reason", "over")).toMatchObject({ code: 0 });
    expect(Array.isArray(await json("anomalies", "list", "--integration", "orders"))).toBe(true);
  });

  it("show how soon incidents were over, and how well access is kept", async () => {
    expect(await quiesce("kpi", "incidents")).toMatchObject({ code: 0, err: expect.stringContaining("No incident") });
    expect(await json("kpi", "incidents")).toMatchObject({ incidents: 0, resolve: { count: 0, censored: 0 } });
    expect(await quiesce("kpi", "security")).toMatchObject({ code: 0, err: expect.stringContaining("no endpoint") });
    expect(await json("kpi", "security", "--integration", "orders")).toMatchObject({ score: null, endpoints: 0 });
  });
});
