import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { apiClient } from "../integration/api-client.js";
import { freePort } from "./free-port.js";
import { findFamily, waitUntilNone } from "./processes.js";

const CHECKOUT = fileURLToPath(new URL("../../", import.meta.url));
const STOP_MS = 60_000;
/** The story of the window takes two minutes and a half on a machine with nothing else to do. */
const STORY = { timeout: 600_000, interval: 250 };

interface ShownIncident {
  readonly root: string;
  readonly state: string;
  readonly severity: string;
}

let dataDir: string;
let child: ChildProcess;
let output: string;
let url: string;

beforeEach(async () => {
  dataDir = join(await mkdtemp(join(tmpdir(), `quiesce-test-${process.pid}-`)), "data");
  // PostgreSQL's account must be able to enter when this runs as root.
  await chmod(join(dataDir, ".."), 0o755);
  const ports = { PORT: await freePort(), ERP_PORT: await freePort(), ERP_CONTROL_PORT: await freePort() };
  const { DATABASE_URL: _url, NODE_ENV: _mode, ...environment } = process.env;
  const values = Object.fromEntries(Object.entries(ports).map(([name, port]) => [name, String(port)]));
  child = spawn("npm", ["start"], {
    cwd: CHECKOUT,
    env: { ...environment, ...values, QUIESCE_DATA_DIR: dataDir },
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  output = "";
  url = `http://127.0.0.1:${ports.PORT}`;
  child.stdout?.on("data", (chunk: Buffer) => void (output += chunk.toString("utf8")));
  child.stderr?.on("data", (chunk: Buffer) => void (output += chunk.toString("utf8")));
});

afterEach(async () => {
  const family = await findFamily(child.pid ?? Number.NaN);
  child.kill("SIGINT");
  await waitUntilNone(dataDir, STOP_MS, family);
  for (const { pid } of family) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended as it should.
    }
  }
  await rm(join(dataDir, ".."), { recursive: true, force: true });
});

const says = (text: string | RegExp): Promise<void> =>
  vi.waitFor(() => {
    if (child.exitCode !== null) throw new Error(`npm start has ended. It said:\n${output}`);
    expect(output).toMatch(text);
  }, STORY);

async function incidents(): Promise<readonly ShownIncident[]> {
  const api = apiClient(url, (await readFile(join(dataDir, "admin-token"), "utf8")).trim());
  const answer = await api.request<{ incidents: { nodes: readonly ShownIncident[] } }>(
    "{ incidents(first: 10) { nodes { root state severity } } }",
  );
  return answer.incidents.nodes;
}

test(
  "the example's ERP raises no incident while it is away in its window, and one when it fails without",
  { timeout: 1_500_000 },
  async () => {
    await says(/the ERP is really taken down/);
    await says(/the ERP is back/);
    await says(/See how the counts add up/);
    // The monitor knows nothing of the window, so it cried once.
    expect(output).toMatch(/its monitor cried that the ERP is away: 1 of its alerts kept quiet by the window, incidents raised 0\./);
    expect(await incidents()).toEqual([]);

    const control = /its switch (http:\/\/127\.0\.0\.1:\d+)/.exec(output)?.[1] ?? "";
    await fetch(`${control}/down`, { method: "POST" });
    await says(/Incident +1 opened: .*\(critical\), the probable cause lies at erp\./);
    expect(await incidents()).toEqual([{ root: "erp", state: "OPEN", severity: "CRITICAL" }]);
    await fetch(`${control}/up`, { method: "POST" });
    await says(/Incident +1 is resolved\./);
    expect(await incidents()).toEqual([{ root: "erp", state: "RESOLVED", severity: "CRITICAL" }]);
    expect(output).not.toContain("undefined");
  },
);
