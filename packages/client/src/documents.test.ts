import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const schema = at("../../server/schema.graphql");

/** What the tool said, and with which code it ended. */
async function documents(folder: string, ...more: readonly string[]): Promise<{ readonly code: number; readonly said: string }> {
  return run(process.execPath, [at("../tool/quiesce-documents.mjs"), "--schema", schema, "--documents", folder, ...more]).then(
    ({ stdout, stderr }) => ({ code: 0, said: stdout + stderr }),
    (error: { readonly code?: number; readonly stdout?: string; readonly stderr?: string }) => ({
      code: error.code ?? -1,
      said: `${error.stdout ?? ""}${error.stderr ?? ""}`,
    }),
  );
}

describe("quiesce-documents", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "quiesce-documents-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  const write = async (name: string, text: string): Promise<string> => {
    const place = join(folder, name);
    await mkdir(place);
    await writeFile(join(place, "one.graphql"), text);
    return place;
  };

  it.each(["client", "dashboard"])("has written what stands in packages/%s", async (name) => {
    expect(await documents(at(`../../${name}/src`), "--check")).toEqual({ code: 0, said: "" });
  });

  it("writes an operation with its types", async () => {
    const place = await write("good", "query Names($first: Int!) { integrations(first: $first) { nodes { id name } } }");
    expect(await documents(place)).toEqual({ code: 0, said: "" });
    const text = await readFile(join(place, "one.generated.ts"), "utf8");
    expect(text).toContain("export const NamesDocument");
    expect(text).toMatch(/NamesQueryVariables = Exact<\{\s*first: number;/);
    expect(await documents(place, "--check")).toEqual({ code: 0, said: "" });
  });

  it("refuses a field that the schema does not have", async () => {
    const { code, said } = await documents(await write("wrong", "query Wrong { integrations(first: 1) { nodes { id colour } } }"));
    expect(code).not.toBe(0);
    expect(said).toContain('Cannot query field "colour" on type "Integration"');
  });

  it("refuses a thing without its id, and says where", async () => {
    const { code, said } = await documents(
      await write("nameless", "query Nameless {\n  integrations(first: 1) {\n    nodes { name }\n  }\n}"),
    );
    expect(code).toBe(1);
    expect(said).toContain("line 3: select the id of Integration");
  });

  it("with --check says what is out of date and changes nothing", async () => {
    const place = await write("stale", "query Stale { eventCursor }");
    const { code, said } = await documents(place, "--check");
    expect([code, said.includes("Run quiesce-documents")]).toEqual([1, true]);
    await expect(readFile(join(place, "one.generated.ts"), "utf8")).rejects.toThrow("ENOENT");
  });
});
