import { Argument, Command } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, confirmed, note, print, printJson } from "../cli.js";
import { exitCodes } from "../exit-codes.js";
import { readControl, setMode } from "../operations/hold-operations.js";

interface ModeOptions {
  readonly reason?: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `quiesce mode`: whether windows hold, or only record what they would have held. */
export function modeCommand(cli: Cli): Command {
  return new Command("mode")
    .description("show or set the mode of the whole server: enforce holds runs, observe only records what would have been held")
    .addArgument(new Argument("[mode]", "the mode to set; without it the present one is shown").choices(["enforce", "observe"]))
    .option("-r, --reason <text>", "why; needed to set it, stays on record")
    .option("-y, --yes", "do not ask before holds stop holding")
    .option("--json", "print the answer as JSON")
    .action(async (mode: "enforce" | "observe" | undefined, options: ModeOptions) => {
      if (mode === undefined) {
        const { control } = await (await cli.api()).request(readControl);
        if (options.json === true) printJson(cli, control);
        else print(cli, modeText(control.mode));
        return;
      }
      if (options.reason === undefined) throw new CliError("usage", "Setting the mode wants a --reason; it stays on record.");
      if (
        mode === "observe" &&
        !(await confirmed(cli, "In mode observe nothing is held any more, open windows included. Go on?", options))
      ) {
        note(cli, "Nothing was changed.");
        cli.exitCode = exitCodes.refused;
        return;
      }
      const answer = await (await cli.api()).request(setMode, { input: { mode: mode.toUpperCase(), reason: options.reason } });
      if (options.json === true) printJson(cli, answer.setMode);
      else print(cli, modeText(answer.setMode.mode));
    });
}

function modeText(mode: string): string {
  return mode === "ENFORCE"
    ? "Mode: enforce. Windows and pauses hold runs."
    : "Mode: observe. Nothing is held; what would have been is recorded.";
}
