import { Command } from "commander";
import { type Cli, print } from "../cli.js";
import { formatLength } from "../output/format-time.js";

const STOP_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const satisfies readonly NodeJS.Signals[];

/** One Ctrl-C arrives twice: from the terminal, and passed on by npm. */
const ONE_PRESS_MS = 700;

/** `quiesce start`: the server in this process. */
export function startCommand(cli: Cli): Command {
  return new Command("start")
    .description("start the server in the foreground; Ctrl-C stops it. Its settings are environment variables")
    .action(async () => {
      const began = cli.clock.monotonicMs();
      // The server is the larger part of this package; no other command needs it.
      const { runServer } = await import("../../main.js");
      let stop: ((reason: string) => void) | undefined;
      let asked: NodeJS.Signals | undefined;
      let askedAtMs = 0;
      const onSignal = (signal: NodeJS.Signals): void => {
        // The second press ends the process at once; PostgreSQL's watchdog and the stored facts do the rest.
        if (asked !== undefined && cli.clock.monotonicMs() - askedAtMs > ONE_PRESS_MS) process.exit(1);
        asked ??= signal;
        askedAtMs ||= cli.clock.monotonicMs();
        stop?.(signal);
      };
      for (const signal of STOP_SIGNALS) process.on(signal, onSignal);
      try {
        const server = await runServer({ argv: [] });
        stop = (reason) => void server.stop(reason);
        // One that came while it started.
        if (asked !== undefined) stop(asked);
        else {
          const where =
            server.url === "" ? "Quiesce runs without an API (QUIESCE_ROLES)" : `Quiesce answers at ${cli.out.styles.bold(server.url)}`;
          print(cli, `${where}, started in ${formatLength(cli.clock.monotonicMs() - began)}.`);
          print(cli, "Look at it with `quiesce status --watch`; Ctrl-C stops it.");
        }
        cli.exitCode = await server.stopped;
      } finally {
        for (const signal of STOP_SIGNALS) process.off(signal, onSignal);
      }
    });
}
