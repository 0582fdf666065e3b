import { Command } from "commander";
import { type Cli, print, printJson } from "../cli.js";
import { approveWindow, overrideFreeze, rejectWindow } from "../operations/planning-operations.js";
import { overrideFreezeOf, overrideFreezeOption, type OverrideFreezeOptions } from "./override-freeze-option.js";

interface DecisionOptions extends OverrideFreezeOptions {
  readonly comment?: string;
  readonly reason?: string;
  readonly json?: boolean;
}

/** `quiesce window approve`: somebody's word that the window may hold. */
export function windowApproveCommand(cli: Cli): Command {
  return new Command("approve")
    .description("give your word for a window that needs an approval; it holds once every policy is satisfied")
    .argument("<window>", "the window's key")
    .option("-c, --comment <text>", "what to say with it; stays on record")
    .addOption(overrideFreezeOption())
    .option("--json", "print the window as JSON")
    .action(async (key: string, options: DecisionOptions) => {
      const input = { key, ...(options.comment === undefined ? {} : { comment: options.comment }), ...overrideFreezeOf(options) };
      const { approveMaintenanceWindow: window } = await (await cli.api()).request(approveWindow, { input });
      if (options.json === true) {
        printJson(cli, window);
        return;
      }
      const given = new Set(window.approval?.given.map(({ policy }) => policy));
      const open = (window.approval?.needed ?? []).map(({ policy }) => policy).filter((policy) => !given.has(policy));
      print(
        cli,
        open.length === 0
          ? `Window ${window.key} is approved: it holds.`
          : `Window ${window.key} has your word and holds nothing yet: ${open.join(", ")} wants another one.`,
      );
    });
}

/** `quiesce window reject`: the window shall not hold as it is. */
export function windowRejectCommand(cli: Cli): Command {
  return new Command("reject")
    .description("refuse a window that needs an approval; it holds nothing until it is changed and approved")
    .argument("<window>", "the window's key")
    .requiredOption("-r, --reason <text>", "why; stays on record")
    .option("--json", "print the window as JSON")
    .action(async (key: string, options: DecisionOptions) => {
      const { rejectMaintenanceWindow: window } = await (
        await cli.api()
      ).request(rejectWindow, { input: { key, comment: options.reason ?? "" } });
      if (options.json === true) printJson(cli, window);
      else print(cli, `Window ${window.key} is refused: it holds nothing until it is changed and approved.`);
    });
}

/** `quiesce window override-freeze`: a change may stand where a calendar or newer zone data moved it. */
export function windowOverrideFreezeCommand(cli: Cli): Command {
  return new Command("override-freeze")
    .description("let a change stand that a calendar or newer zone data moved into a freeze; wants a role that may (approver, admin)")
    .argument("<window>", "the change's key")
    .requiredOption("-r, --reason <text>", "why; stays on record, and the owner of the freeze is told")
    .option("--json", "print the window as JSON")
    .action(async (key: string, options: { readonly reason: string; readonly json?: boolean }) => {
      const { overrideFreeze: window } = await (await cli.api()).request(overrideFreeze, { input: { key, reason: options.reason } });
      if (options.json === true) printJson(cli, window);
      else print(cli, `Window ${window.key} stands inside the freeze; its owner is told.`);
    });
}
