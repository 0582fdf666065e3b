import { Command } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, print, printJson } from "../cli.js";
import { resumeHold } from "../operations/hold-operations.js";
import { addScopeOptions, scopeOf, type ScopeOptions, scopeText } from "../scope-options.js";
import { addCatchUpOptions, catchUpOf, type CatchUpOptions } from "./window-resume-command.js";

interface ResumeOptions extends ScopeOptions, CatchUpOptions {
  readonly reason: string;
  readonly json?: boolean;
}

/** `quiesce resume`: lift a pause. */
export function resumeCommand(cli: Cli): Command {
  return addCatchUpOptions(
    addScopeOptions(new Command("resume").description("lift a pause: the one with this number, or those over exactly this scope")),
  )
    .argument("[hold]", "the hold's number, as `pause` and `status` show it")
    .requiredOption("-r, --reason <text>", "why; stays on record")
    .option("--json", "print the lifted holds as JSON")
    .action(async (hold: string | undefined, options: ResumeOptions) => {
      const scope = scopeOf(options);
      if ((hold === undefined) === (scope === undefined))
        throw new CliError(
          "usage",
          "Which pause? Give the hold's number, or its scope with --integration, --system, --tag or --all; `quiesce status` lists them.",
        );
      const api = await cli.api();
      const { resume } = await api.request(resumeHold, {
        input: {
          ...(hold === undefined ? {} : { holdId: hold }),
          ...(scope === undefined ? {} : { scope }),
          ...catchUpOf(options),
          reason: options.reason,
        },
      });
      if (options.json === true) {
        printJson(cli, resume);
        return;
      }
      for (const one of resume.released)
        print(cli, `${cli.out.styles.green("Resumed")}: hold ${one.key} over ${scopeText(one.scope)} is lifted.`);
      if (resume.released.length === 0) print(cli, "Nothing was paused there.");
      else print(cli, cli.out.styles.dim("What another window or pause covers stays held; `quiesce status` shows it."));
    });
}
