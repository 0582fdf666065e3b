import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connector } from "@quiesce/sdk";
import { pino } from "pino";
import { expect, vi } from "vitest";
import { createApp } from "../../packages/server/src/app.js";
import type { Output } from "../../packages/server/src/cli/cli.js";
import { readCliEnvironment } from "../../packages/server/src/cli/environment.js";
import { stylesOf } from "../../packages/server/src/cli/output/styles.js";
import { runCli } from "../../packages/server/src/cli/run-cli.js";
import { clock } from "../../packages/server/src/clock.js";
import type { PackageOptions } from "../../packages/server/src/connector-host/connector-registry.js";
import { readConfig } from "../../packages/server/src/config.js";
import { freshDatabase } from "../database/fresh-database.js";

/** What a command wrote, and how it ended. */
export interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface CommandLineOptions {
  /** The home folder of whoever calls. */
  readonly folder: string;
  readonly variables?: Readonly<Record<string, string>>;
  readonly input?: string;
  readonly wallMs?: () => number;
}

/** Runs `quiesce` in this process, as a program would: no terminal, no questions. */
export async function runCommandLine(args: readonly string[], { folder, variables, input, wallMs }: CommandLineOptions): Promise<Said> {
  const written = { out: "", err: "" };
  const output = (name: "out" | "err"): Output => ({
    isTerminal: false,
    styles: stylesOf(false),
    columns: () => undefined,
    rows: () => undefined,
    write: (text) => void (written[name] += text),
  });
  const code = await runCli(args, {
    environment: readCliEnvironment({ ...variables, HOME: folder }, folder),
    out: output("out"),
    err: output("err"),
    input: { isTerminal: false, readAll: async () => input ?? "", ask: async () => "" },
    clock: wallMs === undefined ? clock : { ...clock, wallMs },
    version: "0.0.0-test",
  });
  return { code, ...written };
}

export type CommandLineServer = Awaited<ReturnType<typeof commandLineServer>>;

/** A whole server on a database of its own, and the command line that talks to it. */
export async function commandLineServer(options: {
  readonly name: string;
  readonly connectors?: readonly Connector[];
  readonly input?: string;
  readonly wallMs?: () => number;
  /** The list of connector packages, and how these are loaded. */
  readonly packages?: PackageOptions;
}) {
  const fresh = await freshDatabase();
  const folder = await mkdtemp(join(tmpdir(), `quiesce-${options.name}-`));
  const list = options.packages === undefined ? {} : { QUIESCE_CONNECTORS: options.packages.list.path };
  const config = readConfig({ PORT: "0", QUIESCE_DATA_DIR: folder, ...list });
  const log = pino({ level: "silent" });
  const app = await createApp({ config, databaseUrl: fresh.url, connectors: options.connectors ?? [], packages: options.packages, log });
  const as = (token: string, ...args: readonly string[]): Promise<Said> =>
    runCommandLine(args, { folder, variables: { QUIESCE_URL: app.url, QUIESCE_TOKEN: token }, ...options });
  return {
    app,
    folder,
    databaseUrl: fresh.url,
    as,
    /** As the first admin. */
    quiesce: (...args: readonly string[]) => as(app.firstToken ?? "", ...args),
    /** Waits until no run is queued or under way: what a run has done is seen one by one while it still writes. */
    atRest: () =>
      vi.waitFor(async () => expect(await app.database.sql`select from run where state in ('queued', 'running')`).toHaveLength(0), {
        timeout: 60_000,
        interval: 100,
      }),
    async close(): Promise<void> {
      await app.stop();
      await fresh.drop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
