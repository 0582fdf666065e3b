import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { extendedConnector } from "../../../../../test/pipeline/extended-connector.js";
import { memorySource } from "../../../../../test/pipeline/memory-source.js";
import { memoryTarget } from "../../../../../test/pipeline/memory-target.js";
import { type CommandLineServer, commandLineServer } from "../../../../../test/server/command-line.js";

// The commands against a whole server whose systems are in memory.
const source = memorySource();
const target = memoryTarget();
const readableTarget = extendedConnector(target.connector, {
  async *read() {
    yield { records: [...target.rows].map(([key, data]) => ({ key, data })), cursor: {}, more: false };
  },
});
const wait = { timeout: 60_000, interval: 100 };
let server: CommandLineServer;
const quiesce = (...args: readonly string[]) => server.quiesce(...args);
const json = async (...args: readonly string[]) => JSON.parse((await quiesce(...args, "--json")).out) as Record<string, unknown>[];

const workspace = {
  quiesce: 1,
  systems: [{ key: "erp" }, { key: "shop" }],
  endpoints: [
    { key: "erp-out", system: "erp", connector: "memory-source" },
    { key: "shop-in", system: "shop", connector: "memory-target" },
  ],
  integrations: [
    {
      key: "stock",
      source: "erp-out",
      target: "shop-in",
      streams: [{ stream: "items", mapping: { fields: { id: { from: "id" }, name: { from: "name", default: null } } }, deletes: "apply" }],
    },
  ],
  jobs: [{ key: "stock-sync", integration: "stock" }],
};
const withSchedule = {
  ...workspace,
  jobs: [...workspace.jobs, { key: "stock-compare", integration: "stock", schedule: { every: "1s" }, reconcile: true }],
};

async function apply(document: object): Promise<void> {
  const file = join(server.folder, "workspace.json");
  await writeFile(file, JSON.stringify(document));
  expect(await quiesce("apply", "-f", file, "--yes", "--reason", "test")).toMatchObject({ code: 0 });
  const { out, err } = await quiesce("apply", "-f", file, "--dry-run");
  expect(out + err).toContain("Nothing to change");
}

beforeAll(async () => {
  for (const key of ["a", "b", "c"]) source.put(key, { name: key });
  server = await commandLineServer({ name: "reconcile", connectors: [source.connector, readableTarget] });
  await apply(workspace);
  await quiesce("run", "stock-sync", "--reason", "first");
  await server.atRest();
  expect(target.rows.size).toBe(3);
});
afterAll(async () => {
  await server?.close();
});

it("a comparison tells what differs, ends with 1, and a resync mends it", async () => {
  target.rows.set("b", { id: "b", name: "by hand" });
  target.rows.delete("c");
  const found = await quiesce("reconcile", "stock", "--wait", "--reason", "looks odd");
  expect(found).toMatchObject({
    code: 1,
    out: expect.stringContaining("3 and 2 records: 1 equal, 1 only at the source, 0 only at the target, 1 different"),
  });
  expect(found.out).toContain("accuracy 33.333 %");
  expect((await quiesce("reconcile", "list")).out).toMatch(/1 .*stock +done +33\.333 % +1 +1 +0 +1/);
  const shown = await quiesce("reconcile", "show", "1", "--samples");
  expect(shown.out).toContain("items/b  different");
  expect(shown.out).toContain('name: "b" at the source, "by hand" at the target');
  expect(await quiesce("reconcile", "resync", "1", "--reason", "as the ERP has them")).toMatchObject({
    code: 0,
    out: expect.stringContaining("2 differences"),
  });
  await server.atRest();
  expect(["a", "b", "c"].map((key) => target.rows.get(key)?.["name"])).toEqual(["a", "b", "c"]);
  expect(await quiesce("reconcile", "stock", "--wait")).toMatchObject({ code: 0, out: expect.stringContaining("accuracy 100.000 %") });
  expect(await quiesce("reconcile", "show", "99")).toMatchObject({
    code: 1,
    err: expect.stringContaining("There is no reconciliation 99."),
  });
});

it("a job with reconcile compares on its schedule and copies nothing", async () => {
  source.put("d", { name: "d" });
  await apply(withSchedule);
  const scheduled = async () =>
    (await json("reconcile", "list", "--integration", "stock")).filter((one) => one["origin"] === "SCHEDULE" && one["state"] === "DONE");
  await vi.waitFor(async () => expect((await scheduled()).length).toBeGreaterThan(0), wait);
  expect((await scheduled())[0]).toMatchObject({ accuracy: 0.75, streams: [{ equal: 3, onlySource: 1 }] });
  expect(target.rows.has("d")).toBe(false);
  await apply({ ...withSchedule, jobs: withSchedule.jobs.map((job) => ({ ...job, enabled: false })) });
});
