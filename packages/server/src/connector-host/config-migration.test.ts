import { type Connector, type Definition, type Json, defineConnector, z } from "@quiesce/sdk";
import { afterEach, describe, expect, it } from "vitest";
import { memorySource } from "../../../../test/pipeline/memory-source.js";
import { memoryTarget } from "../../../../test/pipeline/memory-target.js";
import { type PipelineBench, pipelineBench } from "../../../../test/pipeline/pipeline-bench.js";
import { packageFolder, type PackageFolder } from "../../../../test/server/connector-packages.js";
import { applyWorkspace } from "../catalog/commands.js";
import { loadEndpoint } from "./load-endpoint.js";
import { createSecretMask } from "./secret-mask.js";
import { checkSettings, configVersionsOf } from "./check-settings.js";

let bench: PipelineBench | undefined;
let folder: PackageFolder | undefined;

afterEach(async () => {
  await bench?.close();
  await folder?.remove();
  bench = folder = undefined;
});

const second: Partial<Definition<z.ZodType, z.ZodType>> = {
  config: z.strictObject({ base: z.string().startsWith("memory:") }),
  configVersion: 2,
  migrate: (old: Json) => ({ base: `memory:${(old as { readonly place: string }).place}` }),
};

/** The memory source with a configuration of another version. */
function versioned(more: Partial<Definition<z.ZodType, z.ZodType>>): Connector {
  const definition = Object.fromEntries(Object.entries(memorySource().connector).filter(([name]) => name !== "toManifest"));
  return defineConnector({ ...definition, ...more } as unknown as Definition<z.ZodType, z.ZodType>);
}

async function open(connector: Connector, stored: { readonly config: object; readonly version: number | null }): Promise<PipelineBench> {
  bench = await pipelineBench({ source: { connector, config: stored.config }, target: memoryTarget() });
  await bench.database.sql`update endpoint set config_version = ${stored.version} where key = 'source'`;
  return bench;
}

const storedOf = async (on: PipelineBench) =>
  (await on.database.sql`select config, config_version as version from endpoint where key = 'source'`)[0];
const tracesOf = async (on: PipelineBench) => [
  await on.database.sql`select actor, before, after from audit_entry where action = 'endpoint.migrate-config'`,
  await on.database.sql`select payload from event_inbox where kind = 'endpoint.config-migrated'`,
];

describe("a configuration of an older version", () => {
  it("is migrated when it is used, checked by the schema of today, and stored once with an audit entry and an event", async () => {
    const on = await open(versioned(second), { config: { place: "here" }, version: 1 });
    expect(await on.attempt()).toMatchObject({ kind: "succeeded" });
    expect(await storedOf(on)).toEqual({ config: { base: "memory:here" }, version: 2 });
    const once = await tracesOf(on);
    expect(once).toMatchObject([
      [
        {
          actor: "system:quiesce",
          before: { configVersion: 1, config: { place: "here" } },
          after: { configVersion: 2, config: { base: "memory:here" } },
        },
      ],
      [{ payload: { connector: "memory-source", from: 1, to: 2 } }],
    ]);
    await on.attempt();
    expect(await tracesOf(on)).toEqual(once);
  });

  it("is stored by one server when several meet it at once", async () => {
    let arrived = 0;
    let letGo: () => void = () => undefined;
    const together = new Promise<void>((resolve) => (letGo = resolve));
    const migrate = (async (old: Json) => {
      arrived += 1;
      if (arrived === 2) letGo();
      // Both have read the old row before either stores.
      await together;
      return { base: `memory:${(old as { readonly place: string }).place}` };
    }) as unknown as (old: Json, from: number) => Json;
    const on = await open(versioned({ ...second, migrate }), { config: { place: "here" }, version: 1 });
    const load = () =>
      loadEndpoint(on.database.db, {
        endpoint: { key: "source" },
        connectors: on.host.connectors,
        keyRing: on.keys,
        mask: createSecretMask(),
      });
    const loaded = await Promise.all([load(), load()]);
    expect(loaded.map(({ config }) => config)).toEqual([{ base: "memory:here" }, { base: "memory:here" }]);
    expect((await tracesOf(on)).map((rows) => rows.length)).toEqual([1, 1]);
  });

  it.each([
    [
      "throws",
      () => {
        throw new Error("place is no word");
      },
      "place is no word",
    ],
    ["gives nothing", () => undefined, "its migrate gave nothing, expected an object"],
    ["gives what the schema refuses", () => ({ base: "elsewhere" }), "does not fit the connector: base:"],
    ["gives too much", () => ({ base: `memory:${"x".repeat(70_000)}` }), "expected at most 65536"],
  ])("stays as it is when its migration %s, and the run says what to change", async (_what, migrate, why) => {
    const on = await open(versioned({ ...second, migrate: migrate as unknown as () => Json }), { config: { place: "here" }, version: 1 });
    const outcome = await on.attempt();
    expect(outcome).toMatchObject({ kind: "failed", failure: { kind: "config", rule: { holdsIntegration: true } } });
    const message = JSON.stringify(outcome);
    expect(message).toContain(why);
    expect(message).toContain("The stored configuration was left as it is. Save the endpoint with a configuration of version 2");
    expect(await storedOf(on)).toEqual({ config: { place: "here" }, version: 1 });
    expect(await tracesOf(on)).toEqual([[], []]);
  });
});

it("a configuration that is newer than the connector is refused, and says so", async () => {
  const on = await open(versioned(second), { config: { base: "memory:x" }, version: 3 });
  const outcome = await on.attempt();
  expect(outcome).toMatchObject({ kind: "failed", failure: { kind: "config" } });
  expect(JSON.stringify(outcome)).toContain('is of version 3, and the connector \\"memory-source\\" 1.0.0 knows version 2 at most');
});

it("a configuration from before the versions were kept is taken as it is where it fits, and for the first version where not", async () => {
  const on = await open(versioned(second), { config: { base: "memory:here" }, version: null });
  expect(await on.attempt()).toMatchObject({ kind: "succeeded" });
  expect(await storedOf(on)).toEqual({ config: { base: "memory:here" }, version: 2 });
  await on.database.sql`update endpoint set config = '{"place": "there"}', config_version = null where key = 'source'`;
  expect(await on.attempt()).toMatchObject({ kind: "succeeded" });
  expect(await storedOf(on)).toEqual({ config: { base: "memory:there" }, version: 2 });
});

it("an endpoint that is saved has the version whose schema has taken it, and keeps it while its configuration is the same", async () => {
  const on = await open(versioned(second), { config: { base: "memory:here" }, version: 1 });
  const { connectors } = on.host;
  const context = { ...on.context, keys: on.keys, checkEndpoint: checkSettings(connectors), configVersionOf: configVersionsOf(connectors) };
  const save = (name: string, base: string) =>
    applyWorkspace(
      context,
      { quiesce: 1, endpoints: [{ key: "source", name, system: "erp", connector: "memory-source", config: { base } }] },
      { reason: "test" },
    );
  await save("another name", "memory:here");
  expect(await storedOf(on)).toMatchObject({ version: 1 });
  await save("another name", "memory:there");
  expect(await storedOf(on)).toEqual({ config: { base: "memory:there" }, version: 2 });
});

it("a package in a worker migrates the configurations of its endpoints", async () => {
  folder = await packageFolder();
  const definition = (migrate: string) => `configVersion: 2, migrate: (old, from) => ${migrate},
    check: async (x) => ({ status: "up", message: x.config.url }),`;
  await folder.install("acme", { definition: definition(`({ url: "http://" + old.host + ":" + from })`) });
  await folder.list({ package: "acme" });
  bench = await pipelineBench({ source: memorySource(), target: memoryTarget(), packages: folder.options });
  await bench.database
    .sql`update endpoint set connector = 'acme', config = '{"host": "127.0.0.1"}', config_version = 1 where key = 'source'`;
  expect(await bench.host.checkEndpoint("source", new AbortController().signal)).toMatchObject({ message: "http://127.0.0.1:1" });
  expect(await storedOf(bench)).toEqual({ config: { url: "http://127.0.0.1:1" }, version: 2 });
  expect((await tracesOf(bench)).map((rows) => rows.length)).toEqual([1, 1]);
  await folder.install("acme", { version: "2.0.0", definition: definition("{ throw new Error('no host') }") });
  await bench.host.connectors.reload();
  await bench.database.sql`update endpoint set config = '{"host": "127.0.0.1"}', config_version = 1 where key = 'source'`;
  await expect(bench.host.checkEndpoint("source", new AbortController().signal)).rejects.toThrow(
    /2\.0\.0 could not bring it to version 2: .*no host/,
  );
});
