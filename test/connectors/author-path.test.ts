import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startFaultServer, type FaultServer } from "@quiesce/sdk/testing";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { good, packLocally, root, run, STEP_MS, type Ran } from "./local-packages.js";

let folder: string;
let project: string;
let tarballs: ReadonlyMap<string, string>;

const tool = (...argv: readonly string[]): Promise<Ran> => run(join(project, "node_modules/.bin/quiesce-connector"), argv, project);
const verify = (): Promise<Ran> => tool("verify", ...["@quiesce/sdk", "zod"].flatMap((name) => ["--with", tarballs.get(name) ?? ""]));
async function edit(path: string, from: string, to: string): Promise<() => Promise<void>> {
  const before = await readFile(join(project, path), "utf8");
  expect(before).toContain(from);
  await writeFile(join(project, path), before.replace(from, to));
  return () => writeFile(join(project, path), before);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "quiesce-author-"));
  project = join(folder, "my-thing");
  tarballs = await packLocally(folder);
  await good(process.execPath, [join(root, "packages/create-connector/dist/main.js"), "my-thing"], folder);
  await good("npm", ["install", "--no-save", ...tarballs.values()], project);
}, STEP_MS);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("a connector that was begun a minute ago", () => {
  test("passes the conformance kit under node:test", { timeout: STEP_MS }, async () => {
    const output = await good("npm", ["test"], project);
    expect(output).toContain("my-thing conforms in read");
    expect(output).toMatch(/\bpass \d{2,}/u);
    expect(output).toMatch(/\bfail 0\b/u);
  });

  test("is verified: built, tested, packed, installed alone, compared; with a report", { timeout: STEP_MS }, async () => {
    const { code, output } = await verify();
    expect(code, output).toBe(0);
    const report: unknown = JSON.parse(await readFile(join(project, "quiesce-report.json"), "utf8"));
    expect(report).toMatchObject({
      package: "quiesce-connector-my-thing",
      version: "0.1.0",
      quiesce: { id: "my-thing", facets: ["check", "streams", "read"] },
      tarball: { sha256: expect.stringMatching(/^[0-9a-f]{64}$/u) },
      steps: ["build", "conformance", "pack", "install", "manifest"].map((name) => ({ name, ok: true })),
    });
  });

  test("that says something else of itself than its code is not verified", { timeout: STEP_MS }, async () => {
    const undo = await edit("package.json", '"stability": "experimental"', '"stability": "stable"');
    const { code, output } = await verify();
    await undo();
    expect(code).toBe(1);
    expect(output).toContain('quiesce.stability: package.json says "stable", the connector "experimental"');
    expect(JSON.parse(await readFile(join(project, "quiesce-report.json"), "utf8"))).toMatchObject({
      steps: [{}, {}, {}, {}, { name: "manifest", ok: false }],
    });
  });

  test("that loses records is not verified", { timeout: STEP_MS }, async () => {
    const undo = await edit("src/index.ts", "afterId: id,", 'afterId: "0",');
    const { code, output } = await verify();
    await undo();
    expect(code).toBe(1);
    expect(output).toContain("FAIL  conformance");
  });
});

describe("the author's tool against a system", () => {
  let system: FaultServer;
  beforeAll(async () => {
    system = await startFaultServer(({ url, headers }) => {
      if (headers.authorization !== "Bearer s3cret-token") return { status: 401 };
      if (url.pathname === "/health") return { json: { version: "7" } };
      return { json: { items: [{ id: "1", changedAt: "2026-11-20T08:00:00Z", name: "holds s3cret-token" }], more: false } };
    });
    const settings = { config: { url: system.url }, secrets: { token: "s3cret-token" } };
    await writeFile(join(project, "quiesce.dev.json"), JSON.stringify(settings));
    await good("npm", ["run", "build"], project);
  }, STEP_MS);
  afterAll(() => system.stop());

  test("tells how it is, what there is to read, and what was asked", async () => {
    const check = await tool("dev", "check");
    expect(check.output).toContain('"version": "7"');
    expect(check.output).toContain(`GET ${system.url}/health`);
    expect((await tool("dev", "streams")).output).toContain("items  key id  cursor incremental  deletes none");
    const read = await tool("dev", "read", "items");
    expect(read.output).toContain("+ 1  ");
    expect(read.output).not.toContain("s3cret");
  });

  test("saves answers with the secrets masked", async () => {
    expect((await tool("record", "read", "--out", "fixtures")).code).toBe(0);
    const [name = ""] = await readdir(join(project, "fixtures"));
    expect(name).toBe("01-GET-items.json");
    const text = await readFile(join(project, "fixtures", name), "utf8");
    expect(JSON.parse(text)).toMatchObject({ method: "GET", status: 200, body: expect.stringContaining("holds •••") });
    expect(text).not.toContain("s3cret");
  });

  test("says what is missing, and what to do", async () => {
    expect(await tool("dev", "write")).toMatchObject({
      code: 1,
      output: expect.stringContaining('found "write", expected one of check, streams, read'),
    });
    const absent = await tool("dev", "check", "--settings", "none.json");
    expect(absent).toMatchObject({
      code: 1,
      output: expect.stringMatching(/none\.json cannot be read \(ENOENT\)\. Write one: \{ "config"/u),
    });
    await writeFile(join(project, "wrong.json"), JSON.stringify({ config: { url: system.url }, secrets: { token: "wrong" } }));
    expect(await tool("dev", "check", "--settings", "wrong.json")).toMatchObject({
      code: 1,
      output: expect.stringContaining("auth: GET /health was answered with 401"),
    });
    expect((await tool()).code).toBe(2);
  });
});
