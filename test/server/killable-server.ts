import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ApiClient, apiClient } from "../integration/api-client.js";
import { freePort } from "../lifecycle/free-port.js";
import { watchOver } from "../systems/server-process.js";

const READY_MS = 180_000;
const LOOK_MS = 50;

/** The built server in a process of its own on a database that outlives it, so that it can be killed without a word and started again. */
export interface KillableServer {
  /** Its address, the same at every start. */
  readonly url: string;
  readonly dataDir: string;
  /** Resolves when it serves. */
  start(): Promise<void>;
  /** kill -9; the database goes on. */
  kill(): Promise<void>;
  token(): Promise<string>;
  /** The API with the first token. */
  api(): Promise<ApiClient>;
  /** Kills it and removes its folder, unless that is another's. */
  remove(): Promise<void>;
}

/** A lost run is taken back after the lease, so it is short here. */
const LEASE_SECONDS = "3";

/** `beside`: another server of the same database, with which it shares its folder, and so its master key and first token. */
export async function killableServer(databaseUrl: string, { beside }: { readonly beside?: KillableServer } = {}): Promise<KillableServer> {
  const dataDir = beside?.dataDir ?? (await mkdtemp(join(tmpdir(), `quiesce-killable-${process.pid}-`)));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  let child: ChildProcess | null = null;
  let watch: ChildProcess | undefined;
  const token = async (): Promise<string> => (await readFile(join(dataDir, "admin-token"), "utf8").catch(() => "")).trim();
  const kill = async (): Promise<void> => {
    const ending = child;
    child = null;
    watch?.kill("SIGKILL");
    watch = undefined;
    if (ending === null || ending.exitCode !== null) return;
    const exited = new Promise((resolve) => ending.once("exit", resolve));
    ending.kill("SIGKILL");
    await exited;
  };
  return {
    url,
    dataDir,
    token,
    kill,
    api: async () => apiClient(url, await token()),
    async start() {
      const { QUIESCE_URL: _url, QUIESCE_TOKEN: _token, ...environment } = process.env;
      const started = spawn(process.execPath, [fileURLToPath(new URL("../../packages/server/bin/quiesce.js", import.meta.url)), "start"], {
        env: {
          ...environment,
          DATABASE_URL: databaseUrl,
          PORT: String(port),
          QUIESCE_DATA_DIR: dataDir,
          QUIESCE_LEASE_SECONDS: LEASE_SECONDS,
          QUIESCE_LOG_LEVEL: "error",
        },
        stdio: ["ignore", "ignore", "pipe"],
        detached: true,
      });
      child = started;
      watch = watchOver(started, dataDir);
      let said = "";
      started.stderr.on("data", (chunk: Buffer) => void (said = (said + chunk.toString("utf8")).slice(-4_000)));
      const isReady = async (): Promise<boolean> => {
        const answer = await fetch(`${url}/readyz`).catch(() => null);
        // The token is written once the first server answers.
        return answer?.ok === true && (await token()) !== "";
      };
      for (let waitedMs = 0; !(await isReady()); waitedMs += LOOK_MS) {
        if (started.exitCode !== null) throw new Error(`The server ended at its start: ${said}`);
        if (waitedMs > READY_MS) throw new Error(`The server did not answer within ${READY_MS / 1_000} s: ${said}`);
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
      }
    },
    async remove() {
      await kill();
      if (beside === undefined) await rm(dataDir, { recursive: true, force: true });
    },
  };
}
