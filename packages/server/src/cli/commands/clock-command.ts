import { Argument, Command } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, print, printJson } from "../cli.js";
import { acknowledgeClockStep, readClockStep } from "../operations/server-operations.js";
import { formatLength } from "../output/format-time.js";

interface ClockOptions {
  readonly reason?: string;
  readonly json?: boolean;
}

type Step = { readonly seenAt: string; readonly byMs: number; readonly server: string } | null;

/** `quiesce clock`: whether the database's clock jumped, and that somebody has looked. */
export function clockCommand(cli: Cli): Command {
  return new Command("clock")
    .description("show whether a jump of the database's clock stops dispatch, or acknowledge it so that dispatch goes on")
    .addArgument(new Argument("[action]", "without it the present state is shown").choices(["acknowledge"]))
    .option("-r, --reason <text>", "why the clock can be trusted again; needed to acknowledge, stays on record")
    .option("--json", "print the answer as JSON")
    .action(async (action: "acknowledge" | undefined, options: ClockOptions) => {
      if (action === undefined) {
        const { control } = await (await cli.api()).request(readClockStep);
        if (options.json === true) printJson(cli, control);
        else print(cli, stepText(control.clockStep));
        return;
      }
      if (options.reason === undefined) throw new CliError("usage", "Acknowledging a jump wants a --reason; it stays on record.");
      const answer = await (await cli.api()).request(acknowledgeClockStep, { input: { reason: options.reason } });
      if (options.json === true) printJson(cli, answer.acknowledgeClockStep);
      else print(cli, "Acknowledged. Dispatch goes on within two seconds.");
    });
}

function stepText(step: Step): string {
  if (step === null) return "The database's clock is steady.";
  const jump = `${step.byMs < 0 ? "back" : "forward"} by ${formatLength(Math.abs(step.byMs))}`;
  return `Dispatch is stopped: the database's clock jumped ${jump}, seen at ${step.seenAt} by ${step.server}. Put the time of the database's machine right, then: quiesce clock acknowledge --reason "…"`;
}
