import { constants } from "node:os";
import { isatty } from "node:tty";
import { Command, Option } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, holdCacheFolder, note } from "../cli.js";
import { exitCodeOfSignal } from "../exit-codes.js";
import type { ExecWorld } from "../exec/exec-world.js";
import { gateClient } from "../exec/gate-client.js";
import { holdCache } from "../exec/hold-cache.js";
import { runChild } from "../exec/run-child.js";
import { runExec } from "../exec/run-exec.js";
import { graphqlClient } from "../graphql-client.js";
import { parseDurationOption } from "../parse-time.js";

const SHORTEST_LEASE_SECONDS = 6;
const LONGEST_LEASE_SECONDS = 3_600;
const REQUEST_MS = 10_000;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const satisfies readonly NodeJS.Signals[];

interface ExecOptions {
  readonly integration: string;
  readonly lease: string;
  readonly wait: string | false;
  readonly ifUnreachable: "hold" | "run";
  readonly cacheDir?: string;
}

/** `quiesce exec`: work of other schedulers obeys as well. */
export function execCommand(cli: Cli): Command {
  return new Command("exec")
    .description("run a command behind the gate of an integration: not inside a window, and counted as in flight while it runs")
    .argument("<command...>", "the command and its arguments, after --")
    .requiredOption("-i, --integration <key>", "whose gate the command goes through")
    .option("--lease <duration>", "how long the work counts as in flight without a renewal; renewed every third of it (6s to 1h)", "60s")
    .option("--wait <duration>", "while held, wait at most so long", "10m")
    .option("--no-wait", "while held, end at once with exit code 75")
    .addOption(
      new Option("--if-unreachable <decision>", "when no server answers and nothing is known of the last 24 hours")
        .choices(["hold", "run"])
        .default("hold"),
    )
    .option("--cache-dir <folder>", "where the known intervals are kept (default: $XDG_CACHE_HOME/quiesce/holds)")
    .action(async (command: readonly string[], options: ExecOptions) => {
      const leaseSeconds = Math.floor(parseDurationOption(options.lease, "--lease") / 1_000);
      if (leaseSeconds < SHORTEST_LEASE_SECONDS || leaseSeconds > LONGEST_LEASE_SECONDS)
        throw new CliError("usage", `--lease is "${options.lease}". Expected 6s to 1h.`);
      const waitMs = options.wait === false ? 0 : parseDurationOption(options.wait, "--wait");
      const connection = await cli.connection();
      const done = new AbortController();
      const api = graphqlClient(connection, { timeoutMs: REQUEST_MS, signal: done.signal });
      const world: ExecWorld = {
        gate: gateClient(api, options.integration, done.signal),
        cache: holdCache({
          folder: options.cacheDir ?? holdCacheFolder(cli.environment),
          url: connection.url,
          integration: options.integration,
        }),
        clock: cli.clock,
        say: (line) => note(cli, `quiesce: ${line}`),
        sleep,
        startChild: ({ run }) => runChild({ command, environment: childEnvironment(cli, options.integration, run), onTerminal: isatty(0) }),
        onSignal: listenToSignals,
        exitCodeOf: (signal) => exitCodeOfSignal(constants.signals[signal]),
      };
      try {
        cli.exitCode = await runExec(
          { command, integration: options.integration, leaseSeconds, waitMs, ifUnreachable: options.ifUnreachable },
          world,
        );
      } catch (error) {
        // Exit codes 1 to 4 belong to the command.
        if (error instanceof CliError)
          throw new CliError("execRefused", error.message, { code: error.code, field: error.field, details: error.details });
        throw error;
      } finally {
        done.abort();
      }
    });
}

function childEnvironment(cli: Cli, integration: string, run: string | undefined): NodeJS.ProcessEnv {
  return { ...cli.environment.all, QUIESCE_INTEGRATION: integration, ...(run === undefined ? {} : { QUIESCE_RUN: run }) };
}

function listenToSignals(listener: (signal: NodeJS.Signals) => void): () => void {
  for (const signal of SIGNALS) process.on(signal, listener);
  return () => {
    for (const signal of SIGNALS) process.off(signal, listener);
  };
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) {
      resolve();
      return;
    }
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
  });
}
