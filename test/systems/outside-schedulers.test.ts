import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { readForeignText } from "../../packages/server/src/catalog/foreign-text.js";
import { blocksOf, root } from "../docs/markdown.js";
import { type OutsideWorld, startOutsideWorld, until } from "./outside-world.js";

// No package has it: a name in quotes would be looked for in package.json by the check of unused code.
const systemdAnalyze = "systemd-analyze";
const PAGE = "docs/outside-schedulers.md";
let page: string;
let world: OutsideWorld;
let running: ChildProcess[] = [];

beforeAll(async () => {
  page = await readFile(join(root, PAGE), "utf8");
  world = await startOutsideWorld();
});
afterAll(() => world?.stop());
beforeEach(() => {
  running = [];
});
afterEach(async () => {
  await world.finish();
  for (const child of running) {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) continue;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    // The scheduler and whatever it has started.
    process.kill(-child.pid, "SIGTERM");
    await ended;
  }
});

/** The code blocks below a heading of the page, as they stand there. */
function recipe(title: string): readonly string[] {
  const [, section = ""] = page.split(`## ${title}\n`);
  return blocksOf({ path: PAGE, text: section.split("\n## ")[0] ?? "" }).map(({ code }) => code);
}

function start(command: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): ChildProcess {
  const child = spawn(command, args, { env: { ...world.environment, ...environment }, detached: true, stdio: "ignore" });
  running.push(child);
  return child;
}

/** A scheduler that the tests play: it starts the command again and again, one after the other. */
function startAgainAndAgain(command: string, args: readonly string[], seen: (code: number | null) => void = () => undefined): void {
  let going = true;
  const next = (): void => {
    if (!going) return;
    start(command, args).once("exit", (code, signal) => {
      going &&= signal === null;
      seen(code);
      setTimeout(next, 100);
    });
  };
  next();
}

const status = `query ($key: String!) { maintenanceWindow(key: $key) { currentOrNext { state quiescedAt inFlight runsInFlight { run { trigger } integration { key } } } } }`;
interface Occurrence {
  readonly state: string;
  readonly quiescedAt: string | null;
  readonly inFlight: number;
  readonly runsInFlight: readonly { readonly run: { readonly trigger: string }; readonly integration: { readonly key: string } }[];
}
async function occurrence(key: string): Promise<Occurrence | null> {
  const { maintenanceWindow } = await world.api.request<{ maintenanceWindow: { currentOrNext: Occurrence | null } }>(status, { key });
  return maintenanceWindow.currentOrNext;
}

/** The law of every recipe. The scheduler is running already. */
async function obeys(key: string): Promise<void> {
  const before = await world.starts();
  await until(`${key} starts the work`, async () => (await world.starts()) > before);
  await world.linger();
  const lingering = await world.starts();
  // One that was about to end does not count.
  await until(`${key} has work in flight`, async () => (await world.starts()) > lingering);

  const series = { start: new Date(Date.now()).toISOString().slice(0, 19), duration: "PT2H", timeZone: "UTC" };
  const resume = { readinessCheck: false, canaries: 0 };
  await world.api.request("mutation ($input: MaintenanceWindowInput!) { createMaintenanceWindow(input: $input) { key } }", {
    input: { key, title: key, series, resume, scope: { systems: ["erp"] }, owner: "test", reason: "proves the recipe" },
  });
  await until(`${key} is open`, async () => (await occurrence(key))?.state === "DRAINING");
  // It counts as in flight: the window is not quiesced over it.
  const draining = await occurrence(key);
  expect(draining?.quiescedAt).toBeNull();
  expect(draining?.inFlight).toBeGreaterThanOrEqual(1);
  expect(draining?.runsInFlight[0]).toMatchObject({ run: { trigger: "GATE" }, integration: { key: "erp-orders" } });
  await world.finish();
  await until(`${key} is quiesced`, async () => (await occurrence(key))?.quiescedAt !== null);

  const quiesced = { starts: await world.starts(), refusals: await world.refusals() };
  await until(`${key} is refused twice`, async () => (await world.refusals()) >= quiesced.refusals + 2);
  expect(await world.starts()).toBe(quiesced.starts);

  await world.api.request("mutation ($input: EndMaintenanceWindowEarlyInput!) { endMaintenanceWindowEarly(input: $input) { key } }", {
    input: { key, reason: "done" },
  });
  await until(`${key} starts the work again`, async () => (await world.starts()) > quiesced.starts);
}

function installed(program: string): boolean {
  const found = spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
  // A suite that does not run proves nothing.
  if (!found && process.env["CI"] !== undefined) throw new Error(`${program} is missing: test/systems/install-debian.sh installs it.`);
  return found;
}

const nodeRedFolder = join(root, "node_modules/.cache/node-red-4.1.8");
const nodeRedProgram = join(nodeRedFolder, "node_modules/node-red/red.js");

/** Installed once for CI, beside what else is fetched for tests; elsewhere used when it is there. */
function hasNodeRed(): boolean {
  if (existsSync(nodeRedProgram) || process.env["CI"] === undefined) return existsSync(nodeRedProgram);
  mkdirSync(nodeRedFolder, { recursive: true });
  writeFileSync(join(nodeRedFolder, "package.json"), '{"private":true}');
  const args = ["install", "--prefix", nodeRedFolder, "--no-audit", "--no-fund", "--ignore-scripts", "--omit=optional", "node-red@4.1.8"];
  execFileSync("npm", args, { stdio: "pipe" });
  return existsSync(nodeRedProgram);
}

/** Its crontabs are the machine's: only root can put others in their place. */
function isRoot(): boolean {
  const holds = process.getuid?.() === 0;
  if (!holds && process.env["CI"] !== undefined) throw new Error("The test of cron wants root, for a mount namespace of its own.");
  return holds;
}

describe("behind the gate nothing starts during a window, what runs counts as in flight, and afterwards it goes on", () => {
  test("from a shell loop", async () => {
    const [loop = ""] = recipe("Shell loop");
    expect(loop).toContain("sleep 60");
    start("bash", ["-c", loop.replace("sleep 60", "sleep 0.2")]);
    await obeys("shell-loop");
  });

  test.skipIf(!installed("cron") || !installed("faketime") || !isRoot())("from cron, its minutes made short", async () => {
    const [script = "", crontab = ""] = recipe("cron");
    const held = join(world.folder, "bin/held-erp-sync");
    const environment = join(world.folder, "environment");
    await writeFile(environment, `QUIESCE_URL=${world.url}\nQUIESCE_TOKEN=${world.token}\n`);
    await writeFile(held, script.replace("/etc/quiesce/environment", environment).replace("/usr/local/bin", join(world.folder, "bin")));
    await chmod(held, 0o755);
    const ours = join(world.folder, "crontab");
    await writeFile(ours, `${crontab.replace("*/5", "*").replace("/usr/local/bin/held-erp-sync", held)}\n`);
    start(join(root, "test/systems/cron-in-namespace.sh"), [join(world.folder, "cron"), ours], {
      QUIESCE_URL: undefined,
      QUIESCE_TOKEN: undefined,
    });
    await obeys("cron");
  });

  test.skipIf(!installed(systemdAnalyze))("from the line of a systemd service", async () => {
    const [service = "", timer = ""] = recipe("systemd timer");
    const bin = join(world.folder, "bin");
    const units = join(world.folder, "units");
    await mkdir(units);
    const here = service.replaceAll("/usr/local/bin", bin).replace("/etc/quiesce/environment", join(world.folder, "environment"));
    await writeFile(join(units, "erp-sync.service"), here);
    await writeFile(join(units, "erp-sync.timer"), timer);
    const verified = spawnSync(systemdAnalyze, ["verify", join(units, "erp-sync.service"), join(units, "erp-sync.timer")], {
      encoding: "utf8",
    });
    expect(verified.stderr.split("\n").filter((line) => line.includes("erp-sync"))).toEqual([]);
    expect(verified.status).toBe(0);
    const [command = "", ...args] = (/^ExecStart=(.*)$/m.exec(here)?.[1] ?? "").split(" ");
    const fine = [0, Number(/^SuccessExitStatus=(\d+)$/m.exec(here)?.[1])];
    const codes: (number | null)[] = [];
    startAgainAndAgain(command, args, (code) => codes.push(code));
    await obeys("systemd");
    expect(codes).toContain(75);
    expect(codes.filter((code) => code === null || !fine.includes(code))).toEqual([]);
  });

  test.skipIf(!hasNodeRed())("from a flow of Node-RED", { timeout: 300_000 }, async () => {
    const folder = join(world.folder, "node-red");
    await mkdir(folder);
    const nodes = JSON.parse(recipe("Node-RED")[0] ?? "") as { readonly id: string }[];
    expect(nodes.filter(({ id }) => id === "timer" || id === "held")).toMatchObject([{ repeat: "300" }, { type: "debug" }]);
    // Every second instead of every five minutes, and what is held is counted instead of shown.
    const flow = nodes.map((node) => {
      if (node.id === "timer") return { ...node, repeat: "1" };
      return node.id === "held"
        ? { ...node, type: "exec", command: `echo held >> ${world.refusalsFile}`, addpay: "", useSpawn: "false" }
        : node;
    });
    await writeFile(join(folder, "flows.json"), JSON.stringify(flow));
    const settings = {
      uiHost: "127.0.0.1",
      uiPort: 0,
      httpAdminRoot: false,
      httpNodeRoot: false,
      telemetry: { enabled: false, updateNotification: false },
    };
    await writeFile(join(folder, "settings.js"), `module.exports = ${JSON.stringify(settings)};`);
    start(process.execPath, [nodeRedProgram, "--userDir", folder, "--settings", join(folder, "settings.js"), join(folder, "flows.json")]);
    await obeys("node-red");
  });

  test("from a step of GitHub Actions, which is skipped without failing", async () => {
    const read = readForeignText(recipe("GitHub Actions")[0] ?? "");
    const workflow = (read.ok ? read.value : undefined) as { jobs: { sync: { env: object; steps: { shell: string; run: string }[] } } };
    expect(Object.keys(workflow.jobs.sync.env)).toEqual(["QUIESCE_URL", "QUIESCE_TOKEN"]);
    const [step] = workflow.jobs.sync.steps;
    expect(step?.shell).toBe("bash");
    const script = join(world.folder, "step.sh");
    await writeFile(script, step?.run ?? "");
    const codes: (number | null)[] = [];
    // As GitHub runs it: https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsshell
    startAgainAndAgain("bash", ["--noprofile", "--norc", "-eo", "pipefail", script], (code) => codes.push(code));
    await obeys("github-actions");
    expect(codes.filter((code) => code !== 0)).toEqual([]);
  });
});
