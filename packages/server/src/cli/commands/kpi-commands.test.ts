import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { type CommandLineServer, commandLineServer } from "../../../../../test/server/command-line.js";

const day = 86_400_000;
const minute = 60_000;
let server: CommandLineServer;
/** A midnight of UTC that is over. */
let start: number;
const quiesce = (...args: readonly string[]) => server.quiesce(...args);
const period = () => ["--from", new Date(start).toISOString(), "--to", new Date(start + day).toISOString()];

beforeAll(async () => {
  server = await commandLineServer({ name: "kpi" });
  const file = join(server.folder, "workspace.json");
  await writeFile(file, JSON.stringify({ quiesce: 1, integrations: [{ key: "orders" }, { key: "stock" }] }));
  expect(await quiesce("apply", "-f", file, "--yes", "--reason", "test")).toMatchObject({ code: 0 });
  start = Math.floor(Date.now() / day) * day - 2 * day;
  const samples = Array.from({ length: 1_440 }, (_, n) => ({ at: start + n * minute, integration: "orders" })).flatMap((one, n) => [
    { ...one, metric: "check", value: 5, ok: n >= 72 },
    { ...one, metric: "response", value: 100 },
  ]);
  const response = await fetch(`${server.app.url}/ingest/samples`, {
    method: "POST",
    headers: { "content-type": "application/x-ndjson", authorization: `Bearer ${server.app.firstToken ?? ""}` },
    body: samples.map((one) => `${JSON.stringify(one)}\n`).join(""),
  });
  expect(await response.json()).toMatchObject({ accepted: 2_880 });
  // The server sums up by itself.
  await vi.waitFor(
    async () => {
      const { out } = await quiesce("kpi", "show", "check-time", ...period(), "--json");
      expect(JSON.parse(out)).toMatchObject({ current: { samples: 1_440 } });
    },
    { timeout: 60_000, interval: 200 },
  );
});
afterAll(async () => {
  await server?.close();
});

describe("quiesce kpi", () => {
  it("shows a figure beside the period before, and who is worst", async () => {
    const { code, out } = await quiesce("kpi", "show", "response-time", ...period());
    expect(code).toBe(0);
    expect(out).toMatch(/this period +100 ms +100 ms +100 ms +100 ms +1440/);
    expect(out).toMatch(/the one before +- +- +- +- +0/);
    expect(out).toMatch(/orders +100 ms/);
  });

  it("shows it step by step", async () => {
    const { out } = await quiesce("kpi", "series", "response-time", "--step", "hour", ...period(), "--json");
    const { points } = JSON.parse(out) as { readonly points: readonly { readonly figures: { readonly samples: number } }[] };
    expect(points.map(({ figures }) => figures.samples)).toEqual(Array.from({ length: 24 }, () => 60));
    expect((await quiesce("kpi", "series", "response-time", "--step", "day", ...period())).out).toMatch(/SINCE +VALUE/);
  });

  it("says that there is nothing, and what may be asked", async () => {
    expect(await quiesce("kpi", "show", "queue-depth", ...period())).toMatchObject({
      code: 0,
      err: expect.stringContaining("no samples of 2 integrations"),
    });
    expect(await quiesce("kpi", "show", "speed")).toMatchObject({ code: 2, err: expect.stringContaining("response-time") });
    expect(await quiesce("kpi", "show", "queue-depth", "--from", "yesterday")).toMatchObject({
      code: 2,
      err: expect.stringContaining("--from"),
    });
  });
});

describe("quiesce sla report", () => {
  it("shows net and gross side by side, cut and not rounded", async () => {
    const { code, out } = await quiesce("sla", "report", ...period(), "--integration", "orders");
    expect(code).toBe(0);
    expect(out).toMatch(/orders +95\.000 % +95\.000 % +100\.000 % +1\.20 h +0 h +0 h +100 ms/);
    const report = JSON.parse((await quiesce("sla", "report", ...period(), "--json")).out) as {
      readonly net: { readonly missingMs: number };
    };
    expect(report.net.missingMs).toBe(0);
  });

  it("writes CSV, to the terminal or a file", async () => {
    const args = ["sla", "report", ...period(), "--integration", "orders"];
    const { out } = await quiesce(...args, "--csv");
    expect(out.split("\r\n")[1]).toContain("orders,orders,");
    const file = join(server.folder, "report.csv");
    expect(await quiesce(...args, "--output", file)).toMatchObject({ code: 0, err: expect.stringContaining("report.csv") });
    expect((await readFile(file, "utf8")).trimEnd()).toBe(out.trimEnd());
  });
});
