import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { firstPartyConnectors } from "@quiesce/connectors";
import { pino } from "pino";
import { createApp } from "../../packages/server/src/app.js";
import { readConfig } from "../../packages/server/src/config.js";
import { freshDatabase } from "../database/fresh-database.js";
import { type ApiClient, apiClient } from "../integration/api-client.js";

const root = fileURLToPath(new URL("../../", import.meta.url));
const ASKED_EVERY_MS = 100;
const PATIENCE_MS = 90_000;

/** A server, and a folder with `quiesce` and the work that an outside scheduler starts. */
export interface OutsideWorld {
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly url: string;
  readonly token: string;
  readonly api: ApiClient;
  /** So often the work has begun. */
  readonly starts: () => Promise<number>;
  /** So often `quiesce` was told that it is held. */
  readonly refusals: () => Promise<number>;
  /** A line of it is one of them. */
  readonly refusalsFile: string;
  /** From now on the work takes until `finish`. */
  readonly linger: () => Promise<void>;
  readonly finish: () => Promise<void>;
  readonly stop: () => Promise<void>;
}

/** Waits until the question is answered with yes; says what was waited for when it never is. */
export async function until(what: string, ask: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; !(await ask()); await sleep(ASKED_EVERY_MS))
    if (Date.now() > deadline) throw new Error(`Waited ${PATIENCE_MS / 1_000} s in vain: ${what}.`);
}

/** The built command line, as a scheduler would find it. */
function buildCommandLine(): void {
  try {
    execFileSync(process.execPath, [join(root, "node_modules/typescript/bin/tsc"), "-b", join(root, "packages/server")], { stdio: "pipe" });
  } catch (error) {
    // Another room's type error must not decide about these tests; the typecheck speaks of it.
    if (!(error instanceof Error && "status" in error)) throw error;
  }
}

async function program(path: string, lines: readonly string[]): Promise<void> {
  await writeFile(path, `${["#!/bin/sh", ...lines].join("\n")}\n`);
  await chmod(path, 0o755);
}

async function linesOf(file: string): Promise<number> {
  const text = await readFile(file, "utf8").catch(() => "");
  return text.split("\n").length - 1;
}

export async function startOutsideWorld(): Promise<OutsideWorld> {
  buildCommandLine();
  const fresh = await freshDatabase();
  const folder = await mkdtemp(join(tmpdir(), "quiesce-outside-"));
  const config = readConfig({ PORT: "0", QUIESCE_DATA_DIR: join(folder, "data") });
  const app = await createApp({ config, databaseUrl: fresh.url, connectors: firstPartyConnectors, log: pino({ level: "silent" }) });
  const token = app.firstToken ?? "";
  const api = apiClient(app.url, token);
  const document = JSON.stringify({ quiesce: 1, systems: [{ key: "erp" }], integrations: [{ key: "erp-orders", via: ["erp"] }] });
  await api.request("mutation ($input: ApplyWorkspaceInput!) { applyWorkspace(input: $input) { dryRun } }", {
    input: { document, dryRun: false },
  });
  const [starts, refusals, lingering] = ["starts", "refusals", "lingering"].map((name) => join(folder, name)) as [string, string, string];
  await mkdir(join(folder, "bin"));
  await program(join(folder, "bin/quiesce"), [
    // A scheduler may start it in another home.
    `export HOME="${folder}"`,
    `"${process.execPath}" "${join(root, "packages/server/bin/quiesce.js")}" "$@"`,
    "code=$?",
    `[ "$code" -ne 75 ] || echo held >> "${refusals}"`,
    'exit "$code"',
  ]);
  await program(join(folder, "bin/erp-sync"), [`echo start >> "${starts}"`, `while [ -e "${lingering}" ]; do sleep 0.1; done`]);
  return {
    folder,
    url: app.url,
    token,
    api,
    environment: {
      PATH: `${join(folder, "bin")}:${process.env["PATH"] ?? ""}`,
      HOME: folder,
      QUIESCE_URL: app.url,
      QUIESCE_TOKEN: token,
    },
    starts: () => linesOf(starts),
    refusals: () => linesOf(refusals),
    refusalsFile: refusals,
    linger: () => writeFile(lingering, ""),
    finish: () => rm(lingering, { force: true }),
    async stop() {
      await rm(lingering, { force: true });
      await app.stop();
      await fresh.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
