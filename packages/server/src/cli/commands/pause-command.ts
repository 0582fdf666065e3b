import { Command } from "commander";
import { type Cli, confirmed, note, print, printJson } from "../cli.js";
import { exitCodes } from "../exit-codes.js";
import { pauseScope } from "../operations/hold-operations.js";
import { instantOrNull } from "../operations/shapes.js";
import { formatUntil } from "../output/format-time.js";
import { plainText } from "../output/plain-text.js";
import { parseInstantOption } from "../parse-time.js";
import { addScopeOptions, requiredScopeOf, type ScopeOptions } from "../scope-options.js";

interface PauseOptions extends ScopeOptions {
  readonly until?: string;
  readonly reason: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `quiesce pause`: hold something now. */
export function pauseCommand(cli: Cli): Command {
  return addScopeOptions(new Command("pause").description("hold integrations from now on, until a time or until somebody resumes them"))
    .option("--until <time>", "when it ends by itself: +2h, or ISO 8601 with an offset (default: when somebody resumes it)")
    .requiredOption("-r, --reason <text>", "why; stays on record")
    .option("-y, --yes", "do not ask before everything is paused")
    .option("--json", "print the hold as JSON")
    .action(async (options: PauseOptions) => {
      const scope = requiredScopeOf(options);
      const until = options.until === undefined ? null : parseInstantOption(options.until, "--until", cli.clock.wallMs());
      if (scope.all === true && !(await confirmed(cli, "Pause every integration?", options))) {
        note(cli, "Nothing was changed.");
        cli.exitCode = exitCodes.refused;
        return;
      }
      const api = await cli.api();
      const { pause } = await api.request(pauseScope, {
        input: { scope, until: until === null ? null : new Date(until).toISOString(), reason: options.reason },
      });
      if (options.json === true) {
        printJson(cli, pause);
        return;
      }
      const { styles } = cli.out;
      const members = pause.members.map((member) => member.integration.key);
      print(cli, `${styles.yellow("Paused")}, hold ${pause.key}: ${formatUntil(instantOrNull(pause.expiresAt), cli.clock.wallMs())}.`);
      print(
        cli,
        `Covers ${members.length === 0 ? "no integration yet" : `${members.length} integration${members.length === 1 ? "" : "s"}: ${plainText(members.join(", "))}`}.`,
      );
      print(cli, styles.dim(`Lift it with: quiesce resume ${pause.key} --reason "…"`));
    });
}
