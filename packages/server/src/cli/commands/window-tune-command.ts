import { Command } from "commander";
import { type Cli, print, printJson } from "../cli.js";
import { windowTuning } from "../operations/tuning-operations.js";
import { renderTuning } from "../output/render-tuning.js";

/** `quiesce window tune`: booked against used. */
export function windowTuneCommand(cli: Cli): Command {
  return new Command("tune")
    .description("compare what a window books with what its past occurrences used, and say what to change")
    .argument("<window>", "the window's key")
    .option("--json", "print it as JSON")
    .action(async (key: string, options: { readonly json?: boolean }) => {
      const { windowTuning: tuning } = await (await cli.api()).request(windowTuning, { window: key });
      if (options.json === true) printJson(cli, tuning);
      else print(cli, ...renderTuning(tuning));
    });
}
