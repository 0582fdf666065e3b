import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type ReceivedWebhook, startReceiver, type WebhookReceiver } from "../webhooks/receiver.js";
import { freePort } from "./free-port.js";
import { findFamily, type ProcessEntry, waitUntilNone } from "./processes.js";

const CHECKOUT = fileURLToPath(new URL("../../", import.meta.url));
const START_MS = 240_000;
/** A server that died keeps a message for a minute. */
const LEASE_MS = 60_000;
const secret = `whsec_${Buffer.alloc(32, 3).toString("base64")}`;

let dataDir: string;
let family: readonly ProcessEntry[];
let receiver: WebhookReceiver;
let received: ReceivedWebhook[];

beforeEach(async () => {
  dataDir = join(await mkdtemp(join(tmpdir(), `quiesce-kill-${process.pid}-`)), "data");
  // PostgreSQL's account must be able to enter when this runs as root.
  await chmod(join(dataDir, ".."), 0o755);
  family = [];
  received = [];
  receiver = await startReceiver({ secret, received });
});
afterEach(async () => {
  await kill();
  await receiver.close();
  await rm(join(dataDir, ".."), { recursive: true, force: true });
});

/** kill -9 of the whole family: npm, the server, PostgreSQL. */
async function kill(): Promise<void> {
  for (const { pid } of family) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended with its parent.
    }
  }
  expect(await waitUntilNone(dataDir, 60_000, family)).toEqual([]);
  family = [];
}

async function start(): Promise<(query: string, variables?: object) => Promise<unknown>> {
  const port = await freePort();
  const { DATABASE_URL: _url, NODE_ENV: _mode, ...environment } = process.env;
  const child: ChildProcess = spawn("npm", ["start"], {
    cwd: CHECKOUT,
    env: { ...environment, PORT: String(port), QUIESCE_DATA_DIR: dataDir },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (chunk: Buffer) => void (output += chunk.toString("utf8")));
  const url = `http://127.0.0.1:${port}`;
  const isReady = () =>
    fetch(`${url}/readyz`).then(
      (response) => response.ok,
      () => false,
    );
  const deadline = performance.now() + START_MS;
  let ready = false;
  while (!ready && performance.now() < deadline && child.exitCode === null) {
    await sleep(200);
    ready = await isReady();
  }
  family = await findFamily(child.pid ?? Number.NaN);
  if (!ready) throw new Error(`npm start did not answer at ${url} (exit code ${child.exitCode}):\n${output.slice(-4_000)}`);
  const token = (await readFile(join(dataDir, "admin-token"), "utf8")).trim();
  return async (query, variables = {}) => {
    const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
    const response = await fetch(`${url}/graphql`, { method: "POST", headers, body: JSON.stringify({ query, variables }) });
    const answer = (await response.json()) as { readonly data?: unknown; readonly errors?: unknown };
    expect(answer.errors).toBeUndefined();
    return answer.data;
  };
}

test("a message whose server is killed in the middle of its delivery is delivered by the next one, under the same id", async () => {
  const ask = await start();
  const document = {
    quiesce: 1,
    integrations: [{ key: "orders" }],
    teams: [{ key: "crew", webhooks: [{ url: `${receiver.origin}/hook`, secret: { value: secret } }] }],
  };
  await ask("mutation ($input: ApplyWorkspaceInput!) { applyWorkspace(input: $input) { dryRun } }", {
    input: { document: JSON.stringify(document) },
  });
  let go: () => void = () => undefined;
  receiver.hold = new Promise((resolve) => (go = resolve));
  const start1h = new Date(Date.now() + 3_600_000).toISOString().slice(0, 16);
  const input = {
    key: "patch",
    title: "Patch",
    owner: "crew",
    reason: "patch",
    scope: { integrations: ["orders"] },
    series: { start: start1h, duration: "PT1H", timeZone: "UTC" },
  };
  await ask("mutation ($input: MaintenanceWindowInput!) { createMaintenanceWindow(input: $input) { key } }", { input });
  await vi.waitFor(() => expect(received).toHaveLength(1), { timeout: 60_000, interval: 100 });
  await kill();
  go();
  receiver.hold = null;
  const askAgain = await start();
  await vi.waitFor(() => expect(received).toHaveLength(2), { timeout: LEASE_MS + 60_000, interval: 200 });
  expect(received.map(({ message }) => message.type)).toEqual(["window.announced", "window.announced"]);
  expect(new Set(received.map(({ id }) => id)).size).toBe(1);
  const delivered = { deliveries: { nodes: [{ state: "DELIVERED", attempts: 2, kind: "window.announced" }] } };
  const list = () => askAgain("{ deliveries { nodes { state attempts kind } } }");
  await vi.waitFor(async () => expect(await list()).toEqual(delivered), { timeout: 60_000, interval: 200 });
}, 900_000);
