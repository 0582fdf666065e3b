import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { memorySource } from "../../../../../test/pipeline/memory-source.js";
import { memoryTarget } from "../../../../../test/pipeline/memory-target.js";
import { type CommandLineServer, commandLineServer } from "../../../../../test/server/command-line.js";

const source = memorySource();
const target = memoryTarget();
let server: CommandLineServer;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "quiesce-integration-"));
  server = await commandLineServer({ name: "integrations", connectors: [source.connector, target.connector] });
  for (let index = 1; index <= 5; index += 1) source.put(`k${index}`, { name: `n${index}` });
  await apply("{ name: { from: name } }");
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

async function file(name: string, text: string): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

async function apply(fields: string): Promise<void> {
  const path = await file(
    "workspace.yaml",
    `quiesce: 1
systems: [{ key: erp }, { key: shop }]
endpoints:
  - { key: from-erp, system: erp, connector: memory-source }
  - { key: to-shop, system: shop, connector: memory-target }
integrations:
  - key: items
    source: from-erp
    target: to-shop
    streams: [{ stream: items, mapping: { fields: ${fields} } }]
jobs: [{ key: items-sync, integration: items }]
`,
  );
  expect(await server.quiesce("apply", "-f", path)).toMatchObject({ code: 0, err: "" });
}

describe("quiesce mapping preview", () => {
  it("maps records of a file, and says what does not fit with exit code 1", async () => {
    const mapping = await file("mapping.yaml", "fields: { name: { expression: $uppercase(name) } }\nwhen: $key != 'c'\n");
    const records = await file(
      "records.jsonl",
      '{"key":"a","data":{"name":"ada"}}\n{"key":"b","data":{"name":7}}\n{"key":"c","data":{}}\n',
    );
    const { code, out } = await server.quiesce("mapping", "preview", "-m", mapping, "--records", records);
    expect(code).toBe(1);
    expect(out).toContain('mapped  a -> a  {"name":"ADA"}');
    expect(out).toMatch(/does not fit {2}b {2}name: found .*\(character 11\)/);
    expect(out).toContain("passed over  c");
  });

  it("takes the mapping of an integration, and says when it has no letters to try", async () => {
    expect(await server.quiesce("mapping", "preview", "-i", "items")).toMatchObject({
      code: 0,
      err: expect.stringContaining("No records"),
    });
    expect(await server.quiesce("mapping", "preview", "-i", "nothing")).toMatchObject({
      code: 1,
      err: expect.stringContaining("QSC_MAPPING_NOT_FOUND"),
    });
  });
});

describe("quiesce integration", () => {
  it("tries another mapping on a sample and shows which records differ", async () => {
    const mapping = await file("mapping.yaml", "fields: { name: { expression: name & '!' } }\n");
    const said = await server.quiesce(
      "integration",
      "try",
      "items",
      "-m",
      mapping,
      "--stream",
      "items",
      "--records",
      "3",
      "--wait",
      "-r",
      "louder",
    );
    expect(said).toMatchObject({ code: 0 });
    expect(said.out).toContain("3 records, 0 the same, 3 different, 0 do not fit");
    expect(said.out).toContain('data.name: "n1" -> "n1!"');
    expect(target.rows.size).toBe(0);
  });

  it("lets a canary go, which is promoted by itself, and rolls it back in one call", async () => {
    const mapping = await file("mapping.yaml", "fields: { name: { expression: name & '!' } }\n");
    const begun = await server.quiesce(
      "integration",
      "try",
      "items",
      "--as",
      "canary",
      "--percent",
      "100",
      "--records",
      "5",
      "-m",
      mapping,
      "--stream",
      "items",
      "-r",
      "louder",
      "--json",
    );
    const { key } = JSON.parse(begun.out) as { readonly key: string };
    expect((await server.quiesce("integration", "trial", key)).out).toContain("running");
    expect((await server.quiesce("run", "items-sync", "-r", "now")).code).toBe(0);
    await expect.poll(async () => (await server.quiesce("integration", "trial", key)).out, { timeout: 60_000 }).toContain("promoted");
    await server.atRest();
    expect(target.rows.get("k1")).toEqual({ name: "n1!" });
    const versions = await server.quiesce("integration", "versions", "items");
    expect(versions.out).toMatch(/^ +2 .*promotion +Canary/m);
    expect((await server.quiesce("integration", "diff", "items", "1", "2")).out).toContain(
      "streams[0].mapping.fields.name.expression: (none) -> name & '!'",
    );
    const back = await server.quiesce("integration", "rollback", "items", "1", "-r", "too loud");
    expect(back).toMatchObject({ code: 0, out: expect.stringContaining("1 changed") });
    expect((await server.quiesce("integration", "versions", "items", "-n", "1")).out).toMatch(/^ +3 .*rollback to 1 +too loud/m);
    expect(await server.quiesce("integration", "rollback", "items", "1", "-r", "again")).toMatchObject({
      code: 0,
      err: expect.stringContaining("is in force"),
    });
  });

  it("tries the integration as a workspace has it, and refuses a file without it", async () => {
    const fields =
      "streams: [{ stream: items, mapping: { fields: { name: { from: name } } } }, { stream: parts, mapping: { fields: { name: { from: name } } } }]";
    const workspace = await file(
      "wanted.yaml",
      `quiesce: 1\nintegrations: [{ key: items, source: from-erp, target: to-shop, ${fields} }]\n`,
    );
    const said = await server.quiesce("integration", "try", "items", "-d", workspace, "--wait", "-r", "one more stream");
    expect(said).toMatchObject({ code: 0, out: expect.stringContaining("5 records, 0 the same, 5 different, 0 do not fit") });
    expect(said.out).toContain("parts/k1  skipped -> mapped");
    const none = await file("none.yaml", "quiesce: 1\nintegrations: []\n");
    expect(await server.quiesce("integration", "try", "items", "-d", none, "-r", "r")).toMatchObject({
      code: 2,
      err: expect.stringContaining('has no integration "items"'),
    });
  });

  it("ends a trial before its time, and lists what was tried", async () => {
    const begun = await server.quiesce("integration", "try", "items", "--as", "shadow", "--of-version", "2", "-r", "compare", "--json");
    const { key } = JSON.parse(begun.out) as { readonly key: string };
    expect((await server.quiesce("integration", "cancel-trial", key, "-r", "enough")).code).toBe(0);
    expect(await server.quiesce("integration", "trial", key)).toMatchObject({ code: 1, out: expect.stringContaining("cancelled") });
    const { out } = await server.quiesce("integration", "trials", "items");
    expect(
      out
        .split("\n")
        .slice(1, 4)
        .map((line) => line.trim().split(/ +/)[1]),
    ).toEqual(["shadow", "dry-run", "canary"]);
  });

  it("follows one record through all of it", async () => {
    const traced = await server.quiesce("trace", "k1");
    expect(traced.code).toBe(0);
    expect(traced.out).toMatch(/items +items\/k1 +read/);
    expect(traced.out).toMatch(/items +items\/k1 +written/);
    expect(await server.quiesce("trace", "nothing")).toMatchObject({ code: 1, err: expect.stringContaining("QSC_TRACE_UNKNOWN") });
  });

  it("refuses what makes no sense", async () => {
    expect(await server.quiesce("integration", "versions", "nothing")).toMatchObject({
      code: 1,
      err: expect.stringContaining("There is no integration"),
    });
    expect(await server.quiesce("integration", "try", "items", "-m", "x.yaml", "-r", "r")).toMatchObject({
      code: 2,
      err: expect.stringContaining("--stream"),
    });
    expect(await server.quiesce("integration", "rollback", "items", "77", "-r", "r")).toMatchObject({
      code: 1,
      err: expect.stringContaining("There are 1 to 3"),
    });
  });
});
