import { Command } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, print, printJson } from "../cli.js";
import { instantOf } from "../operations/shapes.js";
import { readStatus } from "../operations/status-operations.js";
import { renderStatus } from "../status/render-status.js";

/** `quiesce status`: what is held and why. */
export function statusCommand(cli: Cli): Command {
  return new Command("status")
    .description("show what is held, why and until when, what is in flight, and the recent runs")
    .option("-w, --watch", "keep it on the screen, live; q or Ctrl-C ends it")
    .option("--json", "print it as JSON; with --watch one document a line")
    .action(async (options: { readonly watch?: boolean; readonly json?: boolean }) => {
      const api = await cli.api();
      if (options.watch === true) {
        // Sockets cost start-up time that a single look does not need.
        const { watchStatusJson, watchStatusView } = await import("../status/watch-status.js");
        if (options.json === true) await watchStatusJson(cli, api);
        else if (cli.out.isTerminal) await watchStatusView(cli, api);
        else throw new CliError("usage", "--watch draws on a terminal, and standard output is none. Use --watch --json for a stream.");
        return;
      }
      const { statusSummary: status } = await api.request(readStatus);
      if (options.json === true) {
        printJson(cli, status);
        return;
      }
      const frame = {
        status,
        events: [],
        link: undefined,
        now: instantOf(status.at),
        url: api.connection.url,
        columns: cli.out.columns(),
        rows: undefined,
      };
      print(cli, ...renderStatus({ ...frame, styles: cli.out.styles }));
    });
}
