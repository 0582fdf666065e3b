import { Command } from "commander";
import { type Cli, confirmed, note, print, printJson } from "../cli.js";
import { exitCodes } from "../exit-codes.js";
import { breakGlass } from "../operations/drain-operations.js";

interface BreakGlassOptions {
  readonly window: string;
  readonly occurrence?: string;
  readonly reason: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `quiesce break-glass`: one run of one job through one window. */
export function breakGlassCommand(cli: Cli): Command {
  return new Command("break-glass")
    .description("run a job once through an open window that holds it; the window is not quiesced until that run has ended")
    .argument("<job>", "the job's key")
    .requiredOption("--window <key>", "the window to pass; whatever else holds the job holds this run too")
    .option("--occurrence <local>", "which occurrence, by its local start (default: the open one)")
    .requiredOption("-r, --reason <text>", "why it cannot wait; stays on record and in the window's report")
    .option("-y, --yes", "do not ask before it runs")
    .option("--json", "print the run as JSON")
    .action(async (job: string, options: BreakGlassOptions) => {
      if (!(await confirmed(cli, `Run "${job}" now, through the window "${options.window}"?`, options))) {
        note(cli, "Nothing was started.");
        cli.exitCode = exitCodes.refused;
        return;
      }
      const input = {
        job,
        window: options.window,
        reason: options.reason,
        ...(options.occurrence === undefined ? {} : { localStart: options.occurrence.replace(" ", "T") }),
      };
      const { breakGlass: run } = await (await cli.api()).request(breakGlass, { input });
      if (options.json === true) printJson(cli, run);
      else
        print(
          cli,
          `${cli.out.styles.yellow("Ordered")}: run ${run.key} of ${job} passes ${options.window}, which is not quiesced until it has ended.`,
        );
    });
}
