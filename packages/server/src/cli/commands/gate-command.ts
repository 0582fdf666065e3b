import { Command } from "commander";
import { type Cli, print, printJson } from "../cli.js";
import { exitCodes } from "../exit-codes.js";
import { askGate } from "../operations/hold-operations.js";
import { instantOf, instantOrNull } from "../operations/shapes.js";
import { formatUntil } from "../output/format-time.js";
import { renderReasons } from "../output/render-reasons.js";
import { plainText } from "../output/plain-text.js";

/** `quiesce gate`: may work on an integration start now? */
export function gateCommand(cli: Cli): Command {
  return new Command("gate")
    .description("ask whether work on an integration may start now: exit code 0 when open, 75 while held")
    .argument("<integration>", "the integration's key")
    .option("--json", "print the answer as JSON")
    .action(async (integration: string, options: { readonly json?: boolean }) => {
      const api = await cli.api();
      const { gate } = await api.request(askGate, { integration });
      cli.exitCode = gate.held ? exitCodes.held : exitCodes.ok;
      if (options.json === true) {
        printJson(cli, gate);
        return;
      }
      const { styles } = cli.out;
      const name = plainText(integration);
      if (!gate.held) {
        print(cli, `${name} is ${styles.green("open")}.`);
        return;
      }
      print(cli, `${name} is ${styles.yellow("held")} ${formatUntil(instantOrNull(gate.until), instantOf(gate.asOf))}.`);
      print(cli, ...renderReasons(gate.by, { now: instantOf(gate.asOf), output: cli.out }));
    });
}
