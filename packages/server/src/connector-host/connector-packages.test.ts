import { chmod, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Connector, defineConnector, isConnector, z } from "@quiesce/sdk";
import pino from "pino";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type PackageContent, type PackageFolder, packageFolder } from "../../../../test/server/connector-packages.js";
import { apiAdapters } from "./api-adapters.js";
import { type ConnectorRegistry, createConnectorRegistry, type PackageOptions } from "./connector-registry.js";
import { packageDigest } from "./packages/package-digest.js";

let folder: PackageFolder;
let registry: ConnectorRegistry;
const log = pino({ level: "silent" });
const bundled = defineConnector({
  apiVersion: 1,
  id: "bundled",
  version: "1.0.0",
  displayName: "Bundled",
  stability: "stable",
  config: z.object({}),
  secrets: z.object({}),
  egress: () => [],
  check: async () => ({ status: "up" }),
});

beforeEach(async () => {
  folder = await packageFolder();
  registry = open();
});
afterEach(async () => {
  await registry.close();
  await folder.remove();
});

const open = (more: Partial<PackageOptions> = {}): ConnectorRegistry =>
  createConnectorRegistry({ bundled: [bundled], packages: { ...folder.options, ...more }, log });
const listed = (name: string) => registry.listings().find((one) => one.name === name);
const reasonOf = async (name: string): Promise<string> => {
  await registry.reload();
  return listed(name)?.reason ?? "no reason";
};

describe("a package on the list", () => {
  it("is loaded in a worker, with what it says of itself", async () => {
    await folder.install("@acme/quiesce-connector-erp", { id: "acme-erp", version: "2.1.0" });
    await folder.list({ package: "@acme/quiesce-connector-erp" });
    expect(await registry.reload()).toEqual({ added: ["acme-erp"], changed: [], removed: [], failed: [] });
    expect(listed("acme-erp")).toMatchObject({
      id: "acme-erp",
      package: "@acme/quiesce-connector-erp",
      version: "2.1.0",
      stability: "beta",
      isolation: "worker",
      state: "loaded",
      reason: null,
      manifest: { facets: ["check"], config: { type: "object" } },
    });
    expect(listed("bundled")).toMatchObject({ package: null, isolation: "inline", state: "loaded" });
  });

  it("stands beside another version of itself under an alias", async () => {
    await folder.install("erp", { version: "1.4.0" });
    await folder.install("erp-next", { id: "erp", version: "2.0.0", manifest: { name: "erp" } });
    await folder.list({ package: "erp" }, { package: "erp-next", alias: "erp-next" });
    await registry.reload();
    expect([listed("erp")?.version, listed("erp-next")?.version, listed("erp-next")?.id]).toEqual(["1.4.0", "2.0.0", "erp"]);
  });

  it("is refused in words when its name is taken, and the others are loaded all the same", async () => {
    await folder.install("bundled", {});
    await folder.install("good", {});
    await folder.list({ package: "bundled", alias: "bundled" }, { package: "good" });
    expect(await registry.reload()).toMatchObject({ added: ["good"], failed: ["bundled"] });
    expect(registry.listings().filter(({ name }) => name === "bundled")[1]).toMatchObject({
      state: "failed",
      reason: expect.stringContaining('the name "bundled" is taken. Give it another one'),
    });
    expect(registry.find("bundled")?.package).toBeNull();
  });

  it.each([
    ["that is not installed", undefined, "it is not installed for"],
    ["without a manifest", { manifest: { quiesce: undefined } }, 'package.json has no "quiesce" member'],
    ["of a newer contract", { quiesce: { apiVersion: 2 } }, "upgrade the server, or install an older version of the connector"],
    ["whose entry is not there", { quiesce: { entry: "./dist/other.js" } }, "names ./dist/other.js, which is not there"],
    ["whose entry leads out", { quiesce: { entry: "./../../x.js" } }, 'expected a path inside the package such as "./dist/index.js"'],
    ["whose definition has another id", { quiesce: { id: "other" } }, 'says quiesce.id "other", its definition "acme"'],
    ["whose definition has other facets", { facets: ["check", "read"] }, "says quiesce.facets check, read; its definition has check"],
    ["that exports nothing", { module: "export const nothing = 1;" }, "does not export as default what defineConnector gave"],
    ["that throws at import", { module: 'throw new Error("no licence file");' }, "no licence file"],
    ["that does not parse", { module: "export default {" }, "Unexpected"],
    ["that ends its process at import", { module: "process.exit(3);" }, "it ended by itself with code 3"],
  ] as readonly (readonly [string, PackageContent | undefined, string])[])(
    "%s is listed as failed with the reason",
    async (_what, content, reason) => {
      if (content !== undefined) await folder.install("acme", content);
      await folder.list({ package: "acme", alias: "acme" });
      expect(await reasonOf("acme")).toContain(reason);
      expect(listed("acme")?.state).toBe("failed");
      expect(registry.find("acme")).toBeUndefined();
      expect(registry.whyNot("acme")).toContain(reason);
    },
  );

  it("runs none of its code when its package.json is refused", async () => {
    const marker = join(folder.listPath, "..", "ran");
    await folder.install("acme", {
      quiesce: { apiVersion: 2 },
      module: `import { writeFileSync } from "node:fs"; writeFileSync(${JSON.stringify(marker)}, "");`,
    });
    await folder.list({ package: "acme", isolation: "inline" });
    await registry.reload();
    await expect(rm(marker)).rejects.toThrow(/ENOENT/);
  });

  it("may be a folder beside the list", async () => {
    await folder.install("acme", {});
    await folder.list({ package: "./node_modules/acme" });
    await registry.reload();
    expect(listed("acme")?.state).toBe("loaded");
  });
});

describe("the integrity of a package", () => {
  it("is that of its files, and one changed byte refuses it before it runs", async () => {
    const place = await folder.install("acme", {});
    const integrity = await packageDigest(place);
    await folder.list({ package: "acme", integrity });
    await registry.reload();
    expect(listed("acme")?.state).toBe("loaded");
    await writeFile(join(place, "dist", "extra.js"), "//");
    await registry.close();
    registry = open();
    expect(await reasonOf("acme")).toContain(`Found ${await packageDigest(place)}, expected ${integrity}`);
  });
});

describe("the list", () => {
  it.each([
    ["{", "it is no JSON"],
    ['{"connectors":[{"package":"x","isolatoin":"worker"}]}', "isolatoin"],
    ['{"connectors":[{"package":"x","integrity":"sha1-abc"}]}', "Expected sha512-"],
    ['{"connectors":[{"package":"a b"}]}', "Expected a package's name"],
  ])("%s is refused whole, and what was loaded stays", async (text, reason) => {
    await folder.install("acme", {});
    await folder.list({ package: "acme" });
    await registry.reload();
    await writeFile(folder.listPath, text);
    await expect(registry.reload()).rejects.toMatchObject({ code: "QSC_CONNECTOR_LIST", message: expect.stringContaining(reason) });
    expect(listed("acme")?.state).toBe("loaded");
  });

  it("that everybody may write is refused", async () => {
    await folder.list();
    await chmod(folder.listPath, 0o666);
    await expect(registry.reload()).rejects.toThrow(/everybody may write it, and what it lists is run/);
  });

  it("need not be there unless somebody named it", async () => {
    await expect(registry.reload()).rejects.toThrow(/there is no such file/);
    const unnamed = open({ list: { path: folder.listPath, required: false } });
    expect(await unnamed.reload()).toEqual({ added: [], changed: [], removed: [], failed: [] });
    await unnamed.close();
  });
});

describe("a reload", () => {
  it("adds, changes and removes, leaves the rest alone, and lets a removed one end its calls", async () => {
    await folder.install("stays", {});
    await folder.install("goes", {});
    await folder.install("changes", { version: "1.0.0" });
    await folder.list({ package: "stays" }, { package: "goes" }, { package: "changes" });
    await registry.reload();
    const stays = registry.find("stays");
    const goes = registry.find("goes");
    if (goes === undefined) throw new Error("not loaded");
    const release = registry.hold(goes);
    await folder.install("changes", { version: "1.1.0" });
    await folder.install("comes", {});
    await folder.list({ package: "stays" }, { package: "changes" }, { package: "comes" });
    expect(await registry.reload()).toEqual({ added: ["comes"], changed: ["changes"], removed: ["goes"], failed: [] });
    expect(registry.find("stays")).toBe(stays);
    expect(listed("changes")?.version).toBe("1.1.0");
    expect(registry.find("goes")).toBeUndefined();
    // Longer than the look for what has nothing to do any more.
    await sleep(600);
    expect(listed("goes")?.state).toBe("draining");
    // Its code still answers those who hold it.
    expect(await goes.factsOf({ config: {}, secrets: {}, streams: [] })).toMatchObject({ origins: ["http://127.0.0.1:9"] });
    release();
    await expect.poll(() => listed("goes")).toBeUndefined();
    await expect(goes.factsOf({ config: {}, secrets: {}, streams: [] })).rejects.toMatchObject({ kind: "transient" });
  });

  it("loads a failed package again when it was mended", async () => {
    await folder.install("acme", { module: 'throw new Error("broken");' });
    await folder.list({ package: "acme" });
    expect(await reasonOf("acme")).toContain("broken");
    await folder.install("acme", {});
    expect(await registry.reload()).toMatchObject({ added: ["acme"], failed: [] });
  });
});

describe("the table of contract versions", () => {
  it("lets a package of the version before in, through its adapter", async () => {
    const old = (exported: unknown): Connector | undefined => {
      const found = exported as { readonly ping?: () => string };
      if (found.ping === undefined) return undefined;
      const { ping } = found;
      return { ...bundled, id: "acme", check: async () => ({ status: ping() === "pong" ? "up" : "down" }) };
    };
    await folder.install("acme", { quiesce: { apiVersion: 0 }, module: 'export default { ping: () => "pong" };' });
    await folder.list({ package: "acme", isolation: "inline" });
    expect(await reasonOf("acme")).toContain("the connector is too old for this server");
    await registry.close();
    registry = open({ adapters: { ...apiAdapters, 0: old } });
    await registry.reload();
    expect(listed("acme")).toMatchObject({ state: "loaded", reason: null });
    expect(isConnector(bundled)).toBe(true);
  });
});

it("the built server finds the beginning of its workers by itself", async () => {
  const built: { createConnectorRegistry: typeof createConnectorRegistry } = await import(
    new URL("../../dist/connector-host/connector-registry.js", import.meta.url).href
  );
  await folder.install("acme", {});
  await folder.list({ package: "acme" });
  const own = built.createConnectorRegistry({ bundled: [], packages: { list: folder.options.list }, log });
  expect(await own.reload()).toMatchObject({ added: ["acme"], failed: [] });
  await own.close();
});
