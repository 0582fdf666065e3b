import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { memorySide } from "../../../../../test/pipeline/memory-side.js";
import { type CommandLineServer, commandLineServer } from "../../../../../test/server/command-line.js";

// The commands against a whole server whose systems are in memory.
const source = memorySide("memory-a");
const target = memorySide("memory-b");
const wait = { timeout: 60_000, interval: 100 };
let server: CommandLineServer;
const quiesce = (...args: readonly string[]) => server.quiesce(...args);

const workspace = {
  quiesce: 1,
  systems: [{ key: "erp" }, { key: "shop" }],
  endpoints: [
    { key: "erp-out", system: "erp", connector: "memory-a" },
    { key: "shop-in", system: "shop", connector: "memory-b" },
  ],
  integrations: [
    {
      key: "buyers",
      source: "erp-out",
      target: "shop-in",
      streams: [
        {
          stream: "items",
          deletes: "apply",
          mapping: { fields: { id: { from: "id" }, name: { from: "name" } } },
          twoWay: { fields: { name: {} } },
        },
      ],
    },
  ],
  jobs: [{ key: "buyers-sync", integration: "buyers" }],
};

beforeAll(async () => {
  server = await commandLineServer({ name: "sync-conflicts", connectors: [source.connector, target.connector] });
  const file = join(server.folder, "workspace.json");
  await writeFile(file, JSON.stringify(workspace));
  expect(await quiesce("apply", "-f", file, "--yes", "--reason", "test")).toMatchObject({ code: 0 });
  const { out, err } = await quiesce("apply", "-f", file, "--dry-run");
  expect(out + err).toContain("Nothing to change");
});
afterAll(async () => {
  await server?.close();
});

it("shows what a person has to decide, takes the decision, and the next run carries it out", async () => {
  expect((await quiesce("sync-conflicts", "list")).err).toContain("No conflicts.");
  source.edit("a", { name: "from the erp" });
  target.edit("a", { name: "from the shop" });
  await quiesce("run", "buyers-sync", "--reason", "first");
  await vi.waitFor(async () => expect((await quiesce("sync-conflicts", "list")).out).toContain("items/a"), wait);
  const listed = JSON.parse((await quiesce("sync-conflicts", "list", "--integration", "buyers", "--json")).out) as object[];
  expect(listed).toMatchObject([
    {
      key: "1",
      recordKey: "a",
      field: "name",
      kind: "CHANGED",
      source: "from the erp",
      target: "from the shop",
      state: "OPEN",
      winner: null,
    },
  ]);
  const decided = await quiesce("sync-conflicts", "decide", "1", "--winner", "target", "--reason", "asked");
  expect(decided).toMatchObject({ code: 0, out: expect.stringContaining("1 decided. The next run of buyers carries it out.") });
  await quiesce("run", "buyers-sync", "--reason", "second");
  await vi.waitFor(() => expect(source.rows.get("a")).toMatchObject({ name: "from the shop" }), wait);
  await vi.waitFor(async () => {
    const settled = JSON.parse((await quiesce("sync-conflicts", "list", "--state", "settled", "--json")).out) as object[];
    expect(settled).toMatchObject([{ state: "SETTLED", winner: "TARGET", reason: "asked" }]);
  }, wait);
  const again = await quiesce("sync-conflicts", "decide", "1", "--winner", "source", "--reason", "no");
  expect(again.code).not.toBe(0);
  expect(again.err).toContain("settled already");
});

it("a run says with which versions of which connectors it worked", async () => {
  await server.atRest();
  const { out } = await quiesce("runs", "--connectors");
  expect(out).toContain("memory-a 1.0.0 to memory-b 1.0.0");
  expect((await quiesce("trace", "a")).out).toContain("flowed back");
});
