import { Command } from "commander";
import { type Cli, print, printJson } from "../cli.js";
import { moveOccurrence, restoreOccurrence, splitWindow } from "../operations/planning-operations.js";
import { localText } from "../output/list-text.js";

interface ReplanOptions {
  readonly occurrence: string;
  readonly start?: string;
  readonly end?: string;
  readonly key?: string;
  readonly title?: string;
  readonly reason: string;
  readonly json?: boolean;
}

const local = (text: string): string => text.replace(" ", "T");

function replanCommand(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .argument("<window>", "the window's key")
    .requiredOption("--occurrence <local>", "which occurrence, by its local start as `window preview` shows it")
    .requiredOption("-r, --reason <text>", "why; stays on record")
    .option("--json", "print the window as JSON");
}

/** `quiesce window move`: one occurrence at another time. */
export function windowMoveCommand(cli: Cli): Command {
  return replanCommand("move", "plan one occurrence at other local times; the others stay as they are")
    .requiredOption("--start <local>", "its new local start: 2026-12-13T03:00")
    .option("--end <local>", "its new local end (default: it lasts as long as before)")
    .action(async (key: string, options: ReplanOptions) => {
      const start = local(options.start ?? "");
      const end = options.end === undefined ? {} : { end: local(options.end) };
      const input = { key, localStart: local(options.occurrence), start, ...end, reason: options.reason };
      const { moveOccurrence: window } = await (await cli.api()).request(moveOccurrence, { input });
      if (options.json === true) printJson(cli, window);
      else
        print(
          cli,
          `The occurrence of ${window.key} at ${localText(input.localStart)} is moved to ${localText(start)} ${window.series.timeZone}.`,
        );
    });
}

/** `quiesce window restore`: as the series says. */
export function windowRestoreCommand(cli: Cli): Command {
  return replanCommand("restore", "let a moved or cancelled occurrence happen as the series says").action(
    async (key: string, options: ReplanOptions) => {
      const input = { key, localStart: local(options.occurrence), reason: options.reason };
      const { restoreOccurrence: window } = await (await cli.api()).request(restoreOccurrence, { input });
      if (options.json === true) printJson(cli, window);
      else print(cli, `The occurrence of ${window.key} at ${localText(input.localStart)} happens as planned.`);
    },
  );
}

/** `quiesce window split`: this and following. */
export function windowSplitCommand(cli: Cli): Command {
  return replanCommand(
    "split",
    "this and following: end a window before an occurrence and go on from there with a new one, to change it alone",
  )
    .option("--key <key>", "the new window's key (default: made from the old one and the date)")
    .option("--title <text>", "its name for people (default: the old one's)")
    .action(async (key: string, options: ReplanOptions) => {
      const changes = {
        ...(options.key === undefined ? {} : { key: options.key }),
        ...(options.title === undefined ? {} : { title: options.title }),
      };
      const input = { key, localStart: local(options.occurrence), reason: options.reason, changes };
      const { splitMaintenanceWindow: window } = await (await cli.api()).request(splitWindow, { input });
      if (options.json === true) printJson(cli, window);
      else print(cli, `Window ${key} ends before ${localText(input.localStart)}; ${cli.out.styles.bold(window.key)} goes on from there.`);
    });
}
