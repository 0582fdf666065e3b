import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { memoryTarget } from "../../../../../test/pipeline/memory-target.js";
import { type CommandLineServer, commandLineServer } from "../../../../../test/server/command-line.js";

// The commands against a whole server with a target in memory.
const target = memoryTarget();
const wait = { timeout: 60_000, interval: 100 };
let server: CommandLineServer;
const quiesce = (...args: readonly string[]) => server.quiesce(...args);
const json = async (...args: readonly string[]) => JSON.parse((await quiesce(...args, "--json")).out) as unknown;

const workspace = {
  quiesce: 1,
  systems: [{ key: "erp" }],
  endpoints: [{ key: "erp-in", system: "erp", connector: "memory-target" }],
  integrations: [
    {
      key: "web-orders",
      target: "erp-in",
      streams: [{ stream: "orders", push: true, mapping: { fields: { id: { from: "id" }, name: { from: "name" } } } }],
    },
  ],
  jobs: [{ key: "web-orders-push", integration: "web-orders", push: true }],
};
const line = (key: string, name: string) => `${JSON.stringify({ key, record: { id: key, name } })}\n`;

beforeAll(async () => {
  server = await commandLineServer({ name: "push", connectors: [target.connector], input: line("stdin", "s1") });
  await writeFile(join(server.folder, "workspace.json"), JSON.stringify(workspace));
  await writeFile(join(server.folder, "orders.jsonl"), Array.from({ length: 700 }, (_value, index) => line("a", `a${index}`)).join(""));
});
afterAll(async () => {
  await server?.close();
});

it("a file is pushed while its integration is held, waits, is delivered in its order afterwards, and is not taken twice", async () => {
  const file = join(server.folder, "workspace.json");
  expect(await quiesce("validate", file)).toMatchObject({ code: 0 });
  expect(await quiesce("apply", "-f", file, "--yes", "--reason", "test")).toMatchObject({ code: 0 });
  expect((await quiesce("apply", "-f", file, "--dry-run")).out + (await quiesce("apply", "-f", file, "--dry-run")).err).toContain(
    "Nothing to change",
  );
  expect(await quiesce("pause", "--integration", "web-orders", "--reason", "stocktaking")).toMatchObject({ code: 0 });
  const orders = join(server.folder, "orders.jsonl");
  expect(await quiesce("push", "web-orders", "-f", orders)).toMatchObject({
    code: 0,
    out: "Accepted 700. 700 wait for web-orders, which is held until somebody lifts that.\n",
  });
  expect((await quiesce("push", "web-orders", "-f", orders)).out).toContain("Accepted 0, 700 known already.");
  expect((await quiesce("push", "web-orders", "-f", "-")).out).toContain("Accepted 1. 701 wait");
  expect((await quiesce("explain", "web-orders-push")).out.replaceAll(/\s+/g, " ")).toContain("701 pushed records wait, the oldest since");
  expect(target.applied).toHaveLength(0);
  expect(await quiesce("resume", "--integration", "web-orders", "--reason", "done")).toMatchObject({ code: 0 });
  await vi.waitFor(() => expect(target.rows.size).toBe(2), wait);
  await vi.waitFor(() => expect(target.rows.get("a")).toEqual({ id: "a", name: "a699" }), wait);
  const seen = target.applied.filter((item) => item.key === "a").map((item) => item.data["name"]);
  expect(seen).toEqual(Array.from({ length: 700 }, (_value, index) => `a${index}`));
});

it("what cannot be pushed is refused with the line or the reason", async () => {
  expect(await quiesce("push", "nowhere", "-f", "-")).toMatchObject({ code: 1, err: expect.stringContaining("QSC_INTEGRATION_NOT_FOUND") });
  const broken = join(server.folder, "broken.jsonl");
  await writeFile(broken, `${line("a", "x")}{\n`);
  expect(await quiesce("push", "web-orders", "-f", broken)).toMatchObject({
    code: 2,
    err: expect.stringContaining("broken.jsonl:2 is not JSON"),
  });
  expect(await quiesce("push", "web-orders", "-f", join(server.folder, "none.jsonl"))).toMatchObject({ code: 2 });
});

it("a dead letter is listed, shown, replayed by a run, and another one discarded", async () => {
  target.refuse = () => ({ kind: "invalid", message: "no such customer" });
  const refused = join(server.folder, "refused.jsonl");
  await writeFile(refused, line("b", "b1") + line("c", "c1"));
  await quiesce("push", "web-orders", "-f", refused);
  await vi.waitFor(async () => expect(await json("dead-letters", "list")).toHaveLength(2), wait);
  await server.atRest();
  target.refuse = () => undefined;
  const letters = (await json("dead-letters", "list", "--integration", "web-orders")) as readonly { key: string; recordKey: string }[];
  const numberOf = (key: string) => letters.find((one) => one.recordKey === key)?.key ?? "";
  expect((await quiesce("dead-letters", "list")).out).toMatch(/orders\/b +open +invalid: no such customer/);
  expect((await quiesce("dead-letters", "show", numberOf("b"))).out).toContain('"name":"b1"');
  expect((await quiesce("dead-letters", "replay", numberOf("b"), "--reason", "it exists now")).out).toContain("1 to be replayed");
  await server.atRest();
  expect(target.rows.get("b")).toEqual({ id: "b", name: "b1" });
  expect(await quiesce("dead-letters", "discard", "--integration", "web-orders", "--reason", "test order")).toMatchObject({
    out: "1 discarded.\n",
  });
  expect((await quiesce("dead-letters", "list")).err).toContain("No dead letters.");
  expect(await quiesce("dead-letters", "replay", "--reason", "x")).toMatchObject({ code: 2 });
  expect(await quiesce("run", "web-orders-push", "--reason", "look")).toMatchObject({
    code: 0,
    out: expect.stringContaining("Queued: run "),
  });
});
