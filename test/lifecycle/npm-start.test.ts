import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findFamily, waitUntilNone, type ProcessEntry } from "./processes.js";

const CHECKOUT = fileURLToPath(new URL("../../", import.meta.url));
const PROMISED_MS = 5_000;
const START_MS = 60_000;

let dataDir: string;
let started: ChildProcess[];
let family: readonly ProcessEntry[];

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
};

/** Starts a program that runs `npm start` and answers when the server does. */
const serve = async (program: string, args: readonly string[]): Promise<{ child: ChildProcess; output: () => string }> => {
  const port = await freePort();
  const { DATABASE_URL: _url, NODE_ENV: _mode, ...environment } = process.env;
  const child = spawn(program, args, {
    cwd: CHECKOUT,
    env: { ...environment, PORT: String(port), QUIESCE_DATA_DIR: dataDir },
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  started.push(child);
  let output = "";
  const keep = (chunk: Buffer): void => {
    output += chunk.toString("utf8");
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  const deadline = performance.now() + START_MS;
  while (performance.now() < deadline && child.exitCode === null) {
    const answers = await fetch(`http://127.0.0.1:${port}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
    if (answers) {
      family = await findFamily(child.pid ?? Number.NaN);
      return { child, output: () => output };
    }
    await sleep(100);
  }
  throw new Error(`npm start did not serve. It said:\n${output}`);
};

const pidOf = (what: "npm" | "node" | "postgres"): number => {
  const pattern = { npm: /^npm start/, node: /scripts\/start\.mjs/, postgres: /\/bin\/postgres / }[what];
  const found = family.find(({ command }) => pattern.test(command) && !command.startsWith("/bin/sh") && !command.startsWith("sh "));
  if (found === undefined) throw new Error(`No ${what} among ${family.map(({ command }) => command.slice(0, 60)).join("; ")}`);
  return found.pid;
};

const nothingRemains = async (): Promise<void> => expect(await waitUntilNone(dataDir, PROMISED_MS, family)).toEqual([]);

beforeEach(async () => {
  dataDir = join(await mkdtemp(join(tmpdir(), `quiesce-test-${process.pid}-`)), "data");
  // PostgreSQL's account must be able to enter when this runs as root.
  await chmod(join(dataDir, ".."), 0o755);
  started = [];
  family = [];
});

afterEach(async () => {
  for (const { pid } of family) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended as it should.
    }
  }
  for (const child of started) child.kill("SIGKILL");
  await waitUntilNone(dataDir, PROMISED_MS);
  await rm(join(dataDir, ".."), { recursive: true, force: true });
});

describe("npm start leaves nothing behind within five seconds", () => {
  for (const target of ["npm", "node", "postgres"] as const) {
    for (const signal of ["SIGKILL", "SIGTERM"] as const) {
      test(`after ${signal} on ${target}`, async () => {
        await serve("npm", ["start"]);
        process.kill(pidOf(target), signal);
        await nothingRemains();
      });
    }
  }

  test("after Ctrl-C in a terminal, and the prompt comes back only when all is over", async () => {
    const { child } = await serve("script", ["-qec", "npm start", "/dev/null"]);
    const pressedAt = performance.now();
    child.stdin?.write("\u0003");
    await once(child, "exit");
    expect(performance.now() - pressedAt).toBeLessThan(PROMISED_MS);
    expect(await waitUntilNone(dataDir, 0, family)).toEqual([]);
  });

  test("after Ctrl-C twice, however busy it is", async () => {
    const { child } = await serve("script", ["-qec", "npm start", "/dev/null"]);
    child.stdin?.write("\u0003");
    await sleep(1_000);
    if (child.exitCode === null) child.stdin?.write("\u0003");
    await nothingRemains();
  });
});

test("a second npm start on the same data, after kill -9, serves again", async () => {
  await serve("npm", ["start"]);
  process.kill(pidOf("node"), "SIGKILL");
  await nothingRemains();
  await serve("npm", ["start"]);
});
