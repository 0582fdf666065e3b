import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import postgres from "postgres";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findProcesses, waitUntilNone, type ProcessEntry } from "./processes.js";

const SCRIPT = fileURLToPath(new URL("hold-postgres.mjs", import.meta.url));
const BINARIES = fileURLToPath(new URL("../../node_modules/.cache/quiesce/", import.meta.url));
/** Five seconds are promised, and kept on a machine that has time; what is wrong here stays for ever. */
const PROMISED_MS = 30_000;

interface Held {
  readonly node: ChildProcess;
  readonly pid: number;
  readonly url: string;
  readonly lines: readonly string[];
}

let root: string;
let nodes: ChildProcess[];

const launch = (): ChildProcess => {
  const node = fork(SCRIPT, [join(root, "data"), BINARIES], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  nodes.push(node);
  return node;
};

const hold = (): Promise<Held> =>
  new Promise((resolve, reject) => {
    const node = launch();
    const lines: string[] = [];
    node.on("message", (message) => {
      if (typeof message !== "object" || message === null) return;
      if ("line" in message && typeof message.line === "string") lines.push(message.line);
      if ("pid" in message && "url" in message) resolve({ node, pid: Number(message.pid), url: String(message.url), lines });
    });
    node.once("exit", (status) => reject(new Error(`It ended with ${status} before PostgreSQL was ready.`)));
  });

/** The processes of this test's cluster: the watchdog, its reader, postgres and whatever postgres started. */
const serverProcesses = (): Promise<readonly ProcessEntry[]> => findProcesses(join(root, "data"));
const nothingRemains = async (): Promise<void> => expect(await waitUntilNone(root, PROMISED_MS)).toEqual([]);

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), `quiesce-test-${process.pid}-`));
  await chmod(root, 0o755);
  nodes = [];
});

afterEach(async () => {
  for (const node of nodes) node.kill("SIGKILL");
  // A failed test must not leave its server to the next one.
  for (const { pid } of await waitUntilNone(root, PROMISED_MS)) process.kill(pid, "SIGKILL");
  await rm(root, { recursive: true, force: true });
});

describe("nothing remains within five seconds", () => {
  for (const signal of ["SIGKILL", "SIGTERM", "SIGINT", "SIGHUP"] as const) {
    test(`after ${signal} on node, with a client connected`, async () => {
      const { node, url } = await hold();
      const client = postgres(url, { max: 1, onnotice: () => undefined, max_lifetime: null });
      const sleeping = client`select pg_sleep(60)`.catch(() => "cut off");
      await sleep(200);
      expect((await serverProcesses()).length).toBeGreaterThanOrEqual(3);
      node.kill(signal);
      await nothingRemains();
      expect(await sleeping).toBe("cut off");
      await client.end({ timeout: 1 });
    });
  }

  for (const signal of ["SIGKILL", "SIGTERM", "SIGINT", "SIGQUIT"] as const) {
    test(`after ${signal} on postgres with a client connected, and node is told`, async () => {
      const { node, pid, url } = await hold();
      const client = postgres(url, { max: 1, onnotice: () => undefined });
      await client`select 1`;
      process.kill(pid, signal);
      const [status] = await once(node, "exit");
      expect(status).toBe(3);
      await nothingRemains();
      await client.end({ timeout: 1 });
    });
  }

  test("after kill -9 on the watchdog's shell, once node is told and has ended", async () => {
    const { node, pid } = await hold();
    const watchdog = (await serverProcesses()).find(({ pid: own }) => own === pid)?.parent;
    process.kill(watchdog ?? Number.NaN, "SIGKILL");
    const [status] = await once(node, "exit");
    expect(status).toBe(3);
    await nothingRemains();
  });

  test("after kill -9 on node at any moment of the first start", async () => {
    for (let delayMs = 150; delayMs <= 1_500; delayMs += 150) {
      const node = launch();
      await sleep(delayMs);
      node.kill("SIGKILL");
      await nothingRemains();
      await rm(join(root, "data"), { recursive: true, force: true });
    }
  });
});

describe("without the watchdog", () => {
  const killWatchdogAndNode = async ({ node, pid }: Held): Promise<void> => {
    const shells = (await serverProcesses()).filter(({ command }) => command.startsWith("/bin/sh"));
    expect(shells.length).toBe(2);
    // The reader first: it notices node's end within milliseconds and would still do its work.
    for (const shell of shells) process.kill(shell.pid, "SIGKILL");
    node.kill("SIGKILL");
    await sleep(1_000);
    expect((await serverProcesses()).map((entry) => entry.pid)).toContain(pid);
  };

  test("postgres outlives node, so it is the watchdog that ends it", async () => {
    await killWatchdogAndNode(await hold());
  });

  test("the next start stops the orphan and runs a server of its own on the same data", async () => {
    const first = await hold();
    const before = postgres(first.url, { max: 1 });
    await before`create table kept as select 42 as answer`;
    await before.end();
    await killWatchdogAndNode(first);
    const second = await hold();
    expect(second.pid).not.toBe(first.pid);
    expect(second.lines.some((line) => line.includes("left behind by a killed Quiesce"))).toBe(true);
    const after = postgres(second.url, { max: 1 });
    expect([...(await after`select answer from kept`)]).toEqual([{ answer: 42 }]);
    await after.end();
    second.node.kill("SIGKILL");
    await nothingRemains();
  });
});
