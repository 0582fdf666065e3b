import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { buildSchema, parse, validate } from "graphql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readWorkspaceText } from "../../packages/server/src/catalog/workspace-text.js";
import { configDescription, readConfig } from "../../packages/server/src/config.js";
import { type Block, blocksOf, linksOf, pages, root } from "./markdown.js";
import { shellCommands } from "./shell-commands.js";

const blocks = pages().flatMap(blocksOf);
const where = (block: Block) => `${block.page}:${block.line}`;
const of = (...languages: readonly string[]) =>
  blocks.filter(({ language }) => languages.includes(language)).map((block) => [where(block), block] as const);
const schema = buildSchema(readFileSync(join(root, "packages/server/schema.graphql"), "utf8"));
const problemsOfDocument = (text: string) => validate(schema, parse(text)).map(({ message }) => message);

describe("the documentation", () => {
  it("is looked at: there are pages, blocks and links", () => {
    expect(pages().length).toBeGreaterThan(10);
    for (const language of ["sh", "graphql", "yaml", "ts", "ini"]) expect(of(language).length, language).toBeGreaterThan(0);
    expect(pages().flatMap(linksOf).length).toBeGreaterThan(20);
  });

  it("says of every block what it is", () => {
    const known = ["sh", "graphql", "yaml", "ts", "ini", "sql", "text", "json"];
    // The reference of the command line is printed by its own test.
    const own = blocks.filter(({ page }) => page !== "docs/reference/cli.md");
    expect(own.filter(({ language }) => !known.includes(language)).map(where)).toEqual([]);
  });

  it.each(pages().map((page) => [page.path, page] as const))("%s links to what exists", (_, page) => {
    expect(linksOf(page).filter(({ problem }) => problem !== undefined)).toEqual([]);
  });
});

describe("ARCHITECTURE.md", () => {
  it("names files and folders that are there", async () => {
    const isSource = (path: string) => /^(?:packages|test)\//.test(path) && !/node_modules|\/dist\//.test(path);
    const files = ["packages", "test"].flatMap((top) =>
      readdirSync(join(root, top), { recursive: true, encoding: "utf8" }).map((path) => `${top}/${path}`),
    );
    // `core/runs/x.ts` is packages/core/src/runs/x.ts; a name without a floor may lie on any.
    const known = files.filter(isSource).map((path) => `/${path.replace(/^packages\//, "").replace("/src/", "/")}`);
    const text = await readFile(join(root, "ARCHITECTURE.md"), "utf8");
    const named = [...text.matchAll(/`(?:packages\/)?([a-z0-9/.-]+\.(?:ts|sql)|[a-z-]+\/|test\/[a-z]+)`/g)].map(([, name = ""]) =>
      name.replace("/src/", "/").replace(/\/$/, ""),
    );
    expect(named.length).toBeGreaterThan(25);
    expect(named.filter((name) => !known.some((path) => path.endsWith(`/${name}`)))).toEqual([]);
  });
});

describe("a block of GraphQL", () => {
  it.each(of("graphql"))("%s fits the schema", (_, block) => expect(problemsOfDocument(block.code)).toEqual([]));

  it("of the example's programs fits the schema too", async () => {
    const texts = await Promise.all(
      ["start", "live-client", "incidents"].map((name) => readFile(join(root, `examples/small-erp/${name}.mjs`), "utf8")),
    );
    const operations = texts.flatMap((text) =>
      [...text.matchAll(/`((?:query|mutation|subscription) [^`]*)`/g)].map(([, operation = ""]) => operation),
    );
    expect(operations.length).toBeGreaterThan(4);
    for (const operation of operations) expect(problemsOfDocument(operation), operation).toEqual([]);
  });
});

describe("a workspace", () => {
  const problemsOf = (text: string) => {
    const read = readWorkspaceText(text, { fileName: "the block" });
    return read.ok ? [] : read.problems;
  };

  it.each(of("yaml"))("%s is valid", (_, block) => expect(problemsOf(block.code)).toEqual([]));

  it("of the example is valid as it lies in its file", async () => {
    expect(problemsOf(await readFile(join(root, "examples/small-erp/workspace.yaml"), "utf8"))).toEqual([]);
  });
});

describe("a block of TypeScript", () => {
  let folder: string;
  beforeAll(async () => {
    // Inside the checkout, so that its packages are found.
    folder = await mkdtemp(join(root, "node_modules/.docs-"));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it("compiles, strictly, as its reader's program would", { timeout: 300_000 }, async () => {
    const names = new Map<string, string>();
    // Those of a tutorial belong together, and are run by its own test.
    for (const [index, [place, block]] of of("ts")
      .filter(([, { tutorial }]) => tutorial === undefined)
      .entries()) {
      names.set(`block-${index}.ts`, place);
      await writeFile(join(folder, `block-${index}.ts`), block.code);
    }
    const compilerOptions = {
      noEmit: true,
      composite: false,
      declaration: false,
      sourceMap: false,
      lib: ["ES2023", "DOM", "DOM.Iterable"],
      types: [],
    };
    await writeFile(
      join(folder, "tsconfig.json"),
      JSON.stringify({ extends: join(root, "tsconfig.base.json"), compilerOptions, include: ["*.ts"] }),
    );
    await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module" }));
    const { stdout } = spawnSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-p", folder, "--pretty", "false"], {
      encoding: "utf8",
      cwd: folder,
    });
    expect(stdout.replace(/block-\d+\.ts/g, (name) => names.get(name) ?? name)).toBe("");
  });
});

describe("a block of shell", () => {
  it.each(of("sh"))("%s is shell", (_, block) => {
    expect(spawnSync("bash", ["-n"], { input: block.code, encoding: "utf8" }).stderr).toBe("");
  });

  const scripts = Object.keys((JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: object }).scripts);
  const projects = [...readFileSync(join(root, "vitest.config.ts"), "utf8").matchAll(/name: "([a-z]+)"/g)].map(([, name]) => name);
  /** What is wrong with a command of ours that is not `quiesce`; those have a test of their own. */
  const problemOf = (words: readonly string[]): string | undefined => {
    const [program = "", first = "", ...rest] = words;
    if (program === "npm") {
      const script = first === "run" ? (rest[0] ?? "") : first;
      return scripts.includes(script) ? undefined : `package.json has no script "${script}"`;
    }
    if (program === "npx" && first === "vitest")
      return projects.includes(rest.at(-1) ?? "") ? undefined : `vitest.config.ts has no project "${rest.at(-1)}"`;
    if (program.startsWith("test/")) return existsSync(join(root, program)) ? undefined : `there is no ${program}`;
    return undefined;
  };

  const inCheckout = of("sh").filter(([, { tutorial }]) => tutorial === undefined);
  it.each(inCheckout)("%s names scripts, projects and files that exist", (_, block) => {
    expect(shellCommands(block.code).flatMap(({ words }) => problemOf(words) ?? [])).toEqual([]);
  });

  it("in a table of CONTRIBUTING.md names projects and files that exist", async () => {
    const cells = [...(await readFile(join(root, "CONTRIBUTING.md"), "utf8")).matchAll(/`((?:npx vitest|test\/)[^`]*)`/g)].map(
      ([, command = ""]) => command,
    );
    expect(cells.length).toBeGreaterThan(8);
    expect(cells.flatMap((cell) => shellCommands(cell).flatMap(({ words }) => problemOf(words) ?? []))).toEqual([]);
  });
});

describe("the table of settings in docs/operations.md", () => {
  it("lists every setting with its default and its description, and no other", async () => {
    const rows = (await readFile(join(root, "docs/operations.md"), "utf8")).matchAll(/^\| `([A-Z_]+)` \| (?:`([^`]*)`)? ?\| (.*) \|$/gm);
    const listed = [...rows].map(([, name, fallback, description]) => ({ name, description, default: fallback ?? null }));
    // Its default depends on whose server it is.
    expect(readConfig({}).dataDir).toBe(join(homedir(), ".quiesce"));
    const expected = configDescription().map((setting) =>
      setting.name === "QUIESCE_DATA_DIR" ? { ...setting, default: "~/.quiesce" } : setting,
    );
    expect(listed).toEqual(expected);
  });
});

describe("the README's path for strangers", () => {
  it("has the steps that test/stranger/run.sh takes, in order, each a block of shell", () => {
    const steps = blocks.filter(({ step }) => step !== undefined);
    expect(steps.map(({ step }) => step)).toEqual(["clone", "start", "runs", "held", "unfailed", "resumed", "yours", "outage", "incident"]);
    expect(steps.map(({ language, page }) => `${page} ${language}`)).toEqual(steps.map(() => "README.md sh"));
  });
});
