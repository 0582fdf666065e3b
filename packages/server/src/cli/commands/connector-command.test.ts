import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { memoryTarget } from "../../../../../test/pipeline/memory-target.js";
import { type CommandLineServer, commandLineServer } from "../../../../../test/server/command-line.js";
import { type PackageFolder, packageFolder } from "../../../../../test/server/connector-packages.js";

// The commands against a whole server, with packages beside its list.
let folder: PackageFolder;
let server: CommandLineServer;
let place: string;
const quiesce = (...args: readonly string[]) => server.quiesce(...args);
const eventually = { timeout: 60_000, interval: 100 };

beforeAll(async () => {
  folder = await packageFolder();
  place = await folder.install("@acme/quiesce-connector-erp", { id: "acme-erp", version: "2.1.0" });
  await folder.list({ package: "@acme/quiesce-connector-erp" });
  server = await commandLineServer({ name: "connectors", connectors: [memoryTarget().connector], packages: folder.options });
});
afterAll(async () => {
  await server?.close();
  await folder?.remove();
});

it("connectors are listed, and a package that is mended or broken on the disk is seen by a reload", async () => {
  const list = await quiesce("connector", "list");
  expect(list.out).toMatch(/acme-erp +2\.1\.0 +@acme\/quiesce-connector-erp +worker +loaded +check/);
  expect(list.out).toMatch(/memory-target +1\.0\.0 +\(comes with Quiesce\) +inline +loaded +write/);
  expect(list.code).toBe(0);
  expect((await quiesce("connector", "reload", "--reason", "to see")).out).toContain("Nothing has changed.");
  await folder.install("@acme/quiesce-connector-erp", { id: "acme-erp", version: "2.2.0" });
  expect((await quiesce("connector", "reload", "--reason", "2.2.0 is out")).out).toMatch(/^changed acme-erp\.\n[^]*acme-erp +2\.2\.0/);
  await folder.install("@acme/quiesce-connector-erp", { id: "acme-erp", version: "2.3.0", module: 'throw new Error("no licence file");' });
  const broken = await quiesce("connector", "reload");
  expect(broken).toMatchObject({ code: 1, out: expect.stringContaining("no licence file") });
  expect(await quiesce("connector", "list")).toMatchObject({ code: 1, out: expect.stringContaining("failed") });
  const doctor = await quiesce("doctor");
  expect(doctor.out + doctor.err).toContain("Not loaded: acme-erp. See why: quiesce connector list");
  expect((await quiesce("audit", "list", "--json")).out).toContain("connector.reload");
});

it("a list that is written anew is read without being asked", async () => {
  await folder.install("plain", {});
  await folder.list({ package: "plain" });
  const names = async () => (JSON.parse((await quiesce("connector", "list", "--json")).out) as { name: string }[]).map(({ name }) => name);
  await expect.poll(names, eventually).toEqual(["memory-target", "plain"]);
});

it("an endpoint may use a package, and one that is not there is refused by name when the workspace is applied", async () => {
  const { writeFile } = await import("node:fs/promises");
  const file = join(server.folder, "workspace.json");
  const workspace = (connector: string) =>
    JSON.stringify({
      quiesce: 1,
      systems: [{ key: "erp" }],
      endpoints: [{ key: "erp-in", system: "erp", connector, config: { mode: "x" } }],
    });
  await writeFile(file, workspace("plain"));
  expect(await quiesce("apply", "-f", file, "--yes", "--reason", "test")).toMatchObject({ code: 0 });
  await writeFile(file, workspace("plian"));
  expect(await quiesce("apply", "-f", file, "--yes", "--reason", "test")).toMatchObject({
    code: 1,
    err: expect.stringMatching(/There is no connector "plian"[^]*Did you mean "plain"\?/),
  });
});

it("the integrity of a package is printed for the list", async () => {
  expect((await quiesce("connector", "integrity", place)).out).toMatch(/^sha512-[A-Za-z0-9+/]{86}==\n$/);
  expect(await quiesce("connector", "integrity", join(place, "nowhere"))).toMatchObject({ code: 1 });
});
