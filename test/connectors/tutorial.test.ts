import { spawn, type ChildProcess } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freshDatabase, type FreshDatabase } from "../database/fresh-database.js";
import { type Block, blocksOf, pages } from "../docs/markdown.js";
import { freePort } from "../lifecycle/free-port.js";
import { packLocally, root, run, STEP_MS } from "./local-packages.js";

const PAGE = "docs/tutorial-connector.md";
const LONGEST_MS = 30 * 60_000;
const LOOK_EVERY_MS = 200;
/** Ports of the page, which other tests of this machine may have at the same time. */
const PORTS = ["4710", "4000"] as const;

let folder: string;
let database: FreshDatabase;
let tarballs: ReadonlyMap<string, string>;
const ports = new Map<string, string>();
const started: { readonly child: ChildProcess; readonly output: () => string }[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "quiesce-tutorial-"));
  database = await freshDatabase();
  for (const port of PORTS) ports.set(port, String(await freePort()));
  tarballs = await packLocally(folder);
  await mkdir(join(folder, "bin"));
  await writeFile(
    join(folder, "bin/quiesce"),
    `#!/bin/sh\nexec "${process.execPath}" "${join(root, "packages/server/bin/quiesce.js")}" "$@"\n`,
  );
  await chmod(join(folder, "bin/quiesce"), 0o755);
}, STEP_MS);
afterAll(async () => {
  for (const { child } of started) await ended(child);
  await rm(folder, { recursive: true, force: true });
  await database?.drop();
}, STEP_MS);

function environment(): { readonly [name: string]: string } {
  const port = ports.get("4000") ?? "";
  return {
    PATH: [join(folder, "bin"), process.env["PATH"] ?? ""].join(delimiter),
    DATABASE_URL: database.url,
    QUIESCE_DATA_DIR: join(folder, "data"),
    QUIESCE_URL: `http://127.0.0.1:${port}`,
    QUIESCE_TOKEN: "",
    PORT: port,
    TMPDIR: tmpdir(),
  };
}

/** What is on npm's registry for the reader lies in this checkout: each of these replacements must be needed. */
const REPLACED: readonly { readonly from: string; readonly to: () => string; used?: true }[] = [
  { from: "npm create @quiesce/connector parcels", to: () => `node "${join(root, "packages/create-connector/dist/main.js")}" parcels` },
  { from: "\nnpm install\n", to: () => `\nnpm install --no-save ${[...tarballs.values()].join(" ")}\n` },
  {
    from: "npm run verify",
    to: () => `npx quiesce-connector verify --with "${tarballs.get("@quiesce/sdk")}" --with "${tarballs.get("zod")}"`,
  },
  {
    from: "npm install --save-exact ../parcels/",
    to: () => `npm install --no-save ${tarballs.get("@quiesce/sdk")} ${tarballs.get("zod")} ../parcels/`,
  },
  { from: "/srv/parcels", to: () => join(folder, "server/out") },
];

function asHere(code: string): string {
  let text = `\n${code}\n`;
  for (const one of REPLACED)
    if (text.includes(one.from)) {
      text = text.replace(one.from, one.to());
      one.used = true;
    }
  for (const [from, to] of ports) text = text.replaceAll(from, to);
  return text.slice(1);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once("exit", resolve));
  // Its shell, and what that has started.
  process.kill(-child.pid, "SIGTERM");
  await exit;
}

async function start(block: Block, cwd: string, url: string): Promise<void> {
  const child = spawn("bash", ["-euc", asHere(block.code)], {
    cwd,
    env: { ...process.env, ...environment() },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => void (said = (said + chunk.toString()).slice(-4_000)));
  started.push({ child, output: () => said });
  const until = Date.now() + STEP_MS;
  // Any answer is one: the parcel service refuses who shows no token.
  while ((await fetch(asHere(url).trim()).catch(() => undefined)) === undefined) {
    if (child.exitCode !== null || Date.now() > until) throw new Error(`${place(block)} does not serve at ${url}:\n${said}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

const place = ({ page, line }: Block): string => `${page}:${line}`;

/** Runs a block of shell; gives what it printed. Rejects unless it ends as the page says. */
async function shell(
  block: Block,
  how: { readonly cwd: string; readonly fails: boolean; readonly until: string | undefined },
): Promise<string> {
  const end = Date.now() + STEP_MS;
  for (;;) {
    const { code, output } = await run("bash", ["-euc", asHere(block.code)], how.cwd, environment());
    expect(code !== 0, `${place(block)} ended with ${code}:\n${output}`).toBe(how.fails);
    if (how.until === undefined || output.includes(how.until)) return output;
    if (Date.now() > end) throw new Error(`${place(block)} does not print "${how.until}":\n${output}\n${started.at(-1)?.output() ?? ""}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

describe(PAGE, () => {
  const blocks = pages()
    .filter(({ path }) => path === PAGE)
    .flatMap(blocksOf);

  test("says of each block what is done with it", () => {
    expect(blocks.length).toBeGreaterThan(20);
    expect(blocks.filter(({ tutorial }) => tutorial === undefined).map(place)).toEqual([]);
  });

  test(
    "leads from an empty folder to a connector that runs in a server, when every block is taken as it stands",
    { timeout: LONGEST_MS },
    async () => {
      let printed = "";
      for (const block of blocks) {
        const [, running, where = "", until, fails] =
          /^(run|start) in ([a-z.]+?)(?:(?:,)? until (\S+))?(, which fails)?$/.exec(block.tutorial ?? "") ?? [];
        if (running === "start") await start(block, join(folder, where), until ?? "");
        else if (running === "run") printed = await shell(block, { cwd: join(folder, where), fails: fails !== undefined, until });
        else if (block.tutorial === "prints") {
          for (const line of block.code.split("\n")) expect(printed, `${place(block)}: ${line}`).toContain(line);
        } else {
          const path = join(folder, block.tutorial ?? "");
          await mkdir(dirname(path), { recursive: true });
          await writeFile(path, asHere(block.code));
        }
      }
      expect(REPLACED.filter(({ used }) => used !== true).map(({ from }) => from)).toEqual([]);
      const archived = (await readFile(join(folder, "server/out/parcels.jsonl"), "utf8")).trim().split("\n");
      expect(archived).toHaveLength(250);
      expect(archived.map((line): unknown => JSON.parse(line))).toContainEqual({ id: "p250", grams: 250 });
    },
  );
});
