import { Command } from "commander";
import { type Cli, confirmed, note, print, printJson } from "../cli.js";
import { exitCodes } from "../exit-codes.js";
import { cancelWindow, endWindow, extendWindow } from "../operations/window-operations.js";
import { instantOf, type WindowAnswer } from "../operations/shapes.js";
import { formatUntil } from "../output/format-time.js";
import { localText } from "../output/list-text.js";
import { renderConflicts } from "../output/render-conflicts.js";
import { parseInstantOption } from "../parse-time.js";
import { overrideFreezeOf, overrideFreezeOption, type OverrideFreezeOptions } from "./override-freeze-option.js";
import { addCatchUpOptions, catchUpOf, type CatchUpOptions } from "./window-resume-command.js";

interface ChangeOptions extends CatchUpOptions, OverrideFreezeOptions {
  readonly occurrence?: string;
  readonly until?: string;
  readonly reason: string;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `quiesce window end`: the work is done early. */
export function windowEndCommand(cli: Cli): Command {
  return addCatchUpOptions(
    changeCommand(
      "end",
      "end the open occurrence of a window now; when its systems are ready what it held runs, unless something else holds it",
      "the open one",
    ),
  ).action(async (key: string, options: ChangeOptions) => {
    const { endMaintenanceWindowEarly: window } = await (
      await cli.api()
    ).request(endWindow, { input: { ...inputOf(key, options), ...catchUpOf(options) } });
    answer(cli, window, options, `Window ${window.key} is ended.`);
  });
}

/** `quiesce window extend`: the work takes longer. */
export function windowExtendCommand(cli: Cli): Command {
  return changeCommand(
    "extend",
    "let the open or next occurrence of a window last longer; later ones stay as they are",
    "the open or next one",
  )
    .requiredOption("--until <time>", "its new end: +30m from now, or ISO 8601 with an offset")
    .addOption(overrideFreezeOption())
    .action(async (key: string, options: ChangeOptions) => {
      const until = parseInstantOption(options.until ?? "", "--until", cli.clock.wallMs());
      const input = { ...inputOf(key, options), ...overrideFreezeOf(options), until: new Date(until).toISOString() };
      const { extendMaintenanceWindow: window } = await (await cli.api()).request(extendWindow, { input });
      answer(cli, window, options, `Window ${window.key} lasts ${formatUntil(until, cli.clock.wallMs())}.`);
      if (options.json !== true) note(cli, ...renderConflicts(window.conflicts, cli.err));
    });
}

/** `quiesce window cancel`: it does not happen. */
export function windowCancelCommand(cli: Cli): Command {
  return changeCommand("cancel", "cancel a window with all that lies ahead of it, or one occurrence", "the whole window")
    .option("-y, --yes", "do not ask before a whole window is cancelled")
    .action(async (key: string, options: ChangeOptions) => {
      if (options.occurrence === undefined && !(await confirmed(cli, `Cancel the window "${key}" with every occurrence ahead?`, options))) {
        note(cli, "Nothing was changed.");
        cli.exitCode = exitCodes.refused;
        return;
      }
      const { cancelMaintenanceWindow: window } = await (await cli.api()).request(cancelWindow, { input: inputOf(key, options) });
      const what =
        options.occurrence === undefined ? `Window ${window.key}` : `The occurrence of ${window.key} at ${localText(options.occurrence)}`;
      answer(cli, window, options, `${what} is cancelled.`);
    });
}

function changeCommand(name: string, description: string, otherwise: string): Command {
  return new Command(name)
    .description(description)
    .argument("<window>", "the window's key")
    .option("--occurrence <local>", `which occurrence, by its local start as \`window preview\` shows it (default: ${otherwise})`)
    .requiredOption("-r, --reason <text>", "why; stays on record")
    .option("--json", "print the window as JSON");
}

function inputOf(key: string, options: ChangeOptions): { readonly key: string; readonly reason: string; readonly localStart?: string } {
  return { key, reason: options.reason, ...(options.occurrence === undefined ? {} : { localStart: options.occurrence.replace(" ", "T") }) };
}

function answer(cli: Cli, window: WindowAnswer, options: ChangeOptions, sentence: string): void {
  if (options.json === true) {
    printJson(cli, window);
    return;
  }
  print(cli, sentence);
  const next = window.currentOrNext;
  if (next === null || instantOf(next.startsAt) <= cli.clock.wallMs()) return;
  print(cli, cli.out.styles.dim(`Next: ${localText(next.localStart)} to ${localText(next.localEnd)} ${next.timeZone}`));
}
