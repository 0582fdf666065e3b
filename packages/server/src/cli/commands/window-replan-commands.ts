import { Command } from "commander";
import { CliError } from "../cli-error.js";
import { type Cli, note, print, printJson } from "../cli.js";
import type { GraphqlClient } from "../graphql-client.js";
import { moveOccurrence, restoreOccurrence, splitWindow, updateWindow } from "../operations/planning-operations.js";
import { windowOccurrences } from "../operations/window-operations.js";
import { localText } from "../output/list-text.js";
import { renderConflicts } from "../output/render-conflicts.js";
import { overrideFreezeOf, overrideFreezeOption, type OverrideFreezeOptions } from "./override-freeze-option.js";
import { addPlanOptions, changesOf, isTimeOfDay, localTime, type PlanOptions } from "./plan-options.js";

interface ReplanOptions extends OverrideFreezeOptions {
  readonly occurrence: string;
  readonly start?: string;
  readonly end?: string;
  readonly reason: string;
  readonly json?: boolean;
}

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
    .addOption(overrideFreezeOption())
    .action(async (key: string, options: ReplanOptions) => {
      const start = localTime(options.start ?? "");
      const end = options.end === undefined ? {} : { end: localTime(options.end) };
      const input = { key, localStart: localTime(options.occurrence), start, ...end, ...overrideFreezeOf(options), reason: options.reason };
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
  return replanCommand("restore", "let a moved or cancelled occurrence happen as the series says")
    .addOption(overrideFreezeOption())
    .action(async (key: string, options: ReplanOptions) => {
      const input = { key, localStart: localTime(options.occurrence), reason: options.reason, ...overrideFreezeOf(options) };
      const { restoreOccurrence: window } = await (await cli.api()).request(restoreOccurrence, { input });
      if (options.json === true) printJson(cli, window);
      else print(cli, `The occurrence of ${window.key} at ${localText(input.localStart)} happens as planned.`);
    });
}

interface SplitOptions extends PlanOptions {
  readonly occurrence: string;
  readonly reason: string;
  readonly windowReason?: string;
  readonly json?: boolean;
}

/** `quiesce window split`: this and following. */
export function windowSplitCommand(cli: Cli): Command {
  const command = replanCommand(
    "split",
    "this and following: end a window before an occurrence and go on from there with a new one, different where options say so",
  ).option("--key <key>", "the new window's key (default: made from the old one and the date)");
  return addPlanOptions(command, "change")
    .option("--window-reason <text>", "why the new window is needed, where that is another reason")
    .action(async (key: string, options: SplitOptions) => {
      const localStart = localTime(options.occurrence);
      const changes = {
        ...(options.key === undefined ? {} : { key: options.key }),
        ...changesOf(options, options.start ?? localStart),
        ...(options.windowReason === undefined ? {} : { reason: options.windowReason }),
      };
      const input = { key, localStart, reason: options.reason, changes, ...overrideFreezeOf(options) };
      const { splitMaintenanceWindow: window } = await (await cli.api()).request(splitWindow, { input });
      if (options.json === true) printJson(cli, window);
      else print(cli, `Window ${key} ends before ${localText(localStart)}; ${cli.out.styles.bold(window.key)} goes on from there.`);
      if (options.json !== true) note(cli, ...renderConflicts(window.conflicts, cli.err));
    });
}

interface EditOptions extends PlanOptions {
  readonly reason?: string;
  readonly json?: boolean;
}

/** `quiesce window edit`: the whole series. */
export function windowEditCommand(cli: Cli): Command {
  const command = new Command("edit")
    .description("change a window; what has begun of it stays as it is, and what options do not name as well")
    .argument("<window>", "the window's key");
  return addPlanOptions(command, "change")
    .option("-r, --reason <text>", "why it is needed, where that is another reason")
    .option("--json", "print the window as JSON")
    .action(async (key: string, options: EditOptions) => {
      const api = await cli.api();
      const start = options.start ?? (isTimeOfDay(options.end) ? await startOf(api, key) : undefined);
      const changes = { ...changesOf(options, start), ...(options.reason === undefined ? {} : { reason: options.reason }) };
      if (Object.keys(changes).length === 0)
        throw new CliError("usage", "What should be different? Name it with the options of `window create`.");
      const { updateMaintenanceWindow: window } = await api.request(updateWindow, {
        input: { key, ...changes, ...overrideFreezeOf(options) },
      });
      if (options.json === true) {
        printJson(cli, window);
        return;
      }
      const isPending = window.approval !== null && window.approval.state !== "APPROVED";
      print(cli, `Window ${cli.out.styles.bold(window.key)} is changed${isPending ? " and holds nothing until it is approved" : ""}.`);
      note(cli, ...renderConflicts(window.conflicts, cli.err));
    });
}

async function startOf(api: GraphqlClient, key: string): Promise<string | undefined> {
  const { maintenanceWindow } = await api.request(windowOccurrences, { key, first: 1 });
  return maintenanceWindow?.series.start;
}
