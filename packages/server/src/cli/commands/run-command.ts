import { Command } from "commander";
import { type Cli, confirmed, note, print, printJson } from "../cli.js";
import { exitCodes } from "../exit-codes.js";
import { explainJob, runNow } from "../operations/run-operations.js";
import { instantOf, instantOrNull } from "../operations/shapes.js";
import { formatUntil } from "../output/format-time.js";
import { plainText } from "../output/plain-text.js";

interface RunOptions {
  readonly reason: string;
  readonly confirmDeletions?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `quiesce run`: one run of a job, now. */
export function runCommand(cli: Cli): Command {
  return new Command("run")
    .description("run a job once, now; what holds it holds this run too")
    .argument("<job>", "the job's key")
    .requiredOption("-r, --reason <text>", "why; stays on record")
    .option("--confirm-deletions", "what the source no longer has may be deleted at the target, however much it is")
    .option("-y, --yes", "do not ask before deletions are confirmed")
    .option("--json", "print the run as JSON")
    .action(async (job: string, options: RunOptions) => {
      const confirmDeletions = options.confirmDeletions === true;
      if (confirmDeletions && !(await confirmed(cli, `Let "${job}" delete whatever its source no longer has?`, options))) {
        note(cli, "Nothing was started.");
        cli.exitCode = exitCodes.refused;
        return;
      }
      const api = await cli.api();
      const { runNow: run } = await api.request(runNow, { input: { job, reason: options.reason, confirmDeletions } });
      if (options.json === true) {
        printJson(cli, run);
        return;
      }
      print(cli, `${cli.out.styles.green("Queued")}: run ${run.key} of ${job}. Follow it with: quiesce runs --job ${job}`);
      const { explain } = await api.request(explainJob, { job });
      const [hold] = explain.by;
      if (hold === undefined) return;
      const until = formatUntil(instantOrNull(explain.until), instantOf(explain.asOf));
      note(
        cli,
        `It is held by ${plainText(hold.title)} ${until}, and starts when it is let go. To let it pass a window: quiesce break-glass ${job}`,
      );
    });
}
