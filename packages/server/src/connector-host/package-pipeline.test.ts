import { defineConnector, z } from "@quiesce/sdk";
import { afterEach, expect, it } from "vitest";
import { memorySource } from "../../../../test/pipeline/memory-source.js";
import { type MemoryTarget, memoryTarget } from "../../../../test/pipeline/memory-target.js";
import { type PipelineBench, pipelineBench } from "../../../../test/pipeline/pipeline-bench.js";
import { type PackageFolder, packageFolder } from "../../../../test/server/connector-packages.js";

let bench: PipelineBench | undefined;
let folder: PackageFolder | undefined;
afterEach(async () => {
  await bench?.close();
  await folder?.remove();
  bench = undefined;
  folder = undefined;
});

const numbers = `async *read(x, request) {
  for (let n = request.cursor?.n ?? 0; n < 25; ) {
    const records = [];
    while (records.length < request.pageSize && n < 25) { n += 1; records.push({ key: String(n), data: { id: n, name: "no " + n } }); }
    yield { records, cursor: { n }, more: n < 25 };
  }
},
streams: async () => [{ name: "items", schema: {}, key: ["id"], cursor: "incremental", deletes: "none" }],`;

async function open(definition: string, facets: readonly string[]): Promise<PipelineBench & { readonly target: MemoryTarget }> {
  folder = await packageFolder();
  await folder.install("acme", { definition, facets });
  await folder.list({ package: "acme" });
  const target = memoryTarget();
  bench = await pipelineBench({ source: { connector: memorySource().connector }, target, packages: folder.options });
  await bench.database.sql`update endpoint set connector = 'acme' where key = 'source'`;
  return Object.assign(bench, { target });
}

/** A moment that somebody waits for and somebody else says. */
function moment(): { readonly come: Promise<void>; readonly say: () => void } {
  let say: () => void = () => undefined;
  const come = new Promise<void>((resolve) => (say = resolve));
  return { come, say };
}

/** The write of this record waits until the test says so. */
function pauseAt(target: MemoryTarget, key: string): { readonly reached: Promise<void>; readonly goOn: () => void } {
  const [reached, paused] = [moment(), moment()];
  target.before = (_x, items) => {
    if (!items.some((item) => item.key === key)) return undefined;
    reached.say();
    return paused.come;
  };
  return { reached: reached.come, goOn: paused.say };
}

it("a run copies from a connector in a worker as from any other", async () => {
  const on = await open(numbers, ["read", "streams"]);
  expect(await on.attempt()).toMatchObject({ kind: "succeeded", figures: { read: 25, written: 25 } });
  expect(await on.cursor()).toEqual({ n: 25 });
});

it("a run that is under way ends with the code it began with, although its package was taken off the list", async () => {
  const on = await open(
    `async *read(x) { for (let n = 1; n <= 6; n += 1) yield { records: [{ key: String(n), data: { id: n, name: "n" } }], cursor: { n }, more: n < 6 }; },`,
    ["read"],
  );
  const run = await on.claim();
  const { reached, goOn } = pauseAt(on.target, "2");
  const outcome = on.execute(run);
  await reached;
  await folder?.list();
  expect(await on.host.connectors.reload()).toMatchObject({ removed: ["acme"] });
  expect(on.host.connectors.listings().find(({ name }) => name === "acme")?.state).toBe("draining");
  goOn();
  expect(await outcome).toMatchObject({ kind: "succeeded", figures: { written: 6 } });
  await expect.poll(() => on.host.connectors.listings().some(({ name }) => name === "acme")).toBe(false);
});

it("a run of an integration whose package is not loaded waits for somebody, and the refusal says why", async () => {
  const on = await open(numbers, ["read", "streams"]);
  await folder?.install("acme", { module: 'throw new Error("no licence file");' });
  await on.host.connectors.reload();
  expect(await on.attempt()).toMatchObject({
    kind: "failed",
    error: { kind: "config", message: expect.stringContaining("no licence file") },
  });
});

it("a target's code stays for a run that is between two writes when its package is taken off the list", async () => {
  folder = await packageFolder();
  await folder.install("acme", {
    facets: ["write"],
    definition: `write: { idempotency: "upsert", maxBatch: 10, apply: async (x, stream, items) => items.map(({ key }) => ({ key, ok: true })) },`,
  });
  await folder.list({ package: "acme" });
  const paused = moment();
  const slow = defineConnector({
    apiVersion: 1,
    id: "slow",
    version: "1.0.0",
    displayName: "Slow",
    stability: "experimental",
    config: z.object({}),
    secrets: z.object({}),
    egress: () => [],
    async *read() {
      yield { records: [{ key: "1", data: { id: 1, name: "a" } }], cursor: { n: 1 }, more: true };
      await paused.come;
      yield { records: [{ key: "2", data: { id: 2, name: "b" } }], cursor: { n: 2 }, more: false };
    },
  });
  const on = await pipelineBench({ source: { connector: slow }, target: memoryTarget(), packages: folder.options });
  bench = on;
  await on.database.sql`update endpoint set connector = 'acme' where key = 'target'`;
  const outcome = on.execute(await on.claim());
  await expect.poll(() => on.cursor()).toEqual({ n: 1 });
  await folder.list();
  await on.host.connectors.reload();
  paused.say();
  expect(await outcome).toMatchObject({ kind: "succeeded", figures: { written: 2 } });
});

it("a record whose write was under way when the worker ended goes to a person, and is never sent again", async () => {
  folder = await packageFolder();
  await folder.install("acme", {
    facets: ["write"],
    definition: `write: { idempotency: "upsert", idempotencyOf: (config, stream) => (stream === "items" ? "none" : "upsert"), maxBatch: 1,
      apply: async (x, stream, items) => {
        const sent = (await x.state.get("sent")) ?? [];
        await x.state.set("sent", [...sent, items[0].key]);
        if (items[0].key === "2") process.exit(1);
        return [{ key: items[0].key, ok: true }];
      } }, check: async (x) => ({ status: "up", message: JSON.stringify(await x.state.get("sent")) }),`,
    quiesce: { facets: ["write", "check"] },
  });
  await folder.list({ package: "acme" });
  const source = memorySource();
  for (const key of ["1", "2", "3"]) source.put(key);
  const on = await pipelineBench({ source, target: memoryTarget(), packages: folder.options });
  bench = on;
  await on.database.sql`update endpoint set connector = 'acme' where key = 'target'`;
  await on.attempt();
  await on.database.sql`update run set ready_at = app_now() where state = 'queued'`;
  expect((await on.letters()).map(({ status, key, error }) => [status, key, error.kind])).toEqual([["review", "2", "bug"]]);
  await on.attempt();
  const { message } = await on.host.checkEndpoint("target", new AbortController().signal);
  const sent = JSON.parse(message ?? "[]") as readonly string[];
  expect(sent.filter((key) => key === "2")).toHaveLength(1);
  expect(sent).toContain("3");
});
